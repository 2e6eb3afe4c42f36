"""Keeping harassing callers out for a time: asked, approved by another person, lifted."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from pydantic import Field

from hotline import blocks, journal, store
from hotline.blocks import Block
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.who import DESK, RULERS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import BlockForbiddenError, BlockUnknownError
from hotline.journal import Event
from hotline.masking import mask_number, mask_text

Act = Callable[[Connection, str, datetime], Awaitable[Block]]


class BlockAsked(Asked):
    """Whose calls to keep out: the caller of a call, why, and for how long."""

    call_id: Id
    reason: Name
    hours: Annotated[int, Field(ge=1, le=720)]


class BlockDecided(Asked):
    """A decision that needs no more words."""


class BlockView(Told):
    """A caller kept out, or asked to be."""

    id: Id
    call_id: Id
    caller: str = Field(description="Masked.")
    reason: str
    asked_at: datetime
    asked_by: str
    hours: int
    approved_at: datetime | None
    approved_by: str | None
    until: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None


class Blocks(Told):
    """The blocks asked for and those in force."""

    blocks: tuple[BlockView, ...]


async def list_blocks(asked: Request) -> Blocks:
    """Who is kept out, and who is asked to be."""
    async with borrowed(asked.services.pool) as conn:
        found = await blocks.listed(conn, asked.services.clock())
    return Blocks(blocks=tuple(_view(one) for one in found))


async def ask_block(asked: Request) -> BlockView:
    """Ask to keep out the caller of a call; another person has to approve."""
    wish = asked.asked(BlockAsked)

    async def act(tx: Connection, by: str, now: datetime) -> Block:
        return await blocks.ask(
            tx, wish.call_id, reason=mask_text(wish.reason), hours=wish.hours, by=by, now=now
        )

    return await _act(asked, Event.BLOCK_ASKED, act)


async def approve_block(asked: Request) -> BlockView:
    """Let a block begin; not by whoever asked for it."""
    block_id = asked.path_id("block_id")
    return await _act(
        asked,
        Event.CALLER_BLOCKED,
        lambda tx, by, now: blocks.approve(tx, block_id, by=by, now=now),
    )


async def lift_block(asked: Request) -> BlockView:
    """End a block, or refuse one that was asked for."""
    block_id = asked.path_id("block_id")
    return await _act(
        asked,
        Event.CALLER_UNBLOCKED,
        lambda tx, by, now: blocks.lift(tx, block_id, by=by, now=now),
    )


async def _act(asked: Request, event: Event, act: Act) -> BlockView:
    """One decision, its journal row, and the exchanges' lists after it."""
    services = asked.services
    name, now = asked.who.name, services.clock()
    try:
        async with transaction(services.pool) as tx:
            found = await act(tx, name, now)
            await store.hold_call(tx, found.call_id)
            await journal.write(
                tx,
                at=now,
                actor=name,
                event=event,
                call_id=found.call_id,
                body={"block": found.id, "reason": found.reason, "until": found.until},
            )
    except BlockUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except BlockForbiddenError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    folders = [one.blocked_dir for one in services.config.exchanges if one.blocked_dir]
    async with borrowed(services.pool) as conn:
        await blocks.write_lists(conn, folders, now)
    return _view(found)


def _view(found: Block) -> BlockView:
    return BlockView(
        id=found.id,
        call_id=found.call_id,
        caller=mask_number(found.number),
        reason=found.reason,
        asked_at=found.asked_at,
        asked_by=found.asked_by,
        hours=found.hours,
        approved_at=found.approved_at,
        approved_by=found.approved_by,
        until=found.until,
        lifted_at=found.lifted_at,
        lifted_by=found.lifted_by,
    )


_FAULTS = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE)

ENDPOINTS = (
    get("/api/blocks", list_blocks, Blocks, roles=DESK),
    post("/api/blocks", ask_block, BlockAsked, BlockView, faults=_FAULTS, roles=DESK),
    post(
        "/api/blocks/{block_id}/approve",
        approve_block,
        BlockDecided,
        BlockView,
        faults=_FAULTS,
        roles=RULERS,
    ),
    post(
        "/api/blocks/{block_id}/lift",
        lift_block,
        BlockDecided,
        BlockView,
        faults=_FAULTS,
        roles=RULERS,
    ),
)
