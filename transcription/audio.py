"""WAV files of recorded legs: inspected, repaired and read, tolerant of what a crash leaves.

Asterisk writes the sizes in a WAV header only when it closes the file, so after a crash or a
power cut they are zero while the sound is there (observed on Asterisk 22: up to the last 2 s of
sound are lost, the rest is on disk). Sizes are therefore a claim; the length of the file decides.
"""

import os
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from transcription.errors import (
    AudioEmpty,
    AudioMissing,
    AudioTruncated,
    AudioUnreadable,
    AudioUnsupported,
)

RATES = (8000, 16000)
"""Samples per second that telephone lines record; anything else is a mistake upstream."""
STEP_SECONDS = 0.25
_SAMPLE_BYTES = 2
_FORMAT_PCM = 1
_FORMAT_EXTENSIBLE = 0xFFFE
_RIFF_BYTES = 12
_CHUNK_BYTES = 8
_UNTOLD = (0, 0xFFFFFFFF)
"""Sizes that say "not known yet": Asterisk before it closes the file, and streaming writers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What a WAV file really holds: 16-bit PCM, one channel.

    `seconds` counts the sound that is there. `repaired` is true where the header does not tell
    the truth and was read around (or, out of `repair`, corrected). `missing_seconds` is the
    sound that the header promises and the file does not hold.
    """

    path: Path
    seconds: float
    rate: int
    channels: int
    repaired: bool
    missing_seconds: float
    data_offset: int
    data_bytes: int

    @property
    def note(self) -> str | None:
        """One sentence for the operator where something was wrong, else None."""
        if self.missing_seconds > 0:
            return (
                f"The recording {self.path.name} breaks off {self.missing_seconds:.1f} s early; "
                f"the {self.seconds:.1f} s that are there were kept."
            )
        if self.repaired:
            return (
                f"The recording {self.path.name} was not closed properly; "
                f"its {self.seconds:.1f} s of sound were recovered."
            )
        return None


@dataclass(frozen=True, slots=True)
class _Found:
    """Where the sound lies and what the header claims about it."""

    rate: int
    offset: int
    claimed: int
    claimed_riff: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the sound of a file lies, by its head alone."""

    rate: int
    offset: int
    end: int
    """The byte after the last one of the sound."""

    def byte_at(self, seconds: float) -> int:
        """The byte of the sample at this second; the end of the sound for any later one."""
        return min(self.end, self.offset + max(0, round(seconds * self.rate)) * _SAMPLE_BYTES)


def layout(head: BinaryIO, length: int) -> Layout:
    """Read the head of a stored recording of `length` bytes.

    Raises:
        AudioError: it is no recording, or its sound begins later.
    """
    found = _find_sound(head, Path("recording.wav"), length)
    present = length - found.offset
    data = present if found.claimed in _UNTOLD else min(found.claimed, present)
    return Layout(rate=found.rate, offset=found.offset, end=found.offset + data)


def inspect(path: Path) -> Audio:
    """Find the sound in a WAV file without changing the file.

    Raises:
        AudioMissing: the file cannot be opened.
        AudioEmpty: no sound in it.
        AudioTruncated: it ends inside its header.
        AudioUnreadable: it is no WAV file.
        AudioUnsupported: not 16-bit PCM, not one channel, or not 8000 or 16000 Hz.
    """
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            return _measure(path, _find_sound(file, path, length), length)
    except OSError as error:
        raise AudioMissing(
            f"The recording {path.name} cannot be read ({error.strerror}): "
            "look for it where the exchange records.",
            path=path,
        ) from error


def _measure(path: Path, found: _Found, length: int) -> Audio:
    present = length - found.offset
    honest = found.claimed not in _UNTOLD and found.claimed <= present
    closed_empty = found.claimed == 0 and found.claimed_riff == length - _CHUNK_BYTES
    data = found.claimed if honest or closed_empty else present
    data -= data % _SAMPLE_BYTES
    if data == 0:
        raise AudioEmpty(f"The recording {path.name} holds no sound.", path=path)
    per_second = found.rate * _SAMPLE_BYTES
    missing = 0 if found.claimed in _UNTOLD else max(0, found.claimed - data)
    missing -= missing % _SAMPLE_BYTES
    return Audio(
        path=path,
        seconds=data / per_second,
        rate=found.rate,
        channels=1,
        repaired=data != found.claimed,
        missing_seconds=missing / per_second,
        data_offset=found.offset,
        data_bytes=data,
    )


def _find_sound(file: BinaryIO, path: Path, length: int) -> _Found:
    """Walk the chunks of a RIFF file up to its sound."""
    riff = file.read(_RIFF_BYTES)
    if not riff:
        raise AudioEmpty(f"The recording {path.name} is a file of zero length.", path=path)
    if not _begins_like_wav(riff):
        raise AudioUnreadable(f"The recording {path.name} is not a WAV file.", path=path)
    rate = None
    while len(head := file.read(_CHUNK_BYTES)) == _CHUNK_BYTES:
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        if name == b"data" and rate is not None:
            return _Found(rate, file.tell(), size, struct.unpack("<I", riff[4:8])[0])
        if name == b"fmt ":
            rate = _rate(file.read(size) if size <= length else b"", path)
            file.seek(size % 2, os.SEEK_CUR)
        else:
            file.seek(size + size % 2, os.SEEK_CUR)
    raise AudioTruncated(
        f"The recording {path.name} breaks off inside its header after {length} bytes: "
        "no sound can be found in it.",
        path=path,
    )


def _begins_like_wav(riff: bytes) -> bool:
    """Whether these first bytes, possibly cut short, are those of a WAV file."""
    return b"RIFF".startswith(riff[:4]) and b"WAVE".startswith(riff[8:12])


def _rate(fmt: bytes, path: Path) -> int:
    """Read the format chunk: the sample rate of 16-bit mono PCM at a rate of the line."""
    if len(fmt) < struct.calcsize("<HHIIHH"):
        raise AudioTruncated(
            f"The recording {path.name} breaks off inside its header: no sound can be found in it.",
            path=path,
        )
    form, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", fmt)
    if form == _FORMAT_EXTENSIBLE and len(fmt) >= 26:  # noqa: PLR2004 - where the sub-format stands
        form = struct.unpack_from("<H", fmt, 24)[0]
    if form != _FORMAT_PCM or channels != 1 or bits != 8 * _SAMPLE_BYTES or rate not in RATES:
        raise AudioUnsupported(
            f"The recording {path.name} is WAV format {form}, {channels} channel(s), {rate} Hz, "
            f"{bits} bits, but the line records PCM of one channel, 8000 or 16000 Hz, 16 bits: "
            "check the recording format of the exchange.",
            path=path,
        )
    return int(rate)


def repair(path: Path, target: Path | None = None) -> Audio:
    """Write the true sizes into the header, in place, or into a whole copy at `target`.

    A sound file comes back unchanged, so repairing twice is repairing once. The copy appears at
    `target` only when it is complete and on disk.

    Raises:
        AudioError: as `inspect`; the file is then left as it was.
        OSError: the disk is full or the file may not be written.
    """
    audio = inspect(path)
    if target is None:
        if audio.repaired:
            with path.open("r+b") as file:
                _correct(file, audio)
        return _as_repaired(audio, path)
    part = target.with_name(f".{target.name}.part")
    try:
        with path.open("rb") as source, part.open("wb+") as copy:
            shutil.copyfileobj(source, copy)
            _correct(copy, audio)
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return _as_repaired(audio, target)


def _correct(file: BinaryIO, audio: Audio) -> None:
    """Make the header tell the truth; nothing is written where it already does."""
    if audio.repaired:
        end = audio.data_offset + audio.data_bytes
        file.truncate(end)
        file.seek(4)
        file.write(struct.pack("<I", end - _CHUNK_BYTES))
        file.seek(audio.data_offset - 4)
        file.write(struct.pack("<I", audio.data_bytes))
    file.flush()
    os.fsync(file.fileno())


def _as_repaired(audio: Audio, path: Path) -> Audio:
    return Audio(
        path=path,
        seconds=audio.seconds,
        rate=audio.rate,
        channels=audio.channels,
        repaired=audio.repaired,
        missing_seconds=audio.missing_seconds,
        data_offset=audio.data_offset,
        data_bytes=audio.data_bytes,
    )


def steps(audio: Audio, seconds: float = STEP_SECONDS) -> Iterator[bytes]:
    """Read the sound in steps: 16-bit little-endian samples, the last step possibly shorter."""
    size = max(1, round(audio.rate * seconds)) * _SAMPLE_BYTES
    with audio.path.open("rb") as file:
        file.seek(audio.data_offset)
        left = audio.data_bytes
        while left > 0 and (pcm := file.read(min(size, left))):
            left -= len(pcm)
            yield pcm[: len(pcm) - len(pcm) % _SAMPLE_BYTES]
