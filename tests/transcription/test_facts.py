"""What a form asks for and what must be hidden, found with its place in the sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls import Leg
from transcription.facts import FactSort, facts
from transcription.finishing import finish
from transcription.personal import (
    PersonalSort,
    is_identity,
    masked,
    muted,
    passes_luhn,
    personal,
    shown,
)
from transcription.transcripts import Word
from transcription.vocabulary import Name, NameSort, Vocabulary

CITY = Vocabulary(
    [
        Name(text="涪城区", sort=NameSort.PLACE, area="涪城区"),
        Name(text="临园路", sort=NameSort.PLACE, area="涪城区"),
        Name(text="城管局", sort=NameSort.UNIT),
    ]
)


def said(text: str, *, gap: float = 0.0) -> list[Word]:
    words, at = [], 0.0
    for one in text.split():
        words.append(Word(text=one, start=at, end=at + 0.2 * len(one), conf=0.95))
        at += 0.2 * len(one) + gap
    return words


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("在 涪城区 临园路 东段 七十二号 三单元", [("place", "涪城区临园路东段72号3单元")]),
        ("涪城区 的 阳光花园 小区 停水", [("place", "涪城区的阳光花园")]),
        ("昨天 晚上 八点半 就 停水 了", [("time", "昨天晚上8:30")]),
        ("三月十五号 上午 报名", [("time", "3月15号上午")]),
        ("我 电话 幺三八零八幺幺二三四五", [("phone", "13808112345")]),
        ("欠 我 两万六千元", [("amount", "26000")]),
        ("找 城管局 没有 用", [("unit", "城管局")]),
        ("店 名叫 好吃 烧烤", [("company", "好吃烧烤")]),
        ("车牌 川 B 一二三四五", [("plate", "川B12345")]),
        ("请问 怎么 办理", []),
    ],
)
def test_facts_are_found_in_what_was_said(words: str, wanted: list[tuple[str, str]]) -> None:
    found = facts(finish(Leg.CALLER, said(words), CITY), CITY)
    assert [(one.sort.value, one.value) for one in found] == wanted


def test_a_fact_knows_where_it_stands_and_when_it_was_said() -> None:
    segments = finish(Leg.CALLER, said("我 在 涪城区 临园路"), CITY)
    (one,) = facts(segments, CITY)
    assert one.sort is FactSort.PLACE
    assert segments[one.segment].text[one.first : one.last] == one.text == "涪城区临园路"
    assert (one.start, one.end) == pytest.approx((0.4, 1.6))


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("身份证510703199001011234", None),  # eighteen digits with a wrong check digit
        ("身份证51070319900101123X", None),
        ("幺三八，零八幺幺，二三四五", PersonalSort.MOBILE),
        ("零八一六二三三四四五五", PersonalSort.LANDLINE),
        ("0816-2334455", PersonalSort.LANDLINE),
        ("卡号4111111111111111", PersonalSort.CARD),
        ("车是川B·12345", PersonalSort.PLATE),
        ("川AD12345", PersonalSort.PLATE),  # a car that runs on electricity
    ],
)
def test_personal_data_is_found_however_it_is_written(text: str, sort: PersonalSort | None) -> None:
    (one,) = personal(text)
    assert one.sort is (sort or PersonalSort.LONG_NUMBER)
    assert one.value not in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "20261123-000042-7",  # a case number
        "七月十二号 一千五百元 八十一路",
        "a138081123456 9f13808112345",  # pieces of other signs
        "12345",
        "三百多户人家，二零二六年",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert personal(text) == ()
    assert masked(text) == text


@given(st.integers(0, 10**9), st.integers(1950, 2020), st.integers(1, 12), st.integers(1, 28))
def test_an_identity_number_is_known_by_its_check_digit(
    number: int, year: int, month: int, day: int
) -> None:
    body = f"5107{number % 90 + 10}{year}{month:02d}{day:02d}{number % 1000:03d}"
    right = [body + check for check in "0123456789X" if is_identity(body + check)]
    assert len(right) == 1
    (one,) = personal(f"号码{right[0]}。")
    assert one.sort is PersonalSort.IDENTITY


@given(st.text(alphabet="0123456789", min_size=15, max_size=18))
def test_one_digit_makes_a_number_pass_luhn(body: str) -> None:
    assert len([check for check in "0123456789" if passes_luhn(body + check)]) == 1


def test_playback_is_muted_while_a_number_is_said_even_over_a_pause() -> None:
    words = said("我 电话 是")
    at = words[-1].end
    for part in ("幺三八零", "八幺幺", "二三四五"):  # pauses long enough to end a segment
        words.append(Word(text=part, start=at + 0.7, end=at + 1.5, conf=0.9))
        at = words[-1].end
    segments = finish(Leg.CALLER, words, CITY)
    found = muted(segments)
    assert [(one.segment, one.start, one.end) for one in found] == [
        (1, words[3].start, words[3].end),
        (2, words[4].start, words[4].end),
        (3, words[5].start, words[5].end),
    ]
    assert "".join(shown(segments)) == "我电话是。****。***。****。"


@given(st.text(alphabet="零一二三幺138 ，川B-.aX。", max_size=40))
def test_masking_twice_hides_no_less_and_nothing_more(text: str) -> None:
    once = masked(text)
    assert masked(once) == once
    assert all(text[one.first : one.last] for one in personal(text))
