"""Raw words made into a text worth reading: each step, what it keeps, and what it leaves alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.calls import Leg
from transcription.again import believed, stretches
from transcription.finishing import Finished, finish
from transcription.mentions import Mention, characters, errors, mentions
from transcription.numerals import numerals, written
from transcription.syllables import alike
from transcription.transcripts import HeardAgain, Word
from transcription.vocabulary import Name, NameSort, Vocabulary

CITY = Vocabulary(
    [
        Name(text="涪城区", sort=NameSort.PLACE, area="涪城区"),
        Name(text="临园路", sort=NameSort.PLACE, area="涪城区"),
        Name(text="涪城区临园路", sort=NameSort.PLACE, area="涪城区"),
        Name(text="三台县", sort=NameSort.PLACE, area="三台县"),
        Name(text="交通运输局", sort=NameSort.UNIT),
        Name(text="涪城区交通运输局", sort=NameSort.UNIT, area="涪城区"),
        Name(text="工单", sort=NameSort.WORD, heard=("公担",)),
    ]
)


def said(text: str, *, conf: float = 0.5, gap: float = 0.0) -> list[Word]:
    """The words of a text with spaces between them, 0.2 s a character."""
    words, at = [], 0.0
    for one in text.split():
        end = at + 0.2 * len(one)
        words.append(Word(text=one, start=at, end=end, conf=conf))
        at = end + gap
    return words


def only(found: tuple[Finished, ...]) -> Finished:
    (one,) = found
    return one


def test_a_name_is_recovered_by_sound_and_keeps_its_original_score_and_place() -> None:
    one = only(finish(Leg.CALLER, said("在 佛 城区 您 远路 七十二号"), CITY))
    assert one.text == "在涪城区临园路72号。"
    assert one.raw == "在佛城区您远路七十二号"
    (change,) = one.corrections
    assert (change.original, change.text, change.sort) == ("佛城区您远路", "涪城区临园路", "place")
    assert 0.85 < change.score < 1
    assert one.spoken[change.first : change.last] == change.text
    assert (change.start, change.end) == pytest.approx((0.2, 1.4))


@pytest.mark.parametrize(
    "text",
    [
        "我们 小区 没有 电",  # sounds like nothing of the city
        "这里 有 三 台 机器",  # three syllables of a county, and other words after them
        "请 转给 交通运输局",  # a unit that stands there is made no unit of some area
    ],
)
def test_what_nobody_misheard_stays(text: str) -> None:
    one = only(finish(Leg.CALLER, said(text, conf=1.0), CITY))
    assert one.corrections == ()
    assert one.text == text.replace(" ", "") + "。"


def test_a_sure_word_is_kept_unless_it_is_one_that_nobody_says() -> None:
    sure = only(finish(Leg.OPERATOR, said("您 的 公担 已经 派 了", conf=1.0), CITY))
    assert sure.spoken == "您的工单已经派了"
    kept = only(finish(Leg.OPERATOR, said("您 的 攻打 已经 派 了", conf=1.0), CITY))
    assert kept.spoken == "您的攻打已经派了"


def test_a_pause_is_a_comma_and_a_question_ends_like_one() -> None:
    one = only(finish(Leg.OPERATOR, said("您好 请问 在 哪里", gap=0.4), CITY))
    assert one.text == "您好，请问，在，哪里？"
    assert len(one.characters) == len(one.text)


def test_numbers_heard_again_take_the_place_of_what_was_misheard() -> None:
    words = [*said("工号 一 淋巴瘤 为您 服务")]
    spots = stretches(words)
    ((start, end),) = spots
    assert start <= words[1].start
    assert end >= words[2].end
    heard = [
        Word(text=digit, start=0.4 + 0.2 * at, end=0.6 + 0.2 * at, conf=0.98)
        for at, digit in enumerate("一零八六")
    ]
    one = only(finish(Leg.OPERATOR, words, CITY, believed(heard, words)))
    assert one.text == "工号1086为您服务。"
    assert [(it.original, it.text) for it in one.corrections] == [("一淋巴瘤", "一零八六")]


def test_a_second_hearing_that_is_unsure_or_another_thing_is_not_believed() -> None:
    words = said("工号 一 淋巴瘤 为您 服务")
    unsure = [Word(text="一", start=0.4 + at / 5, end=0.6 + at / 5, conf=0.3) for at in range(4)]
    assert believed(unsure, words) == ()
    other = [Word(text="四", start=0.4 + at / 5, end=0.6 + at / 5, conf=0.99) for at in range(4)]
    assert believed(other, words) == ()
    assert believed([], words) == ()


@pytest.mark.parametrize(
    ("spoken", "shown"),
    [
        ("幺三八零八幺幺二三四五", "13808112345"),
        ("零八一六二三三四四五五", "08162334455"),  # the zero stays
        ("一共是两万六千元", "一共是26000元"),
        ("一万零五十元", "10050元"),
        ("三百五块", "350块"),
        ("七十二号三单元", "72号3单元"),
        ("凌晨五点二十分", "凌晨5:20"),
        ("下午三点一刻", "下午3:15"),
        ("早上九点到下午五点", "早上9:00到下午5:00"),
        ("二零二六年三月十五日", "2026年3月15日"),
        ("百分之三十五", "35%"),
        ("一点五公里", "1.5公里"),
        ("十分感谢", "十分感谢"),
        ("一点都不好", "一点都不好"),
        ("快一点来", "快一点来"),
        ("张三李四", "张三李四"),
        ("三四次", "三四次"),
    ],
)
def test_numbers_are_written_as_digits_and_words_are_left_alone(spoken: str, shown: str) -> None:
    assert written(spoken) == shown


@given(st.text(alphabet="零一二两三四五六七八九十百千万亿点半元块号分月日幺的到", max_size=24))
def test_any_run_of_number_words_is_read_once_and_stays_as_read(text: str) -> None:
    found = numerals(text)
    assert all(a.last <= b.first for a, b in pairwise(found))
    shown = written(text)
    assert written(shown) == shown or any(one in shown for one in "零一二两三四五六七八九十幺")


@given(
    st.lists(st.sampled_from(["佛", "城区", "您", "远路", "一", "幺三八", "元", "的"]), max_size=12)
)
def test_every_character_of_the_text_knows_its_seconds(texts: list[str]) -> None:
    words = said(" ".join(texts))
    again = (HeardAgain(words=(Word(text="八", start=0.0, end=0.2, conf=0.9),)),)
    for one in finish(Leg.CALLER, words, CITY, again):
        assert "".join(it.text for it in one.characters) == one.text
        starts = [it.start for it in one.characters]
        assert all(one.start - 0.3 <= start <= one.end + 1e-6 for start in starts)
        for change in one.corrections:
            assert one.spoken[change.first : change.last] == change.text


def test_sichuan_sounds_cost_little_and_others_much() -> None:
    assert alike("兰", "南") > 0.8  # n and l
    assert alike("是", "四") > 0.9
    assert alike("水", "电") < 0.3
    assert alike("不城区", "涪城区") > alike("有兴趣", "涪城区")


def test_script_and_transcript_are_compared_by_the_same_rules() -> None:
    assert characters("临园路七十二号，幺三八零") == characters("临园路72号 1380。")
    assert errors("abc", "abd") == 1
    assert errors("", "ab") == 2


def test_mentions_are_found_by_name_and_by_shape() -> None:
    found = mentions(
        "我在涪城区临园路，电话幺三八零八幺幺二三四五，欠了两万六千元，找交通运输局", CITY
    )
    assert found[Mention.PLACE] == {"涪城区": 1, "临园路": 1}
    assert found[Mention.UNIT] == {"交通运输局": 1}
    assert found[Mention.PHONE] == {"13808112345": 1}
    assert found[Mention.AMOUNT] == {"26000": 1}
