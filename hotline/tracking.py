"""Tracked items as steps: given, signed for, reported, sent back, done; each with its journal row.

Before a step changes an item, what ended until then gets its supervision record in the same
transaction: no order of steps, and no standstill of the runner, lets a late item get by.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hotline import journal, supervising, supervision_texts, tracked_rows
from hotline.database import Connection
from hotline.errors import SupervisionChangedError, SupervisionUnknownError
from hotline.journal import Event
from hotline.supervision_rows import Subject
from hotline.tracked_rows import waiting
from routing import tracked, triggers
from routing.cases import Actor
from routing.errors import SupervisionRefused
from routing.in_force import InForce
from routing.supervision_rules import rules_of
from routing.tracked import TrackedItem

__all__ = ["waiting"]

FURTHEST = timedelta(days=3660)
_UNDATED = timedelta(hours=1)


async def look(tx: Connection, item: TrackedItem, now: datetime, limits: InForce) -> bool:
    """Open what an item's clocks give reason for, and set when to look again.

    False where somebody changed it meanwhile: then it is looked at anew.
    """
    policy = limits.policies.get(item.policy) or limits.policy
    found = tracked.clocks_of(item, limits)
    running = [
        clock.ends_at for clock in found.clocks if clock.stopped_at is None and clock.ends_at >= now
    ]
    if found.undated:
        running.append(now + _UNDATED)
    if not await tracked_rows.look_again(tx, item, min(running, default=None)):
        return False
    for spent in tracked.spent_clocks(item, found.clocks, now):
        occasion = triggers.of_clock(spent, rules_of(policy))
        await supervising.opened(tx, subject_of(item), occasion, now, policy, limits)
    return True


def subject_of(item: TrackedItem) -> Subject:
    """A tracked item as what a record is about."""
    return Subject(
        type=item.type, key=f"tracked/{item.id}", tracked_id=item.id, urgency=item.urgency
    )


async def given(
    tx: Connection, facts: Mapping[str, Any], actor: Actor, now: datetime, limits: InForce
) -> TrackedItem:
    """Somebody gives a unit, or the office, something to do by a date.

    Raises:
        SupervisionRefused: the date is over already, or absurdly far.
    """
    if facts["due_at"] <= now:
        raise SupervisionRefused("The date until when it is due is over already.")
    if facts["due_at"] > now + FURTHEST:
        raise SupervisionRefused("An item is due within ten years: is the date right?")
    item = await tracked_rows.give(tx, facts, policy=limits.policy.name, now=now, by=actor.name)
    await _tell(tx, Event.TRACKED_GIVEN, item, actor, now, {})
    return item


async def found(tx: Connection, item_id: int, version: int | None = None) -> TrackedItem:
    """An item by id, as somebody saw it.

    Raises:
        SupervisionUnknownError: there is none; SupervisionChangedError: it changed since.
    """
    item = await tracked_rows.get(tx, item_id)
    if item is None:
        raise SupervisionUnknownError("There is no such tracked item.")
    if version not in {None, item.version}:
        raise _changed(item)
    return item


async def stepped(  # noqa: PLR0917 - which item, what becomes of it, by which word, by whom
    tx: Connection,
    before: TrackedItem,
    step: Callable[[TrackedItem], TrackedItem],
    event: Event,
    actor: Actor,
    now: datetime,
    limits: InForce,
    *,
    texts: Mapping[str, str],
    evidence: Sequence[Mapping[str, Any]] = (),
) -> TrackedItem:
    """One step of an item, after what was late until now got its record."""
    after = step(before)
    await journal.take_turn(tx)
    await look(tx, before, now, limits)
    done = await tracked_rows.change(tx, before, after)
    if done is None:
        raise _changed(before)
    facts = {"evidence": [dict(one) for one in evidence]} if evidence else {}
    await _tell(tx, event, done, actor, now, texts, facts)
    return done


async def progressed(
    tx: Connection, item: TrackedItem, actor: Actor, now: datetime, note: str
) -> None:
    """Somebody notes how it goes."""
    tracked.check_progress(item, actor)
    await _tell(tx, Event.TRACKED_PROGRESSED, item, actor, now, {"progress": note})


async def _tell(  # noqa: PLR0917 - by which word, of what, by whom, with what
    tx: Connection,
    event: Event,
    item: TrackedItem,
    actor: Actor,
    now: datetime,
    texts: Mapping[str, str],
    facts: Mapping[str, Any] | None = None,
) -> None:
    kept = await supervision_texts.keep(
        tx,
        "tracked_id",
        item.id,
        step=event.partition(".")[2],
        by=actor.name,
        unit=actor.unit,
        now=now,
        texts=texts,
    )
    told = ("type", "unit", "urgency", "state", "policy", "due_at")
    body = {
        "tracked": item.id,
        **{name: getattr(item, name) for name in told},
        "owner": item.person,
        "texts": kept,
        **(facts or {}),
    }
    await journal.write(tx, at=now, actor=actor.name, event=event, body=body)


def _changed(item: TrackedItem) -> SupervisionChangedError:
    return SupervisionChangedError(
        f"The tracked item {item.id} was changed by somebody else: look again."
    )
