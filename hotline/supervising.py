"""Supervision records as steps, each in the caller's transaction with its journal row.

A record is opened for a subject (a case, a tracked item, a card, a burst) and an occasion, once;
it rises, is noticed, answered and cleared by the rules of routing/supervision.py. Each opening and
raising is a notice to its receiver: notices.py tells it further (`to = "receiver"`). What people
write is kept apart (supervision_texts.py), the journal has the digest.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hotline import journal, supervision_texts
from hotline import supervision_rows as rows
from hotline.database import Connection
from hotline.errors import SupervisionChangedError, SupervisionUnknownError
from hotline.journal import Event
from hotline.supervision_rows import Subject
from routing import store, supervision
from routing.cases import Actor, Case
from routing.errors import SupervisionRefused
from routing.in_force import InForce
from routing.policy import Policy
from routing.supervision import ItemType, Supervision
from routing.supervision_rules import Level, Receiver, Trigger
from routing.triggers import Burst, Occasion

SERVICE = "service"
OFFICE, LEADER = "supervisor", "leader"
"""Holders of the address book for what no unit and no person of its own is told of."""


def of_case(case: Case) -> Subject:
    """A case as what a record is about."""
    return Subject(
        type=ItemType.CALL_ORDER,
        key=f"case/{case.id}",
        case_id=case.id,
        number=case.number,
        call_id=case.call_id,
        kind=case.kind,
        urgency=case.urgency,
    )


def of_burst(burst: Burst) -> Subject:
    """Many callers' matter as what a record is about."""
    return Subject(type=ItemType.CALL_ORDER, key=f"matter/{burst.matter}", case_ids=burst.case_ids)


async def opened(  # noqa: PLR0917 - about what, why, when, by which rules, by whom
    tx: Connection,
    subject: Subject,
    occasion: Occasion,
    now: datetime,
    policy: Policy,
    limits: InForce,
    *,
    by: str = SERVICE,
    texts: Mapping[str, str] | None = None,
) -> Supervision | None:
    """Open a record at the lowest level; None where the occasion has one already."""
    first = supervision.given(
        Level.URGE, subject.kind, subject.urgency, at=now, policy=policy, calendar=limits.calendar
    )
    record = {
        "trigger": occasion.trigger,
        "occasion": occasion.key,
        "stage": occasion.stage,
        "ends_at": occasion.ends_at,
        "since": occasion.since,
        "unit": occasion.unit,
        "person": occasion.person,
        "level": first.level,
        "receiver": first.receiver,
        "policy": policy.name,
        "basis": occasion.basis,
        "limit_basis": first.limit.basis,
        "opened_at": now,
        "opened_by": by,
        "due_at": first.ends_at,
    }
    new = await rows.add(tx, subject, record, occasion.facts)
    if new is not None:
        kept = await supervision_texts.keep(
            tx, "supervision_id", new.id, step="opened", by=by, unit=None, now=now, texts=texts
        )
        facts = {**occasion.facts, "number": subject.number, "texts": kept}
        await _tell(tx, Event.SUPERVISION_OPENED, new, by, now, facts, subject.call_id)
    return new


async def raised(
    tx: Connection,
    before: Supervision,
    now: datetime,
    limits: InForce,
    *,
    by: str = SERVICE,
    texts: Mapping[str, str] | None = None,
) -> Supervision | None:
    """One level up with a new notice and a new limit; None where somebody changed it meanwhile.

    Raises:
        SupervisionRefused: it is cleared, or at the highest level.
    """
    policy = policy_of(before, limits)
    after = supervision.raised(before, now, policy, limits.calendar)
    done = await rows.change(tx, before, after)
    if done is not None:
        kept = await supervision_texts.keep(
            tx, "supervision_id", done.id, step="raised", by=by, unit=None, now=now, texts=texts
        )
        number = await _number(tx, done)
        facts = {"from": before.level, "number": number, "texts": kept}
        await _tell(tx, Event.SUPERVISION_RAISED, done, by, now, facts)
    return done


def policy_of(record: Supervision, limits: InForce) -> Policy:
    """The pack a record was opened under; where it is gone, the one in force."""
    return limits.policies.get(record.policy) or limits.policy


async def found(tx: Connection, record_id: int, version: int | None = None) -> Supervision:
    """A record by id, as somebody saw it.

    Raises:
        SupervisionUnknownError: there is none; SupervisionChangedError: it changed since.
    """
    record = await rows.get(tx, record_id)
    if record is None:
        raise SupervisionUnknownError("There is no such supervision record.")
    if version not in {None, record.version}:
        raise _changed(record)
    return record


async def raised_by_hand(
    tx: Connection,
    before: Supervision,
    actor: Actor,
    now: datetime,
    limits: InForce,
    *,
    reason: str,
) -> Supervision:
    """A supervisor or leader raises a record before its limit has passed.

    Raises:
        SupervisionRefused: who asks is supervised by it, or there is no level above.
    """
    if not supervision.is_apart(before, actor):
        raise SupervisionRefused("Whoever is supervised cannot raise the record.")
    done = await raised(tx, before, now, limits, by=actor.name, texts={"reason": reason})
    if done is None:
        raise _changed(before)
    return done


async def noticed(tx: Connection, before: Supervision, actor: Actor, now: datetime) -> Supervision:
    """The supervised side confirms that it has read the notice."""
    after = supervision.noticed(before, actor, now)
    return await _step(tx, before, after, Event.SUPERVISION_NOTICED, actor, now, {})


async def answered(
    tx: Connection, before: Supervision, actor: Actor, now: datetime, answer: str
) -> Supervision:
    """The supervised side says what it did."""
    after = supervision.answered(before, actor, now)
    return await _step(
        tx, before, after, Event.SUPERVISION_ANSWERED, actor, now, {"answer": answer}
    )


async def progressed(
    tx: Connection, record: Supervision, actor: Actor, now: datetime, note: str
) -> None:
    """Somebody notes how it goes; nothing else changes."""
    kept = await supervision_texts.keep(
        tx,
        "supervision_id",
        record.id,
        step="progressed",
        by=actor.name,
        unit=actor.unit,
        now=now,
        texts={"progress": note},
    )
    await _tell(tx, Event.SUPERVISION_PROGRESSED, record, actor.name, now, {"texts": kept})


async def cleared(
    tx: Connection,
    before: Supervision,
    actor: Actor,
    now: datetime,
    *,
    finding: str,
    evidence: Sequence[Mapping[str, Any]],
) -> Supervision:
    """Somebody else than the supervised side ends it; `evidence` names each piece by its hash."""
    after = supervision.cleared(before, actor, now, [str(one["sha256"]) for one in evidence])
    facts = {"evidence": [dict(one) for one in evidence]}
    return await _step(
        tx, before, after, Event.SUPERVISION_CLEARED, actor, now, {"finding": finding}, facts
    )


async def opened_by_hand(
    tx: Connection,
    subject: Subject,
    actor: Actor,
    now: datetime,
    limits: InForce,
    *,
    unit: str | None,
    person: str | None,
    reason: str,
) -> Supervision:
    """A supervisor or leader puts something under supervision, for a reason in words."""
    occasion = Occasion(
        trigger=Trigger.BY_HAND,
        key=f"{actor.name} {now.isoformat()}",
        since=now,
        basis="督办人员决定",
        unit=unit,
        person=person,
    )
    new = await opened(
        tx, subject, occasion, now, limits.policy, limits, by=actor.name, texts={"reason": reason}
    )
    if new is None:
        raise SupervisionChangedError("This was put under supervision a moment ago: look again.")
    return new


async def _step(  # noqa: PLR0917 - from what to what, by which word, by whom, with what
    tx: Connection,
    before: Supervision,
    after: Supervision,
    event: Event,
    actor: Actor,
    now: datetime,
    texts: Mapping[str, str],
    facts: Mapping[str, Any] | None = None,
) -> Supervision:
    done = await rows.change(tx, before, after)
    if done is None:
        raise _changed(before)
    kept = await supervision_texts.keep(
        tx,
        "supervision_id",
        done.id,
        step=event.partition(".")[2],
        by=actor.name,
        unit=actor.unit,
        now=now,
        texts=texts,
    )
    number = await _number(tx, done)
    await _tell(
        tx, event, done, actor.name, now, {**(facts or {}), "number": number, "texts": kept}
    )
    return done


async def _number(tx: Connection, record: Supervision) -> str | None:
    return None if record.case_id is None else (await store.get(tx, record.case_id)).number


async def _tell(  # noqa: PLR0917 - likewise
    tx: Connection,
    event: Event,
    record: Supervision,
    by: str,
    now: datetime,
    facts: Mapping[str, Any],
    call_id: int | None = None,
) -> None:
    told = ("type", "trigger", "stage", "level", "receiver", "since", "ends_at", "due_at", "unit")
    body = {
        "supervision": record.id,
        "tracked": record.tracked_id,
        "card": record.card_id,
        **{name: getattr(record, name) for name in told},
        "owner": record.person,
        "policy": record.policy,
        "basis": record.basis,
        "limit_basis": record.limit_basis,
        "holder": await _holder(tx, record),
        **facts,
    }
    await journal.write(
        tx, at=now, actor=by, event=event, call_id=call_id, case_id=record.case_id, body=body
    )


async def _holder(tx: Connection, record: Supervision) -> str:
    """Whom the address book has for the level's notice."""
    if record.receiver is Receiver.LEADER:
        return LEADER
    if record.unit is None:
        return (record.person or OFFICE) if record.receiver is Receiver.UNIT else OFFICE
    head = await rows.head_of(tx, record.unit) if record.receiver is Receiver.HEAD else None
    return head or record.unit


def _changed(record: Supervision) -> SupervisionChangedError:
    return SupervisionChangedError(
        f"The supervision record {record.id} was changed by somebody else: look again."
    )
