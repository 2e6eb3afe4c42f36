"""Sound into the store: whole or not at all, and one sentence for whatever is wrong with it."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from hotline import recordings
from hotline.database import Pool
from hotline.jobs import LaterError
from hotline.recordings import SETTLED, Damaged, Missing, Stored, take_in
from hotline.sound_folder import SoundFolder
from hotline.sounds import Place, SoundStores
from telephony.calls import Leg
from tests.hotline.story import NOW, Life, at, call, write_wav

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


PLACE = Place(call_id=7, leg=Leg.CALLER, started_at=at(0))


def _take(source: Path, sounds: SoundStores, *, late: bool = True) -> recordings.Found:
    now = datetime.now(UTC) + timedelta(minutes=5)
    after = LONG_AGO if late else now + timedelta(hours=1)
    return take_in(source, PLACE, sounds, now=now, missing_after=after)


def _sounds(folder: Path) -> SoundStores:
    kept = SoundFolder(folder / "store")
    return SoundStores(current=kept, folder=kept, work=folder / "incoming")


def _kept(sounds: SoundStores) -> list[bytes]:
    store = sounds.current
    return [b"".join(store.read(key)) for key in store.find("2026")]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "a-caller.wav", 2.0)


@pytest.fixture
def sounds(tmp_path: Path) -> SoundStores:
    return _sounds(tmp_path)


def test_a_sound_file_is_stored_with_its_length_and_hash(source: Path, sounds: SoundStores) -> None:
    found = _take(source, sounds)
    assert isinstance(found, Stored)
    assert (found.seconds, found.note) == (2.0, None)
    assert found.kept.sha256 == sha256(source.read_bytes()).hexdigest()
    assert found.kept.key == f"2026/11/23/00000007/caller-{found.kept.sha256}.wav"
    assert _kept(sounds) == [source.read_bytes()]
    assert list(sounds.work.iterdir()) == []


def test_taking_it_in_twice_is_taking_it_in_once(source: Path, sounds: SoundStores) -> None:
    once = _take(source, sounds)
    assert _take(source, sounds) == once
    source.unlink()
    assert _take(source, sounds) == once  # brought in by a process of which the database lost word
    assert len(_kept(sounds)) == 1


def test_the_header_a_crashed_exchange_left_is_repaired(source: Path, sounds: SoundStores) -> None:
    data = bytearray(source.read_bytes())
    data[4:8] = data[40:44] = bytes(4)
    source.write_bytes(data)
    found = _take(source, sounds)
    assert isinstance(found, Stored)
    assert found.seconds == 2.0
    assert found.note is not None
    assert "was not closed properly" in found.note


def test_a_file_that_is_still_being_written_is_waited_for(
    source: Path, sounds: SoundStores
) -> None:
    data = bytearray(source.read_bytes())
    data[4:8] = data[40:44] = bytes(4)
    source.write_bytes(data)
    written = datetime.fromtimestamp(source.stat().st_mtime, UTC)
    with pytest.raises(LaterError, match="still being written"):
        take_in(source, PLACE, sounds, now=written + SETTLED / 2, missing_after=LONG_AGO)
    assert _kept(sounds) == []
    found = take_in(source, PLACE, sounds, now=written + SETTLED, missing_after=LONG_AGO)
    assert isinstance(found, Stored)


def test_a_zero_length_file_is_damaged_and_stays(source: Path, sounds: SoundStores) -> None:
    source.write_bytes(b"")
    found = _take(source, sounds)
    assert found == Damaged(reason="The recording a-caller.wav is a file of zero length.")
    assert source.exists()
    assert _kept(sounds) == []


def test_a_file_cut_inside_its_header_is_damaged(source: Path, sounds: SoundStores) -> None:
    source.write_bytes(source.read_bytes()[:30])
    found = _take(source, sounds)
    assert isinstance(found, Damaged)
    assert "breaks off inside its header" in found.reason


def test_a_file_cut_inside_its_sound_keeps_what_is_there(source: Path, sounds: SoundStores) -> None:
    source.write_bytes(source.read_bytes()[: 44 + 16000])
    found = _take(source, sounds)
    assert isinstance(found, Stored)
    assert found.seconds == 1.0
    assert found.note is not None
    assert "breaks off 1.0 s early" in found.note


def test_a_missing_file_is_waited_for_and_then_missing(tmp_path: Path, sounds: SoundStores) -> None:
    gone = tmp_path / "gone.wav"
    with pytest.raises(LaterError, match=r"gone\.wav"):
        _take(gone, sounds, late=False)
    found = _take(gone, sounds)
    assert isinstance(found, Missing)
    assert "gone.wav" in found.reason


@pytest.mark.parametrize(
    "named", ["/etc/passwd", "../../etc/passwd", "a/../../passwd", "/var/spool/monitor/passwd"]
)
def test_a_name_from_the_exchange_never_leads_out_of_its_folder(tmp_path: Path, named: str) -> None:
    assert recordings.source_path(tmp_path, named) == tmp_path / "passwd"


@contextmanager
def small_files() -> Iterator[None]:
    """Files of this process may not grow beyond 8 KiB: writing fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with room for 64 KiB; skips where it may not be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "hotline-test", str(folder)]
    try:
        done = subprocess.run(mount, check=False, capture_output=True)  # noqa: S603 - our own words
        mounted = done.returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)  # noqa: S603, S607 - as above


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path: Path, tiny_disk: Path) -> None:
    source = write_wav(tmp_path / "long.wav", 10.0)
    before = source.read_bytes()
    sounds = _sounds(tiny_disk)
    with pytest.raises(LaterError) as raised:
        _take(source, sounds)
    assert str(raised.value) == (
        f"The disk for recordings ({tiny_disk}) is full: long.wav stays at the exchange "
        "and is stored as soon as there is room."
    )
    assert source.read_bytes() == before
    assert [path for path in tiny_disk.rglob("*") if path.is_file()] == []


async def test_a_call_on_a_full_disk_is_stored_when_there_is_room_again(
    pool: Pool, tmp_path: Path
) -> None:
    life = Life(pool, tmp_path)
    files = life.record(call())
    await life.tell(call())
    with small_files(), pytest.raises(LaterError, match="is full"):
        await life.work()
    states = "SELECT DISTINCT state FROM recordings"
    assert [row["state"] for row in await pool.fetch(states)] == ["expected"]
    assert all(os.access(file, os.R_OK) for file in files)
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer") == 1
    await life.work()
    assert [row["state"] for row in await pool.fetch(states)] == ["stored"]
    assert await pool.fetchval("SELECT count(*) FROM transcripts WHERE state = 'done'") == 2


async def test_one_missing_leg_does_not_hold_up_the_other(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    caller, operator = life.record(call())
    operator.unlink()
    life.now = at(36) + timedelta(seconds=10)
    await life.tell(call())
    with pytest.raises(LaterError):
        await life.work()
    assert await pool.fetchval("SELECT state FROM recordings WHERE leg = 'caller'") == "stored"
    assert not caller.exists()
    life.now = NOW
    await life.work()
    states = await pool.fetch("SELECT leg, state FROM recordings ORDER BY leg")
    assert [tuple(row) for row in states] == [("caller", "stored"), ("operator", "missing")]
    told = [row["event"] for row in await pool.fetch("SELECT event FROM journal ORDER BY id")]
    assert told[-5:] == [
        "recording.stored",
        "recording.missing",
        "transcript.ready",
        "case.suggested",
        "call.inspected",
    ]


async def test_damaged_sound_is_told_and_the_case_goes_on(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    for file in life.record(call()):
        file.write_bytes(b"")
    await life.live(call())
    told = [row["event"] for row in await pool.fetch("SELECT event FROM journal ORDER BY id")]
    assert told[-4:-1] == ["recording.damaged", "recording.damaged", "case.suggested"]
    assert told[-1] == "call.inspected"
    reason = await pool.fetchval("SELECT reason FROM recordings WHERE leg = 'caller'")
    assert "zero length" in reason
    assert len(list(life.spool.iterdir())) == 2


async def test_an_exchange_taken_out_of_the_configuration_keeps_its_recordings(
    pool: Pool, tmp_path: Path
) -> None:
    life = Life(pool, tmp_path)
    stranger = call()
    life.record(stranger)
    await life.tell(stranger)
    life.steps._recordings_dirs = {}
    with pytest.raises(LaterError, match="mianyang-1 is not in the configuration"):
        await life.work()
