"""The duty log in PostgreSQL: entries, their versions, and who reported, kept apart and sealed.

The entry of a call is made by the database in the very statement that stores the call; here it is
only written on. A version is never changed. Every function runs in the caller's transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from hotline.errors import DutyChangedError, DutyUnknownError
from routing.duty_log import EntryKind, LogText


@dataclass(frozen=True, slots=True, kw_only=True)
class Reporter:
    """Who reported: never part of what was reported."""

    unit: str | None = None
    name: str | None = None
    post: str | None = None
    phone: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is known at all."""
        return any((self.unit, self.name, self.post, self.phone))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogVersion:
    """One version of an entry; it never changes."""

    version: int
    at: datetime
    by: str
    done: bool
    case_id: int | None
    text: LogText
    reporter: Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry; `newest` is None while nobody has written anything on a call."""

    id: int
    line: str
    kind: EntryKind
    at: datetime
    call_id: int | None
    case_id: int | None
    """The case it belongs to: the one that was named, else the call's own."""
    outcome: str | None
    done: bool
    newest: LogVersion | None


_ENTRY: LiteralString = """
    SELECT e.id, e.line, e.kind, e.at, e.call_id, e.done, c.outcome, v.version,
           coalesce(v.case_id, k.id) AS case_id, v.case_id AS named, v.at AS written_at, v.by,
           v.done AS written_done, v.content, r.unit, r.name, r.post, r.phone
      FROM duty_log e
      LEFT JOIN calls c ON c.id = e.call_id
      LEFT JOIN cases k ON k.call_id = e.call_id
      LEFT JOIN duty_log_versions v ON v.entry_id = e.id AND v.version = e.newest
      LEFT JOIN duty_reporters r ON r.id = v.reporter"""
_ONE: LiteralString = _ENTRY + " WHERE e.id = $1"
# What nobody has to write on: a call that no person and no machine answered.
_LIST: LiteralString = (
    _ENTRY
    + """
     WHERE ($1::text IS NULL OR e.line = $1) AND ($2::text IS NULL OR e.kind = $2)
       AND ($3::bigint IS NULL OR e.call_id = $3)
       AND (NOT $4 OR (NOT e.done AND (e.newest > 0 OR c.outcome IN ('answered', 'voicemail'))))
       AND ($5::bigint IS NULL OR e.id < $5)
     ORDER BY e.id DESC LIMIT $6"""
)
_VERSIONS: LiteralString = """
    SELECT v.version, v.at AS written_at, v.by, v.done AS written_done, v.case_id AS named,
           v.content, r.unit, r.name, r.post, r.phone
      FROM duty_log_versions v LEFT JOIN duty_reporters r ON r.id = v.reporter
     WHERE v.entry_id = $1 ORDER BY v.version DESC"""
_ADD: LiteralString = """
    INSERT INTO duty_log (line, kind, at, newest, done) VALUES ($1, $2, $3, 1, $4) RETURNING id"""
_MOVE_ON: LiteralString = """
    UPDATE duty_log SET newest = $2 + 1, done = $3 WHERE id = $1 AND newest = $2 RETURNING id"""
_REPORTER: LiteralString = """
    INSERT INTO duty_reporters (unit, name, post, phone) VALUES ($1, $2, $3, $4) RETURNING id"""
_WRITE: LiteralString = """
    INSERT INTO duty_log_versions (entry_id, version, at, by, done, case_id, reporter, content)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


async def begin_line(conn: Connection, line: str) -> None:
    """From now on every citizen's call of this line has its entry, and so have those before."""
    await conn.execute("SELECT duty_line_begins($1)", line)


async def keep_reporter(tx: Connection, reporter: Reporter) -> int | None:
    """Keep who reported, sealed; None where nothing is known."""
    if not reporter.is_known:
        return None
    return int(
        await tx.fetchval(_REPORTER, reporter.unit, reporter.name, reporter.post, reporter.phone)
    )


async def add(
    tx: Connection, line: str, kind: EntryKind, came_at: datetime, version: LogVersion
) -> int:
    """A new entry by hand with its first version; returns its number."""
    number = int(await tx.fetchval(_ADD, line, kind.value, came_at, version.done))
    await _write(tx, number, version)
    return number


async def move_on(tx: Connection, number: int, version: LogVersion) -> None:
    """The next version of an entry, by somebody who has seen the one before it.

    Raises:
        DutyUnknownError: there is no such entry.
        DutyChangedError: somebody else wrote on it meanwhile.
    """
    if await tx.fetchval(_MOVE_ON, number, version.version - 1, version.done) is None:
        now = (await get(tx, number)).newest
        who = f"{now.by} wrote version {now.version}" if now else "nobody has written on it yet"
        raise DutyChangedError(f"This entry was read in another version: {who}. Read it again.")
    await _write(tx, number, version)


async def _write(tx: Connection, number: int, version: LogVersion) -> None:
    await tx.execute(
        _WRITE,
        number,
        version.version,
        version.at,
        version.by,
        version.done,
        version.case_id,
        await keep_reporter(tx, version.reporter),
        version.text.model_dump_json(),
    )


async def get(conn: Connection, number: int) -> LogEntry:
    """One entry; raises `DutyUnknownError`."""
    row = await conn.fetchrow(_ONE, number)
    if row is None:
        raise DutyUnknownError(f"The duty log has no entry {number}.")
    return _entry(row)


async def listed(
    conn: Connection,
    *,
    line: str | None = None,
    kind: EntryKind | None = None,
    call_id: int | None = None,
    unfinished: bool = False,
    before: int | None = None,
    limit: int,
) -> list[LogEntry]:
    """Entries, newest first; `unfinished` ones are those that somebody must still write on."""
    rows = await conn.fetch(_LIST, line, kind, call_id, unfinished, before, limit)
    return [_entry(row) for row in rows]


async def versions(conn: Connection, number: int) -> list[LogVersion]:
    """All versions of an entry, newest first."""
    return [_version(row) for row in await conn.fetch(_VERSIONS, number)]


def _entry(row: asyncpg.Record) -> LogEntry:
    return LogEntry(
        id=row["id"],
        line=row["line"],
        kind=EntryKind(row["kind"]),
        at=row["at"],
        call_id=row["call_id"],
        case_id=row["case_id"],
        outcome=row["outcome"],
        done=row["done"],
        newest=None if row["version"] is None else _version(row),
    )


def _version(row: asyncpg.Record) -> LogVersion:
    return LogVersion(
        version=row["version"],
        at=row["written_at"],
        by=row["by"],
        done=row["written_done"],
        case_id=row["named"],
        text=LogText.model_validate_json(row["content"]),
        reporter=Reporter(unit=row["unit"], name=row["name"], post=row["post"], phone=row["phone"]),
    )
