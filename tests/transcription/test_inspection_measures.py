"""Intervals keep their algebra, and two legs exchanged exchange the results."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls import Leg
from tests.transcription.inspected import leg, talk
from transcription.inspection.measures import Measures, legs_of, measure
from transcription.inspection.spans import Span, both, longest, seconds, union, without
from transcription.inspection.talk import Talk
from transcription.transcripts import Word, transcript

TICKS = st.integers(0, 400)


@st.composite
def some_spans(draw: st.DrawFn) -> list[Span]:
    """Spans on a grid of quarters, which floats hold exactly; empty and turned round ones, too."""
    pairs = draw(st.lists(st.tuples(TICKS, TICKS), max_size=12))
    return [Span(start=a / 4, end=b / 4) for a, b in pairs]


def quarters(spans: list[Span] | tuple[Span, ...]) -> set[int]:
    """The same as a set of quarters: an independent reading of what spans mean."""
    return {tick for one in spans for tick in range(int(one.start * 4), int(one.end * 4))}


@given(some_spans(), some_spans())
def test_the_algebra_is_that_of_sets(a: list[Span], b: list[Span]) -> None:
    assert quarters(union([*a, *b])) == quarters(a) | quarters(b)
    assert quarters(both(a, b)) == quarters(a) & quarters(b)
    assert quarters(without(a, b)) == quarters(a) - quarters(b)
    assert seconds(a) == len(quarters(a)) / 4


@given(some_spans(), some_spans())
def test_what_comes_back_is_in_order_disjoint_and_not_empty(a: list[Span], b: list[Span]) -> None:
    for found in (union(a), both(a, b), without(a, b)):
        assert all(one.end > one.start for one in found)
        assert all(x.end <= y.start for x, y in pairwise(found))


@given(some_spans(), st.integers(0, 40))
def test_bridging_never_shortens_and_never_joins_over_more(a: list[Span], gap: int) -> None:
    bridged = union(a, gap / 4)
    assert quarters(a) <= quarters(bridged)
    assert all(y.start - x.end > gap / 4 for x, y in pairwise(bridged))


def test_the_longest_of_none_is_none() -> None:
    assert longest([]) is None


@st.composite
def some_words(draw: st.DrawFn) -> list[Word]:
    """Words of one leg in order, on a grid of tenths."""
    clock, words = 0, []
    for text in draw(
        st.lists(st.sampled_from(["路灯", "坏", "您好", "嗯", "[unk]", "OK"]), max_size=14)
    ):
        clock += draw(st.integers(0, 60))
        size = draw(st.integers(1, 12))
        words.append(Word(text=text, start=clock / 10, end=(clock + size) / 10, conf=0.9))
        clock += size
    return words


@st.composite
def some_talk(draw: st.DrawFn) -> tuple[Talk, Talk]:
    """A talk, and the same with the legs exchanged."""
    ours, theirs = draw(some_words()), draw(some_words())
    answered, ended = draw(st.integers(0, 20)) / 2, draw(st.integers(21, 160)) / 2
    holds = tuple(draw(some_spans())[:3])

    def made(a: list[Word], b: list[Word]) -> Talk:
        legs = {
            one: transcript(leg=one, engine="e", model="m", words=words, audio_seconds=90.0)
            for one, words in ((Leg.CALLER, a), (Leg.OPERATOR, b))
        }
        return Talk(
            line="mayor",
            caller=legs[Leg.CALLER],
            operator=legs[Leg.OPERATOR],
            answered=answered,
            ended=ended,
            holds=holds,
        )

    return made(ours, theirs), made(theirs, ours)


def measured(one: Talk) -> Measures:
    found = measure(one, legs_of(one))
    assert found is not None
    return found


OTHER = {Leg.CALLER: Leg.OPERATOR, Leg.OPERATOR: Leg.CALLER}


@given(some_talk())
def test_legs_exchanged_exchange_the_results(pair: tuple[Talk, Talk]) -> None:
    one, other = map(measured, pair)
    assert one.silences == other.silences
    assert one.overlaps == other.overlaps
    for who in Leg:
        assert one.sides[who].seconds == other.sides[OTHER[who]].seconds
        assert one.sides[who].pace == other.sides[OTHER[who]].pace
    ours = {(it.by, it.span, it.words) for it in one.interruptions or ()}
    theirs = {(OTHER[it.by], it.span, it.words) for it in other.interruptions or ()}
    assert ours == theirs


@given(some_talk())
def test_every_second_is_counted_once(pair: tuple[Talk, Talk]) -> None:
    found = measured(pair[0])
    spoke = sum(side.seconds for side in found.sides.values())
    assert found.silence is not None
    assert found.overlap is not None
    assert spoke - found.overlap + found.silence == pytest.approx(found.seconds, abs=1e-6)
    if found.shares is not None:
        assert sum(found.shares.values()) == pytest.approx(1.0)
        assert all(0.0 <= share <= 1.0 for share in found.shares.values())


@given(some_talk())
def test_a_talk_measured_twice_gives_the_same(pair: tuple[Talk, Talk]) -> None:
    assert measured(pair[0]) == measured(pair[0])


def test_who_breaks_in_is_named_with_the_moment() -> None:
    broke = measured(
        talk(
            operator=[(4.0, "您 先 听 我 说 一下")],
            caller=[(0.0, "我 们 小区 的 路灯 坏 了 已经 有 好几 天 了 没人 管")],
        )
    )
    assert broke.interruptions is not None
    (only,) = broke.interruptions
    assert (only.by, only.span.start, only.words) == (Leg.OPERATOR, 4.0, "您先听我说一下")


@pytest.mark.parametrize(
    ("start", "words"),
    [(4.0, "嗯 好的"), (5.55, "您 先 听 我 说 一下"), (9.0, "您 先 听 我 说 一下")],
    ids=["only a word of assent", "on the caller's last word", "after the caller"],
)
def test_what_is_no_interruption(start: float, words: str) -> None:
    found = measured(
        talk(
            operator=[(start, words)],
            caller=[(0.0, "我 们 小区 的 路灯 坏 了 已经 有 好几 天 了 没人 管")],
        )
    )
    assert found.interruptions == ()


def test_words_on_hold_or_before_the_answer_are_not_the_operators() -> None:
    lines = [(0.0, "正在 为您 转接 请 稍候"), (10.0, "您好 请讲"), (20.0, "音乐 音乐 音乐")]
    one = talk(operator=lines, answered=8.0, holds=(Span(start=19.0, end=30.0),), ended=40.0)
    found = measured(one)
    assert found.sides[Leg.OPERATOR].characters == 4
    assert found.seconds == pytest.approx(40.0 - 8.0 - 11.0)
    assert found.held == (Span(start=19.0, end=30.0),)


def test_pace_counts_speech_and_not_pauses() -> None:
    found = measured(
        talk(operator=[(0.0, "您好 市长 公开 电话 请讲"), (30.0, "好的 我们 会 转给 城管 部门")])
    )
    assert found.sides[Leg.OPERATOR].pace == pytest.approx(240.0)


def test_one_leg_alone_tells_nothing_of_both() -> None:
    alone = talk(caller=None)
    found = measured(alone)
    assert (found.silences, found.overlaps, found.interruptions, found.shares) == (None,) * 4
    assert set(found.sides) == {Leg.OPERATOR}
    assert legs_of(talk(answered=None)) == {}


def test_a_leg_without_a_word_is_all_silence() -> None:
    quiet = Talk(
        line="mayor",
        caller=leg(Leg.CALLER, []),
        operator=leg(Leg.OPERATOR, []),
        answered=0.0,
        ended=30.0,
    )
    found = measured(quiet)
    assert (found.silence, found.overlap, found.shares) == (30.0, 0, None)
