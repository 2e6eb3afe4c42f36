"""Who must not find a case, in PostgreSQL; what it means for a viewer says `hidden_cases`.

Every function runs in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from hotline.database import Connection


class Because(StrEnum):
    """Why somebody is kept apart from a case."""

    ACCUSED = "accused"
    CHAIN = "chain"
    DECLARED = "declared"
    ASKED = "asked"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Protection:
    """That a case is protected, since when, and who has it."""

    case_id: int
    against_office: bool
    taker: str
    marked_at: datetime
    marked_by: str
    handed_at: datetime | None
    handed_to: str | None
    end_asked_at: datetime | None
    end_asked_by: str | None
    """Who of discipline asked to end it; another one must confirm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """One person (by login or seat) or unit kept apart from a case."""

    id: int
    person: str | None
    unit: str | None
    because: Because
    since: datetime
    by: str
    ended_at: datetime | None
    ended_by: str | None


_OF: LiteralString = """
    SELECT case_id, against_office, taker, marked_at, marked_by, handed_at, handed_to,
           end_asked_at, end_asked_by
      FROM protections WHERE case_id = $1 AND ended_at IS NULL"""
_MARK: LiteralString = """
    INSERT INTO protections (case_id, against_office, taker, marked_at, marked_by, handed_at,
                             handed_to)
    VALUES ($1, $2, $3, $4, $3, $5, $6)
    ON CONFLICT (case_id) WHERE ended_at IS NULL
       DO UPDATE SET against_office = protections.against_office OR excluded.against_office"""
_HAND: LiteralString = """
    UPDATE protections SET handed_at = coalesce(handed_at, $3), handed_to = $2
     WHERE case_id = $1 AND ended_at IS NULL"""
_ASK_END: LiteralString = """
    UPDATE protections SET end_asked_at = $2, end_asked_by = $3
     WHERE case_id = $1 AND ended_at IS NULL"""
_END: LiteralString = """
    UPDATE protections SET ended_at = $2, ended_by = $3 WHERE case_id = $1 AND ended_at IS NULL"""
_APART: LiteralString = """
    INSERT INTO kept_apart (case_id, person, unit, because, since, by)
    SELECT $1, it.person, it.unit, $4, $5, $6
      FROM (SELECT unnest($2::text[]) AS person, NULL AS unit
            UNION ALL SELECT NULL, unnest($3::text[])) AS it
    ON CONFLICT DO NOTHING"""
_REJOIN: LiteralString = """
    UPDATE kept_apart SET ended_at = $3, ended_by = $4
     WHERE case_id = $1 AND id = $2 AND ended_at IS NULL AND because <> ALL ('{accused,chain}')
    RETURNING id"""
_ALL_APART: LiteralString = """
    SELECT id, person, unit, because, since, by, ended_at, ended_by
      FROM kept_apart WHERE case_id = $1 ORDER BY id"""
_NAMES: LiteralString = """
    SELECT login, extension FROM users WHERE login = ANY ($1) OR extension = ANY ($1)"""
_UNITS: LiteralString = """
    SELECT DISTINCT unit FROM users
     WHERE (login = ANY ($1) OR extension = ANY ($1)) AND unit IS NOT NULL ORDER BY 1"""
_OTHER: LiteralString = """
    INSERT INTO accused_others (case_id, said, at, by) VALUES ($1, $2, $3, $4)"""
_OTHERS: LiteralString = "SELECT said FROM accused_others WHERE case_id = $1 ORDER BY id"
# Whoever may answer for a case that somebody is taken from: with this role, in this unit, and not
# kept apart from it; heads first, then by seniority.
_CANDIDATES: LiteralString = """
    SELECT u.login FROM users u
     WHERE u.active AND $2 = ANY (u.roles) AND u.unit IS NOT DISTINCT FROM $3
       AND $1 <> ALL (ARRAY(SELECT hidden_cases(jsonb_build_object(
               'names', ARRAY[u.login, u.extension], 'unit', u.unit, 'discipline', true))))
     ORDER BY u.is_head DESC, u.id LIMIT 1"""
_MEETS: LiteralString = """
    SELECT $1 = ANY (ARRAY(SELECT hidden_cases(jsonb_build_object(
        'names', (SELECT array_agg(name) FROM (
            SELECT $2 UNION SELECT login FROM users WHERE extension = $2 AND active
            UNION SELECT extension FROM users WHERE login = $2) AS own (name)),
        'unit', (SELECT unit FROM users WHERE login = $2), 'discipline', true))))"""
_UNITS_APART: LiteralString = """
    SELECT unit FROM kept_apart
     WHERE case_id = $1 AND ended_at IS NULL AND unit = ANY ($2::text[])"""
_IS_DISCIPLINE: LiteralString = """
    SELECT EXISTS (SELECT FROM users WHERE active AND (login = $1 OR extension = $1)
                                       AND 'discipline' = ANY (roles))"""


async def of_case(conn: Connection, case_id: int) -> Protection | None:
    """The protection of a case, None where it is not protected."""
    row = await conn.fetchrow(_OF, case_id)
    return None if row is None else Protection(**dict(row))


async def mark(
    conn: Connection, case_id: int, *, office: bool, by: str, now: datetime, handed: bool
) -> None:
    """Protect a case; one that is protected already becomes one against this office, too."""
    to = by if handed else None
    await conn.execute(_MARK, case_id, office, by, now, now if handed else None, to)


async def hand(conn: Connection, case_id: int, *, to: str, now: datetime) -> None:
    """Discipline has it: from now on its taker finds it no longer."""
    await conn.execute(_HAND, case_id, to, now)


async def ask_end(conn: Connection, case_id: int, *, by: str, now: datetime) -> None:
    """Somebody asks that the case be protected no longer; it still is."""
    await conn.execute(_ASK_END, case_id, now, by)


async def end(conn: Connection, case_id: int, *, by: str, now: datetime) -> None:
    """The case is protected no longer; whoever is kept apart stays so."""
    await conn.execute(_END, case_id, now, by)


async def keep_apart(
    conn: Connection,
    case_id: int,
    *,
    persons: Sequence[str] = (),
    units: Sequence[str] = (),
    because: Because,
    by: str,
    now: datetime,
) -> frozenset[str]:
    """Keep people (by login or seat) and units apart from a case; returns every name of theirs."""
    names = set(persons)
    for row in await conn.fetch(_NAMES, list(persons)):
        names |= {row["login"], row["extension"]} - {None}
    await conn.execute(_APART, case_id, sorted(names), sorted(set(units)), because, now, by)
    return frozenset(names)


async def rejoin(conn: Connection, case_id: int, apart_id: int, *, by: str, now: datetime) -> bool:
    """End one recusal; the accused and their chain stay apart for good."""
    return await conn.fetchval(_REJOIN, case_id, apart_id, now, by) is not None


async def apart_from(conn: Connection, case_id: int) -> tuple[Apart, ...]:
    """Everybody kept apart from a case, also who was so once."""
    rows = await conn.fetch(_ALL_APART, case_id)
    return tuple(Apart(**{**dict(row), "because": Because(row["because"])}) for row in rows)


async def units_of(conn: Connection, persons: Sequence[str]) -> list[str]:
    """The units that some people (by login or seat) are of."""
    return [row["unit"] for row in await conn.fetch(_UNITS, list(persons))]


async def accuse(conn: Connection, case_id: int, said: str, *, by: str, now: datetime) -> None:
    """Keep the name and post of somebody accused who is no user; sealed."""
    await conn.execute(_OTHER, case_id, said, now, by)


async def others(conn: Connection, case_id: int) -> tuple[str, ...]:
    """The accused who are no users, in the caller's words."""
    return tuple(row["said"] for row in await conn.fetch(_OTHERS, case_id))


async def candidate(conn: Connection, case_id: int, role: str, unit: str | None) -> str | None:
    """Somebody with a role who may answer for a case, None where there is nobody."""
    found: str | None = await conn.fetchval(_CANDIDATES, case_id, role, unit)
    return found


async def is_apart(conn: Connection, case_id: int, name: str) -> bool:
    """Whether this person is kept apart from a case, by any name or by the unit."""
    return bool(await conn.fetchval(_MEETS, case_id, name))


async def units_apart(conn: Connection, case_id: int, units: Sequence[str]) -> frozenset[str]:
    """Those of some units that are kept apart from a case."""
    rows = await conn.fetch(_UNITS_APART, case_id, list(units))
    return frozenset(row["unit"] for row in rows)


async def is_discipline(conn: Connection, name: str) -> bool:
    """Whether a name (login or seat) is one of discipline's people."""
    return bool(await conn.fetchval(_IS_DISCIPLINE, name))
