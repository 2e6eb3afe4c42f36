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


@given(st.lists(TEXTS.filter(bool), max_size=12))
def test_joining_changes_no_character(texts: list[str]) -> None:
    shown = "".join("□" if text == "[unk]" else text for text in texts)
    assert join(texts).replace(" ", "") == shown


@given(spoken())
def test_words_come_back_from_their_rows(words: list[Word]) -> None:
    assert words_from_rows(words_to_rows(words)) == tuple(words)
