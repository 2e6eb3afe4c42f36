"""What brings a matter under supervision: facts in, occasions out; pure.

    a case's journal                 -> versions_of -> the case as it stood from each change on
    versions, packs, calendar, now   -> spent_clocks -> every clock that ended before it was stopped
    spent clocks, returns            -> occasions_of
    a caller's other cases           -> repeated
    a burst (words.py's or our own)  -> concentrated
    a notice card past its review    -> stale_card

An occasion has a natural key within its subject, so that looking again, after a crash or by two
services at once, opens nothing twice. All of a case's past counts: a clock that ended while the
service was down, or before an extension, a redo or a reopening, is found as well, however late.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from routing.cases import Case, Kind, Move
from routing.clock_facts import Phoned, facts_of
from routing.clocks import STAGE_OF_STATE, Clock, Entered, main_clock, stage_clock
from routing.errors import CalendarEnds, LimitMissing
from routing.fold import Row, unfolded
from routing.in_force import InForce
from routing.limits import Stage
from routing.numbers import SHANGHAI
from routing.supervision_rules import SupervisionRules, Trigger, TriggerRule

WITH_THE_UNIT = frozenset({Stage.SIGN, Stage.HANDLING})
"""The stages whose clock is the unit's; every other one is the office's own."""
NEVER_POOLED = Kind.REPORT
"""Reports against somebody are never counted together with other calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A case as it stood from a change on; `move` made it, None where no move did."""

    at: datetime
    case: Case
    move: Move | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """One reason to supervise; `key` is unique for its subject and trigger.

    `unit` is who is supervised, None the office itself, where `person` answered for it. `since` is
    when it became so, `ends_at` the end of the clock that ended, if one did.
    """

    trigger: Trigger
    key: str
    since: datetime
    basis: str
    unit: str | None = None
    person: str | None = None
    stage: Stage | None = None
    ends_at: datetime | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A clock that ended before it was stopped; `unit` had the matter then, or the office."""

    clock: Clock
    since: datetime
    unit: str | None
    person: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spents:
    """What became of a case's clocks by a moment; `next_end` is the next that can be spent.

    `undated`: a sentence for each clock that reaches past the holiday calendar.
    """

    spent: tuple[Spent, ...]
    next_end: datetime | None
    undated: tuple[str, ...] = ()


def versions_of(rows: Iterable[tuple[datetime, Row]]) -> tuple[Version, ...]:
    """Return the case after each change, from its journal's rows, oldest first.

    Raises:
        HistoryFault: a row does not follow from the one before it.
    """
    at: dict[int, datetime] = {}

    def noted() -> Iterable[Row]:
        for moment, row in rows:
            at[row.id] = moment
            yield row

    return tuple(
        Version(
            at=at[row.id], case=case, move=Move(move) if (move := row.body.get("move")) else None
        )
        for row, case in unfolded(noted())
    )


def spent_clocks(versions: Sequence[Version], limits: InForce, now: datetime) -> Spents:
    """Return every clock of a case that ended before it was stopped, each once, oldest first."""
    spent: dict[tuple[Stage, datetime, datetime], Spent] = {}
    ends: list[datetime] = []
    undated: list[str] = []
    entered: datetime | None = None
    for n, version in enumerate(versions):
        state = version.case.state
        if entered is None or state is not versions[n - 1].case.state:
            entered = version.at
        last = n + 1 == len(versions)
        until = now if last else versions[n + 1].at
        clocks, missing = _clocks(version.case, entered, limits)
        for clock in clocks:
            if (clock.stopped_at or until) > clock.ends_at:
                since = max(clock.ends_at, version.at)
                key = clock.stage, clock.starts_at, clock.ends_at
                spent.setdefault(key, _spent(clock, since, version.case))
            elif last and clock.stopped_at is None:
                ends.append(clock.ends_at)
        if last:
            undated += missing
    return Spents(
        spent=tuple(sorted(spent.values(), key=lambda one: one.since)),
        next_end=min(ends, default=None),
        undated=tuple(undated),
    )


def spent_assignments(
    case: Case, phoned: Iterable[Phoned], limits: InForce, now: datetime
) -> Spents:
    """Return the assignments by telephone to which no word came in time, and when the next ends."""
    facts, policy = facts_of(case, ()), limits.of(case) or limits.policy
    spent, ends, undated = [], [], []
    for one in phoned:
        try:
            clock = stage_clock(one.stage, facts, policy, limits.calendar)
        except LimitMissing:
            continue
        except CalendarEnds as error:
            undated.append(str(error))
            continue
        if (clock.stopped_at or now) > clock.ends_at:
            late = Spent(clock=clock, since=clock.ends_at, unit=one.unit, person=case.owner)
            spent.append(late)
        elif clock.stopped_at is None:
            ends.append(clock.ends_at)
    return Spents(spent=tuple(spent), next_end=min(ends, default=None), undated=tuple(undated))


def together(*found: Spents) -> Spents:
    """What several looks at the same case found."""
    ends = [one.next_end for one in found if one.next_end is not None]
    return Spents(
        spent=tuple(it for one in found for it in one.spent),
        next_end=min(ends, default=None),
        undated=tuple(it for one in found for it in one.undated),
    )


def _spent(clock: Clock, since: datetime, case: Case) -> Spent:
    theirs = clock.stage in WITH_THE_UNIT and case.given_at is not None
    unit = case.unit if theirs else None
    return Spent(clock=clock, since=since, unit=unit, person=case.owner)


def _clocks(case: Case, entered: datetime, limits: InForce) -> tuple[list[Clock], list[str]]:
    """The clocks of a case while it stands as it does: the main one and that of its state."""
    facts, policy = facts_of(case, ()), limits.of(case) or limits.policy
    found: list[Clock] = []
    undated: list[str] = []
    # A case that goes with another waits for that one's stages, not for its own.
    waits = case.lead is not None and case.answered_at is None
    stage = None if waits else STAGE_OF_STATE.get(case.state)
    for what in (None, stage) if stage else (None,):
        try:
            clock = (
                main_clock(facts, policy, limits.calendar)
                if what is None
                else stage_clock(Entered(stage=what, at=entered), facts, policy, limits.calendar)
            )
        except LimitMissing:
            continue
        except CalendarEnds as error:
            undated.append(str(error))
            continue
        if clock is not None:
            found.append(clock)
    return found, undated


def occasions_of(
    versions: Sequence[Version], spent: Iterable[Spent], rules: SupervisionRules
) -> tuple[Occasion, ...]:
    """Return what a case's own history gives reason for: clocks that ended, and returns."""
    clocks = tuple(of_clock(one, rules) for one in spent)
    return clocks + _returned(versions, rules.of(Trigger.RETURNED))


def of_clock(spent: Spent, rules: SupervisionRules) -> Occasion:
    """A clock that ended before it was stopped."""
    clock = spent.clock
    trigger = Trigger.NOT_SIGNED if clock.stage is Stage.SIGN else Trigger.OVERDUE
    return Occasion(
        trigger=trigger,
        key=f"{clock.stage} {clock.starts_at.isoformat()} {clock.ends_at.isoformat()}",
        since=spent.since,
        basis=_basis(rules, trigger),
        unit=spent.unit,
        person=spent.person,
        stage=clock.stage,
        ends_at=clock.ends_at,
        facts={"clock_policy": clock.policy, "clock_basis": clock.rule.basis},
    )


def _returned(versions: Sequence[Version], rule: TriggerRule | None) -> tuple[Occasion, ...]:
    if rule is None or rule.count is None:
        return ()
    asked = [one for one in versions if one.move is Move.ASK_RETURN]
    return tuple(
        Occasion(
            trigger=Trigger.RETURNED,
            key=str(n),
            since=one.at,
            basis=rule.basis,
            unit=one.case.unit,
            person=one.case.owner,
            facts={"returns": n},
        )
        for n, one in enumerate(asked, start=1)
        if n % rule.count == 0
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A case of the same caller and matter; `over_at` is when it was closed, `unit` who had it."""

    case_id: int
    opened_at: datetime
    over_at: datetime | None
    unit: str | None
    owner: str


def repeated(
    case: Case, before: Sequence[Related], rule: TriggerRule | None
) -> tuple[int, Occasion] | None:
    """A caller rang for the third time about one matter: the case to supervise, and why.

    `before` are the caller's earlier cases of the matter, oldest first. Supervised is the oldest
    that was still open when this one was opened, else this one.
    """
    calls = len(before) + 1
    opened = case.opened_at
    if rule is None or rule.count is None or opened is None or calls % rule.count:
        return None
    still = [one for one in before if one.over_at is None or one.over_at > opened]
    aim = still[0] if still else None
    occasion = Occasion(
        trigger=Trigger.REPEATED,
        key=case.number,
        since=opened,
        basis=rule.basis,
        unit=aim.unit if aim else (case.unit if case.given_at else None),
        person=aim.owner if aim else case.owner,
        facts={"calls": calls},
    )
    return (aim.case_id if aim else case.id), occasion


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Many callers of one matter in a short time, whoever found it.

    `matter` names it: a category and area, or a group's master case. `day` is the day here, one
    record for each; `unit` is who has most of the cases.
    """

    matter: str
    at: datetime
    callers: int
    case_ids: tuple[int, ...]
    unit: str | None = None

    @property
    def day(self) -> date:
        """The day in the city."""
        return self.at.astimezone(SHANGHAI).date()


def concentrated(burst: Burst, rule: TriggerRule | None) -> Occasion | None:
    """Enough callers of one matter within the time: once a day for each matter."""
    if rule is None or rule.count is None or burst.callers < rule.count:
        return None
    return Occasion(
        trigger=Trigger.CONCENTRATED,
        key=burst.day.isoformat(),
        since=burst.at,
        basis=rule.basis,
        unit=burst.unit,
        facts={"matter": burst.matter, "callers": burst.callers},
    )


def stale_card(
    *,
    version: int,
    title: str,
    review: date,
    unit: str | None,
    since: datetime,
    rule: TriggerRule | None,
) -> Occasion | None:
    """A notice card was not looked at by its day: once for each version."""
    if rule is None:
        return None
    return Occasion(
        trigger=Trigger.STALE_CARD,
        key=str(version),
        since=since,
        basis=rule.basis,
        unit=unit,
        facts={"matter": title, "review": review.isoformat()},
    )


def _basis(rules: SupervisionRules, trigger: Trigger) -> str:
    rule = rules.of(trigger)
    return rule.basis if rule else ""
