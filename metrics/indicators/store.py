"""The facts of a scope from the database: one statement for each source, whoever asks.

$1 and $2 are the period's ends (after $1, up to $2), $3 the line, $4 the unit; NULL means all.
Everything is judged as it stood at $2, from rows that only grow: a past period keeps its figures. A
protected case is counted in no figure of cases; its call is a call like any other.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import LiteralString

import asyncpg

from metrics.collect import Line
from metrics.indicators import case_sql
from metrics.indicators.definitions import (
    ALL_LINES,
    NO_UNIT,
    Current,
    Figure,
    Indicator,
    Scope,
    Source,
    Window,
)
from metrics.indicators.every import BY_KEY, INDICATORS

# $5 and $6 are the names and targets of the configured lines. A call asks for a person within a day
# of its beginning, which lets the index on `started_at` find it.
_CALLS: LiteralString = """
WITH told AS (
    SELECT coalesce(c.queued_at, CASE WHEN c.answered_at IS NOT NULL THEN c.started_at END)
               AS asked_at,
           coalesce(l.target, interval '15 seconds') AS target,
           CASE WHEN c.answered_at <= $2 THEN c.answered_at END AS answered_at,
           CASE WHEN c.message_at <= $2 THEN c.message_at END AS message_at,
           CASE WHEN c.ended_at <= $2 THEN c.ended_at END AS ended_at,
           coalesce(c.talk_ended_at, c.ended_at) AS talk_ended_at,
           c.started_at, c.outcome, c.id
      FROM calls c
      LEFT JOIN unnest($5::text[], $6::interval[]) AS l (name, target) ON l.name = c.line
     WHERE c.kind = 'citizen' AND c.direction = 'incoming' AND $4::text IS NULL
       AND ($3::text IS NULL OR c.line = $3)
       AND c.started_at > $1::timestamptz - interval '1 day' AND c.started_at <= $2::timestamptz),
judged AS (
    SELECT *,
           asked_at > $1 AND asked_at <= $2 AS asked,
           answered_at IS NULL AND message_at IS NULL AND ended_at IS NULL AS waiting,
           coalesce(answered_at - asked_at <= target, false) AS in_time,
           $2 - asked_at <= target AS early,
           ended_at IS NOT NULL AND outcome = 'abandoned_short' AS short,
           ended_at IS NOT NULL AND outcome = 'abandoned' AS long,
           asked_at IS NULL AND started_at > $1 AND ended_at IS NOT NULL AS never_asked
      FROM told)
SELECT count(*) FILTER (WHERE asked AND NOT waiting) AS asked,
       count(*) FILTER (WHERE asked AND NOT waiting AND NOT short) AS asked_not_short,
       count(*) FILTER (WHERE asked AND NOT (waiting AND early)) AS asked_due,
       count(*) FILTER (WHERE asked AND answered_at IS NOT NULL) AS answered,
       count(*) FILTER (WHERE asked AND in_time) AS answered_in_time,
       count(*) FILTER (WHERE asked AND short) AS abandoned_short,
       count(*) FILTER (WHERE asked AND long) AS abandoned_long,
       count(*) FILTER (WHERE asked AND (short OR long) AND ended_at - asked_at > target)
           AS abandoned_late,
       count(*) FILTER (WHERE asked AND waiting) AS waiting,
       count(*) FILTER (WHERE asked AND waiting AND early) AS waiting_early,
       count(*) FILTER (WHERE never_asked AND outcome <> 'blocked') AS left_before_queue,
       count(*) FILTER (WHERE never_asked AND outcome = 'blocked') AS blocked,
       coalesce(sum(extract(epoch FROM answered_at - asked_at)) FILTER (WHERE asked), 0)::float8
           AS wait_seconds,
       coalesce(sum(extract(epoch FROM talk_ended_at - answered_at))
           FILTER (WHERE asked AND ended_at IS NOT NULL), 0)::float8 AS talk_seconds,
       count(*) FILTER (WHERE asked AND ended_at IS NOT NULL AND answered_at IS NOT NULL)
           AS talked,
       count(*) FILTER (WHERE asked AND answered_at IS NOT NULL AND EXISTS (
           SELECT FROM cases k WHERE k.call_id = judged.id
              AND (k.opened_at <= $2 OR k.closed_at <= $2 OR k.reopened_at > $2 AND EXISTS (
                   SELECT FROM journal j
                    WHERE j.case_id = k.id AND j.at <= $2
                      AND (j.event = 'case.opened' OR j.body ? 'outcome'))))) AS registered
  FROM judged"""

# A number that is gone happened where the number before it did. Nobody knows on which line, so it
# counts against each of them. What the exchange's files tell of is stored as a call when they are
# read; a difference whose call is not there is one that is still missing.
_NUMBERS: LiteralString = """
WITH gone AS (
    SELECT n FROM generate_series(1, CASE WHEN
               (SELECT last FROM call_counter) > (SELECT count(*) FROM calls)
               THEN (SELECT last FROM call_counter) ELSE 0 END) AS n
     WHERE NOT EXISTS (SELECT FROM calls c WHERE c.id = n)),
placed AS (
    SELECT n, coalesce(
               (SELECT b.started_at FROM calls b WHERE b.id < n ORDER BY b.id DESC LIMIT 1),
               (SELECT a.started_at FROM calls a WHERE a.id > n ORDER BY a.id LIMIT 1),
               $2::timestamptz) AS at FROM gone)
SELECT (SELECT count(*) FROM placed WHERE at > $1 AND at <= $2 AND $4::text IS NULL) AS missing,
       (SELECT count(DISTINCT (d.system, d.linked_id)) FROM differences d
         WHERE d.kind = 'missing' AND d.found_at > $1 AND d.found_at <= $2 AND $4::text IS NULL
           AND NOT EXISTS (SELECT FROM calls c
                            WHERE c.system = d.system AND c.linked_id = d.linked_id)) AS unstored
 WHERE $3::text IS NULL OR true"""

_SURVEYS: LiteralString = """
SELECT count(*) FILTER (WHERE s.satisfied = 'yes') AS survey_satisfied,
       count(*) FILTER (WHERE s.satisfied = 'basically') AS survey_basically,
       count(*) FILTER (WHERE s.satisfied = 'no') AS survey_dissatisfied,
       count(*) FILTER (WHERE s.satisfied = 'not_answered') AS survey_silent
  FROM surveys s JOIN calls c ON c.id = s.call_id
 WHERE s.told_at > $1 AND s.told_at <= $2 AND ($3::text IS NULL OR c.line = $3)
   AND $4::text IS NULL"""

_REPEATS: LiteralString = """
SELECT count(*) AS repeated
  FROM case_repeats r JOIN cases k ON k.id = r.repeat_id
 WHERE r.at > $1 AND r.at <= $2 AND k.call_id IS NOT NULL AND ($3::text IS NULL OR k.line = $3)
   AND $4::text IS NULL AND k.id <> ALL (ARRAY(SELECT hidden_cases('{}')))"""

_CARDS: LiteralString = """
SELECT count(*) AS cards,
       count(*) FILTER (WHERE review >= ($2::timestamptz AT TIME ZONE 'Asia/Shanghai')::date)
           AS cards_fresh
  FROM (SELECT DISTINCT ON (card_id) state, review FROM card_versions
         WHERE at <= $2 AND $1::timestamptz IS NOT NULL AND $3::text IS NULL AND $4::text IS NULL
         ORDER BY card_id, version DESC) AS newest
 WHERE state = 'published'"""

# A change of shift without a handover in time is a gap (coverage.py), whether it is made up for or
# not. An incident is to be reported unless it was dismissed; the reminder of a whole limit says
# that it ran out.
_DUTY: LiteralString = """
WITH changes AS (
    SELECT line, changes_at FROM duty_reliefs WHERE changes_at > $1 AND changes_at <= $2
    UNION
    SELECT line, starts_at FROM coverage_gaps
     WHERE kind = 'handover' AND starts_at > $1 AND starts_at <= $2),
reports AS (
    SELECT i.id FROM duty_incidents i
     WHERE i.raised_at > $1 AND i.raised_at <= $2 AND i.state <> 'dismissed'
       AND ($3::text IS NULL OR i.line = $3) AND $4::text IS NULL
       AND (i.case_id IS NULL OR i.case_id <> ALL (ARRAY(SELECT hidden_cases('{}')))))
SELECT (SELECT count(*) FROM changes
         WHERE ($3::text IS NULL OR line = $3) AND $4::text IS NULL) AS shift_changes,
       (SELECT count(*) FROM changes c
         WHERE ($3::text IS NULL OR line = $3) AND $4::text IS NULL
           AND NOT EXISTS (SELECT FROM coverage_gaps g
                            WHERE g.kind = 'handover' AND g.line = c.line
                              AND g.starts_at = c.changes_at)) AS handed_over,
       (SELECT count(*) FROM reports) AS first_reports_due,
       (SELECT count(*) FROM reports r
         WHERE NOT EXISTS (SELECT FROM duty_reminders m
                            WHERE m.kind IN ('phone', 'text') AND m.subject = r.id
                              AND m.share = 100 AND m.at <= $2)) AS first_reports_on_time"""

STATEMENTS: Mapping[Source, LiteralString] = {
    Source.NUMBERS: _NUMBERS,
    Source.CALLS: _CALLS,
    Source.HANDLING: case_sql.HANDLING,
    Source.ACCEPTED: case_sql.ACCEPTED,
    Source.DISPATCHED: case_sql.DISPATCHED,
    Source.ENDED: case_sql.ENDED,
    Source.SURVEYS: _SURVEYS,
    Source.REPEATS: _REPEATS,
    Source.CARDS: _CARDS,
    Source.DUTY: _DUTY,
}


async def facts(
    conn: asyncpg.Connection, scope: Scope, sources: Iterable[Source]
) -> dict[str, float | int]:
    """Every fact of these sources; in a read-only transaction of the caller's, if it wants one."""
    return (await _counted(conn, scope, sources)).whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """The facts of all together, and those of each unit that has any."""

    whole: dict[str, float | int]
    units: dict[str, dict[str, float | int]]


async def _counted(conn: asyncpg.Connection, scope: Scope, sources: Iterable[Source]) -> _Counted:
    found = _Counted(whole={}, units={})
    for source in sorted(set(sources)):
        values: list[object] = [scope.since, scope.until, scope.line, scope.unit]
        if source is Source.CALLS:
            values += [[it.name for it in scope.lines], [it.target for it in scope.lines]]
        for row in await conn.fetch(STATEMENTS[source], *values):
            told = dict(row)
            unit, whole = told.pop("unit", None), told.pop("whole", True)
            if whole:
                found.whole.update(told)
            elif unit is not None:
                found.units.setdefault(unit, {}).update(told)
    return found


async def figures(
    conn: asyncpg.Connection, scope: Scope, indicators: Sequence[Indicator]
) -> dict[str, Figure]:
    """The figures of a scope by the indicator's key; of a unit only those it can be asked for."""
    wanted = [it for it in indicators if scope.unit is None or it.by_unit]
    known = await facts(conn, scope, {source for it in wanted for source in it.sources})
    return _figures(wanted, scope, known)


async def figures_of_units(
    conn: asyncpg.Connection,
    scope: Scope,
    indicators: Sequence[Indicator],
    units: Iterable[str] | None = None,
) -> tuple[dict[str, Figure], dict[str, dict[str, Figure]]]:
    """The figures of all together, and in the same pass those of each of these units.

    Without `units` it is each that had any items. A unit has only those that it can be asked for;
    they are what `figures` gives for it alone.
    """
    counted = await _counted(conn, scope, {source for it in indicators for source in it.sources})
    wanted = [it for it in indicators if it.by_unit]
    nothing = {fact.key: 0 for it in wanted for fact in it.facts}
    told = {
        unit: _figures(wanted, replace(scope, unit=unit), nothing | counted.units.get(unit, {}))
        for unit in (counted.units if units is None else units)
    }
    return _figures(indicators, scope, counted.whole), told


def _without(whole: Figure, parts: Collection[Figure]) -> Figure:
    facts = {key: count - sum(it.facts[key] for it in parts) for key, count in whole.facts.items()}
    return replace(whole, facts=facts)


def _figures(
    indicators: Sequence[Indicator], scope: Scope, known: Mapping[str, float | int]
) -> dict[str, Figure]:
    return {
        it.key: Figure(
            indicator=it, scope=scope, facts={fact.key: known[fact.key] for fact in it.facts}
        )
        for it in indicators
    }


async def current(conn: asyncpg.Connection, lines: Sequence[Line], now: datetime) -> Current:
    """Every indicator of each line over the window that ends now."""
    found: dict[tuple[str, str], Figure] = {}
    for window in Window:
        wanted = [it for it in INDICATORS if it.window is window]
        everywhere = Scope(since=now - window.length, until=now, lines=tuple(lines))
        for line in lines:
            own = [it for it in wanted if it.by_line]
            told = await figures(conn, replace(everywhere, line=line.name), own)
            found |= {(key, line.name): figure for key, figure in told.items()}
        told = await figures(conn, everywhere, [it for it in wanted if not it.by_line])
        found |= {(key, ALL_LINES): figure for key, figure in told.items()}
    month = Scope(since=now - Window.MONTH.length, until=now)
    whole, units = await figures_of_units(conn, month, [BY_KEY["on_time"]])
    on_time = {unit: told["on_time"] for unit, told in units.items()}
    numbers = await facts(conn, month, [Source.NUMBERS])
    return Current(
        at=now,
        figures=found,
        units={**on_time, NO_UNIT: _without(whole["on_time"], on_time.values())},
        missing=int(numbers["missing"] + numbers["unstored"]),
    )
