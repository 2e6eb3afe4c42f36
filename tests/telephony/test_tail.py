"""A followed file gives each whole line once, whatever is done to it."""

import gzip
import os
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.rows import Position
from telephony.tail import MOST_BYTES, fingerprint, read_new


@dataclass
class Reader:
    """Reads to the end, again and again, and keeps what it got."""

    path: Path
    position: Position | None = None
    lines: list[str] = field(default_factory=list)
    places: set[tuple[int, int]] = field(default_factory=set)
    lost: int = 0

    def read(self, most: int = MOST_BYTES) -> list[str]:
        new: list[str] = []
        for _ in range(10_000):
            chunk = read_new(self.path, self.position, most=most)
            for line in chunk.lines:
                place = (chunk.file, line.offset)
                assert place not in self.places, "a line was delivered twice"
                self.places.add(place)
                new.append(line.text.decode())
            self.position = chunk.position
            self.lost += chunk.lost
            if not chunk.more:
                self.lines += new
                return new
        raise AssertionError("it never comes to an end")


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "calls.csv"


def test_nothing_is_read_where_there_is_no_file_and_all_when_it_appears(log: Path) -> None:
    reader = Reader(log)
    assert reader.read() == []
    append(log, "one\ntwo\n")
    assert reader.read() == ["one", "two"]
    assert reader.read() == []


def test_a_torn_last_line_waits_for_its_end(log: Path) -> None:
    reader = Reader(log)
    append(log, "on")
    assert reader.read() == []
    append(log, "e\ntw")
    assert reader.read() == ["one"]
    append(log, "o\n")
    assert reader.read() == ["two"]


def test_a_new_reader_goes_on_where_the_old_one_stopped(log: Path) -> None:
    append(log, "one\ntwo\n")
    first = Reader(log)
    first.read()
    append(log, "three\n")
    assert Reader(log, position=first.position).read() == ["three"]


def test_a_rotated_file_is_read_to_its_end_first(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\na2\n")
    reader.read()
    append(log, "a3\n")
    log.rename(log.with_name("calls.csv.1"))
    assert reader.read() == ["a3"]
    append(log.with_name("calls.csv.1"), "a4\n")  # not reopened yet: the exchange writes on
    assert reader.read() == ["a4"]
    append(log, "b1\n")
    assert reader.read() == ["b1"]
    assert reader.lost == 0


def test_several_rotations_while_nobody_read(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n")
    reader.read()
    for n, letter in enumerate("abc"):
        append(log, f"{letter}2\n" if letter == "a" else f"{letter}1\n{letter}2\n")
        old = log.with_name(f"calls.csv-2026112{n}")
        log.rename(old)
        os.utime(old, ns=(n, n))
    append(log, "d1\n")
    assert reader.read() == ["a2", "b1", "b2", "c1", "c2", "d1"]
    assert reader.lost == 0


def test_a_gzipped_rotation_is_read_too(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n")
    reader.read()
    with gzip.open(log.with_name("calls.csv.2.gz"), "wb") as file:
        file.write(b"a1\na2\n")
    log.unlink()
    append(log, "b1\n")
    assert reader.read() == ["a2", "b1"]


def test_a_date_before_the_suffix_is_a_rotation_too(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n")
    reader.read()
    append(log, "a2\n")
    log.rename(log.with_name("calls-20261123.csv"))
    append(log, "b1\n")
    assert reader.read() == ["a2", "b1"]


def test_the_torn_end_of_a_finished_file_is_delivered_to_be_counted(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n")
    reader.read()
    append(log, "a2 torn")
    log.rename(log.with_name("calls.csv.1"))
    append(log, "b1\n")
    assert reader.read() == ["a2 torn", "b1"]


def test_a_deleted_file_is_a_loss_that_is_told(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n")
    reader.read()
    log.unlink()
    assert reader.read() == []
    append(log, "b1\n")
    assert reader.read() == ["b1"]
    assert reader.lost == 1


def test_a_file_emptied_in_place_goes_on_from_its_start(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\na2\n")
    reader.read()
    log.write_text("")
    assert reader.read() == []
    append(log, "b1 longer than all that was there before\n")
    assert reader.read() == ["b1 longer than all that was there before"]
    assert reader.lost == 1


def test_a_file_copied_and_emptied_is_read_to_its_end_from_the_copy(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n")
    reader.read()
    append(log, "a2\n")
    log.with_name("calls.csv.1").write_bytes(log.read_bytes())
    log.write_text("b1\n")
    assert reader.read() == ["a2", "b1"]
    assert reader.lost == 0


def test_a_file_cut_short_by_a_power_failure_goes_on_at_its_last_whole_line(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\na2\na3\n")
    reader.read()
    os.truncate(log, 4)
    reader.places.clear()
    assert reader.read() == []
    append(log, "\na5\n")
    assert reader.read() == ["a", "a5"]
    assert reader.lost == 1


def test_the_same_inode_with_another_first_line_is_another_file(log: Path) -> None:
    append(log, "a1\na2\n")
    before = fingerprint(log)
    inode = log.stat().st_ino
    log.write_text("b1\nb2\n")
    assert log.stat().st_ino == inode
    assert fingerprint(log) != before


def test_a_line_longer_than_a_chunk_does_not_stop_the_others(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n" + "x" * 100)
    assert reader.read(most=10) == ["a1"]
    append(log, "y\na2\n")
    assert reader.read(most=10) == ["x" * 10, "a2"]


def test_other_files_in_the_folder_are_not_read(log: Path) -> None:
    reader = Reader(log)
    append(log, "a1\n")
    reader.read()
    log.with_name("calls.csvx").write_text("no\n")
    log.with_name("other.csv.1").write_text("no\n")
    log.rename(log.with_name("calls.csv.1"))
    append(log, "b1\n")
    assert reader.read() == ["b1"]


@given(
    random=st.randoms(use_true_random=False),
    steps=st.integers(1, 60),
    most=st.sampled_from([16, 64, MOST_BYTES]),
)
@settings(deadline=None, max_examples=80)
def test_any_life_of_a_file_gives_each_whole_line_once(
    random: Random, steps: int, most: int
) -> None:
    numbers, names, ticks = count(1), count(1), count(1)
    written = ["0|"]
    torn = ""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "queue_log"
        append(log, "0|\n")
        reader = Reader(log)
        reader.read(most)
        for _ in range(steps):
            match random.choice("wwwtrrn"):
                case "w":  # a whole line, or the end of the torn one
                    line = torn or f"{next(numbers)}|{'x' * random.randrange(20)}"
                    append(log, line[len(torn) // 2 if torn else 0 :] + "\n")
                    written.append(line)
                    torn = ""
                case "t" if not torn:  # half a line
                    torn = f"{next(numbers)}|{'y' * random.randrange(20)}"
                    append(log, torn[: len(torn) // 2])
                case "r":
                    reader.read(most)
                case "n" if written and not torn and log.exists():  # rotated
                    old = log.with_name(f"queue_log.{next(names)}")
                    log.rename(old)
                    tick = next(ticks)
                    os.utime(old, ns=(tick, tick))
        reader.read(most)
    if most < 32:  # a line longer than a chunk is delivered cut
        assert [line.split("|")[0] for line in reader.lines] == [w.split("|")[0] for w in written]
    else:
        assert reader.lines == written
    assert reader.lost == 0
