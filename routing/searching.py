"""What somebody typed into the search for cases, and what it is then looked for as; pure.

20261123-000042-7      one case's number, however it is spelt
20261123, 20261123-00  the beginning of case numbers: a day, and part of the count
5678                   the last four digits of a caller's number
anything else          words of what the case is about
"""

import unicodedata
from dataclasses import dataclass

from routing.numbers import DATE_DIGITS, SPOKEN, parse_number

TAIL_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is looked for: exactly one of these."""

    number: str | None = None
    begins: str | None = None
    tail: str | None = None
    words: str | None = None


def sought(typed: str, *, callers: bool) -> Sought:
    """Return what was meant; without `callers` four digits are words like any others.

    Who may not read calls must not find out whose a case is by trying numbers.
    """
    if (number := parse_number(typed)) is not None:
        return Sought(number=number)
    digits = "".join(typed.translate(SPOKEN).replace("-", "").split())
    if digits.isascii() and digits.isdigit():
        if callers and len(digits) == TAIL_DIGITS:
            return Sought(tail=digits)
        if len(digits) >= DATE_DIGITS and digits.startswith("20"):
            day, count = digits[:DATE_DIGITS], digits[DATE_DIGITS:]
            return Sought(begins=f"{day}-{count}")
    return Sought(words=typed)


def can_be_found(words: str) -> bool:
    """Whether these words are enough to look for: two characters that are no punctuation."""
    plain = unicodedata.normalize("NFKC", words)
    return sum(char.isalnum() for char in plain) > 1
