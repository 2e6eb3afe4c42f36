"""A call and its words in; a case with a suggestion, an owner and a limit out.

In: the dialogue of a call (transcription's turns, or plain text), a city's folder, a policy pack,
the holiday calendar. Out: a draft case, a suggestion with its reasons, legal moves, deadlines.

Read `cases.py` first: the case and its table of legal moves. Then
- `classify.py` what the words suggest (`rules.py` our rules, `places.py` names by sound,
  `model.py` the trained part, `training.py` how it is trained);
- `deadlines.py`, `clocks.py` when a case and each stage is due (`policy.py`, `calendar.py`);
- `directory.py` the city's units and areas;
- `store.py` the only file that knows the database.

A suggestion is never a decision: a person opens, sends and closes every case.
"""
