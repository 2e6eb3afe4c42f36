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
from telephony.calls import Leg
from tests.hotline.story import NOW, Life, at, call, write_wav

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def _take(source: Path, target: Path, *, late: bool = True) -> recordings.Found:
    now = datetime.now(UTC) + timedelta(minutes=5)
    return take_in(
        source, target, now=now, missing_after=LONG_AGO if late else now + timedelta(hours=1)
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "a-caller.wav", 2.0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "store" / "2026" / "a.wav"


def test_a_sound_file_is_stored_with_its_length_and_hash(source: Path, target: Path) -> None:
    found = _take(source, target)
    assert isinstance(found, Stored)
    assert (found.seconds, found.note) == (2.0, None)
    assert found.sha256 == sha256(target.read_bytes()).hexdigest()
    assert target.read_bytes() == source.read_bytes()


def test_taking_it_in_twice_is_taking_it_in_once(source: Path, target: Path) -> None:
    once = _take(source, target)
    assert _take(source, target) == once
    source.unlink()
    assert _take(source, target) == once  # moved by a process that died before it could say so
    assert [p.name for p in target.parent.iterdir()] == [target.name]


def test_the_header_a_crashed_exchange_left_is_repaired(source: Path, target: Path) -> None:
    data = bytearray(source.read_bytes())
    data[4:8] = data[40:44] = bytes(4)
    source.write_bytes(data)
    found = _take(source, target)
    assert isinstance(found, Stored)
    assert found.seconds == 2.0
    assert found.note is not None
    assert "was not closed properly" in found.note


def test_a_file_that_is_still_being_written_is_waited_for(source: Path, target: Path) -> None:
    data = bytearray(source.read_bytes())
    data[4:8] = data[40:44] = bytes(4)
    source.write_bytes(data)
    written = datetime.fromtimestamp(source.stat().st_mtime, UTC)
    with pytest.raises(LaterError, match="still being written"):
        take_in(source, target, now=written + SETTLED / 2, missing_after=LONG_AGO)
    assert not target.exists()
    assert isinstance(
        take_in(source, target, now=written + SETTLED, missing_after=LONG_AGO), Stored
    )


def test_a_zero_length_file_is_damaged_and_stays(source: Path, target: Path) -> None:
    source.write_bytes(b"")
    found = _take(source, target)
    assert found == Damaged(reason="The recording a-caller.wav is a file of zero length.")
    assert source.exists()
    assert not target.exists()


def test_a_file_cut_inside_its_header_is_damaged(source: Path, target: Path) -> None:
    source.write_bytes(source.read_bytes()[:30])
    found = _take(source, target)
    assert isinstance(found, Damaged)
    assert "breaks off inside its header" in found.reason


def test_a_file_cut_inside_its_sound_keeps_what_is_there(source: Path, target: Path) -> None:
    source.write_bytes(source.read_bytes()[: 44 + 16000])
    found = _take(source, target)
    assert isinstance(found, Stored)
    assert found.seconds == 1.0
    assert found.note is not None
    assert "breaks off 1.0 s early" in found.note


def test_a_missing_file_is_waited_for_and_then_missing(tmp_path: Path, target: Path) -> None:
    gone = tmp_path / "gone.wav"
    with pytest.raises(LaterError, match=r"gone\.wav"):
        _take(gone, target, late=False)
    found = _take(gone, target)
    assert isinstance(found, Missing)
    assert "gone.wav" in found.reason


@pytest.mark.parametrize(
    "named", ["/etc/passwd", "../../etc/passwd", "a/../../passwd", "/var/spool/monitor/passwd"]
)
def test_a_name_from_the_exchange_never_leads_out_of_its_folder(tmp_path: Path, named: str) -> None:
    assert recordings.source_path(tmp_path, named) == tmp_path / "passwd"


def test_the_target_is_by_day_call_and_leg(tmp_path: Path) -> None:
    path = recordings.target_path(tmp_path, 7, Leg.OPERATOR, at(0))
    assert path == tmp_path / "2026/11/23/00000007-operator.wav"


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
    target = tiny_disk / "store" / "long.wav"
    with pytest.raises(LaterError) as raised:
        _take(source, target)
    assert str(raised.value) == (
        f"The disk for recordings ({target.parent}) is full: long.wav stays at the exchange "
        "and is stored as soon as there is room."
    )
    assert source.read_bytes() == before
    assert list(target.parent.iterdir()) == []


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
    assert told[-4:] == [
        "recording.stored",
        "recording.missing",
        "transcript.ready",
        "case.suggested",
    ]


async def test_damaged_sound_is_told_and_the_case_goes_on(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    for file in life.record(call()):
        file.write_bytes(b"")
    await life.live(call())
    told = [row["event"] for row in await pool.fetch("SELECT event FROM journal ORDER BY id")]
    assert told[-3:] == ["recording.damaged", "recording.damaged", "case.suggested"]
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
