"""Reads one moment of the database as a `Snapshot`: one repeatable-read, read-only transaction.

Every number is recomputed from committed rows, so it survives any restart. Calls of a line that
is no longer configured are counted under the line `other`: nothing drops out of a sum silently.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from typing import LiteralString

import asyncpg

from metrics.buckets import NATIVE, joined, negated
from metrics.collect import (
    CONNECT_WINDOW,
    Handling,
    Item,
    Line,
    LineCalls,
    Probed,
    Snapshot,
    Transcripts,
)
from metrics.indicators.definitions import Current
from metrics.indicators.store import current as read_current
from metrics.ledger import Ledger
from metrics.names import TALK_BUCKETS, WAIT_BUCKETS
from routing.cases import CaseState, Kind, Urgency
from routing.moves import ENDINGS

BLOCK = 5000

# $1 names and $2 targets of the configured lines, $3 the moment, $4 the sliding window.
_CALLS: LiteralString = """
WITH told AS (
    SELECT coalesce(l.name, 'other') AS line,
           coalesce(l.target, interval '15 seconds') AS target,
           coalesce(c.queued_at, CASE WHEN c.answered_at IS NOT NULL THEN c.started_at END)
               AS asked_at,
           c.answered_at, c.message_at, c.ended_at, c.recovered,
           c.outcome IS NOT DISTINCT FROM 'abandoned_short' AS short,
           c.outcome IS NOT DISTINCT FROM 'abandoned' AS long,
           k.call_id IS NOT NULL AS registered
      FROM calls c
      LEFT JOIN unnest($1::text[], $2::interval[]) AS l (name, target) ON l.name = c.line
      LEFT JOIN (SELECT DISTINCT call_id FROM cases
                  WHERE opened_at IS NOT NULL OR outcome IS NOT NULL) k ON k.call_id = c.id
     WHERE c.kind = 'citizen' AND c.direction = 'incoming'),
judged AS (
    SELECT *,
           asked_at IS NOT NULL AND answered_at IS NULL AND message_at IS NULL
               AND ended_at IS NULL AS waiting,
           coalesce(answered_at - asked_at <= target, false) AS in_time,
           coalesce($3 - asked_at <= target, false) AS early,
           asked_at > $3::timestamptz - $4::interval AS recent
      FROM told)
SELECT line,
       count(*) FILTER (WHERE asked_at IS NOT NULL) AS offered,
       count(*) FILTER (WHERE answered_at IS NOT NULL) AS answered,
       count(*) FILTER (WHERE in_time) AS within_target,
       count(*) FILTER (WHERE asked_at IS NOT NULL AND short) AS abandoned_short,
       count(*) FILTER (WHERE asked_at IS NOT NULL AND long) AS abandoned_long,
       count(*) FILTER (WHERE asked_at IS NULL AND ended_at IS NOT NULL) AS left_before_queue,
       count(*) FILTER (WHERE recovered) AS recovered,
       count(*) FILTER (WHERE answered_at IS NOT NULL AND registered) AS registered,
       count(*) FILTER (WHERE waiting) AS waiting,
       count(*) FILTER (WHERE ended_at IS NULL) AS active,
       min(asked_at) FILTER (WHERE waiting) AS oldest_waiting,
       count(*) FILTER (WHERE recent AND NOT waiting) AS window_offered,
       count(*) FILTER (WHERE recent AND answered_at IS NOT NULL) AS window_answered,
       count(*) FILTER (WHERE recent AND short) AS window_short,
       count(*) FILTER (WHERE recent AND NOT (waiting AND early)) AS target_offered,
       count(*) FILTER (WHERE recent AND in_time) AS target_answered
  FROM judged GROUP BY line"""

_ENDED: LiteralString = """
SELECT CASE WHEN line = ANY ($1::text[]) THEN line ELSE 'other' END AS line, outcome,
       count(*) AS found
  FROM calls
 WHERE ended_at IS NOT NULL AND kind = 'citizen' AND direction = 'incoming' GROUP BY 1, 2"""

# The newest call of a bucket is its example.
_HIDDEN_CALLS: LiteralString = "SELECT hidden_calls('{}')"

# $2 and $3 hold the bucket edges negated, so that `above` counts the edges not below the
# observation: `le` is inclusive.
_WAITS: LiteralString = """
WITH waited AS (
    SELECT CASE WHEN line = ANY ($1::text[]) THEN line ELSE 'other' END AS line,
           CASE WHEN answered_at IS NOT NULL THEN 'answered' ELSE outcome END AS outcome,
           greatest(extract(epoch FROM
               coalesce(answered_at, message_at, ended_at) - queued_at), 0)::float8
               AS seconds,
           id::float8, extract(epoch FROM coalesce(answered_at, ended_at))::float8 AS moment
      FROM calls
     WHERE queued_at IS NOT NULL AND coalesce(answered_at, ended_at) IS NOT NULL
       AND kind = 'citizen' AND direction = 'incoming')
SELECT line, outcome, width_bucket(-seconds, $2::float8[]) AS above,
       width_bucket(-seconds, $3::float8[]) AS fine,
       count(*) AS found, sum(seconds) AS total, max(ARRAY[id, seconds, moment]) AS example
  FROM waited GROUP BY 1, 2, 3, 4"""

_TALKS: LiteralString = """
WITH talked AS (
    SELECT CASE WHEN line = ANY ($1::text[]) THEN line ELSE 'other' END AS line,
           greatest(extract(epoch FROM coalesce(talk_ended_at, ended_at) - answered_at), 0)::float8
               AS seconds,
           id::float8, extract(epoch FROM ended_at)::float8 AS moment
      FROM calls
     WHERE ended_at IS NOT NULL AND answered_at IS NOT NULL AND kind = 'citizen'
       AND direction = 'incoming')
SELECT line, width_bucket(-seconds, $2::float8[]) AS above,
       width_bucket(-seconds, $3::float8[]) AS fine,
       count(*) AS found, sum(seconds) AS total, max(ARRAY[id, seconds, moment]) AS example
  FROM talked GROUP BY 1, 2, 3"""

_RECORDINGS: LiteralString = """
SELECT r.state, count(*) AS found FROM recordings r JOIN calls c ON c.id = r.call_id
 WHERE c.kind = 'citizen' GROUP BY r.state"""

# A leg that failed may be heard after all (`hotline jobs retry`): the journal keeps each failure,
# so that their counter never falls.
_TRANSCRIPTS: LiteralString = """
SELECT count(*) FILTER (WHERE state = 'pending') AS pending,
       min(requested_at) FILTER (WHERE state = 'pending') AS oldest_pending,
       count(*) FILTER (WHERE state = 'done') AS done,
       count(*) FILTER (WHERE state = 'failed') AS failed,
       (SELECT count(*) FROM journal WHERE event = 'transcript.failed') AS failures,
       coalesce(sum(audio_seconds) FILTER (WHERE state = 'done'), 0)::float8 AS audio_seconds
  FROM transcripts"""

_PARKED: LiteralString = """
SELECT entrypoint, count(*) AS found FROM pgqueuer WHERE status = 'failed' GROUP BY 1"""

_OPERATORS: LiteralString = """
SELECT line, state, count(*) AS found
  FROM operator_states CROSS JOIN unnest(lines) AS line
 WHERE line = ANY ($1::text[]) GROUP BY 1, 2"""

_GAPS: LiteralString = """
SELECT line, kind, starts_at FROM coverage_gaps
 WHERE restored_at IS NULL AND line = ANY ($1::text[])"""

_BURSTS: LiteralString = """
    SELECT CASE WHEN acknowledged_at IS NULL THEN 'unseen' ELSE 'acknowledged' END AS state,
           count(*) AS found
      FROM bursts WHERE ended_at IS NULL GROUP BY 1"""
_SUPERVISION: LiteralString = """
    SELECT level, count(*) AS found FROM supervisions
     WHERE state <> 'cleared'
       AND (case_id IS NULL OR case_id <> ALL (ARRAY(SELECT hidden_cases('{}'))))
     GROUP BY level"""
# A case's main limit ends at `due_at`; the record of that very end is what is looked for.
_UNSUPERVISED: LiteralString = """
    SELECT (SELECT count(*) FROM cases c
             WHERE c.due_at < $1 AND c.state NOT IN ('closed', 'archived')
               AND c.answered_at IS NULL AND c.closed_at IS NULL
               AND c.id <> ALL (ARRAY(SELECT hidden_cases('{}')))
               AND NOT EXISTS (SELECT FROM supervisions s
                                WHERE s.case_id = c.id AND s.stage = 'handling'
                                  AND s.ends_at = c.due_at))
         + (SELECT count(*) FROM tracked_items t
             WHERE t.due_at < $1 AND t.settled_at IS NULL AND t.reported_at IS NULL
               AND NOT EXISTS (SELECT FROM supervisions s
                                WHERE s.tracked_id = t.id AND s.stage = 'handling'))"""
_UNIT_CASES: LiteralString = """
    SELECT CASE WHEN given_at IS NULL THEN 'none' ELSE coalesce(unit, 'none') END AS unit,
           CASE WHEN due_at IS NULL THEN 'undated' WHEN due_at < $1 THEN 'overdue'
                WHEN due_at < $1 + interval '1 day' THEN 'soon' ELSE 'ok' END AS deadline,
           count(*) AS found
      FROM cases
     WHERE opened_at IS NOT NULL AND answered_at IS NULL AND closed_at IS NULL
       AND state NOT IN ('closed', 'archived')
       AND id <> ALL (ARRAY(SELECT hidden_cases('{}')))
     GROUP BY 1, 2"""
_FROM_HERE: LiteralString = """
SELECT direction, outcome, count(*) AS found FROM calls
 WHERE direction <> 'incoming' AND ended_at IS NOT NULL GROUP BY direction, outcome"""
_CALLOUTS: LiteralString = "SELECT state, count(*) AS found FROM callouts GROUP BY state"

_INCIDENTS: LiteralString = """
SELECT state, count(*) AS found FROM duty_incidents WHERE state IN ('raised', 'open')
 GROUP BY state"""

_OVERDUE: LiteralString = """
SELECT kind, count(*) AS found FROM duty_reminders WHERE share = 100 AND over_at IS NULL
 GROUP BY kind"""

# Of the last day: what is no longer tested leaves the page.
_PROBES: LiteralString = """
SELECT place.system, place.line, p.at, p.ok, p.stage, p.seconds, p.detail AS reason,
       (SELECT good.at FROM probes good
         WHERE good.ok AND good.system = place.system AND good.line = place.line
         ORDER BY good.id DESC LIMIT 1) AS last_ok_at
  FROM (SELECT DISTINCT system, line FROM probes
         WHERE line = ANY ($1::text[]) AND at > $2::timestamptz - interval '1 day') AS place
 CROSS JOIN LATERAL (SELECT * FROM probes newest
                      WHERE newest.system = place.system AND newest.line = place.line
                      ORDER BY newest.id DESC LIMIT 1) AS p"""

# A protected case is counted nowhere from the minute it is one: what moves it moves no figure. Its
# call stays counted as a call, for the telephone counts every call, whatever became of it.
_CASES: LiteralString = """
SELECT CASE WHEN line = ANY ($1::text[]) THEN line ELSE 'other' END AS line, state,
       count(*) AS found
  FROM cases WHERE id <> ALL (ARRAY(SELECT hidden_cases('{}'))) GROUP BY 1, 2"""

# An item is one life of a case, from its acceptance to its end: reopened on new facts, a case is
# accepted anew. Answers and returns come from the journal, which keeps them when a case is redone;
# who was answered directly, told where to go, or told why nothing is done, was answered at the end.
_OPEN_ITEMS: LiteralString = """
SELECT CASE WHEN c.line = ANY ($1::text[]) THEN c.line ELSE 'other' END AS line,
       c.kind, coalesce(c.urgency, 'normal') AS urgency, c.level1, coalesce(c.policy, '') AS policy,
       c.state, c.opened_at AS accepted_at, c.due_at, false AS withdrawn,
       coalesce(told.answers, '{}') AS answers, coalesce(told.returns, '{}') AS returns
  FROM cases c
  LEFT JOIN LATERAL (
       SELECT array_agg(j.at) FILTER (
                  WHERE j.event IN ('case.answered', 'case.followed')) AS answers,
              array_agg(j.at) FILTER (WHERE j.event = 'case.redo') AS returns
         FROM journal j
        WHERE j.case_id = c.id AND j.at >= coalesce(c.reopened_at, c.drafted_at)) told ON true
 WHERE c.kind IS NOT NULL AND c.opened_at IS NOT NULL AND c.state <> ALL ('{closed,archived}')
   AND c.id <> ALL (ARRAY(SELECT hidden_cases('{}')))"""
# Rows from before the journal told how a case ended lack these facts; its case still has them, for
# no case was reopened then.
_CLOSED_ITEMS: LiteralString = """
SELECT CASE WHEN c.line = ANY ($1::text[]) THEN c.line ELSE 'other' END AS line,
       ended.kind, ended.urgency, ended.level1, coalesce(ended.policy, '') AS policy,
       'closed' AS state, ended.accepted_at, ended.due_at,
       ended.outcome = 'withdrawn' AS withdrawn,
       coalesce(told.answers, '{}')
           || CASE WHEN ended.outcome IN ('direct', 'explained', 'terminated') THEN ARRAY[j.at]
                   ELSE '{}' END AS answers,
       coalesce(told.returns, '{}') AS returns
  FROM journal j
  JOIN cases c ON c.id = j.case_id
 CROSS JOIN LATERAL (
       SELECT j.body ->> 'outcome' AS outcome, j.body ->> 'kind' AS kind,
              j.body ->> 'urgency' AS urgency, j.body ->> 'level1' AS level1,
              j.body ->> 'policy' AS policy, (j.body ->> 'due_at')::timestamptz AS due_at,
              (j.body ->> 'opened_at')::timestamptz AS accepted_at
        WHERE j.body ? 'outcome'
       UNION ALL
       SELECT c.outcome, c.kind, coalesce(c.urgency, 'normal'), c.level1, c.policy, c.due_at,
              CASE WHEN c.opened_at IS NULL AND j.event <> 'case.withdrawn' THEN c.closed_at
                   ELSE c.opened_at END
        WHERE NOT j.body ? 'outcome') ended
  LEFT JOIN LATERAL (
       SELECT array_agg(a.at) FILTER (
                  WHERE a.event IN ('case.answered', 'case.followed')) AS answers,
              array_agg(a.at) FILTER (WHERE a.event = 'case.redo') AS returns
         FROM journal a
        WHERE a.case_id = j.case_id AND a.id < j.id
          AND a.id > coalesce((SELECT max(r.id) FROM journal r
                                WHERE r.case_id = j.case_id AND r.event = 'case.reopened'
                                  AND r.id < j.id), 0)) told ON true
 WHERE j.event = ANY ($2::text[]) AND j.id > $3 AND j.id <= $4
   AND ended.kind IS NOT NULL AND ended.accepted_at IS NOT NULL
   AND c.id <> ALL (ARRAY(SELECT hidden_cases('{}')))"""
_NEWEST: LiteralString = "SELECT coalesce(max(id), 0) FROM journal"

_FILES_READ: LiteralString = "SELECT system, source, read_at FROM tail_positions"

_DIFFERENCES: LiteralString = """
SELECT system, kind, count(*) AS found FROM differences GROUP BY system, kind"""


async def snapshot(
    conn: asyncpg.Connection,
    lines: Sequence[Line],
    ledger: Ledger | None,
    now: datetime,
    *,
    current: Current | None = None,
) -> Snapshot:
    """Return all numbers as of one moment of the database; `now` judges windows and due times.

    The ledger takes in what was closed since it was last used; a new one reads everything, and
    without one `handling` stays empty.
    `current` are indicators that were read before and are still good enough.
    """
    names, began = [line.name for line in lines], perf_counter()
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        targets = [line.target for line in lines]
        calls = await conn.fetch(_CALLS, names, targets, now, CONNECT_WINDOW)
        ended = await conn.fetch(_ENDED, names)
        waits = await conn.fetch(_WAITS, names, negated(WAIT_BUCKETS), NATIVE)
        talks = await conn.fetch(_TALKS, names, negated(TALK_BUCKETS), NATIVE)
        recordings = await conn.fetch(_RECORDINGS)
        transcripts = await conn.fetchrow(_TRANSCRIPTS)
        parked = await conn.fetch(_PARKED)
        cases = await conn.fetch(_CASES, names)
        differences = await conn.fetch(_DIFFERENCES)
        operators = await conn.fetch(_OPERATORS, names)
        gaps = await conn.fetch(_GAPS, names)
        callouts = await conn.fetch(_CALLOUTS)
        from_here = await conn.fetch(_FROM_HERE)
        bursts = await conn.fetch(_BURSTS)
        supervision = await conn.fetch(_SUPERVISION)
        unsupervised = await conn.fetchval(_UNSUPERVISED, now)
        unit_cases = await conn.fetch(_UNIT_CASES, now)
        incidents = await conn.fetch(_INCIDENTS)
        overdue = await conn.fetch(_OVERDUE)
        probes = await conn.fetch(_PROBES, names, now)
        files_read = await conn.fetch(_FILES_READ)
        handling = {} if ledger is None else await _handling(conn, names, ledger, now)
        hidden = {row[0] for row in await conn.fetch(_HIDDEN_CALLS)}
        current = current or await read_current(conn, lines, now)
    return Snapshot(
        at=now,
        lines=tuple(lines),
        calls={name: LineCalls() for name in names} | dict(map(_calls, calls)),
        ended={(row["line"], row["outcome"]): row["found"] for row in ended},
        waits={(a, b): it for (a, b), it in joined(WAIT_BUCKETS, waits, hidden, "line", "outcome")},
        talks={line: it for (line,), it in joined(TALK_BUCKETS, talks, hidden, "line")},
        recordings={row["state"]: row["found"] for row in recordings},
        transcripts=Transcripts(**dict(transcripts)) if transcripts else Transcripts(),
        parked={row["entrypoint"]: row["found"] for row in parked},
        cases={(row["line"], row["state"]): row["found"] for row in cases},
        handling=handling,
        differences={(row["system"], row["kind"]): row["found"] for row in differences},
        operators={(row["line"], row["state"]): row["found"] for row in operators},
        gaps={(row["line"], row["kind"]): row["starts_at"] for row in gaps},
        from_here={(row["direction"], row["outcome"]): row["found"] for row in from_here},
        callouts={row["state"]: row["found"] for row in callouts},
        bursts={row["state"]: row["found"] for row in bursts},
        supervision={row["level"]: row["found"] for row in supervision},
        unsupervised=unsupervised,
        unit_cases={(row["unit"], row["deadline"]): row["found"] for row in unit_cases},
        probes=dict(map(_probed, probes)),
        incidents={row["state"]: row["found"] for row in incidents},
        overdue={row["kind"]: row["found"] for row in overdue},
        files_read={(row["system"], row["source"]): row["read_at"] for row in files_read},
        current=current,
        took=perf_counter() - began,
    )


async def _handling(
    conn: asyncpg.Connection, names: Sequence[str], ledger: Ledger, now: datetime
) -> dict[str, Handling]:
    still_open = await conn.fetch(_OPEN_ITEMS, names)
    await _take_in(conn, names, ledger, await conn.fetchval(_NEWEST))
    return await asyncio.to_thread(lambda: ledger.count(map(_item, still_open), now))


async def _take_in(
    conn: asyncpg.Connection, names: Sequence[str], ledger: Ledger, newest: int
) -> None:
    """Give the ledger every life that ended since; the first time all of them, block by block."""
    found: list[Item] = []
    cursor = await conn.cursor(_CLOSED_ITEMS, names, list(ENDINGS), ledger.seen, newest)
    while rows := await cursor.fetch(BLOCK):
        found += await asyncio.to_thread(lambda block: list(map(_item, block)), rows)
    await asyncio.to_thread(ledger.settle, found, newest)


def _calls(row: asyncpg.Record) -> tuple[str, LineCalls]:
    counts = dict(row)
    return counts.pop("line"), LineCalls(**counts)


def _probed(row: asyncpg.Record) -> tuple[tuple[str, str], Probed]:
    told = dict(row)
    return (told.pop("system"), told.pop("line")), Probed(**told)


def _item(row: asyncpg.Record) -> Item:
    return Item(
        line=row["line"],
        kind=Kind(row["kind"]),
        urgency=Urgency(row["urgency"]),
        level1=row["level1"],
        policy=row["policy"],
        state=CaseState(row["state"]),
        accepted_at=row["accepted_at"],
        due_at=row["due_at"],
        withdrawn=row["withdrawn"],
        answers=tuple(row["answers"]),
        returns=tuple(row["returns"]),
    )
