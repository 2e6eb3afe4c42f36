"""Spoken Chinese numbers written as digits, each with its place in the text. Pure.

Written by rules of our own and conservative on purpose: the libraries at hand turn 十分感谢 into
10分感谢, drop leading zeros or garble dates (measured, wetext 0.1.8 and cn2an). A run of digit
words becomes digits with its zeros and the telephone's 幺, 洞, 拐, 勾; a number becomes digits
where a word of measure follows; a lone 一 or 两 before 点, 次 or 个 stays a word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

DIGITS = {
    **dict(zip("零一二三四五六七八九", range(10), strict=True)),
    **dict(zip("〇幺两洞拐勾", (0, 1, 2, 0, 7, 9), strict=True)),
}
_PLACES = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10**4, "亿": 10**8}
LEAST_DIGITS = 3
"""Digit words in a row that are a number read digit by digit."""
_RUN = "[零〇一二三四五六七八九幺洞拐勾]"
_NUMBER = "[零〇一二两三四五六七八九十百千万亿]+"
_WORDS = re.compile("七七八八|三三两两|千千万万|一五一十|乱七八糟|万一|千万别|十分|一一")
_MONEY = r"(?:多)?(?:元|块钱|块|万元|亿元|人民币)"
_MEASURE = (
    "号楼|单元|楼|层|室|栋|幢|号|路|弄|巷|组|社|村|户|平方米|平方|平米|公里|千米|米|吨|斤|公斤|度|岁|"
    "个月|个小时|小时|分钟|天|年|月|日|周|人|名|台|辆|盏|条|根|口|间|家|份|次|班|页|工作日|个工作日|个"
)
_SMALL_ALLOWED = frozenset(
    ["号楼", "单元", "层", "室", "栋", "幢", "元", "块", "块钱", "万元", "亿元"]
)
_PATTERN = re.compile(
    rf"(?P<percent>百分之(?P<p>{_NUMBER}(?:点{_RUN}+)?))"
    rf"|(?P<date>(?P<mon>[一二三四五六七八九十]{{1,2}})月(?P<day>[一二三四五六七八九十]{{1,3}})(?=[日号]))"
    rf"|(?P<decimal>{_NUMBER}点{_RUN}+)(?P<of>{_MONEY}|{_MEASURE})"
    rf"|(?P<clock>(?P<h>[一二两三四五六七八九十]{{1,3}})点(?:(?P<half>半)|(?P<quarter>[一三])刻"
    r"|(?P<m>[零一二三四五六七八九十]{1,3})分?|钟)?)"
    rf"|(?P<digits>{_RUN}{{{LEAST_DIGITS},}})(?![十百千万亿])"
    rf"|(?P<number>{_NUMBER}(?:点{_RUN}+)?)(?P<unit>{_MONEY}|多?(?:{_MEASURE}))"
)
_DAYTIME = re.compile(
    "(?:早上|上午|中午|下午|傍晚|晚上|夜里|半夜|凌晨|清晨|早晨|今天|明天|昨天|[到至])$"
)
_HOURS, _MINUTES = 24, 60


class Written(StrEnum):
    """What a number found in speech is."""

    DIGITS = "digits"
    CLOCK = "clock"
    DATE = "date"
    MONEY = "money"
    MEASURE = "measure"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeral:
    """Characters `first` to `last` (not included) of a text, as digits."""

    first: int
    last: int
    text: str
    sort: Written


def value(spoken: str) -> float | None:
    """The value of a spoken number (两万六千, 三百五, 十二点五); None where it is none."""
    whole, _, decimals = spoken.partition("点")
    found = _whole(whole)
    if found is None or (decimals and not all(one in DIGITS for one in decimals)):
        return None
    if decimals:
        return float(f"{found}.{''.join(str(DIGITS[one]) for one in decimals)}")
    return found


def _whole(spoken: str) -> int | None:
    """Read 亿, 万 and the rest; a last digit right after 百, 千 or 万 counts the next place."""
    total, section, digit, last_place = 0, 0, None, 0
    for char in spoken:
        if char in DIGITS:
            if digit not in (None, 0):
                return None
            digit = DIGITS[char]
            last_place = 1 if digit == 0 else last_place
        elif char in _PLACES:
            if digit in (None, 0) and not (char == "十" and section % 100 == 0):
                return None
            section += (digit or 1) * _PLACES[char]
            digit, last_place = None, _PLACES[char]
        elif char in _MYRIADS:
            section += digit or 0
            if section + total == 0:
                return None
            total = (
                (total + section) * _MYRIADS[char]
                if total < _MYRIADS[char]
                else (total + section * _MYRIADS[char])
            )
            section, digit, last_place = 0, None, _MYRIADS[char]
        else:
            return None
    if digit is not None:
        section += digit * (last_place // 10 if last_place >= 100 else 1)  # noqa: PLR2004 - 百
    return total + section if spoken else None


def numerals(text: str) -> tuple[Numeral, ...]:
    """The numbers of a text that can be written as digits, in order."""
    blocked = [found.span() for found in _WORDS.finditer(text)]
    return tuple(
        one for one in _found(text) if not any(first <= one.first < last for first, last in blocked)
    )


def _found(text: str) -> Iterator[Numeral]:
    for found in _PATTERN.finditer(text):
        if found["percent"]:
            number, sort = value(found["p"]), Written.PERCENT
            written = f"{number:g}%" if number is not None else None
        elif found["date"]:
            month, day = value(found["mon"]), value(found["day"])
            sort = Written.DATE
            known = month is not None and day is not None
            written = f"{month:.0f}月{day:.0f}" if known else None
        elif found["decimal"]:
            written, sort = _measured(found["decimal"], found["of"]), _sort(found["of"])
        elif found["clock"]:
            written, sort = _clock(text, found), Written.CLOCK
        elif found["digits"]:
            written, sort = digits(found["digits"]), Written.DIGITS
        else:
            written, sort = _measured(found["number"], found["unit"]), _sort(found["unit"])
        if written is not None:
            yield Numeral(first=found.start(), last=found.end(), text=written, sort=sort)


def _sort(unit: str) -> Written:
    return Written.MONEY if re.fullmatch(_MONEY, unit) else Written.MEASURE


def digits(spoken: str) -> str:
    """Digit words as digits, zeros kept; what is no digit word stays as it is."""
    return "".join(str(DIGITS.get(one, one)) for one in spoken)


def _measured(number: str, unit: str) -> str | None:
    if len(number) == 1 and unit not in _SMALL_ALLOWED:
        return None
    if len(number) == 1 and number in "十百千万亿":
        return None if number != "十" else f"10{unit}"
    found = value(number)
    if found is None:
        same = len(number) >= LEAST_DIGITS and all(one in DIGITS for one in number)
        return digits(number) + unit if same else None
    return f"{found:.10g}{unit}"


def _clock(text: str, found: re.Match[str]) -> str | None:
    hour = value(found["h"])
    minute = 30 if found["half"] else None
    if found["quarter"]:
        minute = 15 if found["quarter"] == "一" else 45
    if found["m"]:
        minute = _minute(found["m"])
    said_so = minute is not None or found[0].endswith("钟")
    if hour is None or hour > _HOURS or (minute or 0) >= _MINUTES:
        return None
    if not said_so and not _DAYTIME.search(text[: found.start()]):
        return None
    return f"{hour:.0f}:{minute or 0:02d}"


def _minute(spoken: str) -> int:
    found = value(spoken.lstrip("零"))
    return _MINUTES if found is None else int(found)


def written(text: str) -> str:
    """The text with its numbers as digits."""
    pieces, reached = [], 0
    for one in numerals(text):
        pieces += [text[reached : one.first], one.text]
        reached = one.last
    return "".join([*pieces, text[reached:]])
