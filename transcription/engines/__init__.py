"""One file an engine; each fits the `Transcriber` protocol of `transcription/transcriber.py`.

Enters: the WAV file of one leg. Leaves: a `Transcript`.

Read `vosk.py` first: the default engine as the service sees it. `worker.py` is the service's
hold on the decoding process, `vosk_decoder.py` is what runs inside it, and `lanes.py` is how
that process forks lanes that share one model and may die alone.
"""
