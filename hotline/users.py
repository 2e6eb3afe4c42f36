"""Who works here: users with roles and units, their sessions and tokens, as values; pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from routing.cases import Role

ROLES = frozenset(Role) - {Role.SYSTEM}
"""Every role a person can hold."""
LOGIN = r"^[a-z][a-z0-9._-]{1,39}$"
LOGIN_FORM = re.compile(LOGIN.replace("$", r"\Z"), re.ASCII)
FREE_FAILURES = 5
LONGEST_WAIT = timedelta(minutes=15)


class Way(StrEnum):
    """How a session began."""

    PASSWORD = "password"  # noqa: S105 - a word, no secret
    OPENID = "openid"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One account. `extension` is the person's own seat, `is_head` leads the unit (or the desk)."""

    id: int
    login: str
    name: str
    roles: frozenset[Role]
    unit: str | None
    extension: str | None
    is_head: bool
    has_password: bool
    must_change: bool
    active: bool
    failures: int
    failed_at: datetime | None
    added_at: datetime
    added_by: str

    def wait(self, now: datetime) -> timedelta:
        """How long the next try must wait: 2, 4, 8 ... seconds after the fifth wrong password.

        Never more than a quarter of an hour, so that nobody is locked out for ever.
        """
        if self.failed_at is None or self.failures < FREE_FAILURES:
            return timedelta(0)
        wait = min(LONGEST_WAIT, timedelta(seconds=2 ** min(self.failures - FREE_FAILURES + 1, 20)))
        return max(self.failed_at + wait - now, timedelta(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFacts:
    """What is said of a user when adding or changing one."""

    name: str
    roles: frozenset[Role]
    unit: str | None = None
    extension: str | None = None
    is_head: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """An API token as it is listed; its secret was shown once and is kept as a hash."""

    id: int
    user_id: int
    login: str
    name: str
    roles: frozenset[Role]
    made_at: datetime
    made_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None
