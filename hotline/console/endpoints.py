"""Every address of the API, once: what it takes, what it gives, what it may refuse, who serves it.

The server routes by this table, checks requests and answers by it, and openapi.py documents it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel

from hotline.console import (
    blocks_api,
    callbacks_api,
    callouts_api,
    calls_api,
    cases_api,
    control_api,
    numbers,
    operators_api,
    people_api,
    shapes,
    stream,
)
from hotline.console.desk import Request
from hotline.console.problems import Fault

Handler = Callable[
    [Request], Awaitable[BaseModel | tuple[HTTPStatus, BaseModel] | web.StreamResponse]
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One row of the table; `is_open` ones need no session."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    handler: Handler
    answers: type[BaseModel] | None = None
    media: str = "application/json"
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    faults: tuple[Fault, ...] = ()
    is_open: bool = False
    also: tuple[HTTPStatus, ...] = ()
    """Other statuses that carry the same answer."""

    @property
    def name(self) -> str:
        """The operation's name: that of its handler."""
        return str(getattr(self.handler, "__name__", "unnamed"))

    @property
    def says(self) -> str:
        """What it does: the first line of its handler."""
        return (self.handler.__doc__ or "").strip().partition("\n")[0]


def _get(path: str, handler: Handler, answers: type[BaseModel] | None, **more: Any) -> Endpoint:
    return Endpoint(method="GET", path=path, handler=handler, answers=answers, **more)


def _move(word: str, handler: Handler) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/cases/{{case_id}}/{word}",
        handler=handler,
        answers=shapes.CaseDetail,
        body=shapes.Step,
        faults=(Fault.NOT_FOUND, Fault.CONFLICT, Fault.ILLEGAL_MOVE, Fault.MISSING_FACT),
    )


def _order(word: str, handler: Handler, body: type[BaseModel] = control_api.Nothing) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/control/{word}",
        handler=handler,
        answers=control_api.Ordered,
        body=body,
        faults=control_api.FAULTS,
    )


CONTROL: tuple[Endpoint, ...] = (
    _get(
        "/api/control/calls/{call_id}",
        control_api.legs,
        control_api.Legs,
        faults=control_api.FAULTS,
    ),
    _order("dial", control_api.dial, control_api.Dial),
    _order("cases/{case_id}/call-back", control_api.call_back, control_api.Relay),
    _order("calls/{call_id}/dial", control_api.dial_caller),
    _order("calls/{call_id}/hold", control_api.hold),
    _order("calls/{call_id}/unhold", control_api.unhold),
    _order("calls/{call_id}/transfer", control_api.transfer, control_api.Target),
    _order("calls/{call_id}/consult", control_api.consult, control_api.Target),
    _order("calls/{call_id}/complete", control_api.complete),
    _order("calls/{call_id}/invite", control_api.invite, control_api.Target),
    _order("calls/{call_id}/leave", control_api.leave),
    _order("calls/{call_id}/pick-up", control_api.pick_up),
    _order("calls/{call_id}/hang-up", control_api.hang_up),
    _order("calls/{call_id}/attend", control_api.attend, control_api.Attend),
)


def _seat(word: str, handler: Handler, body: type[BaseModel] = operators_api.Nothing) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/operators/{{operator}}/{word}",
        handler=handler,
        answers=operators_api.OperatorView,
        body=body,
        faults=operators_api.FAULTS,
    )


OPERATORS: tuple[Endpoint, ...] = (
    _get(
        "/api/callouts",
        callouts_api.list_callouts,
        callouts_api.Callouts,
        query=callouts_api.CalloutQuery,
    ),
    Endpoint(
        method="POST",
        path="/api/callouts",
        handler=callouts_api.start_callout,
        answers=callouts_api.CalloutView,
        body=callouts_api.CalloutAsked,
        faults=callouts_api.FAULTS,
    ),
    _get("/api/operators", operators_api.list_operators, operators_api.Operators),
    _seat("login", operators_api.log_in, operators_api.LogIn),
    _seat("logout", operators_api.log_out),
    _seat("ready", operators_api.ready),
    _seat("pause", operators_api.pause, operators_api.Pause),
    _get(
        "/api/roster",
        operators_api.show_roster,
        operators_api.Roster,
        query=operators_api.RosterQuery,
    ),
    Endpoint(
        method="POST",
        path="/api/roster",
        handler=operators_api.enter_shift,
        answers=operators_api.ShiftView,
        body=operators_api.ShiftAsked,
        faults=(Fault.FORBIDDEN, Fault.NOT_POSSIBLE),
    ),
    Endpoint(
        method="DELETE",
        path="/api/roster/{shift_id}",
        handler=operators_api.take_shift_back,
        answers=operators_api.ShiftView,
        faults=(Fault.FORBIDDEN, Fault.NOT_FOUND),
    ),
)


def _callback(word: str, handler: Handler, body: type[BaseModel]) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/callbacks/{{call_id}}/{word}",
        handler=handler,
        answers=callbacks_api.CallbackView,
        body=body,
        faults=(Fault.NOT_FOUND, Fault.CONFLICT, Fault.ILLEGAL_MOVE),
    )


CALLBACKS: tuple[Endpoint, ...] = (
    _get(
        "/api/callbacks",
        callbacks_api.list_callbacks,
        callbacks_api.Callbacks,
        query=callbacks_api.CallbackQuery,
    ),
    _callback("tried", callbacks_api.callback_tried, callbacks_api.CallbackTried),
    _callback("done", callbacks_api.callback_done, callbacks_api.CallbackDone),
)


def _block(word: str, handler: Handler) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/api/blocks/{{block_id}}/{word}",
        handler=handler,
        answers=blocks_api.BlockView,
        body=blocks_api.BlockDecided,
        faults=(Fault.NOT_FOUND, Fault.NOT_POSSIBLE),
    )


BLOCKS: tuple[Endpoint, ...] = (
    _get("/api/blocks", blocks_api.list_blocks, blocks_api.Blocks),
    Endpoint(
        method="POST",
        path="/api/blocks",
        handler=blocks_api.ask_block,
        answers=blocks_api.BlockView,
        body=blocks_api.BlockAsked,
        faults=(Fault.NOT_FOUND, Fault.NOT_POSSIBLE),
    ),
    _block("approve", blocks_api.approve_block),
    _block("lift", blocks_api.lift_block),
)

ENDPOINTS: tuple[Endpoint, ...] = (
    _get("/api/session", people_api.who_am_i, shapes.Session, is_open=True),
    Endpoint(
        method="POST",
        path="/api/session",
        handler=people_api.sign_in,
        answers=shapes.Session,
        body=shapes.SignIn,
        faults=(Fault.WRONG_PASSWORD, Fault.TOO_MANY_ATTEMPTS),
        is_open=True,
    ),
    Endpoint(
        method="DELETE",
        path="/api/session",
        handler=people_api.sign_out,
        answers=shapes.Session,
        is_open=True,
    ),
    _get("/api/calls", calls_api.list_calls, shapes.Calls, query=shapes.CallQuery),
    _get("/api/calls/{call_id}", calls_api.one_call, shapes.CallDetail, faults=(Fault.NOT_FOUND,)),
    _get(
        "/api/calls/{call_id}/sound/{leg}",
        calls_api.play,
        None,
        media="audio/wav",
        faults=(Fault.NO_SOUND,),
        also=(HTTPStatus.PARTIAL_CONTENT,),
    ),
    _get("/api/cases", cases_api.list_cases, shapes.Cases, query=shapes.CaseQuery),
    _get("/api/cases/{case_id}", cases_api.one_case, shapes.CaseDetail, faults=(Fault.NOT_FOUND,)),
    _move("open", cases_api.open_case),
    _move("answer-directly", cases_api.answer_directly),
    _move("dispatch", cases_api.dispatch_case),
    _move("send-back", cases_api.send_case_back),
    _move("answer", cases_api.answer_case),
    _move("redo", cases_api.redo_case),
    _move("close", cases_api.close_case),
    _move("withdraw", cases_api.withdraw_case),
    _get("/api/catalogue", cases_api.catalogue, shapes.Catalogue),
    _get("/api/numbers", numbers.rates, shapes.Numbers),
    _get("/api/journal", people_api.list_journal, shapes.Journal, query=shapes.JournalQuery),
    _get(
        "/api/feed",
        stream.feed,
        None,
        media="text/event-stream",
        query=shapes.FeedQuery,
        faults=(Fault.TOO_MANY_READERS,),
    ),
    _get(
        "/healthz",
        numbers.health,
        shapes.Health,
        is_open=True,
        also=(HTTPStatus.SERVICE_UNAVAILABLE,),
    ),
    *CALLBACKS,
    *BLOCKS,
    *CONTROL,
    *OPERATORS,
    _get("/metrics", numbers.metrics, None, media="text/plain"),
)
