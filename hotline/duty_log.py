"""Writing the duty log: an entry by hand, the next version of one; each with its journal row.

The journal tells who wrote which version of which entry, never what it says.
"""

from dataclasses import replace
from datetime import datetime

from hotline import duty_log_rows, journal, store
from hotline.database import Connection
from hotline.duty_log_rows import LogEntry, LogVersion, Reporter
from hotline.errors import DutyIncompleteError, DutyWrongError
from hotline.journal import Event
from routing.duty_log import EntryKind, LogText, impossible_times, lacks


def version_of(
    text: LogText, reporter: Reporter, *, done: bool, case_id: int | None, by: str, at: datetime
) -> LogVersion:
    """A first version that can be written.

    Raises:
        DutyIncompleteError: it is said to be finished and is not.
        DutyWrongError: something is said to have happened in the future.
    """
    if wrong := impossible_times(text, at):
        raise DutyWrongError(f"{wrong[0]}: this time is still to come.")
    if done and (missing := lacks(text)):
        raise DutyIncompleteError(
            f"An entry is finished when it says: {', '.join(missing)}.", missing=missing
        )
    return LogVersion(
        version=1, at=at, by=by, done=done, case_id=case_id, text=text, reporter=reporter
    )


async def enter(
    tx: Connection, line: str, kind: EntryKind, came_at: datetime, version: LogVersion
) -> int:
    """Enter by hand what did not come as a call of the line; returns the entry's number."""
    if kind is EntryKind.CALL:
        raise DutyWrongError("kind: calls of the line enter themselves.")
    if came_at > version.at:
        raise DutyWrongError("came_at: this time is still to come.")
    number = await duty_log_rows.add(tx, line, kind, came_at, version)
    await _tell(tx, number, version)
    return number


async def write(tx: Connection, number: int, seen: int, version: LogVersion) -> None:
    """The next version of an entry by somebody who has seen version `seen` (0: none yet)."""
    following = replace(version, version=seen + 1)
    await duty_log_rows.move_on(tx, number, following)
    await _tell(tx, number, following)


async def _tell(tx: Connection, number: int, version: LogVersion) -> None:
    entry: LogEntry = await duty_log_rows.get(tx, number)
    if entry.call_id is not None:
        await store.hold_call(tx, entry.call_id)
    await journal.write(
        tx,
        at=version.at,
        actor=version.by,
        event=Event.DUTY_LOG_WRITTEN,
        call_id=entry.call_id,
        case_id=entry.case_id,
        body={
            "entry": number,
            "version": version.version,
            "line": entry.line,
            "kind": entry.kind.value,
            "done": version.done,
        },
    )
