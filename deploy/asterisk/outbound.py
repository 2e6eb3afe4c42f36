"""The way out: which outside numbers the city's operators may reach, and how."""

import re
from dataclasses import dataclass

from deploy.errors import ExchangeInvalid

LONGEST_NUMBER = 20
LONGEST_CALL_SECONDS = 4 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """The carrier's address for calls that leave, and every kind of number that may be called.

    `number` is what the other side sees, whoever speaks. `allowed` holds whole numbers in which an
    X stands for any digit ("1XXXXXXXXXX"): a length is always fixed, so nothing longer and dearer
    hides behind a prefix. `emergency` numbers have no limit on calls at once.
    """

    contact: str
    number: str
    allowed: tuple[str, ...] = ()
    emergency: tuple[str, ...] = ("110", "119", "120")
    calls_per_operator: int = 2
    longest_seconds: int = 3600
    username: str = ""
    secret: str = ""

    def __post_init__(self) -> None:
        _check(r"sip:[\w.+-]*@?[\w.\[\]:-]+", self.contact, "The outgoing trunk's contact")
        _check(r"\+?[0-9]{2,20}", self.number, "The number shown to outside telephones")
        _check(r"[\w.@+-]{0,64}", self.username, "The outgoing trunk's user name")
        _check(r"[\w.+/=-]{0,128}", self.secret, "The outgoing trunk's secret", secret=True)
        for pattern in self.allowed:
            _check(rf"[0-9][0-9X]{{2,{LONGEST_NUMBER - 1}}}", pattern, "An allowed number")
        for number in self.emergency:
            _check(r"[0-9]{3,6}", number, "An emergency number")
        if self.calls_per_operator < 1:
            raise ExchangeInvalid("calls_per_operator must be at least 1.")
        if not 0 < self.longest_seconds <= LONGEST_CALL_SECONDS:
            raise ExchangeInvalid(f"longest_seconds must be 1 to {LONGEST_CALL_SECONDS}.")

    def __repr__(self) -> str:
        return f"Outbound(contact={self.contact!r}, number={self.number!r})"  # never the secret


def _check(pattern: str, value: str, what: str, *, secret: bool = False) -> None:
    if re.fullmatch(pattern, value, re.ASCII) is None:
        shown = "" if secret else f" {value!r}"
        raise ExchangeInvalid(f"{what}{shown} is not allowed here: correct it.")
