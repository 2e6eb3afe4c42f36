"""Numbers and names as anyone but their owner may see them: `138****5678`, `张**`.

Used for logs, metrics, errors, the feed and the journal. The full values stay in `identities`.
"""

import re
import unicodedata

from transcription.personal import masked

_STARS = "****"
# Two-character surnames in daily use; all others are one character.
_COMPOUND = re.compile(
    "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|夏侯|端木|南宫|独孤"
)
_NUMBER_IN_TEXT = re.compile(
    r"""(?<![\w.])(?:
          (?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}     # mobile
        | (?:\+?86[- ]?)?0\d{2,3}[- ]?\d{7,8}             # landline with its area
        | \d{17}[\dXx]                                    # identity card
        | \+\d{8,15}                                      # from abroad
    )(?![\w])""",
    re.VERBOSE | re.ASCII,
)


def mask_number(number: str | None) -> str:
    """A caller's number with its middle hidden; 5 characters or fewer name a service, not a person.

    What is not a number at all (a caller may send any text) is hidden whole.
    """
    if not number:
        return ""
    if not re.fullmatch(r"\+?[0-9Xx]+", number, re.ASCII):
        digits = re.sub(r"[^0-9]", "", number)
        return mask_number(digits) if len(digits) > _SHORT else _STARS
    if len(number) <= _SHORT:
        return number
    head, tail = (3, 4) if len(number) >= _LONG else (2, 2)
    return number[:head] + _STARS + number[-tail:]


_SHORT = 5
_LONG = 10


def mask_name(name: str | None) -> str:
    """The surname and two stars, however long the name is; empty stays empty."""
    shown = "".join(c for c in name or "" if unicodedata.category(c)[0] not in "CZ")
    if not shown:
        return ""
    return shown[: 2 if _COMPOUND.match(shown) else 1] + "**"


def mask_text(text: str) -> str:
    """Free text with every telephone, identity number, bank card and plate in it masked.

    Numbers said digit by digit (幺三八零…) count like written ones.
    """
    written = _NUMBER_IN_TEXT.sub(lambda found: mask_number(re.sub(r"[- ]", "", found[0])), text)
    return masked(written)
