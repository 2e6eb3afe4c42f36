"""Who asks: a user, a program with a user's token, or whoever the open console lets in."""

from dataclasses import dataclass
from datetime import datetime

from hotline.users import ROLES
from routing.cases import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with roles. Without users (a demo, or before the first one) everybody has all.

    `name` is how the journal names the person; `seat` is the extension worked at, if any.
    """

    name: str
    roles: frozenset[Role]
    unit: str | None = None
    seat: str | None = None
    user_id: int | None = None
    session_id: int | None = None
    token_id: int | None = None
    expires_at: datetime | None = None
    must_change: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Every name under which a case may belong to this person."""
        return frozenset({self.name, self.seat} - {None})  # type: ignore[arg-type]


def anybody(
    seat: str | None, *, session_id: int | None = None, expires_at: datetime | None = None
) -> Person:
    """Whoever came in where there are no users yet."""
    return Person(
        name=seat or "console",
        roles=ROLES,
        seat=seat,
        session_id=session_id,
        expires_at=expires_at,
    )


SCRAPER = Person(name="prometheus", roles=frozenset())
"""Prometheus reads `/metrics` and nothing else."""
