"""What is old enough to be deleted, and its deletion, in PostgreSQL; in the caller's transaction.

Each class has one statement that counts, one that counts what is held, and one that deletes some
and returns what each was, so that the proof can tell it by its hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from routing.retention import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """How a class is counted and deleted: $1 is the moment before which it is due, $2 how many."""

    due: LiteralString
    held: LiteralString
    delete: LiteralString


_RECORDINGS: LiteralString = """
    FROM recordings r JOIN calls c ON c.id = r.call_id
   WHERE r.state = 'stored' AND c.ended_at < $1::timestamptz"""
_TRANSCRIPTS: LiteralString = """
    FROM transcripts t JOIN calls c ON c.id = t.call_id
   WHERE t.state = 'done' AND t.text <> '' AND c.ended_at < $1::timestamptz"""
_TEXTS: LiteralString = """
    FROM case_texts t JOIN cases k ON k.id = t.case_id
   WHERE t.text IS NOT NULL AND k.closed_at < $1::timestamptz"""
# A person is forgotten when the last call to or from the number, and the last case brought in
# another way, is old enough.
_IDENTITIES: LiteralString = """
    FROM identities i
   WHERE (i.number IS NOT NULL OR i.name IS NOT NULL) AND i.first_seen < $1::timestamptz
     AND NOT EXISTS (SELECT FROM calls c WHERE (c.caller = i.token OR c.callee = i.token)
                        AND coalesce(c.ended_at, 'infinity') >= $1)
     AND NOT EXISTS (SELECT FROM cases k WHERE k.caller = i.token
                        AND coalesce(k.closed_at, 'infinity') >= $1)
     AND NOT EXISTS (SELECT FROM blocks b WHERE b.caller = i.token AND b.lifted_at IS NULL
                        AND coalesce(b.until, 'infinity') >= $1)"""
_HELD_IDENTITY: LiteralString = "person_is_held(i.token)"
_WRITTEN: LiteralString = """
    FROM supervision_texts t """
# A record of supervision is over when it is cleared, an item when settled, a fault when decided.
_RECORD: LiteralString = """
    LEFT JOIN supervisions s ON s.id = t.supervision_id
    LEFT JOIN tracked_items i ON i.id = t.tracked_id
    LEFT JOIN fault_records f ON f.id = t.fault_id
   WHERE coalesce(s.cleared_at, i.settled_at, CASE WHEN f.state IN ('upheld', 'dismissed')
                  THEN coalesce(f.appeal_decided_at, f.decided_at) END) < $1::timestamptz"""
_RECORD_HELD: LiteralString = "case_is_held(coalesce(s.case_id, i.case_id, f.case_id))"
_SCORE_APPEALS: LiteralString = """
    FROM inspection_appeals t
   WHERE num_nonnulls(t.reason, t.answer) > 0 AND t.decided_at < $1::timestamptz"""
_SCORE_NOTES: LiteralString = """
    FROM inspection_score_items t JOIN inspection_scores s ON s.id = t.score_id
   WHERE t.note IS NOT NULL AND s.made_at < $1::timestamptz"""
_PIECES: LiteralString = """
    FROM case_evidence t JOIN cases k ON k.id = t.case_id
   WHERE t.erased_at IS NULL AND k.closed_at < $1::timestamptz"""
# Whoever reported to the duty desk is forgotten when the last thing said by him is old and over.
_REPORTERS: LiteralString = """
    FROM duty_reporters r
    LEFT JOIN LATERAL (
        SELECT max(v.at) AS last, bool_or(NOT l.done OR call_is_held(l.call_id)
                                          OR case_is_held(v.case_id)) AS held
          FROM duty_log_versions v JOIN duty_log l ON l.id = v.entry_id
         WHERE v.reporter = r.id) said ON true
    LEFT JOIN LATERAL (
        SELECT max(d.raised_at) AS last, bool_or(d.ended_at IS NULL OR call_is_held(d.call_id)
                                                 OR case_is_held(d.case_id)) AS held
          FROM duty_incidents d WHERE d.reporter = r.id) raised ON true
   WHERE num_nonnulls(r.unit, r.name, r.post, r.phone) > 0
     AND greatest(said.last, raised.last) < $1::timestamptz"""
_REPORTER_HELD: LiteralString = "(coalesce(said.held, false) OR coalesce(raised.held, false))"
_DUTY_LOG: LiteralString = """
    FROM duty_log_versions v JOIN duty_log l ON l.id = v.entry_id
   WHERE v.erased_at IS NULL AND v.at < $1::timestamptz"""
_DUTY_HELD: LiteralString = "(NOT l.done OR call_is_held(l.call_id) OR case_is_held(v.case_id))"
# What was written for the public goes with the case's own texts, whatever became of it.
_PUBLIC: LiteralString = """
    FROM publications p JOIN cases k ON k.id = p.case_id
   WHERE k.closed_at < $1::timestamptz AND coalesce(p.decided_at, p.proposed_at) < $1"""
_APPEALS: LiteralString = """
    FROM league_appeals p JOIN cases k ON k.id = p.case_id
   WHERE coalesce(p.decided_at, p.asked_at) < $1::timestamptz"""
_ERASED: LiteralString = """
    leaving AS (
        INSERT INTO evidence_leaving (path, decided_at) SELECT DISTINCT path, now() FROM due
        ON CONFLICT DO NOTHING)"""
_FREE: LiteralString = " AND NOT call_is_held(c.id)"
_COUNT: LiteralString = "SELECT count(*) "

SORTS: Mapping[Kept, Sequence[Sort]] = {
    Kept.RECORDINGS: (
        Sort(
            due=_COUNT + _RECORDINGS + _FREE,
            held=_COUNT + _RECORDINGS + " AND call_is_held(c.id)",
            delete=(
                """
            WITH due AS (SELECT r.call_id, r.leg, r.kept_in, r.path, r.sha256 """  # noqa: S608 - of literal parts
                + _RECORDINGS
                + _FREE
                + """ ORDER BY r.call_id, r.leg LIMIT $2 FOR UPDATE OF r SKIP LOCKED),
            noted AS (
                INSERT INTO retention_items (call_id, leg, kept_in, path, sha256, decided_at)
                SELECT call_id, leg, kept_in, path, sha256, now() FROM due)
            UPDATE recordings r SET state = 'deleted', path = NULL, sha256 = NULL
              FROM due d WHERE r.call_id = d.call_id AND r.leg = d.leg
            RETURNING r.call_id || '/' || r.leg AS item"""
            ),
        ),
    ),
    Kept.TRANSCRIPTS: (
        Sort(
            due=_COUNT + _TRANSCRIPTS + _FREE,
            held=_COUNT + _TRANSCRIPTS + " AND call_is_held(c.id)",
            delete=(
                "WITH due AS (SELECT t.call_id, t.leg "  # noqa: S608 - of literal parts
                + _TRANSCRIPTS
                + _FREE
                + """ ORDER BY t.call_id, t.leg LIMIT $2 FOR UPDATE OF t SKIP LOCKED)
            UPDATE transcripts t SET text = '', words = '[]', again = '[]', reason = 'deleted'
              FROM due d WHERE t.call_id = d.call_id AND t.leg = d.leg
            RETURNING t.call_id || '/' || t.leg AS item"""
            ),
        ),
    ),
    Kept.TEXTS: (
        Sort(
            due=_COUNT + _TEXTS + " AND NOT case_is_held(k.id)",
            held=_COUNT + _TEXTS + " AND case_is_held(k.id)",
            delete=(
                "WITH due AS (SELECT t.id, t.case_id, t.sort "  # noqa: S608 - of literal parts
                + _TEXTS
                + """ AND NOT case_is_held(k.id)
              ORDER BY t.case_id, t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED),
            emptied AS (
                UPDATE cases k SET summary = NULL
                 WHERE k.id IN (SELECT case_id FROM due WHERE sort = 'summary'))
            UPDATE case_texts t SET text = NULL, erased_at = now() FROM due d WHERE t.id = d.id
            RETURNING t.digest AS item"""
            ),
        ),
        Sort(
            due=_COUNT + _WRITTEN + _RECORD + " AND t.text IS NOT NULL AND NOT " + _RECORD_HELD,
            held=_COUNT + _WRITTEN + _RECORD + " AND t.text IS NOT NULL AND " + _RECORD_HELD,
            delete=(
                "WITH due AS (SELECT t.id "  # noqa: S608 - of literal parts
                + _WRITTEN
                + _RECORD
                + " AND t.text IS NOT NULL AND NOT "
                + _RECORD_HELD
                + """ ORDER BY t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED)
                UPDATE supervision_texts t SET text = NULL, erased_at = now()
                  FROM due d WHERE t.id = d.id RETURNING t.digest AS item"""
            ),
        ),
        Sort(
            due=_COUNT + _SCORE_APPEALS + " AND NOT call_is_held(t.call_id)",
            held=_COUNT + _SCORE_APPEALS + " AND call_is_held(t.call_id)",
            delete=(
                "WITH due AS (SELECT t.id "  # noqa: S608 - of literal parts
                + _SCORE_APPEALS
                + """ AND NOT call_is_held(t.call_id)
                  ORDER BY t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED)
                UPDATE inspection_appeals t SET reason = NULL, answer = NULL
                  FROM due d WHERE t.id = d.id RETURNING 'appeal/' || t.id AS item"""
            ),
        ),
        Sort(
            due=_COUNT + _SCORE_NOTES + " AND NOT call_is_held(s.call_id)",
            held=_COUNT + _SCORE_NOTES + " AND call_is_held(s.call_id)",
            delete=(
                "WITH due AS (SELECT t.score_id, t.item "  # noqa: S608 - of literal parts
                + _SCORE_NOTES
                + """ AND NOT call_is_held(s.call_id)
                  ORDER BY t.score_id, t.item LIMIT $2 FOR UPDATE OF t SKIP LOCKED)
                UPDATE inspection_score_items t SET note = NULL
                  FROM due d WHERE t.score_id = d.score_id AND t.item = d.item
                RETURNING 'note/' || t.score_id || '/' || t.item AS item"""
            ),
        ),
    ),
    Kept.IDENTITIES: (
        Sort(
            due=_COUNT + _IDENTITIES + " AND NOT " + _HELD_IDENTITY,
            held=_COUNT + _IDENTITIES + " AND " + _HELD_IDENTITY,
            delete=(
                "WITH due AS (SELECT i.token "  # noqa: S608 - of literal parts
                + _IDENTITIES
                + " AND NOT "
                + _HELD_IDENTITY
                + """ ORDER BY i.token LIMIT $2 FOR UPDATE OF i SKIP LOCKED)
            UPDATE identities i SET number = NULL, name = NULL, look_up = NULL, tail = NULL,
                   plain_number = NULL, plain_name = NULL
              FROM due d WHERE i.token = d.token RETURNING i.token::text AS item"""
            ),
        ),
    ),
    Kept.ACCESS: (
        Sort(
            due="SELECT count(*) FROM sessions WHERE expires_at < $1",
            held="SELECT 0",
            delete="""
            DELETE FROM sessions WHERE id IN (
                SELECT id FROM sessions WHERE expires_at < $1 ORDER BY id LIMIT $2)
            RETURNING id::text AS item""",
        ),
    ),
    Kept.GIVEN: (
        Sort(
            due="SELECT count(*) FROM notices WHERE settled_at < $1 AND state <> 'queued'",
            held="SELECT 0",
            delete="""
            DELETE FROM notices WHERE id IN (
                SELECT id FROM notices WHERE settled_at < $1 AND state <> 'queued'
                 ORDER BY id LIMIT $2)
            RETURNING id::text AS item""",
        ),
    ),
    Kept.EVIDENCE: (
        Sort(
            due=_COUNT + _PIECES + " AND NOT case_is_held(k.id)",
            held=_COUNT + _PIECES + " AND case_is_held(k.id)",
            delete=(
                "WITH due AS (SELECT t.id, t.path "  # noqa: S608 - of literal parts
                + _PIECES
                + """ AND NOT case_is_held(k.id)
                  ORDER BY t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED),"""
                + _ERASED
                + """ UPDATE case_evidence t SET erased_at = now(), name = 'deleted'
                  FROM due d WHERE t.id = d.id
                  RETURNING 'case/' || t.id || '/' || t.sha256 AS item"""
            ),
        ),
        Sort(
            due=_COUNT
            + "FROM supervision_evidence t "
            + _RECORD
            + " AND t.erased_at IS NULL AND NOT "
            + _RECORD_HELD,
            held=_COUNT
            + "FROM supervision_evidence t "
            + _RECORD
            + " AND t.erased_at IS NULL AND "
            + _RECORD_HELD,
            delete=(
                "WITH due AS (SELECT t.id, t.path FROM supervision_evidence t "  # noqa: S608 - of literal parts
                + _RECORD
                + " AND t.erased_at IS NULL AND NOT "
                + _RECORD_HELD
                + " ORDER BY t.id LIMIT $2 FOR UPDATE OF t SKIP LOCKED),"
                + _ERASED
                + """ UPDATE supervision_evidence t SET erased_at = now(), name = 'deleted'
                  FROM due d WHERE t.id = d.id
                  RETURNING 'record/' || t.id || '/' || t.sha256 AS item"""
            ),
        ),
    ),
    Kept.REPORTERS: (
        Sort(
            due=_COUNT + _REPORTERS + " AND NOT " + _REPORTER_HELD,
            held=_COUNT + _REPORTERS + " AND " + _REPORTER_HELD,
            delete=(
                "WITH due AS (SELECT r.id "  # noqa: S608 - of literal parts
                + _REPORTERS
                + " AND NOT "
                + _REPORTER_HELD
                + """ ORDER BY r.id LIMIT $2 FOR UPDATE OF r SKIP LOCKED)
                UPDATE duty_reporters r SET unit = NULL, name = NULL, post = NULL, phone = NULL
                  FROM due d WHERE r.id = d.id RETURNING r.id::text AS item"""
            ),
        ),
    ),
    Kept.DUTY_LOG: (
        Sort(
            due=_COUNT + _DUTY_LOG + " AND NOT " + _DUTY_HELD,
            held=_COUNT + _DUTY_LOG + " AND " + _DUTY_HELD,
            delete=(
                "WITH due AS (SELECT v.entry_id, v.version "  # noqa: S608 - of literal parts
                + _DUTY_LOG
                + " AND NOT "
                + _DUTY_HELD
                + """ ORDER BY v.entry_id, v.version LIMIT $2 FOR UPDATE OF v SKIP LOCKED)
                UPDATE duty_log_versions v SET content = '{}', erased_at = now()
                  FROM due d WHERE v.entry_id = d.entry_id AND v.version = d.version
                RETURNING v.entry_id || '/' || v.version AS item"""
            ),
        ),
    ),
    Kept.PUBLICATIONS: (
        Sort(
            due=_COUNT + _PUBLIC + " AND NOT case_is_held(k.id)",
            held=_COUNT + _PUBLIC + " AND case_is_held(k.id)",
            delete=(
                "DELETE FROM publications WHERE id IN (SELECT p.id "  # noqa: S608 - of literal parts
                + _PUBLIC
                + """ AND NOT case_is_held(k.id) ORDER BY p.id LIMIT $2 FOR UPDATE OF p SKIP LOCKED)
                RETURNING 'publication/' || id AS item"""
            ),
        ),
    ),
    Kept.APPEALS: (
        Sort(
            due=_COUNT + _APPEALS + " AND NOT case_is_held(k.id)",
            held=_COUNT + _APPEALS + " AND case_is_held(k.id)",
            delete=(
                "DELETE FROM league_appeals WHERE id IN (SELECT p.id "  # noqa: S608 - of literal parts
                + _APPEALS
                + """ AND NOT case_is_held(k.id) ORDER BY p.id LIMIT $2 FOR UPDATE OF p SKIP LOCKED)
                RETURNING 'appeal/' || id AS item"""
            ),
        ),
    ),
    Kept.CONTACTS: (
        Sort(
            due="SELECT count(*) FROM duty_contacts WHERE gone_at < $1 AND phone IS NOT NULL",
            held="SELECT 0",
            delete="""
            WITH due AS (
                SELECT id FROM duty_contacts WHERE gone_at < $1 AND phone IS NOT NULL
                 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
            UPDATE duty_contacts c SET name = NULL, look_up = NULL, phone = NULL
              FROM due d WHERE c.id = d.id RETURNING c.id::text AS item""",
        ),
    ),
}
_PENDING: LiteralString = """
    SELECT call_id, leg, kept_in, path, sha256 FROM retention_items
     ORDER BY call_id, leg LIMIT $1"""
_LEAVING: LiteralString = """
    SELECT path, EXISTS (SELECT FROM case_evidence e WHERE e.sha256 = sha AND e.erased_at IS NULL)
              OR EXISTS (SELECT FROM supervision_evidence e
                          WHERE e.sha256 = sha AND e.erased_at IS NULL) AS wanted
      FROM (SELECT path, split_part(path, '/', 2) AS sha FROM evidence_leaving) AS left_over
     ORDER BY path"""
_LEFT: LiteralString = "DELETE FROM evidence_leaving WHERE path = $1"
_GONE: LiteralString = "DELETE FROM retention_items WHERE call_id = $1 AND leg = $2"
_PROOFS: LiteralString = """
    SELECT id, at, body::text AS body FROM journal WHERE event = 'retention.deleted' ORDER BY id"""


async def counted(conn: Connection, sort: Sort, before: datetime) -> tuple[int, int]:
    """How many are due, and how many as old are held."""
    held = sort.held if "$1" in sort.held else None
    return (
        int(await conn.fetchval(sort.due, before)),
        0 if held is None else int(await conn.fetchval(held, before)),
    )


async def delete(conn: Connection, sort: Sort, before: datetime, most: int) -> list[str]:
    """Delete some that are due; returns what each was."""
    return [row["item"] for row in await conn.fetch(sort.delete, before, most)]


async def pending(conn: Connection, most: int) -> list[asyncpg.Record]:
    """Recordings decided upon whose sound may still be there."""
    rows: list[asyncpg.Record] = await conn.fetch(_PENDING, most)
    return rows


async def leaving(conn: Connection) -> list[asyncpg.Record]:
    """Files of evidence decided upon; `wanted` where another piece has the same content."""
    rows: list[asyncpg.Record] = await conn.fetch(_LEAVING)
    return rows


async def left(conn: Connection, path: str) -> None:
    """A file of evidence is deleted, or stays for another piece."""
    await conn.execute(_LEFT, path)


async def gone(conn: Connection, call_id: int, leg: str) -> None:
    """The sound of a recording is deleted."""
    await conn.execute(_GONE, call_id, leg)


async def proofs(conn: Connection) -> list[asyncpg.Record]:
    """Every proof of a deletion, oldest first."""
    rows: list[asyncpg.Record] = await conn.fetch(_PROOFS)
    return rows
