"""Places, units, telephone numbers and amounts in a text, found the same way in any text. Pure.

Places and units are the names of a vocabulary, the longest at each spot; numbers and amounts are
found by their shape. It is how a transcript is held against the script it was spoken from.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from transcription.numerals import written
from transcription.vocabulary import NameSort, Vocabulary

_PHONE = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|[2-9]\d{6,7})(?!\d)")
_MONEY = re.compile(r"(\d+(?:\.\d+)?)多?(?:元|块钱|块|万元|亿元|人民币)")


class Mention(StrEnum):
    """What is looked for."""

    PLACE = "place"
    UNIT = "unit"
    PHONE = "phone"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many there are in the script, how many were found, and how many of those are right."""

    there: int
    found: int
    right: int

    def __add__(self, other: "Score") -> "Score":
        """Both together."""
        return Score(
            there=self.there + other.there,
            found=self.found + other.found,
            right=self.right + other.right,
        )

    @property
    def recall(self) -> float | None:
        """The share of those there that was found; None where there are none."""
        return self.right / self.there if self.there else None

    @property
    def precision(self) -> float | None:
        """The share of those found that is right; None where none was found."""
        return self.right / self.found if self.found else None


def mentions(text: str, vocabulary: Vocabulary) -> dict[Mention, Counter[str]]:
    """Every mention in a text, by sort, as often as it stands there.

    A place said in one breath with its area counts as both, so that one half may be right.
    """
    found: dict[Mention, Counter[str]] = {sort: Counter() for sort in Mention}
    for name in _names(text, vocabulary):
        found[name[0]][name[1]] += 1
    digits = written(text).replace(" ", "")
    found[Mention.PHONE].update(one.replace("-", "") for one in _PHONE.findall(digits))
    found[Mention.AMOUNT].update(_MONEY.findall(digits))
    return found


def _names(text: str, vocabulary: Vocabulary) -> Iterator[tuple[Mention, str]]:
    reached = 0
    while reached < len(text):
        name = vocabulary.longest_at(text, reached)
        if name is None:
            reached += 1
            continue
        if name.sort is not NameSort.WORD:
            yield Mention(name.sort), name.text
        reached += len(name.text)


def held_against(script: Counter[str], heard: Counter[str]) -> Score:
    """What was heard, against what was said."""
    return Score(there=script.total(), found=heard.total(), right=(script & heard).total())


def characters(text: str) -> str:
    """What is compared of a text: numbers as digits, without marks, space or case.

    Script and transcript pass through the same rules, so 七十二号 and 72号 are the same. 您 and 你
    stay apart.
    """
    kept = "".join(char for char in written(text) if char.isalnum())
    return kept.lower()


def errors(script: str, heard: str) -> int:
    """The least number of characters to change, add or remove to make one of the other."""
    row = list(range(len(heard) + 1))
    for at, char in enumerate(script, start=1):
        new = [at]
        for place, other in enumerate(heard, start=1):
            new.append(min(row[place] + 1, new[-1] + 1, row[place - 1] + (char != other)))
        row = new
    return row[-1]
