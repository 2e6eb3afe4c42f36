"""From the exchange's spool into the store: found, verified, repaired, hashed, kept whole.

A recording leaves the exchange only after the store was seen to hold it and the database knows of
it. So at any moment at least one whole copy exists, and doing it again after a crash comes to the
same end: a recording has one name in a store, and what the database does not know of yet (it died,
or was set back) is found there by its call. Everything here blocks: call it in a thread.
"""

import errno
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath

from hotline.errors import StoreAwayError
from hotline.jobs import LaterError
from hotline.sounds import Kept, Place, SoundStores, fetch, sha256_of_file
from transcription import audio
from transcription.errors import AudioError, AudioMissing

log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=5)
"""A file with an unfinished header that nobody has written to for so long is what a crash left."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A recording that is safe in a store; `note` says what had to be repaired."""

    kept: Kept
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


def take_in(
    source: Path, place: Place, sounds: SoundStores, *, now: datetime, missing_after: datetime
) -> Found:
    """Bring one recording into the store, whole or not at all; `source` is only read.

    Raises:
        LaterError: it is still being written or has not come yet, or the store is away or full.
    """
    try:
        if not source.exists() and (kept := _kept_before(place, sounds)) is not None:
            return kept
        _wait_until_closed(source, now)
        return _brought(source, place, sounds)
    except AudioMissing as error:
        if now < missing_after:
            raise LaterError(f"{error} It is waited for.") from error
        return Missing(reason=str(error))
    except AudioError as error:
        return Damaged(reason=str(error))
    except StoreAwayError as error:
        raise LaterError(f"{source.name} stays at the exchange: {error}") from error
    except OSError as error:
        raise LaterError(_sentence(error, source, sounds)) from error


def _brought(source: Path, place: Place, sounds: SoundStores) -> Stored:
    """A copy of our own is repaired and kept: what the exchange may still touch is only read."""
    with sounds.in_hand(f"{place.call_id:08d}-{place.leg}.wav") as copy:
        found = audio.repair(source, copy)
        sha256 = sha256_of_file(copy)
        key = place.key(sha256)
        sounds.current.put(copy, key, sha256)
    kept = Kept(store=sounds.current.kind, key=key, sha256=sha256)
    return Stored(kept=kept, seconds=found.seconds, note=found.note)


def _kept_before(place: Place, sounds: SoundStores) -> Stored | None:
    """The recording in a store, where the exchange has it no more: it was brought in before."""
    for store in sounds.all:
        for key in store.find(place.folder):
            if (sha256 := place.sha256_of(key)) is None:
                continue
            with sounds.in_hand(f"{place.call_id:08d}-{place.leg}.wav") as copy:
                fetch(store, key, sha256, copy)
                found = audio.inspect(copy)
            kept = Kept(store=store.kind, key=key, sha256=sha256)
            return Stored(kept=kept, seconds=found.seconds, note=found.note)
    return None


def _wait_until_closed(source: Path, now: datetime) -> None:
    """A header without its sizes means: still being written, or left so by a crash."""
    if not audio.inspect(source).repaired:
        return
    written = datetime.fromtimestamp(source.stat().st_mtime, UTC)
    if now - written < SETTLED:
        raise LaterError(f"The recording {source.name} is still being written.")


def _sentence(error: OSError, source: Path, sounds: SoundStores) -> str:
    if error.errno in _FULL:
        return (
            f"The disk for recordings ({sounds.work.parent}) is full: {source.name} stays at the "
            "exchange and is stored as soon as there is room."
        )
    return (
        f"The recording {source.name} cannot be stored in {sounds.current.where} "
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
