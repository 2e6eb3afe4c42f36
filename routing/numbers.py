"""Case numbers: readable on paper, sayable on the phone, safe against a slip of the finger.

`20261123-000042-7`: the day in Shanghai the case was drafted, the case's own count, a check digit.
The check digit is H. Michael Damm's (2004): every wrong digit and every swap of two neighbours is
noticed, so a mistyped number finds no case instead of somebody else's.
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)
SHAPE = re.compile(r"([0-9]{8})-([0-9]{6,18})-([0-9])", re.ASCII)
SPOKEN = str.maketrans("０１２３４５６７８９－—–", "0123456789---")
DATE_DIGITS = 8
SHORTEST = DATE_DIGITS + 6 + 1


def check_digit(digits: str) -> str:
    """Return the digit that makes the Damm chain end at zero."""
    interim = "0"
    for digit in digits:
        interim = DAMM[int(interim)][int(digit)]
    return interim


def case_number(case_id: int, drafted_at: datetime) -> str:
    """Return the number of the case with this id, drafted at this aware moment."""
    day = drafted_at.astimezone(SHANGHAI).strftime("%Y%m%d")
    count = f"{case_id:06d}"
    return f"{day}-{count}-{check_digit(day + count)}"


def parse_number(text: str) -> str | None:
    """Return the number in its one written form, or None when it cannot be one.

    Takes what people type: full-width digits, spaces, missing hyphens.
    """
    digits = "".join(text.translate(SPOKEN).replace("-", "").split())
    if len(digits) < SHORTEST or not digits.isascii() or not digits.isdigit():
        return None
    written = f"{digits[:DATE_DIGITS]}-{digits[DATE_DIGITS:-1]}-{digits[-1]}"
    if not SHAPE.fullmatch(written) or check_digit(digits) != "0":
        return None
    return written
