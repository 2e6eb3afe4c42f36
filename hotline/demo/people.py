"""The demo's people at their desks, by the API: desk, unit, audit and call-back, each its moves.

What they decide stands in `PARTS`; what they confirm is what the service suggested, and where the
words suggested no category, what a person who heard the call knows. Each move is said aloud.
"""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from hotline.console.case_shapes import CaseView
from hotline.demo.api import Api, ApiError
from hotline.demo.rows import Placed
from hotline.demo.words import both
from routing.cases import CaseState, Move

TO_THE_UNIT = (Move.OPEN, Move.DISPATCH)
ANSWERED = (*TO_THE_UNIT, Move.SIGN, Move.ANSWER)
TO_THE_END = (*ANSWERED, Move.APPROVE, Move.CLOSE)
#: Which way each call's case goes; calls not named here stay drafts for the viewer to try.
PARTS: Mapping[str, tuple[Move, ...]] = {
    "07-gas-smell": TO_THE_END,
    "01-streetlight": TO_THE_UNIT,
    "02-water-outage": ANSWERED,
    "11-duty-landslide": TO_THE_UNIT,
    "08-staff-bribery": (Move.OPEN,),
    "03-unpaid-wages": (*TO_THE_UNIT, Move.SIGN),
    "04-social-card": (Move.ANSWER_DIRECTLY,),
    "05-barbecue-smoke": TO_THE_UNIT,
    "06-driving-school": TO_THE_UNIT,
}
REPLIES = {
    "07-gas-smell": "消防和燃气抢险人员已到场关阀，泄漏点已修复，居民已返回。",
    "02-water-outage": "供水管道爆裂已抢修完毕，今晚恢复供水。",
    "04-social-card": "持本人身份证原件到就近社保服务窗口或合作银行网点补办，一般当场领取。",
}
SAID: Mapping[Move, tuple[str, str]] = {
    Move.OPEN: ("确认立案", "confirmed"),
    Move.DISPATCH: ("派单至{unit}", "dispatched"),
    Move.SIGN: ("承办单位签收", "the unit signed"),
    Move.ANSWER: ("承办单位已回复", "the unit answered"),
    Move.APPROVE: ("审核通过", "the audit accepted the answer"),
    Move.CLOSE: ("回访并办结", "called back and closed"),
    Move.ANSWER_DIRECTLY: ("直接答复并办结", "answered on the spot"),
}


class People:
    """The operators' part; `act` does what can be done now and returns."""

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        self._url = url
        self._say = say
        self._seats: dict[str, Api] = {}
        self._stack = AsyncExitStack()
        self._given_up: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def act(self, placed: Placed) -> bool:
        """Make the next moves of this call's case; return whether anything was done."""
        case, call = placed.case, placed.call
        ready = placed.settled and case is not None and case.kind is not None
        if not ready or case is None or call is None or placed.plan.name in self._given_up:
            return False
        moves = [move for move in PARTS.get(placed.plan.name, ()) if _is_next(case, move)]
        if not moves:
            return False
        try:
            seat = await self._seat(call.operator or "1001")
            for move in moves:
                case = await self._move(seat, case, move, placed)
        except ApiError as error:
            self._given_up.add(placed.plan.name)
            self._say(both("acting_failed", case=case.number, why=error))
        return True

    async def _move(self, seat: Api, case: CaseView, move: Move, placed: Placed) -> CaseView:
        facts: dict[str, Any] = {"expected": case.state}
        if move in (Move.OPEN, Move.ANSWER_DIRECTLY):
            facts |= {
                "kind": case.kind,
                "urgency": case.urgency,
                "level1": case.level1 or placed.plan.level1,
            }
        if move is Move.DISPATCH:
            facts["unit"] = case.unit or "市民服务中心"
        if move in (Move.ANSWER, Move.ANSWER_DIRECTLY):
            facts["reply"] = REPLIES[placed.plan.name]
        if move is Move.ANSWER:
            facts |= {"public_reply": REPLIES[placed.plan.name], "solved": "yes"}
            facts |= {"truth": "yes", "beyond_duty": False, "publish": True}
            facts["contacted_at"] = datetime.now(UTC).isoformat()
        if move is Move.CLOSE:
            facts |= {"result": "reached", "solved": "yes", "satisfied": "satisfied"}
        after = await seat.move(case.id, move, facts)
        chinese, english = (words.format(unit=after.unit) for words in SAID[move])
        self._say(both("acted", case=after.number, did_zh=chinese, did_en=english))
        return after

    async def _seat(self, extension: str) -> Api:
        if extension not in self._seats:
            api = await self._stack.enter_async_context(Api(self._url))
            await api.sign_in(extension)
            self._seats[extension] = api
        return self._seats[extension]


ORDER = TO_THE_END
STATES = (
    *(CaseState.DRAFT, CaseState.OPEN, CaseState.DISPATCHED, CaseState.HANDLING),
    *(CaseState.ANSWERED, CaseState.CALLING_BACK),
)
"""From which state each move of ORDER starts."""


def _is_next(case: CaseView, move: Move) -> bool:
    """Whether this move is still ahead of a case in this state."""
    if move is Move.ANSWER_DIRECTLY:
        return case.state is CaseState.DRAFT
    return case.state in STATES and STATES.index(case.state) <= ORDER.index(move)
