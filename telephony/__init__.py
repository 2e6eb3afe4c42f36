"""The exchange speaks, calls come out.

Enters: the bytes of an exchange's manager interface (AMI), and the lines of the two files it
writes itself, CEL and queue_log. Leaves: `CallStarted`, `CallRinging`, `CallAnswered`,
`CallMessage` and `CallEnded`, each call once, and the rows that keep them.

    ami.py            bytes -> asterisk-ami's Event and Response, safely; actions.py the way back
    connection.py     one exchange for ever: Connected, Snapshot, events, Disconnected, in order
    translation.py    Event -> fact; cel.py and queue_log.py do it for the files
    calls.py          facts -> call events; it knows no clock, no socket, no database;
                      outgoing.py for the calls that begin here
    recovery.py       what was missed: files read on, compared, put right

AMI is the fast path, the files are the proof. Read `events.py` first, then `calls.py`.
"""
