"""From the exchange's spool into the store: found, verified, repaired, hashed, moved whole.

A file appears in the store only when it is complete and on disk, and leaves the exchange only
after the database knows of it. So at any moment at least one whole copy exists, and doing it
again after a crash comes to the same end. Everything here blocks: call it in a thread.
"""

import errno
import hashlib
import logging
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

from hotline.jobs import LaterError
from telephony.calls import Leg
from transcription import audio
from transcription.errors import AudioError, AudioMissing

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=5)
"""A file with an unfinished header that nobody has written to for so long is what a crash left."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A recording that is safe in the store; `note` says what had to be repaired."""

    path: Path
    sha256: str
    seconds: float
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """No such file came within the time allowed."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """There is a file, but no sound can be had from it; it stays where it is."""

    reason: str


Found = Stored | Missing | Damaged


def source_path(recordings_dir: Path, named: str) -> Path:
    """Where we see the file that the exchange named; only its last part counts, never a folder."""
    return recordings_dir / PurePath(named).name


def target_path(store: Path, call_id: int, leg: Leg, started_at: datetime) -> Path:
    """Where a recording is kept: by the day of the call (UTC), call and leg."""
    return store / started_at.astimezone(UTC).strftime("%Y/%m/%d") / f"{call_id:08d}-{leg}.wav"


TOO_SHORT = timedelta(seconds=2)
"""A recording may miss so much of the talk: what a killed exchange had not written yet."""


def held_against(found: Found, talk: timedelta | None) -> Found:
    """What was found, with a note where its sound is shorter than the talk it should hold."""
    if not isinstance(found, Stored) or talk is None:
        return found
    if timedelta(seconds=found.seconds) + TOO_SHORT >= talk:
        return found
    short = (
        f"The recording holds {found.seconds:.1f} s of a talk of {talk.total_seconds():.1f} s: "
        "the exchange had no room for it, was stopped, or heard nothing of either side."
    )
    return replace(found, note=f"{found.note} {short}" if found.note else short)


def take_in(source: Path, target: Path, *, now: datetime, missing_after: datetime) -> Found:
    """Copy one recording into the store, whole or not at all.

    Raises:
        LaterError: it is still being written, has not come yet, or the disk is full.
    """
    try:
        if not source.exists() and target.exists():
            return _stored(audio.inspect(target), target)  # moved before a crash, not yet recorded
        _wait_until_closed(source, now)
        target.parent.mkdir(parents=True, exist_ok=True)
        found = audio.repair(source, target)
        _sync_folder(target.parent)
        return _stored(found, target)
    except AudioMissing as error:
        if now < missing_after:
            raise LaterError(f"{error} It is waited for.") from error
        return Missing(reason=str(error))
    except AudioError as error:
        return Damaged(reason=str(error))
    except OSError as error:
        raise LaterError(_sentence(error, source, target)) from error


def _wait_until_closed(source: Path, now: datetime) -> None:
    """A header without its sizes means: still being written, or left so by a crash."""
    if not audio.inspect(source).repaired:
        return
    written = datetime.fromtimestamp(source.stat().st_mtime, UTC)
    if now - written < SETTLED:
        raise LaterError(f"The recording {source.name} is still being written.")


def _stored(found: audio.Audio, target: Path) -> Stored:
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Stored(path=target, sha256=digest, seconds=found.seconds, note=found.note)


def _sync_folder(folder: Path) -> None:
    """A renamed file is safe from a power cut only when its folder is on disk too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sentence(error: OSError, source: Path, target: Path) -> str:
    if error.errno in _FULL:
        return (
            f"The disk for recordings ({target.parent}) is full: {source.name} stays at the "
            "exchange and is stored as soon as there is room."
        )
    return (
        f"The recording {source.name} cannot be stored in {target.parent} "
        f"({error.strerror or error}): it stays at the exchange and is tried again."
    )


def remove_source(source: Path) -> None:
    """Take a stored recording out of the exchange's spool; one that cannot go is told and kept."""
    try:
        source.unlink(missing_ok=True)
    except OSError as error:
        log.warning(
            "The stored recording %s cannot be removed from the exchange (%s): give the service "
            "the right to write in %s.",
            source.name,
            error.strerror,
            source.parent,
        )
