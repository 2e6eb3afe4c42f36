"""Finished sentences are kept without a loss, and two legs become one dialogue."""

import json
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from telephony.calls import Leg
from tests.transcription.test_transcripts import heard, spoken, word
from transcription.sentences import (
    SaidTurn,
    Sentence,
    from_rows,
    sentences,
    to_rows,
    turns,
    unfinished,
)
from transcription.transcripts import Transcript, Word
from transcription.vocabulary import Name, NameSort, Vocabulary

NAMES = Vocabulary([Name(text="涪城区临园路", sort=NameSort.PLACE, area="涪城区")])
SAID = "我在佛城区临园路电话幺三八零八幺幺二三四五"


def merged(
    caller: Transcript | None, operator: Transcript | None, after: float | None
) -> tuple[SaidTurn, ...]:
    one, other = (unfinished(it) if it else () for it in (caller, operator))
    return turns(one, other, after)


def texts(found: Sequence[SaidTurn]) -> list[tuple[str, str]]:
    return [(one.leg.value, one.turn.spoken) for one in found]


def told() -> tuple[Sentence, ...]:
    words = [word(char, n * 0.25, n * 0.25 + 0.2) for n, char in enumerate(SAID)]
    return sentences(heard(Leg.CALLER, *words), NAMES)


def text(*words: Word) -> str:
    return "".join(one.text.text for one in unfinished(heard(Leg.CALLER, *words)))


def test_pauses_become_marks_and_nothing_else_is_added() -> None:
    words = [
        word("路灯", 0.0, 0.5),
        word("坏了", 0.5, 1.0),
        word("三天", 1.4, 1.8),
        word("什么时候", 2.6, 3.0),
        word("修", 3.0, 3.2),
    ]
    assert text(*words) == "路灯坏了，三天。什么时候修？"


def test_a_question_word_at_the_end_asks() -> None:
    assert text(word("通知", 0, 1), word("没有", 1, 2)) == "通知没有？"
    assert text(word("没有", 0, 1), word("通知", 1, 2)) == "没有通知。"
    assert text() == ""


def test_two_legs_become_one_dialogue_in_order_of_time() -> None:
    operator = heard(Leg.OPERATOR, word("您好", 1, 2), word("请讲", 2, 3), word("好的", 9, 10))
    caller = heard(Leg.CALLER, word("路灯", 4, 5), word("坏了", 5, 6), word("三天", 7, 8))
    found = merged(caller, operator, 0.0)
    assert [(it.leg, it.start, it.end, it.turn.text) for it in found] == [
        (Leg.OPERATOR, 1, 3, "您好请讲。"),
        (Leg.CALLER, 4, 8, "路灯坏了。三天。"),
        (Leg.OPERATOR, 9, 10, "好的。"),
    ]
    assert found[1].turn.spoken == "路灯坏了三天"


def test_a_short_word_of_the_other_side_interrupts_only_between_sentences() -> None:
    caller = heard(Leg.CALLER, word("一", 0, 1), word("二", 1.1, 2), word("三", 4, 5))
    operator = heard(Leg.OPERATOR, word("嗯", 1.0, 1.2), word("好", 3, 3.2))
    assert texts(merged(caller, operator, 0.0)) == [
        ("caller", "一二"),
        ("operator", "嗯好"),
        ("caller", "三"),
    ]


def test_what_the_caller_heard_before_the_answer_was_said_by_nobody() -> None:
    operator = heard(Leg.OPERATOR, word("录音", 1, 2), word("音乐", 7.9, 8.0), word("您好", 8.2, 9))
    caller = heard(Leg.CALLER, word("喂", 3, 4))
    assert texts(merged(caller, operator, 8.1)) == [("caller", "喂"), ("operator", "您好")]
    assert texts(merged(caller, operator, None)) == [("caller", "喂")]
    assert texts(merged(None, operator, 8.1)) == [("operator", "您好")]
    assert merged(None, None, 8.1) == ()


def test_a_cut_sentence_keeps_its_personal_data_where_it_is() -> None:
    (whole,) = told()
    assert whole.text.text == "我在涪城区临园路电话13808112345。"
    assert whole.shown(whole.text) == "我在涪城区临园路电话***********。"
    assert whole.shown(whole.raw) == "我在佛城区临园路电话***********"
    (found,) = turns((), (whole,), whole.text.starts[8])
    (cut,) = found.sentences
    assert cut.text.text == "电话13808112345。"
    assert cut.shown(cut.text) == "电话***********。"
    assert cut.corrections == ()


def test_of_a_cut_sentence_no_mark_alone_is_left_and_no_whole_sentence_goes() -> None:
    words = (word("喂", 0.0, 0.5), word("，", 2.0, 2.1), word("，", 9.0, 9.1))
    said = unfinished(heard(Leg.OPERATOR, *words))
    kept = turns((), said, 1.0)
    assert [s.raw.text for turn in kept for s in turn.sentences] == ["，", "，"]
    assert turns((), unfinished(heard(Leg.OPERATOR, *words[:1])), 0.4) == ()


def test_a_number_that_was_not_heard_whole_is_hidden_and_an_amount_is_not() -> None:
    for said, shown in (
        ("电话幺三八零八幺幺二三四", "电话**********。"),  # one digit was lost
        ("电话二二三四五六七", "电话*******。"),
        ("三四五六七八九元", "3456789元。"),
        ("工号一零八六", "工号1086。"),
    ):
        words = [word(char, n * 0.25, n * 0.25 + 0.2) for n, char in enumerate(said)]
        (one,) = unfinished(heard(Leg.CALLER, *words))
        assert one.shown(one.text) == shown


def test_sentences_come_back_from_their_rows() -> None:
    whole = told()
    assert whole[0].corrections
    assert whole[0].muted
    assert from_rows(Leg.CALLER, json.loads(json.dumps(to_rows(whole)))) == whole


@given(spoken(), spoken(), st.none() | st.floats(0, 30))
def test_the_dialogue_loses_no_character_and_runs_forward(
    said: list[Word], answered: list[Word], after: float | None
) -> None:
    found = merged(heard(Leg.CALLER, *said), heard(Leg.OPERATOR, *answered), after)
    for leg, lines in ((Leg.CALLER, said), (Leg.OPERATOR, answered)):
        kept = "".join(s.raw.text for t in found if t.leg is leg for s in t.sentences)
        whole = "".join(one.raw.text for one in unfinished(heard(leg, *lines)))
        if leg is Leg.CALLER:
            assert kept == whole
        else:
            assert whole.endswith(kept)
            assert after is not None or not kept
    assert all(a.start <= b.start for a, b in pairwise(found))
    assert all(a.leg is not b.leg for a, b in pairwise(found))
    assert all(t.start <= s.start and s.end <= t.end for t in found for s in t.sentences)
