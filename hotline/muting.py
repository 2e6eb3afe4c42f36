"""Where a recording is silent for whoever must not hear personal data: spans of bytes, not copies.

    seconds of the finished text -> padded, joined -> bytes of the file -> zeros while it is sent

The file stays as it is, its length and its header too, so any part of it can be asked for.
"""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from transcription import audio
from transcription.sentences import Sentence

EDGE = 0.15
"""Seconds of silence before and after: the recogniser's times are a tenth of a second exact."""
BETWEEN = 1.0
"""Two spans no further apart are one: what is said between two halves of a number belongs to it."""
HEAD = 4096
"""Bytes in which the sound of a stored recording has begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Bytes `first` to `last` (not included) of a file that are sent as zeros."""

    first: int
    last: int


def spans(sentences: Iterable[Sentence]) -> tuple[tuple[float, float], ...]:
    """Seconds of a leg to be silent in, in order, none touching another."""
    found = sorted(
        (max(0.0, it.start - EDGE), it.end + EDGE) for one in sentences for it in one.muted
    )
    joined: list[tuple[float, float]] = []
    for start, end in found:
        if joined and start - joined[-1][1] <= BETWEEN:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def silences(head: bytes, length: int, seconds: Sequence[tuple[float, float]]) -> list[Silence]:
    """The bytes of these seconds in a file that begins with `head`.

    Raises:
        AudioError: the head is not that of a recording.
    """
    found = audio.layout(io.BytesIO(head), length)
    whole = [
        Silence(first=found.byte_at(start), last=found.byte_at(end))
        for start, end in seconds
        if found.byte_at(start) < found.byte_at(end)
    ]
    if any(a.last > b.first for a, b in pairwise(whole)):  # pragma: no cover - spans are apart
        raise ValueError("silences must be in order and apart")
    return whole


def silenced(piece: bytes, at: int, silent: Sequence[Silence]) -> bytes:
    """A piece of the file that begins at byte `at`, with zeros where it is silent."""
    quiet = bytearray(piece)
    for one in silent:
        first, last = max(one.first - at, 0), min(one.last - at, len(piece))
        if first < last:
            quiet[first:last] = bytes(last - first)
    return bytes(quiet)
