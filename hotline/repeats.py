"""Which cases may be of one matter: the caller's own open ones, and those of others that are alike.

Only suggested, with a score and the words they share; a person links them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from hotline import likeness_rows
from hotline.database import Connection
from hotline.likeness_rows import Asked, Near
from hotline.masking import mask_text
from routing.cases import Case
from routing.likeness import ALIKE, TOGETHER, likeness, marked, shared_words, together

CLOSED_LATELY = timedelta(days=30)
"""A caller who rings again so soon after the end rings about the same matter (重复来电)."""
LOOK_BACK = timedelta(days=180)
MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """A case that may be of the same matter, and the words both say, masked."""

    case_id: int
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """What a case may belong to: the caller's own cases, and others' that are alike."""

    of_caller: tuple[Alike, ...]
    alike: tuple[Alike, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """How many calls about the matter of a case were linked to it, and how many by its caller."""

    all: int
    by_the_caller: int


_OF_CALLER: LiteralString = """
    SELECT c.id AS case_id, c.drafted_at AS at, m.marks, m.weights
      FROM case_callers mine
      JOIN case_callers other ON other.caller = mine.caller AND other.case_id <> mine.case_id
      JOIN cases c ON c.id = other.case_id
      LEFT JOIN case_marks m ON m.case_id = c.id
     WHERE mine.case_id = $1 AND c.same_as IS NULL
       AND (c.state NOT IN ('closed', 'archived') OR c.closed_at > $2)
     ORDER BY c.id DESC LIMIT $3"""
_LIVE: LiteralString = """
    SELECT id FROM cases WHERE id = ANY ($1) AND state NOT IN ('closed', 'archived')"""
_MEMBERS: LiteralString = "SELECT id FROM cases WHERE lead = $1 ORDER BY id LIMIT 1000"
_REPEATS: LiteralString = """
    SELECT repeat_id FROM case_repeats WHERE case_id = $1 ORDER BY repeat_id LIMIT 1000"""
_HOW_MANY: LiteralString = "SELECT count(*) FROM cases WHERE lead = $1"
_UNTOLD: LiteralString = """
    SELECT id FROM cases
     WHERE lead = $1 AND state NOT IN ('closed', 'archived', 'calling_back') ORDER BY id"""
_COUNT: LiteralString = """
    SELECT count(*) AS found, count(*) FILTER (WHERE same_caller) AS by_the_caller
      FROM case_repeats WHERE case_id = $1"""


async def related(conn: Connection, case_id: int, now: datetime) -> Related:
    """Look for cases of the same matter, by the words a case has now."""
    words = await likeness_rows.words_of(conn, case_id)
    asked = await likeness_rows.asked(conn, words)
    own = await _of_caller(conn, case_id, asked, now)
    near = await likeness_rows.near(conn, asked, beside=case_id, since=now - LOOK_BACK, least=ALIKE)
    mine = {one.case_id for one in own}
    live = {row["id"] for row in await conn.fetch(_LIVE, [one.case_id for one in near])}
    others = [one for one in near if one.case_id in live and one.case_id not in mine]
    return Related(of_caller=_told(own, words, asked), alike=_told(others[:MOST], words, asked))


async def _of_caller(conn: Connection, case_id: int, asked: Asked, now: datetime) -> list[Near]:
    found = []
    for row in await conn.fetch(_OF_CALLER, case_id, now - CLOSED_LATELY, MOST):
        pairs = zip(row["marks"] or (), row["weights"] or (), strict=True)
        marks = marked(dict(pairs))
        score = likeness(asked.marks, marks)
        found.append(Near(case_id=row["case_id"], at=row["at"], score=score, marks=marks))
    return sorted(found, key=lambda one: (-one.score, -one.case_id))


def _told(found: Sequence[Near], words: str, asked: Asked) -> tuple[Alike, ...]:
    # Masked first: a piece of a telephone number is no longer seen to be one.
    masked = mask_text(words)
    return tuple(
        Alike(
            case_id=one.case_id,
            score=round(one.score, 3),
            words=shared_words(masked, asked.marks, one.marks),
        )
        for one in found
    )


def groups_of(found: Sequence[tuple[Case, float]]) -> tuple[tuple[int, float], ...]:
    """The lead cases that a case may go with, the best first.

    A case that goes with none leads itself.
    """
    scores: dict[int, list[float]] = {}
    for case, score in found:
        scores.setdefault(case.lead or case.id, []).append(score)
    sums = [(lead, together(them)) for lead, them in scores.items()]
    return tuple(sorted((it for it in sums if it[1] >= TOGETHER), key=lambda it: -it[1]))


async def bound_to(conn: Connection, case_id: int) -> tuple[list[int], list[int]]:
    """The cases that go with one, and those linked as repeats of it, oldest first."""
    members = [row["id"] for row in await conn.fetch(_MEMBERS, case_id)]
    linked = [row["repeat_id"] for row in await conn.fetch(_REPEATS, case_id)]
    return members, linked


async def untold_members(conn: Connection, lead: int) -> list[int]:
    """The cases that go with a lead and whose callers do not know yet what came of it."""
    return [row["id"] for row in await conn.fetch(_UNTOLD, lead)]


async def members(conn: Connection, lead: int) -> int:
    """How many cases go with one."""
    return int(await conn.fetchval(_HOW_MANY, lead))


async def times(conn: Connection, case_id: int) -> Repeated:
    """How often the matter of a case was told again."""
    [row] = await conn.fetch(_COUNT, case_id)
    return Repeated(all=row["found"], by_the_caller=row["by_the_caller"])
