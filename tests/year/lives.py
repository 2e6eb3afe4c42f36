"""What people do with one case, from the talk to its end: a script with chance in it.

A script yields what somebody is about to do and when, and gets back the case as it stands after it,
or None where the service refused. Shares follow the month of Huaibei (domain.md 1.7: three of four
cases answered at once, kinds as there), but many more are late, returned, redone and reopened than
in a good city, for those are what is to be shown.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from routing.cases import (
    Case,
    Explanation,
    Kind,
    Move,
    MoveData,
    Reached,
    Satisfied,
    Solved,
    Truth,
    Urgency,
)
from tests.year import days
from tests.year.people import ENDED, UNITS, Staff

LEVEL1 = ("城乡建设", "交通运输", "环境保护", "劳动和社会保障", "商贸旅游", "教育文体", "卫生计生")
AREAS = ("涪城区", "游仙区", "安州区", "江油市", "三台县", "梓潼县")
KINDS = {
    Kind.COMPLAINT: 51.28,
    Kind.CONSULT: 34.26,
    Kind.HELP: 2.58,
    Kind.SUGGESTION: 1.23,
    Kind.REPORT: 0.15,
    Kind.FOLLOW_UP: 9.5,
    Kind.INCIDENT: 1.0,
}
OPENS_AT, CLOSES_AT = 9, 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Somebody (or, while away, whoever acts) makes a move then."""

    at: datetime
    move: Move
    who: str
    data: MoveData


Life = Generator[Step, Case | None, None]


class Script:
    """One case's script; `at` is when the last thing happened."""

    def __init__(self, case: Case, rng: Random, staff: Staff, operator: str) -> None:
        self.case, self.at = case, case.drafted_at
        self._rng, self._staff, self._operator = rng, staff, operator
        self.kind = rng.choices(tuple(KINDS), tuple(KINDS.values()))[0]
        self.urgency = rng.choices(tuple(Urgency), (94, 5, 1))[0]

    def chance(self, share: float) -> bool:
        return self._rng.random() < share

    def soon(self, low: float, high: float) -> None:
        """So many minutes later, at any hour: the hotline never closes."""
        self.at += timedelta(minutes=self._rng.uniform(low, high))

    def in_hours(self, low: float, high: float) -> None:
        """So many hours later, or when the offices open after that; an emergency waits for none."""
        self.at += timedelta(hours=self._rng.uniform(low, high))
        if self.urgency is not Urgency.NORMAL:
            return
        here = self.at.astimezone(days.CHINA)
        while not days.is_working(here.date()) or not OPENS_AT <= here.hour < CLOSES_AT:
            if here.date() > days.LAST:
                self.at = ENDED
                return
            later = here + timedelta(days=here.hour >= OPENS_AT)
            here = later.replace(hour=OPENS_AT, minute=self._rng.randrange(60))
            if not days.is_working(here.date()):
                here = here.replace(hour=CLOSES_AT)
        self.at = here.astimezone(self.at.tzinfo)

    def step(self, move: Move, who: str, **data: Any) -> Generator[Step, Case | None, bool]:
        """Make a move; says whether the service let it happen."""
        after = yield Step(at=self.at, move=move, who=who, data=MoveData(**data))
        if after is None:
            return False
        self.case = after
        return True

    def one_of(self, name: str, count: int) -> str:
        return f"{name}{self._rng.randrange(count)}"

    def life(self) -> Life:
        """Everything that happens to the case in this year."""
        self.soon(1, 9)
        about = {
            "kind": self.kind,
            "urgency": self.urgency,
            "level1": self._rng.choice(LEVEL1),
            "area": self._rng.choice(AREAS),
            "summary": f"{self._rng.choice(AREAS)}路灯坏了，第{self.case.id}件",
        }
        fate = self._rng.random()
        if fate < 0.68:
            yield from self.step(Move.ANSWER_DIRECTLY, self._operator, reply="已答复", **about)
        elif fate < 0.71:
            yield from self.step(
                Move.EXPLAIN,
                self._operator,
                explanation=Explanation.OTHER_CHANNEL,
                reason="属诉讼事项",
                channel="人民法院",
                **about,
            )
        elif fate < 0.72:
            yield from self.step(Move.WITHDRAW, self._operator, reason="误拨")
        else:
            yield from self.step(Move.OPEN, self._operator, **about)
            yield from self._sent()
            if self.case.closed_at is not None and self.chance(0.03):
                self.in_hours(24 * 3, 24 * 20)
                opened = yield from self.step(Move.REOPEN, self.one_of("super", 1), reason="又坏了")
                if opened:
                    yield from self._sent()

    def _sent(self) -> Life:
        """From the dispatch to the end."""
        desk = self.one_of("dispatch", 3)
        if self.chance(0.01):
            self.soon(1, 9)
            yield from self.step(Move.WITHDRAW, desk, reason="来电人撤回")
            return
        if self.chance(0.02):
            yield from self._consulted(desk)
        unit = self._rng.choice(UNITS)
        self.soon(5, 40)
        helpers = (self._rng.choice([it for it in UNITS if it != unit]),)
        more = {"helpers": helpers} if self.chance(0.05) else {}
        yield from self.step(Move.DISPATCH, desk, unit=unit, **more)
        late = self.chance(0.03)
        self.in_hours(30 if late else 0.1, 120 if late else 5)
        if self.chance(0.05):
            unit = yield from self._returned(desk, unit)
        who = self._rng.choice(self._staff.handlers(unit))
        yield from self.step(Move.SIGN, who)
        who = self.case.owner
        if self.chance(0.03):
            who = yield from self._handed_over(who, unit)
        if self.chance(0.003):
            yield from self.step(
                Move.CITE_LAW, self.one_of("audit", 2), statutory="petition", reason="信访事项"
            )
        if self.chance(0.02):
            yield from self.step(Move.RAISE_LEVEL, "super0", reason="职责交叉")
            yield from self.step(Move.RULE, "leader0", ruling="由该单位办理")
        yield from self._handled(who)

    def _consulted(self, desk: str) -> Life:
        asked = tuple(self._rng.sample(UNITS, 2))
        yield from self.step(Move.CONSULT, desk, units=asked, reason="职责不清")
        for unit in asked:
            self.in_hours(1, 8)
            yield from self.step(
                Move.COMMENT, self._rng.choice(self._staff.handlers(unit)), comment="建议本局办理"
            )
        yield from self.step(Move.CONCLUDE, desk, ruling="由首问单位办理")

    def _returned(self, desk: str, unit: str) -> Generator[Step, Case | None, str]:
        who = self._rng.choice(self._staff.handlers(unit))
        asked = yield from self.step(
            Move.ASK_RETURN, who, reason="不属本单位职责", basis="三定规定"
        )
        if not asked:
            return unit
        self.in_hours(0.5, 12)
        if self.chance(0.5):
            yield from self.step(Move.REFUSE_RETURN, desk, ruling="由该单位办理")
        else:
            yield from self.step(Move.ACCEPT_RETURN, desk)
            unit = self._rng.choice(UNITS)
            yield from self.step(Move.DISPATCH, desk, unit=unit)
        self.in_hours(0.5, 8)
        return unit

    def _handed_over(self, who: str, unit: str) -> Generator[Step, Case | None, str]:
        to = self._rng.choice([it for it in self._staff.handlers(unit) if it != who])
        yield from self.step(Move.HAND_OVER, who, person=to)
        offered = self.case.offered_to
        if offered is None:
            return who
        self.soon(5, 90)
        yield from self.step(Move.ACCEPT, offered)
        return self.case.owner

    def _handled(self, who: str) -> Life:
        """From the signature to the end: in time, late, or after a longer limit."""
        begun, due = self.at, self.case.due_at
        left = max(timedelta(hours=1), (due or begun + timedelta(days=14)) - begun)
        if self.chance(0.06) and left > timedelta(days=1):
            self.at = begun + left * self._rng.uniform(0.3, 1.1)
            self.in_hours(0, 1)
            asked = yield from self.step(
                Move.ASK_EXTENSION, who, days=self._rng.randint(1, 10), reason="情况复杂"
            )
            if asked:
                self.in_hours(1, 12)
                if self.chance(0.7):
                    yield from self.step(
                        Move.GRANT_EXTENSION, self.one_of("audit", 2), told="已告知"
                    )
                else:
                    yield from self.step(
                        Move.REFUSE_EXTENSION, self.one_of("audit", 2), reason="可办"
                    )
        if self.chance(0.01):
            yield from self._terminated(who)
            if self.case.closed_at is not None:
                return
        share = self._rng.uniform(1.05, 4.0) if self.chance(0.06) else self._rng.uniform(0.05, 0.9)
        self.at = max(self.at, begun + left * share)
        self.in_hours(0, 0.5)
        yield from self._answered(who)

    def _terminated(self, who: str) -> Life:
        self.in_hours(1, 30)
        asked = yield from self.step(Move.ASK_TERMINATION, who, reason="客观上无法解决")
        self.in_hours(2, 20)
        if asked and self.chance(0.6):
            yield from self.step(Move.APPROVE_TERMINATION, self.one_of("audit", 2), told="已告知")
        elif asked:
            yield from self.step(Move.REFUSE_TERMINATION, self.one_of("audit", 2), reason="可解决")

    def _answered(self, who: str) -> Life:
        while True:
            yield from self.step(
                Move.ANSWER,
                who,
                reply="已修好，电话0816-2345678",
                public_reply="已修好",
                truth=Truth.YES,
                publish=True,
                solved=Solved.YES,
                contacted_at=self.at,
            )
            self.in_hours(0.5, 10)
            if self.chance(0.05):
                yield from self.step(Move.REDO, self.one_of("audit", 2), reason="未答复诉求")
            else:
                yield from self.step(Move.APPROVE, self.one_of("audit", 2))
                self.in_hours(1, 20)
                if not self.chance(0.03):
                    break
                yield from self.step(
                    Move.REDO, self.one_of("callback", 3), reason="来电人说没有解决"
                )
            self.in_hours(4, 80)
        yield from self._called_back()

    def _called_back(self) -> Life:
        desk = self.one_of("callback", 3)
        for _ in range(3):
            if self.chance(0.85):
                yield from self.step(
                    Move.CLOSE,
                    desk,
                    result=Reached.REACHED,
                    solved=Solved.YES if self.chance(0.8) else Solved.NO,
                    satisfied=self._rng.choice((Satisfied.SATISFIED, Satisfied.DISSATISFIED)),
                )
                return
            yield from self.step(Move.CALL_BACK_TRIED, desk, result=Reached.NOT_REACHED)
            self.in_hours(2, 20)
        yield from self.step(Move.CLOSE, desk, result=Reached.NOT_REACHED)
