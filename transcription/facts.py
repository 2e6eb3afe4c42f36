"""What a form asks for, found in a finished transcript with its place in the sound. Pure.

Place, time, telephone number, amount, unit, company and plate. Everything is an offer: a person
looks at it, hears the moment if in doubt, and fills in the form. Units and places are names of the
city's vocabulary; the rest is found by its shape.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from transcription.finishing import Finished
from transcription.personal import PersonalSort, personal
from transcription.vocabulary import NameSort, Vocabulary

_ADDRESS = re.compile(
    r"(?:[东南西北中上下]段)?(?:\d+号(?!楼))?(?:[东南西北中]?\d+(?:号楼|栋|幢))?(?:\d+单元)?(?:\d+(?:室|楼|层))?"
)
_ESTATE = re.compile(
    r"(?<=[的在路街镇区县市段号])(?!我们|你们|他们|整个|这个|那个|哪个|一个|里的)"
    r"[\u4e00-\u9fff]{2,6}?(?:花园|家园|小区|社区|公寓)"
)
_DAY = (
    "今天|昨天|前天|明天|后天|今早|昨晚|前晚|上个?(?:星期|周|礼拜)[一二三四五六日天]?|"
    "这个?(?:星期|周|礼拜)[一二三四五六日天]?|(?:星期|周|礼拜)[一二三四五六日天]|"
    r"(?:\d{4}年)?\d{1,2}月\d{1,2}[日号]|上个月"
)
_PART_OF_DAY = "凌晨|清晨|早上|早晨|上午|中午|下午|傍晚|晚上|夜里|半夜"
_TIME = re.compile(
    rf"(?:{_DAY})的?(?:{_PART_OF_DAY})?(?:\d{{1,2}}:\d{{2}})?|(?:{_PART_OF_DAY})?\d{{1,2}}:\d{{2}}"
)
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)多?(亿元|万元|元|块钱|块|人民币)")
_TIMES = {"亿元": 10**8, "万元": 10**4}
_COMPANY_WORD = (
    "公司|集团|驾校|酒店|饭店|餐馆|火锅店|烧烤店|烧烤|超市|学校|医院|幼儿园|物业|工厂|厂|店"
)
_COMPANY = re.compile(
    rf"(?<=叫)(?!什么|做|我|你|他)[\u4e00-\u9fff]{{2,10}}?(?:{_COMPANY_WORD})|"
    r"[\u4e00-\u9fff]{2,14}有限(?:责任)?公司"
)
_LEAD = re.compile("^.*?(?:投诉|举报|反映|名叫|叫|在|是|找|打|向|给|被)(?=..)")


class FactSort(StrEnum):
    """What a form asks for."""

    PLACE = "place"
    TIME = "time"
    PHONE = "phone"
    AMOUNT = "amount"
    UNIT = "unit"
    COMPANY = "company"
    PLATE = "plate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One find: characters `first` to `last` (not included) of the text of segment `segment`.

    `value` is what would go into a field: digits, yuan, the name. `sure` is the least confidence of
    its characters, 0 to 1; a name recovered by sound is as sure as it sounds alike.
    """

    sort: FactSort
    value: str
    text: str
    segment: int
    first: int
    last: int
    start: float
    end: float
    sure: float | None


@dataclass(frozen=True, slots=True)
class _Find:
    sort: FactSort
    value: str
    first: int
    last: int


def facts(segments: Sequence[Finished], vocabulary: Vocabulary) -> tuple[Fact, ...]:
    """What is found in the segments of one leg, in order."""
    return tuple(
        _fact(one, found, at)
        for at, one in enumerate(segments)
        for found in sorted(_finds(one.text, vocabulary), key=lambda it: it.first)
    )


def _fact(segment: Finished, found: _Find, at: int) -> Fact:
    start, end = segment.seconds(found.first, found.last)
    known = [
        one.conf for one in segment.characters[found.first : found.last] if one.conf is not None
    ]
    return Fact(
        sort=found.sort,
        value=found.value,
        text=segment.text[found.first : found.last],
        segment=at,
        first=found.first,
        last=found.last,
        start=round(start, 2),
        end=round(end, 2),
        sure=round(min(known), 3) if known else None,
    )


def _finds(text: str, vocabulary: Vocabulary) -> Iterator[_Find]:
    yield from _named(text, vocabulary)
    for one in personal(text):
        if one.sort in {PersonalSort.MOBILE, PersonalSort.LANDLINE}:
            yield _Find(FactSort.PHONE, one.value, one.first, one.last)
        elif one.sort is PersonalSort.PLATE:
            yield _Find(FactSort.PLATE, one.value, one.first, one.last)
    for found in _TIME.finditer(text):
        yield _Find(FactSort.TIME, found[0], found.start(), found.end())
    for found in _AMOUNT.finditer(text):
        yuan = float(found[1]) * _TIMES.get(found[2], 1)
        yield _Find(FactSort.AMOUNT, f"{yuan:.10g}", found.start(), found.end())
    for found in _COMPANY.finditer(text):
        name = _LEAD.sub("", found[0])
        yield _Find(FactSort.COMPANY, name, found.end() - len(name), found.end())


def _named(text: str, vocabulary: Vocabulary) -> Iterator[_Find]:
    """Names of the vocabulary; places that touch, with house number or estate, are one place."""
    at = 0
    while at < len(text):
        name = vocabulary.longest_at(text, at)
        if name is None or name.sort is NameSort.WORD:
            at += len(name.text) if name else 1
        elif name.sort is NameSort.UNIT:
            yield _Find(FactSort.UNIT, name.text, at, at + len(name.text))
            at += len(name.text)
        else:
            end = _end_of_place(text, at, vocabulary)
            yield _Find(FactSort.PLACE, text[at:end], at, end)
            at = end


def _end_of_place(text: str, at: int, vocabulary: Vocabulary) -> int:
    end = at
    while (name := vocabulary.longest_at(text, end)) is not None and name.sort is NameSort.PLACE:
        end += len(name.text)
    if tail := _ADDRESS.match(text, end):
        end = tail.end()
    of = 1 if text[end : end + 1] == "的" else 0
    if estate := _ESTATE.match(text, end + of):
        end = estate.end()
    return end
