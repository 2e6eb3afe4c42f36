"""The exchange: Asterisk's configuration, its secrets and its process.

In comes an `Exchange` (lines, operators, ports, a folder of its own); out come the configuration
files under run_dir/etc and a running Asterisk, which writes under run_dir
  log/cel-custom/calls.csv, log/queue_log   its own durable record, one row an event
  spool/monitor/<uniqueid>-caller.wav, <uniqueid>-operator.wav   the two legs of a call
Several exchanges run side by side when their folders and ports differ. Asterisk 18 to 22.

Read config.py first, then templates/extensions.conf (what a call goes through), render.py,
secrets.py and process.py.
"""
