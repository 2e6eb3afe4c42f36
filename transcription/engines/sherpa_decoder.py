"""What runs inside the decoding processes of sherpa-onnx: one model, shared by one lane a core.

The models hear whole utterances, best of up to twenty seconds, so a recording is cut where it is
quietest; stretches in which nobody speaks are left out, because such models make words of silence.
One thread a lane: the lanes are the parallelism, and a session without threads survives the fork.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transcription.engines.sherpa import TOKENS, weights
from transcription.engines.vosk_decoder import main, resident_bytes, trim

SHORTEST, LONGEST = 8.0, 20.0
"""Seconds of a piece: it is cut at the quietest moment between the two."""
_FRAME = 0.1
_QUIET = 10 ** (-50 / 20)
"""Loudness (root mean square, full scale 1) below which nobody speaks: -50 dBFS."""
_LAST_TOKEN = 0.24
"""Seconds a token is taken to last where no other follows close."""
_MEGABYTES = 1500

Samples = NDArray[np.float32]


def pieces(sound: Samples, rate: int) -> Iterator[tuple[float, Samples]]:
    """The pieces of a recording in which somebody speaks, each with the second it begins at."""
    frame = int(rate * _FRAME)
    loud = loudness(sound, frame)
    at = 0
    while at < len(loud):
        first, last = at + int(SHORTEST / _FRAME), at + int(LONGEST / _FRAME)
        end = len(loud) if last >= len(loud) else first + int(np.argmin(loud[first:last])) + 1
        if loud[at:end].max() >= _QUIET:
            yield at * _FRAME, sound[at * frame : end * frame]
        at = end


def loudness(sound: Samples, frame: int) -> Samples:
    """The root mean square of each frame; the last one may be short."""
    padded = np.pad(sound, (0, -len(sound) % frame)).reshape(-1, frame)
    found: Samples = np.sqrt((padded**2).mean(axis=1, dtype=np.float32))
    return found


class Decoder:
    """Decodes one recording after another."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        """Decode the sound the job names (path, offset, bytes, rate) into rows of words."""
        started, cpu = time.monotonic(), time.process_time()
        words = [
            row
            for begins, piece in pieces(_sound(job), job["rate"])
            for row in self._words(begins, piece, job["rate"])
        ]
        if resident_bytes() > _MEGABYTES * 2**20:
            self.rest()
        return {
            "words": words,
            "wall_seconds": time.monotonic() - started,
            "cpu_seconds": time.process_time() - cpu,
        }

    def _words(self, begins: float, piece: Samples, rate: int) -> Iterator[list[Any]]:
        stream = self._recogniser.create_stream()
        stream.accept_waveform(rate, piece)
        self._recogniser.decode_stream(stream)
        tokens, times = stream.result.tokens, stream.result.timestamps
        for at, (token, start) in enumerate(zip(tokens, times, strict=False)):
            text = token.replace("\u2581", "").replace("@@", "").strip()
            follows = times[at + 1] if at + 1 < len(times) else start + _LAST_TOKEN
            end = min(follows, start + _LAST_TOKEN)
            if text:
                yield [text, round(begins + start, 2), round(begins + end, 2), None]

    def rest(self) -> None:
        """Return freed memory to the system; the model stays."""
        trim()


def _sound(job: dict[str, Any]) -> Samples:
    with Path(job["path"]).open("rb") as file:
        file.seek(job["offset"])
        pcm = np.frombuffer(file.read(job["bytes"]), dtype="<i2")
    return pcm.astype(np.float32) / np.float32(2**15)


def _load(model: Path) -> Any:
    """Load the model: Paraformer where the folder's name says so, else SenseVoice in Chinese."""
    import sherpa_onnx  # noqa: PLC0415 - only the decoding process pays for the import

    file, tokens = str(weights(model)), str(model / TOKENS)
    if "paraformer" in model.resolve().name:
        return sherpa_onnx.OfflineRecognizer.from_paraformer(file, tokens, num_threads=1)
    return sherpa_onnx.OfflineRecognizer.from_sense_voice(
        file, tokens, num_threads=1, language="zh", use_itn=False
    )


if __name__ == "__main__":
    main(Decoder, _load)
