"""The log of the duty line: every call with its entry, visits and faxes by hand, all in versions.

Who reported is masked for everybody; in full it is told for a reason that the journal keeps.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from hotline import duty_log, duty_log_rows, journal
from hotline.console import keyed
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import RevealAsked
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import DUTY, DUTY_WRITERS
from hotline.database import Connection, borrowed, transaction
from hotline.duty_log_rows import LogEntry, LogVersion, Reporter
from hotline.errors import (
    DutyChangedError,
    DutyForbiddenError,
    DutyIncompleteError,
    DutyUnknownError,
    DutyWrongError,
)
from hotline.journal import Event
from hotline.masking import mask_name, mask_number, mask_text
from routing.duty_log import PARTS, EntryKind, LogText

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]


class ReporterGiven(Asked):
    """Who reports; anybody may stay unnamed."""

    unit: Short = ""
    name: Short = ""
    post: Short = ""
    phone: Annotated[str, StringConstraints(pattern=r"^(\+?[0-9][0-9 -]{1,24})?$")] = ""

    def reporter(self) -> Reporter:
        """As it is kept."""
        return Reporter(**{name: value or None for name, value in self.model_dump().items()})


class ReporterView(Told):
    """Who reported: name and number masked."""

    unit: str
    name: str
    post: str
    phone: str


class ReporterInFull(Told):
    """Who reported, in full."""

    unit: str | None
    name: str | None
    post: str | None
    phone: str | None


class Written(Asked):
    """What is written on an entry; `seen` is the version it was read in, 0 for none."""

    seen: Annotated[int, Field(ge=0, le=2**31 - 2)]
    text: LogText = Field(description="A part that comes back as it was shown stays as it is.")
    reporter: ReporterGiven | None = Field(
        default=None, description="None leaves who reported as it is."
    )
    case_id: Id | None = None
    done: bool = Field(default=False, description="Nothing is left to write down.")


class NewEntry(Asked):
    """An entry by hand: what came by another way than a call of the line."""

    line: Name = "duty"
    kind: EntryKind
    came_at: AwareDatetime
    text: LogText
    reporter: ReporterGiven = ReporterGiven()
    case_id: Id | None = None
    done: bool = False


class LogQuery(Asked):
    """Which entries; newest first, `before` is the `next` of the page before."""

    line: Name | None = None
    kind: EntryKind | None = None
    call_id: Id | None = None
    unfinished: bool = False
    before: Id | None = None
    limit: Size = 50


class LogVersionView(Told):
    """One version; telephone numbers in its words are masked."""

    version: int
    at: datetime
    by: str = Field(description="The recorder.")
    done: bool
    case_id: Id | None
    text: LogText
    reporter: ReporterView


class LogEntryView(Told):
    """One entry; `newest` is null while nobody has written on a call."""

    id: Id
    line: str
    kind: EntryKind
    at: datetime
    call_id: Id | None
    case_id: Id | None
    outcome: str | None
    done: bool
    newest: LogVersionView | None


class LogEntries(Told):
    """One page of the log."""

    entries: tuple[LogEntryView, ...]
    next: int | None


class LogEntryDetail(LogEntryView):
    """One entry with everything that was ever written on it, newest first."""

    versions: tuple[LogVersionView, ...]


@contextmanager
def refusals() -> Iterator[None]:
    """The duty desk's errors as the API's refusals."""
    try:
        yield
    except DutyUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except DutyChangedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    except DutyIncompleteError as error:
        raise ProblemError(Fault.MISSING_FACT, str(error), missing=error.missing) from error
    except DutyForbiddenError as error:
        raise ProblemError(Fault.FORBIDDEN, str(error)) from error
    except DutyWrongError as error:
        raise ProblemError(Fault.INVALID, str(error)) from error


async def list_duty_log(asked: Request) -> LogEntries:
    """One page of the duty log."""
    query = asked.asked(LogQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await duty_log_rows.listed(
            conn,
            line=query.line,
            kind=query.kind,
            call_id=query.call_id,
            unfinished=query.unfinished,
            before=query.before,
            limit=query.limit + 1,
        )
        shown = await _seen(asked, conn, found[: query.limit])
    following = found[query.limit - 1].id if len(found) > query.limit else None
    return LogEntries(entries=tuple(_view(one) for one in shown), next=following)


async def one_duty_entry(asked: Request) -> LogEntryDetail:
    """One entry with all its versions."""
    with refusals():
        async with borrowed(asked.services.pool) as conn:
            return await _detail(asked, conn, asked.path_id("entry_id"))


async def add_duty_entry(asked: Request) -> LogEntryDetail:
    """Enter a visit, a fax or a call on another telephone by hand."""
    given = asked.asked(NewEntry)
    if given.line not in {line.name for line in asked.services.config.lines}:
        raise ProblemError(Fault.INVALID, "line: the configuration has no such line.")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            number = await keyed.made_before(asked, tx, given)
            if number is None:
                version = await _version_asked(asked, tx, given)
                number = await duty_log.enter(tx, given.line, given.kind, given.came_at, version)
                await keyed.made(asked, tx, number)
            return await _detail(asked, tx, number)


async def write_duty_entry(asked: Request) -> LogEntryDetail:
    """Write the next version of an entry; the versions before it stay."""
    given, number = asked.asked(Written), asked.path_id("entry_id")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            entry = await _check(asked, tx, number)
            if await keyed.made_before(asked, tx, given) is None:
                version = await _version_asked(asked, tx, given, entry.newest)
                await duty_log.write(tx, number, given.seen, version)
                await keyed.made(asked, tx, number)
            return await _detail(asked, tx, number)


async def reveal_duty_reporter(asked: Request) -> ReporterInFull:
    """Tell who reported in full, for a reason that is kept."""
    given, number = asked.asked(RevealAsked), asked.path_id("entry_id")
    with refusals():
        async with transaction(asked.services.pool) as tx:
            entry = await _check(asked, tx, number)
            await journal.write(
                tx,
                at=asked.services.clock(),
                actor=asked.who.name,
                event=Event.SEEN_IDENTITY,
                call_id=entry.call_id,
                case_id=entry.case_id,
                body={"what": f"duty log {number}", "reason": mask_text(given.reason)},
            )
    reporter = entry.newest.reporter if entry.newest else Reporter()
    return ReporterInFull(
        unit=reporter.unit, name=reporter.name, post=reporter.post, phone=reporter.phone
    )


async def _version_asked(
    asked: Request, tx: Connection, given: NewEntry | Written, before: LogVersion | None = None
) -> LogVersion:
    if given.case_id is not None:
        await asked.sight.check(tx, given.case_id)
        if not await tx.fetchval("SELECT EXISTS (SELECT FROM cases WHERE id = $1)", given.case_id):
            raise ProblemError(Fault.NOT_FOUND, f"There is no case with the id {given.case_id}.")
    known = before.reporter if before else Reporter()
    return duty_log.version_of(
        kept_words(given.text, before.text) if before else given.text,
        given.reporter.reporter() if given.reporter else known,
        done=given.done,
        case_id=given.case_id,
        by=asked.who.name,
        at=asked.services.clock(),
    )


async def _check(asked: Request, conn: Connection, number: int) -> LogEntry:
    """The entry, where its case may be seen; else it is answered as what does not exist."""
    entry = await duty_log_rows.get(conn, number)
    if not await _seen(asked, conn, [entry]):
        raise DutyUnknownError(f"The duty log has no entry {number}.")
    return entry


async def _seen(
    asked: Request, conn: Connection, entries: Sequence[LogEntry]
) -> Sequence[LogEntry]:
    ids = [one.case_id for one in entries if one.case_id is not None]
    seen = await asked.sight.seen(conn, ids)
    return [one for one in entries if one.case_id is None or one.case_id in seen]


async def _detail(asked: Request, conn: Connection, number: int) -> LogEntryDetail:
    entry = await _check(asked, conn, number)
    versions = await duty_log_rows.versions(conn, number)
    facts = {name: getattr(_view(entry), name) for name in LogEntryView.model_fields}
    return LogEntryDetail(**facts, versions=tuple(_version(one) for one in versions))


def _view(entry: LogEntry) -> LogEntryView:
    return LogEntryView(
        id=entry.id,
        line=entry.line,
        kind=entry.kind,
        at=entry.at,
        call_id=entry.call_id,
        case_id=entry.case_id,
        outcome=entry.outcome,
        done=entry.done,
        newest=_version(entry.newest) if entry.newest else None,
    )


def _version(one: LogVersion) -> LogVersionView:
    return LogVersionView(
        version=one.version,
        at=one.at,
        by=one.by,
        done=one.done,
        case_id=one.case_id,
        text=masked_text(one.text),
        reporter=reporter_view(one.reporter),
    )


def masked_text(text: LogText) -> LogText:
    """The words with the numbers in them masked."""
    words = {part: mask_text(getattr(text, part)) for part in PARTS}
    told = tuple(it.model_copy(update={"whom": mask_text(it.whom)}) for it in text.told)
    return text.model_copy(update={**words, "told": told})


def kept_words(given: LogText, before: LogText) -> LogText:
    """What comes back just as it was shown, masked, is what it was: nobody wrote it anew."""
    shown = masked_text(before)
    same = [part for part in PARTS if getattr(given, part) == getattr(shown, part)]
    words: dict[str, object] = {part: getattr(before, part) for part in same}
    if given.told == shown.told:
        words["told"] = before.told
    return given.model_copy(update=words)


def reporter_view(reporter: Reporter) -> ReporterView:
    """Who reported as the duty desk sees it without a reason."""
    return ReporterView(
        unit=mask_text(reporter.unit or ""),
        name=mask_name(reporter.name),
        post=mask_text(reporter.post or ""),
        phone=mask_number(reporter.phone),
    )


_ENTRY = "/api/duty/log/{entry_id}"
_GONE = (Fault.NOT_FOUND,)
_WRITING = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.MISSING_FACT)
ENDPOINTS = (
    get("/api/duty/log", list_duty_log, LogEntries, query=LogQuery, roles=DUTY),
    post(
        "/api/duty/log",
        add_duty_entry,
        NewEntry,
        LogEntryDetail,
        faults=_WRITING,
        headers=(keyed.KEY,),
        roles=DUTY_WRITERS,
    ),
    get(_ENTRY, one_duty_entry, LogEntryDetail, faults=_GONE, roles=DUTY),
    post(
        _ENTRY + "/versions",
        write_duty_entry,
        Written,
        LogEntryDetail,
        faults=_WRITING,
        headers=(keyed.KEY,),
        roles=DUTY_WRITERS,
    ),
    post(
        _ENTRY + "/reveal",
        reveal_duty_reporter,
        RevealAsked,
        ReporterInFull,
        faults=_GONE,
        roles=DUTY,
    ),
)
