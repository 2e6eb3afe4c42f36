"""What is alike: by few rare sounds; and measured on real messages where they are at hand."""

from pathlib import Path

import pytest

from routing.likeness import (
    ASKED,
    MARKS,
    READ_ROWS,
    Marks,
    asked_by,
    grams_of,
    likeness,
    marked,
    marks_of,
    shared_words,
    together,
    weighed,
)
from tests.bench.bench_repeats import Replay, messages


def read(text: str, seen: dict[int, int] | None = None, cases: int = 0) -> Marks:
    return marked(weighed(grams_of(text), seen or {}, cases))


def test_the_same_words_are_wholly_alike_and_others_not_at_all() -> None:
    one = read("跃进路阳光花园停水")
    assert likeness(one, one) == pytest.approx(1.0)
    assert likeness(one, read("麻将馆半夜扰民")) == 0.0
    assert likeness(one, read("")) == 0.0


def test_what_sounds_the_same_is_the_same() -> None:
    """A recogniser writes a name it does not know with other characters of the same sound."""
    assert likeness(read("伊景园滨河苑"), read("一景园滨河院")) == pytest.approx(1.0)


def test_what_everybody_says_weighs_nothing() -> None:
    seen = dict.fromkeys(grams_of("请领导解决"), 400)
    assert read("请领导解决", seen, 1000).weights == {}
    rare = read("请领导解决停水", seen, 1000)
    assert set(rare.weights) == set(grams_of("请领导解决停水")) - set(seen)


def test_few_are_kept_and_few_are_asked_by() -> None:
    text = "".join(chr(0x4E00 + 7 * n) for n in range(400))
    weights = read(text).weights
    assert len(marks_of(weights).weights) == MARKS
    assert asked_by(weights, {}) == ()
    heard = dict.fromkeys(weights, 3)
    assert len(asked_by(weights, heard)) == ASKED
    many = dict.fromkeys(weights, READ_ROWS // 2)
    assert len(asked_by(weights, many)) == 2


def test_the_reason_is_the_longest_piece_that_both_say() -> None:
    mine = "您好，跃进路阳光花园停水了怎么办"
    assert shared_words(mine, read(mine), read("阳光花园又停水")) == ("阳光花园", "停水")


def test_a_group_is_as_near_as_its_three_nearest() -> None:
    assert together([0.1, 0.2, 0.3, 0.4]) == pytest.approx(0.9)
    assert together([]) == 0.0


@pytest.mark.timeout(120)
def test_hot_topics_of_real_messages_are_found(shared_data: Path) -> None:
    """The floors lie a little below what was measured (bench_repeats.py prints all of it)."""
    replay = Replay(messages(shared_data / "messages"))
    floors = {"伊景园": (0.90, 0.93), "丽发新城": (0.90, 0.95)}
    for name, (recall, precision) in floors.items():
        found = replay.of_topic(name)
        assert found.recall >= recall, (name, found)
        assert found.precision >= precision, (name, found)
    again, offered = replay.offered()
    assert offered >= 0.97 * again > 100
    words = [words for _, _, words in replay.bursts()]
    assert any("伊景园" in one for one in words)
    assert any("丽发新城" in one for one in words)
    assert len(words) <= 4
