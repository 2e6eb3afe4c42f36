"""Personal data in a text: identity numbers, telephones, bank cards, plates. Pure.

Digits count however they are written or said (幺三八 is 138) and with the pauses inside a number.
Identity numbers are known by the check digit of GB 11643-1999, bank cards by Luhn's (ISO/IEC
7812-1), mobile numbers and landlines by their numbering plan, plates by GA 36-2018. A run of
fifteen digits or more that fits none of them is hidden, too: a recogniser drops and doubles digits.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from transcription.finishing import Finished
from transcription.numerals import DIGITS

_BETWEEN = frozenset(" ,，、")
"""What may stand inside one number: pauses, and how people group digits."""
_GROUPS = (3, 4, 7)
"""Digits of a telephone number after which a hyphen may stand; other hyphens end a number."""
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_IDENTITY = re.compile(
    r"[1-8]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]"
)
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})[2-8]\d{6,7}")
_LONG, _CARD, _CARD_LONGEST = 15, 16, 19
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_SPOKEN = "零〇一二三四五六七八九幺洞拐勾"
_PLATE = re.compile(
    rf"[{_PROVINCES}][ ]?[A-Za-z][ ·•]?(?:[A-Za-z0-9{_SPOKEN}]){{5,6}}(?![A-Za-z0-9])"
)
_MASK = "*"
_ENDS = "。？"
HEAD, TAIL = 3, 4
_SHOWN_OF = 10


class PersonalSort(StrEnum):
    """What a number says about a person."""

    IDENTITY = "identity"
    MOBILE = "mobile"
    LANDLINE = "landline"
    CARD = "card"
    PLATE = "plate"
    LONG_NUMBER = "long_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """Characters `first` to `last` (not included) of a text; `value` is the number in digits."""

    sort: PersonalSort
    first: int
    last: int
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Muted:
    """Seconds of a leg in which personal data was said."""

    sort: PersonalSort
    segment: int
    first: int
    last: int
    start: float
    end: float


def personal(text: str) -> tuple[Personal, ...]:
    """Every piece of personal data in a text, in order, none overlapping."""
    plates = [_plate(found) for found in _PLATE.finditer(text)]
    rest = _PLATE.sub(lambda found: "□" * len(found[0]), text)
    numbers = [one for run in _runs(rest) if (one := _number(run))]
    return tuple(sorted((*plates, *numbers), key=lambda it: it.first))


def _plate(found: re.Match[str]) -> Personal:
    kept = [one for one in found[0] if one not in " ·•"]
    value = "".join(str(DIGITS.get(one, one)) for one in kept).upper()
    return Personal(sort=PersonalSort.PLATE, first=found.start(), last=found.end(), value=value)


def _runs(text: str) -> Iterator[list[tuple[int, str]]]:
    """Places and digits of each run of digits, X at an end included; two marks in a row end it."""
    run: list[tuple[int, str]] = []
    for at, char in enumerate(text):
        digit = _digit(char, run)
        if digit is not None:
            run.append((at, digit))
            continue
        if run and run[-1][0] == at - 1 and _joins(char, run):
            continue
        if run and not _glued(text, run, at):
            yield run
        run = []
    if run and not _glued(text, run, len(text)):
        yield run


def _joins(char: str, run: Sequence[tuple[int, str]]) -> bool:
    hyphen = char == "-" and run[0][1] in "01" and len(run) in _GROUPS
    return hyphen or char in _BETWEEN


def _digit(char: str, run: Sequence[tuple[int, str]]) -> str | None:
    if char.isascii() and char.isdigit():
        return char
    if char in "xX" and len(run) == len(_WEIGHTS):
        return "X"
    return str(DIGITS[char]) if char in _SPOKEN else None


def _glued(text: str, run: Sequence[tuple[int, str]], end: int) -> bool:
    """Whether the digits are part of a longer sign: a hash, a version, a name with digits."""
    before, after = text[run[0][0] - 1 : run[0][0]], text[end : end + 1]
    if before and before.isascii() and (before.isalnum() or before in "._/"):
        return True
    follows = text[end + 1 : end + 2]
    return after.isascii() and (after.isalnum() or (after in "._/" and follows.isalnum()))


def _number(run: Sequence[tuple[int, str]]) -> Personal | None:
    value = "".join(digit for _, digit in run)
    sort = _sort(value)
    if sort is None:
        return None
    return Personal(sort=sort, first=run[0][0], last=run[-1][0] + 1, value=value)


def _sort(value: str) -> PersonalSort | None:
    if _IDENTITY.fullmatch(value) and is_identity(value):
        return PersonalSort.IDENTITY
    if _MOBILE.fullmatch(value):
        return PersonalSort.MOBILE
    if _LANDLINE.fullmatch(value):
        return PersonalSort.LANDLINE
    if _CARD <= len(value) <= _CARD_LONGEST and value.isdigit() and passes_luhn(value):
        return PersonalSort.CARD
    return PersonalSort.LONG_NUMBER if len(value) >= _LONG else None


def is_identity(value: str) -> bool:
    """Whether the check digit of an identity number of eighteen characters is right."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, value, strict=False))
    return _CHECKS[total % len(_CHECKS)] == value[-1].upper()


def passes_luhn(value: str) -> bool:
    """Whether a number passes Luhn's test."""
    total = 0
    for place, digit in enumerate(reversed(value)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled  # noqa: PLR2004 - the digits' sum
    return total % 10 == 0


def masked(text: str) -> str:
    """The text with the middle of each piece of personal data hidden, plates from the second on."""
    pieces, reached = [], 0
    for one in personal(text):
        pieces += [text[reached : one.first], _hidden(one)]
        reached = one.last
    return "".join([*pieces, text[reached:]])


def _hidden(one: Personal) -> str:
    if one.sort is PersonalSort.PLATE:
        return one.value[:2] + _MASK * 4
    head, tail = (HEAD, TAIL) if len(one.value) >= _SHOWN_OF else (2, 2)
    return one.value[:head] + _MASK * 4 + one.value[-tail:]


def muted(segments: Sequence[Finished]) -> tuple[Muted, ...]:
    """When personal data was said, so that playback can be silent there.

    A number that goes on over a pause that ended a segment is found in the joined text.
    """
    places = [
        (at, place) for at, one in enumerate(segments) for place in range(len(one.characters))
    ]
    joined = "".join("，" if char in _ENDS else char for one in segments for char in one.text)
    found = []
    for one in personal(joined):
        for at in range(places[one.first][0], places[one.last - 1][0] + 1):
            text = segments[at].text
            inside = [
                p for s, p in places[one.first : one.last] if s == at and text[p] not in _ENDS
            ]
            start, end = segments[at].seconds(inside[0], inside[-1] + 1)
            found.append(
                Muted(
                    sort=one.sort,
                    segment=at,
                    first=inside[0],
                    last=inside[-1] + 1,
                    start=round(start, 2),
                    end=round(end, 2),
                )
            )
    return tuple(found)


def shown(segments: Sequence[Finished]) -> tuple[str, ...]:
    """The text of each segment with what `muted` finds hidden."""
    texts = [one.text for one in segments]
    for one in reversed(muted(segments)):
        text = texts[one.segment]
        hidden = _MASK * max(1, one.last - one.first)
        texts[one.segment] = text[: one.first] + hidden + text[one.last :]
    return tuple(texts)
