"""Words become segments, sentences and a dialogue, and none of them is lost on the way."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from telephony.calls import Leg
from transcription.transcripts import (
    SEGMENT_GAP,
    Transcript,
    Word,
    join,
    mean_confidence,
    merge,
    punctuate,
    segments,
    transcript,
    words_from_rows,
    words_to_rows,
)

TEXTS = st.sampled_from(
    ["路灯", "坏", "了", "吗", "您好", "OK", "A3", "12345", "[unk]", "涪", "，"]
)


def word(text: str, start: float, end: float, conf: float | None = 0.9) -> Word:
    return Word(text=text, start=start, end=end, conf=conf)


def heard(leg: Leg, *words: Word) -> Transcript:
    return transcript(leg=leg, engine="e", model="m", words=words, audio_seconds=99.0)


@st.composite
def spoken(draw: st.DrawFn) -> list[Word]:
    """Words in order of time, apart or touching, as an engine gives them."""
    clock = 0
    words = []
    for text in draw(st.lists(TEXTS, max_size=25)):
        clock += draw(st.integers(0, 150))
        length = draw(st.integers(1, 80))
        conf = draw(st.none() | st.floats(0, 1))
        words.append(word(text, clock / 100, (clock + length) / 100, conf))
        clock += length
    return words


def split(words: list[Word], cuts: list[int]) -> list[list[Word]]:
    ends = sorted({min(cut, len(words)) for cut in cuts} | {0, len(words)})
    return [words[a:b] for a, b in pairwise(ends)]


def test_chinese_words_stand_together_and_latin_words_apart() -> None:
    assert join(["您好", "这里", "是"]) == "您好这里是"
    assert join(["call", "me", "OK"]) == "call me OK"
    assert join(["用", "WPS", "office", "写"]) == "用WPS office写"


def test_a_word_the_engine_did_not_know_shows_as_a_box() -> None:
    assert join(["我", "叫", "[unk]"]) == "我叫□"
    assert join(["my", "[unk]", "name"]) == "my□name"


def test_pauses_become_marks_and_nothing_else_is_added() -> None:
    words = [
        word("路灯", 0.0, 0.5),
        word("坏了", 0.5, 1.0),
        word("三天", 1.4, 1.8),
        word("什么时候", 2.6, 3.0),
        word("修", 3.0, 3.2),
    ]
    assert punctuate(words) == "路灯坏了，三天。什么时候修？"


def test_a_question_word_at_the_end_asks() -> None:
    assert punctuate([word("通知", 0, 1), word("没有", 1, 2)]) == "通知没有？"
    assert punctuate([word("没有", 0, 1), word("通知", 1, 2)]) == "没有通知。"
    assert punctuate([]) == ""


def test_two_legs_become_one_dialogue_in_order_of_time() -> None:
    operator = heard(Leg.OPERATOR, word("您好", 1, 2), word("请讲", 2, 3), word("好的", 9, 10))
    caller = heard(Leg.CALLER, word("路灯", 4, 5), word("坏了", 5, 6), word("三天", 7, 8))
    turns = merge(caller, operator, 0.0)
    assert [(t.leg, t.start, t.end, t.text) for t in turns] == [
        (Leg.OPERATOR, 1, 3, "您好请讲。"),
        (Leg.CALLER, 4, 8, "路灯坏了。三天。"),
        (Leg.OPERATOR, 9, 10, "好的。"),
    ]
    assert turns[1].spoken == "路灯坏了三天"


def test_a_short_word_of_the_other_side_interrupts_only_between_segments() -> None:
    caller = heard(Leg.CALLER, word("一", 0, 1), word("二", 1.1, 2), word("三", 4, 5))
    operator = heard(Leg.OPERATOR, word("嗯", 1.0, 1.2), word("好", 3, 3.2))
    turns = merge(caller, operator, 0.0)
    assert [(t.leg.value, t.spoken) for t in turns] == [
        ("caller", "一二"),
        ("operator", "嗯好"),
        ("caller", "三"),
    ]


def test_what_the_caller_heard_before_the_answer_was_said_by_nobody() -> None:
    operator = heard(Leg.OPERATOR, word("录音", 1, 2), word("音乐", 7.9, 8.0), word("您好", 8.2, 9))
    caller = heard(Leg.CALLER, word("喂", 3, 4))
    assert [t.spoken for t in merge(caller, operator, 8.1)] == ["喂", "您好"]
    assert [t.spoken for t in merge(caller, operator, None)] == ["喂"]
    assert [t.spoken for t in merge(None, operator, 8.1)] == ["您好"]
    assert merge(None, None, 8.1) == ()


def test_confidence_counts_only_the_words_that_have_one() -> None:
    assert (
        mean_confidence([word("a", 0, 1, 0.5), word("b", 1, 2, None), word("c", 2, 3, 1)]) == 0.75
    )
    assert mean_confidence([word("a", 0, 1, None)]) is None
    assert heard(Leg.CALLER).mean_confidence is None


@given(spoken(), st.lists(st.integers(0, 25), max_size=6))
def test_words_in_any_grouping_give_the_same_transcript(words: list[Word], cuts: list[int]) -> None:
    whole = heard(Leg.CALLER, *words)
    pieces = split(words, cuts)
    assert heard(Leg.CALLER, *(one for piece in pieces for one in piece)) == whole
    assert heard(Leg.CALLER, *(one for piece in reversed(pieces) for one in piece)) == whole


@given(spoken())
def test_segments_keep_every_word_in_order_and_only_pauses_divide(words: list[Word]) -> None:
    found = segments(Leg.CALLER, words)
    assert [one for segment in found for one in segment.words] == words
    for segment in found:
        assert segment.start == segment.words[0].start
        assert segment.end == segment.words[-1].end
        assert all(b.start - a.end < SEGMENT_GAP for a, b in pairwise(segment.words))
    assert all(b.start - a.end >= SEGMENT_GAP for a, b in pairwise(found))


@given(spoken(), spoken(), st.none() | st.floats(0, 30))
def test_the_dialogue_loses_no_word_and_runs_forward(
    said: list[Word], answered: list[Word], after: float | None
) -> None:
    turns = merge(heard(Leg.CALLER, *said), heard(Leg.OPERATOR, *answered), after)
    theirs = [] if after is None else [one for one in answered if one.end > after]
    kept = {leg: [w for t in turns if t.leg is leg for w in t.words] for leg in Leg}
    assert kept == {Leg.CALLER: said, Leg.OPERATOR: theirs}
    assert all(a.start <= b.start for a, b in pairwise(turns))
    assert all(a.leg is not b.leg for a, b in pairwise(turns))
    assert all(t.start <= w.start and w.end <= t.end for t in turns for w in t.words)


@given(spoken())
def test_punctuation_only_adds_marks(words: list[Word]) -> None:
    plain = [one for one in words if one.text != "，"]
    bare = punctuate(plain)
    for mark in "，。？":
        bare = bare.replace(mark, "")
    squeezed = join(one.text for one in plain).replace(" ", "")
    assert bare.replace(" ", "") == squeezed


@given(st.lists(TEXTS.filter(bool), max_size=12))
def test_joining_changes_no_character(texts: list[str]) -> None:
    shown = "".join("□" if text == "[unk]" else text for text in texts)
    assert join(texts).replace(" ", "") == shown


@given(spoken())
def test_words_come_back_from_their_rows(words: list[Word]) -> None:
    assert words_from_rows(words_to_rows(words)) == tuple(words)
