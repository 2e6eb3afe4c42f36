"""Frozen league tables, and what units appealed, as PostgreSQL keeps them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, LiteralString

from hotline import journal
from hotline.database import Connection
from hotline.errors import AppealRefusedError
from hotline.journal import Event
from metrics.reports.league import LeagueRules, Place


class AppealReason(StrEnum):
    """Why an item should not count against a unit."""

    NOT_OURS = "not_ours"
    BEYOND_DUTY = "beyond_duty"
    CALLER_UNREACHABLE = "caller_unreachable"
    LAW_ENFORCEMENT = "law_enforcement"
    FORCE = "force"
    MISCOUNTED = "miscounted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A frozen table; `content` holds the rules and each unit's numbers."""

    month: date
    version: int
    rules: str
    fingerprint: str
    content: Mapping[str, Any]
    sha256: str
    frozen_at: datetime
    frozen_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Appeal:
    """What a unit appealed; `granted` is None until somebody decided."""

    id: int
    month: date
    unit: str
    indicator: str
    case_id: int
    reason: str
    asked_at: datetime
    asked_by: str
    granted: bool | None
    decided_at: datetime | None
    decided_by: str | None


_FREEZE: LiteralString = """
    INSERT INTO league_snapshots
           (month, version, rules, fingerprint, content, sha256, frozen_at, frozen_by)
    SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6, $7
      FROM league_snapshots WHERE month = $1
    RETURNING version"""
_NEWEST: LiteralString = """
    SELECT month, version, rules, fingerprint, content::text AS content, sha256, frozen_at,
           frozen_by
      FROM league_snapshots WHERE month = $1 AND ($2::int IS NULL OR version = $2)
     ORDER BY version DESC LIMIT 1"""
_GRANTED: LiteralString = """
    SELECT unit, indicator, count(*) AS found FROM league_appeals
     WHERE month = $1 AND granted GROUP BY unit, indicator"""
_ASK: LiteralString = """
    INSERT INTO league_appeals (month, unit, indicator, case_id, reason, asked_at, asked_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING RETURNING id"""
_DECIDE: LiteralString = """
    UPDATE league_appeals SET granted = $2, decided_at = $3, decided_by = $4
     WHERE id = $1 AND granted IS NULL AND asked_by <> $4 RETURNING case_id, month, unit"""
_APPEALS: LiteralString = """
    SELECT id, month, unit, indicator, case_id, reason, asked_at, asked_by, granted, decided_at,
           decided_by
      FROM league_appeals
     WHERE month = $1 AND ($2::text IS NULL OR unit = $2) ORDER BY id LIMIT 1000"""


async def freeze(  # noqa: PLR0917 - of which month what, by which rules, by whom, when
    tx: Connection,
    month: date,
    places: Sequence[Place],
    rules: LeagueRules,
    by: str,
    now: datetime,
) -> Snapshot:
    """Keep the table of a month for good; a month frozen before gets a further version."""
    text = json.dumps(content_of(places, rules), ensure_ascii=False, sort_keys=True)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    await journal.take_turn(tx)
    version = await tx.fetchval(
        _FREEZE, month, rules.name, rules.fingerprint(), text, sha256, now, by
    )
    told = {"month": month, "version": version, "rules": rules.name, "sha256": sha256}
    await journal.write(tx, at=now, actor=by, event=Event.LEAGUE_FROZEN, body=told)
    found = await snapshot(tx, month, version)
    if found is None:
        raise AppealRefusedError("The frozen table cannot be read back: nothing was kept.")
    return found


def content_of(places: Sequence[Place], rules: LeagueRules) -> dict[str, Any]:
    """Everything that a score is made of."""
    return {
        "rules": rules.model_dump(mode="json"),
        "places": [
            {
                "unit": one.unit,
                "group": one.group,
                "dispatched": one.dispatched,
                "score": None if one.score is None else str(one.score),
                "rank": one.rank,
                "reason": one.reason,
                "parts": [
                    {
                        "key": part.key,
                        "numerator": part.numerator,
                        "denominator": part.denominator,
                        "weight": part.weight,
                        "granted": part.granted,
                    }
                    for part in one.parts
                ],
            }
            for one in places
        ],
    }


async def snapshot(conn: Connection, month: date, version: int | None = None) -> Snapshot | None:
    """One version of a frozen month; the newest where none is named."""
    row = await conn.fetchrow(_NEWEST, month, version)
    return None if row is None else Snapshot(**dict(row) | {"content": json.loads(row["content"])})


async def granted(conn: Connection, month: date) -> dict[tuple[str, str], int]:
    """How many appeals of each unit and indicator were granted."""
    rows = await conn.fetch(_GRANTED, month)
    return {(row["unit"], row["indicator"]): row["found"] for row in rows}


async def ask(  # noqa: PLR0917 - against what, of which item, why, by whom, when
    tx: Connection,
    month: date,
    unit: str,
    indicator: str,
    case_id: int,
    reason: AppealReason,
    by: str,
    now: datetime,
) -> int:
    """A unit appeals.

    Raises:
        AppealRefusedError: it did so before.
    """
    await journal.take_turn(tx)
    found = await tx.fetchval(_ASK, month, unit, indicator, case_id, reason, now, by)
    if found is None:
        raise AppealRefusedError("This item was appealed before for this month and rate.")
    told = {"month": month, "unit": unit, "indicator": indicator, "reason": reason}
    await journal.write(
        tx, at=now, actor=by, event=Event.LEAGUE_APPEALED, case_id=case_id, body=told
    )
    return int(found)


async def decide(
    tx: Connection, appeal_id: int, *, grant: bool, by: str, now: datetime
) -> tuple[date, str]:
    """Somebody else than who asked grants or refuses it; returns its month and unit.

    Raises:
        AppealRefusedError: there is none, it was decided, or who decides asked for it.
    """
    await journal.take_turn(tx)
    row = await tx.fetchrow(_DECIDE, appeal_id, grant, now, by)
    if row is None:
        raise AppealRefusedError(
            "There is no such open appeal, or you asked for it yourself: another person decides."
        )
    told = {"appeal": appeal_id, "granted": grant, "unit": row["unit"]}
    await journal.write(
        tx,
        at=now,
        actor=by,
        event=Event.LEAGUE_APPEAL_DECIDED,
        case_id=row["case_id"],
        body=told,
    )
    return row["month"], row["unit"]


async def appeals(conn: Connection, month: date, unit: str | None) -> Sequence[Appeal]:
    """The appeals of a month, of one unit or of all."""
    return [Appeal(**dict(row)) for row in await conn.fetch(_APPEALS, month, unit)]
