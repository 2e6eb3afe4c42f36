"""Tones that tell who speaks, and how loud each is in what somebody heard."""

import math
import wave
from collections.abc import Sequence
from pathlib import Path

RATE = 8000
TONE_SECONDS = 2  # repeated without a seam: every whole number of hertz fits
LOUD = 0.25
HEARD = 0.001
"""Mean square above which a tone counts as heard."""
HEADER_BYTES = 44


def write_tone(path: Path, hertz: int, *, seconds: int = TONE_SECONDS) -> Path:
    """Write a tone that can be played again and again."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(
            b"".join(
                round(32767 * LOUD * math.sin(2 * math.pi * hertz * n / RATE)).to_bytes(
                    2, "little", signed=True
                )
                for n in range(RATE * seconds)
            )
        )
    return path


def loudness(samples: Sequence[int], hertz: int) -> float:
    """Goertzel: the mean square of one frequency, full scale being 0.5."""
    omega = 2 * math.pi * hertz / RATE
    coefficient = 2 * math.cos(omega)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample / 32768 + coefficient * last - before
    energy = last**2 + before**2 - coefficient * last * before
    return 2 * energy / max(len(samples), 1) ** 2


def parts_with(samples: Sequence[int], hertz: int) -> int:
    """In how many parts of a recording, each a quarter of a second, this tone is heard."""
    part = RATE // 4
    return sum(
        loudness(samples[start : start + part], hertz) > HEARD
        for start in range(0, len(samples) - part, part)
    )


def written_so_far(file: Path) -> list[int]:
    """The samples of a WAV file that is still being written; its header comes last."""
    data = file.read_bytes()[HEADER_BYTES:]
    return [
        int.from_bytes(data[n : n + 2], "little", signed=True) for n in range(0, len(data) - 1, 2)
    ]
