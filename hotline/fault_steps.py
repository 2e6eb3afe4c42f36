"""Fault records as steps: recorded, stated on, decided, appealed; each with its journal row.

A row names neither the person nor the unit nor the fact, only the record and what became of it: who
may see which record is decided where it is read. What people wrote lies apart, by its digest.
"""

from collections.abc import Mapping
from datetime import datetime

from hotline import fault_rows, journal, supervision_texts
from hotline.database import Connection
from hotline.errors import SupervisionChangedError, SupervisionUnknownError
from hotline.journal import Event
from routing import faults
from routing.cases import Actor
from routing.faults import Fact, FaultRecord, Verdict


async def recorded(
    tx: Connection,
    fact: Fact,
    actor: Actor,
    now: datetime,
    *,
    unit: str | None,
    person: str | None,
    case_id: int | None,
    supervision_id: int | None,
    happened_at: datetime,
    account: str,
) -> FaultRecord:
    """Somebody writes down what happened."""
    fault = await fault_rows.add(
        tx,
        fact,
        unit,
        person,
        case_id,
        supervision_id,
        happened_at,
        by=actor.name,
        now=now,
    )
    await _tell(tx, Event.FAULT_RECORDED, fault, actor, now, {"account": account})
    return fault


async def found(tx: Connection, fault_id: int, actor: Actor, version: int | None) -> FaultRecord:
    """A record by id, as somebody saw it who may see it.

    Raises:
        SupervisionUnknownError: there is none for this person; SupervisionChangedError.
    """
    fault = await fault_rows.get(tx, fault_id)
    if fault is None or not faults.may_see(fault, actor):
        raise SupervisionUnknownError("There is no such fault record.")
    if version not in {None, fault.version}:
        raise _changed(fault)
    return fault


async def stated(
    tx: Connection, fault: FaultRecord, actor: Actor, now: datetime, statement: str
) -> None:
    """Whom it concerns says how it was."""
    faults.check_statement(fault, actor)
    await _tell(tx, Event.FAULT_STATED, fault, actor, now, {"statement": statement})


async def decided(
    tx: Connection,
    before: FaultRecord,
    verdict: Verdict,
    actor: Actor,
    now: datetime,
    *,
    reason: str,
) -> FaultRecord:
    """People decide whether it was so."""
    after = faults.decided(before, verdict, actor, now)
    return await _step(tx, before, after, Event.FAULT_DECIDED, actor, now, {"reason": reason})


async def appealed(
    tx: Connection, before: FaultRecord, actor: Actor, now: datetime, *, reason: str
) -> FaultRecord:
    """Whom it concerns appeals."""
    after = faults.appealed(before, actor, now)
    return await _step(tx, before, after, Event.FAULT_APPEALED, actor, now, {"reason": reason})


async def appeal_decided(
    tx: Connection,
    before: FaultRecord,
    verdict: Verdict,
    actor: Actor,
    now: datetime,
    *,
    reason: str,
) -> FaultRecord:
    """Somebody else than the first decides the appeal."""
    after = faults.appeal_decided(before, verdict, actor, now)
    texts = {"reason": reason}
    return await _step(tx, before, after, Event.FAULT_APPEAL_DECIDED, actor, now, texts)


async def _step(  # noqa: PLR0917 - from what to what, by which word, by whom, in whose words
    tx: Connection,
    before: FaultRecord,
    after: FaultRecord,
    event: Event,
    actor: Actor,
    now: datetime,
    texts: Mapping[str, str],
) -> FaultRecord:
    done = await fault_rows.change(tx, before, after)
    if done is None:
        raise _changed(before)
    await _tell(tx, event, done, actor, now, texts)
    return done


async def _tell(  # noqa: PLR0917 - likewise
    tx: Connection,
    event: Event,
    fault: FaultRecord,
    actor: Actor,
    now: datetime,
    texts: Mapping[str, str],
) -> None:
    kept = await supervision_texts.keep(
        tx,
        "fault_id",
        fault.id,
        step=event.partition(".")[2],
        by=actor.name,
        unit=actor.unit,
        now=now,
        texts=texts,
    )
    body = {"fault": fault.id, "state": fault.state, "texts": kept}
    await journal.write(tx, at=now, actor=actor.name, event=event, body=body)


def _changed(fault: FaultRecord) -> SupervisionChangedError:
    return SupervisionChangedError(
        f"The fault record {fault.id} was changed by somebody else: look again."
    )
