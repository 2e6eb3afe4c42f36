"""The protected class and recusal: who must not find a case, said by people, each with a reason.

Marking is a person's word; words of the text only suggest it. What follows from it is decided by
`hidden_cases` in the database, and nothing here shows more than a person's sight lets through.
"""

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hotline import protecting, protection_rows
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.shapes import Asked, Id, Name, Told, Words
from hotline.console.who import DISCIPLINE, PROTECTORS, READERS, RECUSERS
from hotline.database import Connection, borrowed, transaction
from hotline.journal import Event
from hotline.protecting import Accused, Doing
from hotline.protection_rows import Because
from routing import store
from routing.cases import Role
from routing.errors import CaseConflict, CaseUnknown, IllegalMove, MissingFact
from routing.protected import Trace, advice, traces
from transcription import store as words

Reason = Annotated[str, Field(min_length=4, max_length=500)]
Some = Annotated[tuple[Name, ...], Field(max_length=50)]


class ProtectAsked(Asked):
    """Whom a report is against; people by login or seat, units as in the directory."""

    against_office: bool = Field(default=False, description="Against the hotline's own office.")
    persons: Some = ()
    units: Some = ()
    others: Some = Field(default=(), description="Name and post of who is no user; kept sealed.")
    reason: Reason


class ReasonAsked(Asked):
    """Why."""

    reason: Reason


class TakeOverAsked(Asked):
    """Nothing more is needed."""


class RecuseAsked(Asked):
    """Who has a conflict; without anybody it is whoever asks."""

    persons: Some = ()
    units: Some = ()
    because: Because = Field(
        default=Because.DECLARED,
        description="`declared` by themselves, `asked` by the caller, `rule`.",
    )
    reason: Reason


class RejoinAsked(Asked):
    """Which recusal is over, and why."""

    apart: Id
    reason: Reason


class TextAsked(Asked):
    """A text before it is kept."""

    text: Words


class TraceView(Told):
    """Words of a text by which its caller can be known; characters are counted from 0."""

    trace: Trace
    start: int
    end: int
    words: str


class TextAdvice(Told):
    """What a text suggests and what it gives away; nothing of it is kept."""

    against_officials: bool
    against_office: bool
    words: tuple[str, ...]
    traces: tuple[TraceView, ...]


class ApartView(Told):
    """One person or unit kept apart from a case."""

    id: Id
    person: str | None
    unit: str | None
    because: Because
    since: datetime
    by: str
    ended_at: datetime | None
    ended_by: str | None


class ProtectionView(Told):
    """Whether a case is protected, what its words suggest, and, for discipline, the accused."""

    case_id: Id
    protected: bool
    against_office: bool
    marked_at: datetime | None
    marked_by: str | None
    handed_at: datetime | None
    handed_to: str | None
    end_asked_by: str | None = Field(
        description="Who asked that it end; somebody else of discipline confirms by `unprotect`."
    )
    suggested: TextAdvice
    apart: tuple[ApartView, ...]
    others: tuple[str, ...]


class ProtectionDone(Told):
    """What was done; the case itself may no longer be one you can find."""

    case_id: Id
    traces: tuple[TraceView, ...] = Field(
        description="Words of the case's text by which the caller can be known: rewrite them."
    )


async def protect(asked: Request) -> ProtectionDone:
    """Mark a case as a report against officials or this office, or name more of the accused."""
    case_id, given = asked.path_id("case_id"), asked.asked(ProtectAsked)
    _check_units(asked, given.units)
    if not (given.against_office or given.persons or given.units or given.others):
        raise ProblemError(Fault.INVALID, "Name whom the report is against.")
    accused = Accused(
        office=given.against_office,
        persons=given.persons,
        units=given.units,
        others=given.others,
    )
    async with transaction(asked.desk.services.pool) as tx:
        await asked.sight.check(tx, case_id)
        found = await _texts(tx, case_id)
        await _done(protecting.protect(tx, case_id, accused, given.reason, _doing(asked)))
    return ProtectionDone(case_id=case_id, traces=_traces(found))


async def unprotect(asked: Request) -> ProtectionDone:
    """Ask to protect a case no longer, or confirm what another asked; who was apart stays so."""
    case_id, given = asked.path_id("case_id"), asked.asked(ReasonAsked)
    async with transaction(asked.desk.services.pool) as tx:
        await asked.sight.check(tx, case_id)
        await _done(protecting.unprotect(tx, case_id, given.reason, _doing(asked)))
    return ProtectionDone(case_id=case_id, traces=())


async def take_over(asked: Request) -> ProtectionDone:
    """Answer for a protected case from now on; whoever took the report finds it no more."""
    case_id = asked.path_id("case_id")
    async with transaction(asked.desk.services.pool) as tx:
        await asked.sight.check(tx, case_id)
        await _done(protecting.take_over(tx, case_id, _doing(asked)))
    return ProtectionDone(case_id=case_id, traces=())


async def protection(asked: Request) -> ProtectionView:
    """Whether a case is protected or reads as if it should be, and who is kept apart from it."""
    case_id = asked.path_id("case_id")
    async with borrowed(asked.services.pool) as conn:
        await asked.sight.check(conn, case_id)
        found = await protection_rows.of_case(conn, case_id)
        suggested = _advice(await _texts(conn, case_id))
        whole = Role.DISCIPLINE in asked.who.roles
        apart = await protection_rows.apart_from(conn, case_id) if whole else ()
        others = await protection_rows.others(conn, case_id) if whole else ()
    await note(asked, Event.SEEN_CASE, case_id=case_id, what="protection")
    return ProtectionView(
        case_id=case_id,
        protected=found is not None,
        against_office=found is not None and found.against_office,
        marked_at=found.marked_at if found else None,
        marked_by=found.marked_by if found else None,
        handed_at=found.handed_at if found else None,
        handed_to=found.handed_to if found else None,
        end_asked_by=found.end_asked_by if found else None,
        suggested=suggested,
        apart=tuple(ApartView.model_validate(it, from_attributes=True) for it in apart),
        others=others,
    )


async def recuse(asked: Request) -> ProtectionDone:
    """Keep whoever has a conflict apart from a case; yourself, or others where you may."""
    case_id, given = asked.path_id("case_id"), asked.asked(RecuseAsked)
    _check_units(asked, given.units)
    persons = given.persons or (() if given.units else (asked.who.name,))
    own = set(persons) <= asked.who.names and set(given.units) <= {asked.who.unit}
    if not own and not asked.who.roles & RECUSERS:
        raise ProblemError(Fault.NOT_YOUR_ROLE, "You may declare a conflict of your own only.")
    if given.because in {Because.ACCUSED, Because.CHAIN}:
        raise ProblemError(Fault.INVALID, "because: the accused are named by marking the case.")
    async with transaction(asked.desk.services.pool) as tx:
        await asked.sight.check(tx, case_id)
        await _done(
            protecting.recuse(
                tx, case_id, persons, given.units, given.because, given.reason, _doing(asked)
            )
        )
    return ProtectionDone(case_id=case_id, traces=())


async def rejoin(asked: Request) -> ProtectionDone:
    """End a recusal whose conflict is gone; the accused and their chain stay apart for good."""
    case_id, given = asked.path_id("case_id"), asked.asked(RejoinAsked)
    async with transaction(asked.desk.services.pool) as tx:
        await asked.sight.check(tx, case_id)
        await _done(protecting.rejoin(tx, case_id, given.apart, given.reason, _doing(asked)))
    return ProtectionDone(case_id=case_id, traces=())


async def check_text(asked: Request) -> TextAdvice:
    """What a text suggests and gives away, before it is kept; nothing of it is."""
    return _advice(asked.asked(TextAsked).text)


def _doing(asked: Request) -> Doing:
    return Doing(
        by=asked.actor(),
        now=asked.services.clock(),
        limits=asked.services.limits,
        above=asked.services.city.above,
    )


async def _done(doing: Awaitable[object]) -> None:
    try:
        await doing
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except MissingFact as error:
        raise ProblemError(Fault.MISSING_FACT, str(error), missing=error.missing) from error
    except IllegalMove as error:
        raise ProblemError(Fault.ILLEGAL_MOVE, str(error)) from error
    except CaseConflict as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error


def _check_units(asked: Request, units: tuple[str, ...]) -> None:
    known = {unit.name for unit in asked.services.city.units}
    if set(units) - known:
        raise ProblemError(Fault.INVALID, "units: the city's directory has no such value.")


async def _texts(conn: Connection, case_id: int) -> str:
    """What the caller said and what was written down of it."""
    try:
        case = await store.get(conn, case_id)
    except CaseUnknown as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    turns = [] if case.call_id is None else await words.dialogue(conn, case.call_id)
    return "\n".join([case.summary or "", *(turn.text for turn in turns if turn.leg == "caller")])


def _traces(text: str) -> tuple[TraceView, ...]:
    return tuple(TraceView.model_validate(it, from_attributes=True) for it in traces(text))


def _advice(text: str) -> TextAdvice:
    found = advice(text)
    return TextAdvice(
        against_officials=bool(found.words),
        against_office=found.against_office,
        words=found.words,
        traces=_traces(text),
    )


_FAULTS = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.ILLEGAL_MOVE, Fault.MISSING_FACT)
_CASE = "/api/cases/{case_id}"

ENDPOINTS = (
    get(
        f"{_CASE}/protection",
        protection,
        ProtectionView,
        faults=(Fault.NOT_FOUND,),
        roles=PROTECTORS,
    ),
    post(
        f"{_CASE}/protect", protect, ProtectAsked, ProtectionDone, faults=_FAULTS, roles=PROTECTORS
    ),
    post(
        f"{_CASE}/unprotect",
        unprotect,
        ReasonAsked,
        ProtectionDone,
        faults=_FAULTS,
        roles=DISCIPLINE,
    ),
    post(
        f"{_CASE}/take-over",
        take_over,
        TakeOverAsked,
        ProtectionDone,
        faults=_FAULTS,
        roles=DISCIPLINE,
    ),
    post(f"{_CASE}/recuse", recuse, RecuseAsked, ProtectionDone, faults=_FAULTS, roles=READERS),
    post(f"{_CASE}/rejoin", rejoin, RejoinAsked, ProtectionDone, faults=_FAULTS, roles=DISCIPLINE),
    post("/api/texts/check", check_text, TextAsked, TextAdvice, roles=READERS),
)
