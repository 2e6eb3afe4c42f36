"""One file an engine; each fits the `Transcriber` protocol of `transcription/transcriber.py`.

Enters: the WAV file of one leg. Leaves: a `Transcript`.

Read `vosk.py` first: the default engine as the service sees it. `worker.py` is the service's
hold on one decoding process, `vosk_decoder.py` is what runs inside that process.
"""
