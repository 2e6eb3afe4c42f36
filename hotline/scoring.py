"""People score calls: drawn, scored by one or two, settled by a third, appealed, decided.

A result is a person's score, never the machine's. Two who are to score a call do it without knowing
of each other; where they differ a third person's score stands. The operator may appeal once, within
working days that the form names, and somebody who never scored the call decides. Nobody scores a
call twice or his own. Each step takes the call first, so that two people take turns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from hotline import inspection_lists, inspection_rows, journal, scoring_rows, store
from hotline.database import Connection
from hotline.errors import InspectionUnknownError, ScoringRefusedError
from hotline.journal import Event
from hotline.scoring_rows import Appeal, Part, Scored
from routing.calendar import Calendar
from routing.numbers import SHANGHAI
from transcription.inspection.by_hand import Mark, Marked, differences, marked
from transcription.inspection.form import Form
from transcription.inspection.sampling import plan

WEEK = timedelta(days=7)
DAY = timedelta(days=1)


class Stage(StrEnum):
    """How far people are with a call."""

    WANTED = "wanted"
    HALF = "half"
    DIFFERS = "differs"
    STANDS = "stands"
    APPEALED = "appealed"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who acts: the name in the journal, and every name that may be the operator's own."""

    name: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """Everything people did about a call."""

    needed: int
    scores: tuple[Scored, ...]
    stands: int | None
    stands_at: datetime | None
    appeal: Appeal | None

    @property
    def stage(self) -> Stage:
        """How far they are."""
        if self.appeal is not None:
            return Stage.APPEALED if self.appeal.state == "open" else Stage(self.appeal.state)
        if self.stands is not None:
            return Stage.STANDS
        firsts = [one for one in self.scores if one.part == "first"]
        if len(firsts) >= self.needed:
            return Stage.DIFFERS
        return Stage.HALF if firsts else Stage.WANTED


async def of_call(conn: Connection, call_id: int) -> Scoring:
    """What people did about a call."""
    stands = await scoring_rows.result(conn, call_id)
    return Scoring(
        needed=await scoring_rows.needed(conn, call_id),
        scores=tuple(await scoring_rows.scores(conn, call_id)),
        stands=None if stands is None else stands[0],
        stands_at=None if stands is None else stands[2],
        appeal=await scoring_rows.appeal_of(conn, call_id),
    )


async def plan_week(
    tx: Connection, week: date, form: Form, *, seed: str, by: str, now: datetime
) -> int:
    """Draw the calls of a week that is over; returns how many.

    Raises:
        ScoringRefusedError: it is no Monday, the week is not over, or it was planned before.
    """
    begins = datetime.combine(week, time(tzinfo=SHANGHAI))
    if week.isoweekday() != 1:
        raise ScoringRefusedError("A week is named by its Monday.")
    if begins + WEEK > now:
        raise ScoringRefusedError("This week is not over: draw it when it is.")
    await inspection_rows.keep_form(tx, form, now)
    if not await scoring_rows.keep_plan(tx, week, seed, form.fingerprint(), by, now):
        raise ScoringRefusedError("This week was drawn before; a draw is never made again.")
    new = timedelta(days=form.people.newcomer_days)
    calls = await scoring_rows.candidates(tx, begins, begins + WEEK, new)
    chosen = plan(calls, form.people, seed)
    await scoring_rows.keep_samples(tx, week, chosen)
    body = {"week": week.isoformat(), "calls": len(chosen), "of": len(calls)}
    await journal.write(tx, at=now, actor=by, event=Event.INSPECTION_PLANNED, body=body)
    return len(chosen)


async def score(
    tx: Connection, call_id: int, given: Sequence[Mark], form: Form, *, by: By, now: datetime
) -> Scoring:
    """A person scores a call: first, second, or third where two differ.

    Raises:
        InspectionUnknownError: the call has no inspection.
        ScoringRefusedError: it is the own call, was scored by this person, or needs no score.
        MarksWrong: the marks do not fit the form.
    """
    await store.lock_call(tx, call_id)
    operator = await _operator(tx, call_id)
    _check_not_own(operator, by)
    before = await of_call(tx, call_id)
    if any(one.scorer == by.name for one in before.scores):
        raise ScoringRefusedError("You scored this call before: another person does it.")
    if before.stage not in {Stage.WANTED, Stage.HALF, Stage.DIFFERS}:
        raise ScoringRefusedError("This call has a result; only an appeal changes it.")
    found = marked(given, form)
    part: Part = "third" if before.stage is Stage.DIFFERS else "first"
    made = await _put(tx, call_id, found, form, part, by=by, now=now)
    if part == "third" or _agree(before, found):
        await scoring_rows.let_stand(tx, call_id, made, operator, now)
    after = await of_call(tx, call_id)
    await _tell(tx, Event.INSPECTION_SCORED, call_id, by.name, now, stage=after.stage)
    return after


def _agree(before: Scoring, found: Marked) -> bool:
    """Whether this score is all that was needed, or says what the first one said."""
    firsts = [one for one in before.scores if one.part == "first"]
    if len(firsts) + 1 < before.needed:
        return False
    return all(not differences(found.marks, one.marks) for one in firsts)


async def appeal(
    tx: Connection,
    call_id: int,
    *,
    items: Sequence[str],
    reason: str,
    calendar: Calendar,
    by: By,
    now: datetime,
) -> Scoring:
    """The operator says that the result is not right.

    Raises:
        InspectionUnknownError: there is no result, or it is not this operator's.
        ScoringRefusedError: the days are over, nothing was lost there, or it was appealed before.
    """
    await store.lock_call(tx, call_id)
    stands = await scoring_rows.result(tx, call_id)
    if stands is None or stands[1] not in by.names:
        raise InspectionUnknownError("There is no result of yours for this call.")
    against, operator, since = stands
    standing = next(one for one in await scoring_rows.scores(tx, call_id) if one.id == against)
    lost = {one.item for one in standing.marks if one.lost}
    if not items or not set(items) <= lost:
        raise ScoringRefusedError("An appeal names items at which points were lost.")
    form = (await inspection_rows.forms(tx, [standing.fingerprint]))[standing.fingerprint]
    if now >= days_after(since, form.people.appeal_days, calendar):
        raise ScoringRefusedError("The days in which an appeal is possible are over.")
    due_at = days_after(now, form.people.decide_days, calendar)
    made = await scoring_rows.ask(
        tx,
        call_id,
        against,
        operator=operator,
        items=sorted(set(items)),
        reason=reason,
        by=by.name,
        now=now,
        due_at=due_at,
    )
    if made is None:
        raise ScoringRefusedError("This result was appealed before; that decision stands.")
    await _tell(tx, Event.INSPECTION_APPEALED, call_id, by.name, now, appeal=made)
    return await of_call(tx, call_id)


async def decide(
    tx: Connection,
    appeal_id: int,
    *,
    given: Sequence[Mark] | None,
    answer: str,
    by: By,
    now: datetime,
) -> Appeal:
    """Somebody who never scored the call decides; `given` marks uphold the appeal.

    Raises:
        InspectionUnknownError: there is no such appeal.
        ScoringRefusedError: it is decided, or whoever decides scored the call, or appealed.
        MarksWrong: the marks do not fit the form of the score that was appealed.
    """
    call_id = await _call_of(tx, appeal_id)
    await store.lock_call(tx, call_id)
    before = await scoring_rows.held_appeal(tx, appeal_id)
    if before is None or before.state != "open":
        raise ScoringRefusedError("This appeal is decided.")
    _check_not_own(before.operator, by)
    found = await scoring_rows.scores(tx, call_id)
    if by.name == before.asked_by or any(one.scorer == by.name for one in found):
        raise ScoringRefusedError("Whoever scored a call, or appealed, does not decide the appeal.")
    state = "dismissed" if given is None else "upheld"
    if given is not None:
        against = next(one for one in found if one.id == before.against)
        form = (await inspection_rows.forms(tx, [against.fingerprint]))[against.fingerprint]
        made = await _put(tx, call_id, marked(given, form), form, "appeal", by=by, now=now)
        await scoring_rows.let_stand(tx, call_id, made, before.operator, now)
    await scoring_rows.decide(tx, appeal_id, state, by=by.name, answer=answer, now=now)
    await _tell(tx, Event.INSPECTION_APPEAL_DECIDED, call_id, by.name, now, state=state)
    after = await scoring_rows.appeal_of(tx, call_id)
    if after is None:
        raise RuntimeError("a decided appeal is there")
    return after


def days_after(moment: datetime, days: int, calendar: Calendar) -> datetime:
    """The end of the last of so many working days; the day itself does not count."""
    last = calendar.add_working_days(moment.astimezone(SHANGHAI).date(), days)
    return datetime.combine(last + DAY, time(tzinfo=SHANGHAI)).astimezone(UTC)


async def _call_of(conn: Connection, appeal_id: int) -> int:
    found = await scoring_rows.held_appeal(conn, appeal_id)
    if found is None:
        raise InspectionUnknownError("There is no such appeal.")
    return found.call_id


async def _operator(conn: Connection, call_id: int) -> str:
    row = await inspection_lists.of_call(conn, call_id)
    if row is None or row["operator"] is None:
        raise InspectionUnknownError("This call has no inspection of an operator.")
    return str(row["operator"])


def _check_not_own(operator: str, by: By) -> None:
    if operator in by.names:
        raise ScoringRefusedError("This is your own call: another person judges it.")


async def _put(
    tx: Connection, call_id: int, found: Marked, form: Form, part: Part, *, by: By, now: datetime
) -> int:
    await inspection_rows.keep_form(tx, form, now)
    return await scoring_rows.put(tx, call_id, found, by.name, part, form.fingerprint(), now)


async def _tell(
    tx: Connection, event: Event, call_id: int, actor: str, now: datetime, **body: object
) -> None:
    """Journal rows say that people judged, never what they judged."""
    await journal.write(tx, at=now, actor=actor, event=event, call_id=call_id, body=body)
