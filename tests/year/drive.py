"""The year itself: calls come by hour and season, people move cases, the service's desks look.

Everything goes through the service's own steps (`flow.call_changed`, `flow.case_moved`,
`absences.enter`, the desks' own looks) with the simulated moment as their time. What happens
between two looks is committed some dozens of steps at a time, in the order of the moments.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random

from hotline import absences, accounts, flow, journal
from hotline.database import Connection, Pool, transaction
from hotline.users import UserFacts
from routing import store
from routing.cases import Role
from routing.errors import IllegalMove
from routing.in_force import InForce
from telephony.call import Satisfied, Solved, Survey
from telephony.calls import Call, CallEnded, CallKey, Outcome, Side
from telephony.events import LinkedId, System
from tests.year import days
from tests.year.lives import Life, Script, Step
from tests.year.log import Log
from tests.year.people import BEGAN, ENDED, OFFICE, SEATS, Away, Staff

SYSTEM = System("mianyang-1")
AT_ONCE = 100
KNOWN_BEFORE = timedelta(days=3)
"""Longer than a stretch, so that a process of the crew never moves before the notice is there."""
BY_HOUR = (3, 2, 1, 1, 1, 2, 6, 20, 50, 62, 58, 46, 34, 40, 55, 58, 52, 42, 34, 28, 22, 16, 9, 5)
BY_MONTH = (1.1, 1.0, 0.9, 0.9, 1.0, 1.1, 1.35, 1.4, 1.0, 0.9, 0.9, 1.0)
"""The working day of a hotline, and a summer of power cuts and floods; the total is given."""
UNANSWERED = 0.04
SHORT = timedelta(seconds=5)


@dataclass(slots=True)
class Town:
    """The simulated city while its year goes on."""

    pool: Pool
    limits: InForce
    staff: Staff
    seed: int
    part: int = 0
    parts: int = 1
    """Which of how many equal parts of the calls, and of the cases they become, is lived here."""
    log: Log = field(default_factory=Log)
    """What is let happen, written down by whoever lets it happen: no word of the service's own."""
    counts: Counter[str] = field(default_factory=Counter)
    _due: list[tuple[datetime, int, Step | Call | Away, Life | None, int]] = field(
        default_factory=list
    )
    _turn: Iterator[int] = field(default_factory=count)
    _calls: Iterator[int] = field(default_factory=lambda: count(1))

    async def hire(self) -> None:
        """Give everybody an account; the operators theirs with their seat."""
        async with transaction(self.pool) as tx:
            await self._add(tx, "admin", Role.ADMINISTRATOR)
            for name, role in OFFICE.items():
                seat = name.removeprefix("agent") if role is Role.OPERATOR else None
                await self._add(tx, name, role, extension=seat)
            for name, unit in self.staff.unit_of.items():
                await self._add(tx, name, Role.UNIT, unit=unit)

    async def _add(
        self,
        tx: Connection,
        login: str,
        role: Role,
        *,
        unit: str | None = None,
        extension: str | None = None,
    ) -> None:
        facts = UserFacts(
            name=login,
            roles=frozenset({role}),
            unit=unit,
            extension=extension,
            is_head=login.endswith("head"),
        )
        await accounts.add(tx, login, facts, password=None, by="admin", now=BEGAN)

    def plan(self, cases: int) -> None:
        """Draw when each call comes; one in twenty-five is not answered and becomes no case."""
        rng = Random(self.seed)  # noqa: S311 - a year that can be lived again
        every_day = [BEGAN + timedelta(days=n) for n in range((ENDED - BEGAN).days)]
        weights = [_weight(day) for day in every_day]
        for _ in range(cases):
            self._come(rng, every_day, weights, answered=True)
            if rng.random() < UNANSWERED:
                self._come(rng, every_day, weights, answered=False)
        for away in self.staff.absences if self.part == 0 else ():
            self._push(away.since - KNOWN_BEFORE, away)

    def _come(
        self,
        rng: Random,
        every_day: Sequence[datetime],
        weights: Sequence[float],
        *,
        answered: bool,
    ) -> None:
        hour = rng.choices(range(24), BY_HOUR)[0]
        day = rng.choices(every_day, weights)[0]
        at = day + timedelta(hours=hour, seconds=rng.randrange(3600))
        waited = timedelta(seconds=rng.choice((3, 5, 8, 12, 15, 16, 22, 40)))
        talked = timedelta(seconds=rng.randrange(30, 400) if answered else 0)
        ended = at + waited + talked
        number = next(self._calls)
        call = Call(
            key=CallKey(system=SYSTEM, linked_id=LinkedId(f"year-{number}.1")),
            line="duty" if rng.random() < 0.05 else "mayor",
            caller_number=f"138{rng.randrange(10**8):08d}",
            caller_name=None,
            started_at=at,
            queued_at=at,
            ringing_at=at,
            answered_at=at + waited if answered else None,
            talk_ended_at=ended if answered else None,
            ended_at=ended,
            operator=rng.choice(SEATS) if answered else None,
            outcome=_outcome(waited, answered=answered),
            hangup_by=Side.CALLER,
            survey=_survey(Random(f"{self.seed}-asked-{number}")) if answered else None,  # noqa: S311
        )
        if number % self.parts == self.part:
            self._push(ended, call)

    def _push(
        self, at: datetime, what: Step | Call | Away, life: Life | None = None, case: int = 0
    ) -> None:
        heapq.heappush(self._due, (at, next(self._turn), what, life, case))

    async def until(self, now: datetime) -> None:
        """Let everything happen that comes before this moment.

        Alone, some dozens of steps are one transaction; beside others each is one of its own, as in
        the service, so that they wait for each other's journal rows only.
        """
        at_once = AT_ONCE if self.parts == 1 else 1
        while self._due and self._due[0][0] < now:
            async with transaction(self.pool) as tx:
                if at_once > 1:
                    await journal.take_turn(tx)
                for _ in range(at_once):
                    if not self._due or self._due[0][0] >= now:
                        break
                    at, _, what, life, case_id = heapq.heappop(self._due)
                    await self._happen(tx, at, what, life, case_id)

    async def _happen(
        self,
        tx: Connection,
        at: datetime,
        what: Step | Call | Away,
        life: Life | None,
        case_id: int,
    ) -> None:
        match what:
            case Call():
                await self._called(tx, what)
            case Away():
                self.counts["absences"] += 1
                await absences.enter(
                    tx,
                    what.who,
                    deputy=what.deputy,
                    reason="公差",
                    since=what.since,
                    until=what.until,
                    by="admin",
                    now=at,
                )
            case Step():
                await self._moved(tx, what, life, case_id)

    async def _called(self, tx: Connection, call: Call) -> None:
        self.counts["calls"] += 1
        ended_at = call.ended_at or call.started_at
        call_id = await flow.call_changed(tx, CallEnded(call=call, at=ended_at))
        self.log.called(call_id, call)
        case = await store.of_call(tx, call_id)
        if case is None:
            return
        self.counts["cases"] += 1
        rng = Random(f"{self.seed}-{call.key.linked_id}")  # noqa: S311 - as above
        life = Script(case, rng, self.staff, f"agent{call.operator}").life()
        self._next(life, case.id, lambda: next(life))

    def _next(self, life: Life, case_id: int, go: Callable[[], Step]) -> None:
        try:
            step = go()
        except StopIteration:
            return
        if step.at < ENDED:
            self._push(step.at, step, life, case_id)

    async def _moved(self, tx: Connection, step: Step, life: Life | None, case_id: int) -> None:
        assert life is not None
        actor = self.staff.actor(self.staff.acting(step.who, step.at))
        try:
            moved = await flow.case_moved(
                tx,
                case_id,
                move=step.move,
                actor=actor,
                now=step.at,
                data=step.data,
                limits=self.limits,
            )
        except IllegalMove as error:
            self.counts[f"refused: {step.move} ({error.__class__.__name__})"] += 1
            self._next(life, case_id, lambda: life.send(None))
        else:
            self.log.moved(case_id, step, moved.after)
            self.counts[step.move] += 1
            self._next(life, case_id, lambda: life.send(moved.after))


def _outcome(waited: timedelta, *, answered: bool) -> Outcome:
    if answered:
        return Outcome.ANSWERED
    return Outcome.ABANDONED_SHORT if waited < SHORT else Outcome.ABANDONED


def _survey(rng: Random) -> Survey | None:
    """What a caller says after the talk: most are asked, and many say nothing."""
    if rng.random() < 0.3:
        return None
    return Survey(
        solved=rng.choice(tuple(Solved)),
        satisfied=rng.choices(tuple(Satisfied), (60, 15, 5, 20))[0],
    )


def _weight(day: datetime) -> float:
    here = days.day_of(day)
    return BY_MONTH[here.month - 1] * (1.0 if days.is_working(here) else 0.65)
