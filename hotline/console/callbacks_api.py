"""Callbacks for people: who left a message and waits, and what came of calling back."""

from datetime import datetime

from pydantic import Field

from hotline import callbacks, flow
from hotline.callbacks import Callback, Result, Tried
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import CALLERS
from hotline.database import borrowed, transaction
from hotline.errors import CallbackDoneError, CallbackUnknownError, CallbackUntriedError
from hotline.masking import mask_name, mask_number


class CallbackQuery(Asked):
    """Which callbacks: those owed, or those done; whoever waits longest first."""

    line: Name | None = None
    done: bool = False
    limit: Size = 50


class CallbackTried(Asked):
    """A try that came to nothing."""

    result: Tried


class CallbackDone(Asked):
    """How a callback ended."""

    result: Result


class CallbackView(Told):
    """A call the city owes to whoever left a message."""

    call_id: Id
    case_id: Id | None
    line: str
    reason: str
    caller: str = Field(description="Masked.")
    name: str = Field(description="Masked.")
    wanted_at: datetime
    attempts: int
    last_tried_at: datetime | None
    last_tried_by: str | None
    last_result: Tried | None
    done_at: datetime | None
    done_by: str | None
    done_result: Result | None


class Callbacks(Told):
    """The callbacks asked for."""

    callbacks: tuple[CallbackView, ...]


async def list_callbacks(asked: Request) -> Callbacks:
    """Who left a message and waits for a call."""
    query = asked.asked(CallbackQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await callbacks.owed(conn, line=query.line, done=query.done, limit=query.limit)
    return Callbacks(callbacks=tuple(_view(one) for one in found))


async def callback_tried(asked: Request) -> CallbackView:
    """Write down a try that came to nothing."""
    return await _settle(asked, asked.asked(CallbackTried).result)


async def callback_done(asked: Request) -> CallbackView:
    """End a callback: the caller was reached, or is given up after a try."""
    return await _settle(asked, asked.asked(CallbackDone).result)


async def _settle(asked: Request, result: Tried | Result) -> CallbackView:
    call_id = asked.path_id("call_id")
    name = asked.who.name
    try:
        async with transaction(asked.services.pool) as tx:
            found = await flow.callback_settled(
                tx, call_id, result=result, actor=name, now=asked.services.clock()
            )
    except CallbackUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except CallbackDoneError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    except CallbackUntriedError as error:
        raise ProblemError(Fault.ILLEGAL_MOVE, str(error)) from error
    return _view(found)


def _view(found: Callback) -> CallbackView:
    return CallbackView(
        call_id=found.call_id,
        case_id=found.case_id,
        line=found.line,
        reason=found.reason,
        caller=mask_number(found.number),
        name=mask_name(found.name),
        wanted_at=found.wanted_at,
        attempts=found.attempts,
        last_tried_at=found.last_tried_at,
        last_tried_by=found.last_tried_by,
        last_result=found.last_result,
        done_at=found.done_at,
        done_by=found.done_by,
        done_result=found.done_result,
    )


_FAULTS = (Fault.NOT_FOUND, Fault.CONFLICT, Fault.ILLEGAL_MOVE)

ENDPOINTS = (
    get("/api/callbacks", list_callbacks, Callbacks, query=CallbackQuery, roles=CALLERS),
    post(
        "/api/callbacks/{call_id}/tried",
        callback_tried,
        CallbackTried,
        CallbackView,
        faults=_FAULTS,
        roles=CALLERS,
    ),
    post(
        "/api/callbacks/{call_id}/done",
        callback_done,
        CallbackDone,
        CallbackView,
        faults=_FAULTS,
        roles=CALLERS,
    ),
)
