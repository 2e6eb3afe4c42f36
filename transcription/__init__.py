"""Sound in, words out.

Enters: the WAV file of one leg of a recorded call (the caller's or the operator's voice).
Leaves: a `Transcript`, which is the words as the engine heard them, each with its times and
confidence; and from two transcripts of a call one dialogue, a tuple of `Turn`.

Read `transcripts.py` first: the values and the merge, pure. `audio.py` inspects and repairs
WAV files, `transcriber.py` is the port every engine fits, `engines/` holds one file an engine
(Vosk by default, decoding in processes apart from the service), `models.py` fetches and
verifies the speech model, `finishing.py` makes a text worth reading of the raw words (names by
sound: `vocabulary.py`, `syllables.py`; numbers: `again.py`, `numerals.py`), `facts.py` and
`personal.py` find in it what a form asks for and what must be hidden, `store.py` keeps
transcripts in PostgreSQL, `errors.py` says what can go wrong in one sentence each.
"""
