"""Every way a call can go, on both lines: once stored, right outcome, SIPp's own times."""

import asyncio
from datetime import datetime, timedelta

import pytest

from deploy.demo.phones import PlacedCall, first
from tests.acceptance.conftest import MAX_WAIT_SECONDS, NOTICE_SECONDS
from tests.acceptance.stage import NOBODY, OPERATOR_ENDS, PICKED_UP, Stage, Stored

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]

BOTH_LINES = pytest.mark.parametrize("line", ["mayor", "duty"])
CLOSE = timedelta(seconds=1)


def near(ours: datetime | None, theirs: datetime | None, what: str) -> None:
    """Hold our time against SIPp's own."""
    assert ours is not None, f"{what}: the service stored no time"
    assert theirs is not None, f"{what}: SIPp saw no such message"
    assert abs(ours - theirs) <= CLOSE, f"{what}: {ours - theirs} apart"


def ended_at(placed: PlacedCall) -> datetime | None:
    """When the caller's telephone saw the end: a BYE or CANCEL either way, or a refusal."""
    ends = [
        at
        for start, cseq in (("BYE", "BYE"), ("CANCEL", "CANCEL"), ("SIP/2.0 4", "INVITE"))
        if (at := placed.first(start, cseq=cseq)) is not None
    ]
    return min(ends, default=None)


def check_times(
    stage: Stage, placed: PlacedCall, stored: Stored, *, answered: bool, live: bool = True
) -> None:
    """Every moment of the call, ours against the telephones'; `live`: told by AMI, not by files."""
    call = stored.call
    assert not (live and call["recovered"]), "the live connection did not tell of this call"
    near(call["started_at"], placed.first("INVITE", sent=True), "started")
    near(call["ended_at"], ended_at(placed), "ended")
    leg = stage.operator_leg(placed.caller.caller)
    if answered:
        near(call["answered_at"], first(leg, "SIP/2.0 200", cseq="INVITE", sent=True), "answered")
        near(call["ringing_at"], first(leg, "SIP/2.0 180", sent=True), "ringing")
    else:
        assert call["answered_at"] is None
    if call["queued_at"] is not None:
        assert call["queued_at"] - call["started_at"] >= timedelta(seconds=NOTICE_SECONDS) - CLOSE


@BOTH_LINES
async def test_an_answered_call_is_stored_with_both_legs_and_a_case(
    stage: Stage, line: str
) -> None:
    talks = 3.0 if line == "mayor" else NOTICE_SECONDS + 5.0
    placed = await stage.dial(stage.caller(line, PICKED_UP, talks=talks))
    stored = await stage.recorded(placed.caller.caller)
    assert stored.call["line"] == line
    assert stored.call["outcome"] == "answered"
    assert stored.call["hangup_by"] == "caller"
    assert stored.call["operator"] in ("1001", "1002", "1003", "1004", "1101", "1102")
    assert [r["leg"] for r in stored.recordings] == ["caller", "operator"]
    assert stored.cases == 1
    assert stored.journal[:3] == ["call.started", "call.ringing", "call.answered"]
    assert stored.journal.count("call.ended") == 1
    check_times(stage, placed, stored, answered=True)


@BOTH_LINES
async def test_a_caller_who_gives_up_in_the_queue_has_abandoned(stage: Stage, line: str) -> None:
    gives_up, talks = (6.0, None) if line == "mayor" else (None, NOTICE_SECONDS + 6.0)
    placed = await stage.dial(stage.caller(line, NOBODY, gives_up=gives_up, talks=talks))
    stored = await stage.stored(placed.caller.caller)
    assert stored.call["outcome"] == "abandoned"
    assert stored.call["hangup_by"] == "caller"
    assert stored.call["queued_at"] is not None
    assert stored.cases == 0
    check_times(stage, placed, stored, answered=False)


@BOTH_LINES
async def test_a_caller_who_gives_up_at_once_has_abandoned_shortly(stage: Stage, line: str) -> None:
    gives_up, talks = (2.0, None) if line == "mayor" else (None, NOTICE_SECONDS + 2.0)
    placed = await stage.dial(stage.caller(line, NOBODY, gives_up=gives_up, talks=talks))
    stored = await stage.stored(placed.caller.caller)
    assert stored.call["outcome"] == "abandoned_short"
    assert stored.call["queued_at"] is not None
    check_times(stage, placed, stored, answered=False)


@BOTH_LINES
async def test_a_call_nobody_takes_is_unanswered(stage: Stage, line: str) -> None:
    placed = await stage.dial(stage.caller(line, NOBODY, refused=line == "mayor"))
    stored = await stage.stored(placed.caller.caller)
    assert stored.call["outcome"] == "unanswered"
    assert stored.call["hangup_by"] == "system"
    assert stored.cases == 0
    waited = stored.call["ended_at"] - stored.call["queued_at"]
    assert waited >= timedelta(seconds=MAX_WAIT_SECONDS) - CLOSE
    check_times(stage, placed, stored, answered=False)


@BOTH_LINES
async def test_a_caller_who_hangs_up_during_the_notice_never_waited(
    stage: Stage, line: str
) -> None:
    gives_up, talks = (1.0, None) if line == "mayor" else (None, 1.0)
    placed = await stage.dial(stage.caller(line, NOBODY, gives_up=gives_up, talks=talks))
    stored = await stage.stored(placed.caller.caller)
    assert stored.call["outcome"] == "abandoned_short"
    assert stored.call["queued_at"] is None
    assert stored.call["ringing_at"] is None
    assert stored.recordings == []
    check_times(stage, placed, stored, answered=False)


@BOTH_LINES
async def test_an_operator_may_hang_up_first(stage: Stage, line: str) -> None:
    placed = await stage.dial(stage.caller(line, OPERATOR_ENDS))
    stored = await stage.recorded(placed.caller.caller)
    assert stored.call["outcome"] == "answered"
    assert stored.call["hangup_by"] == "operator"
    check_times(stage, placed, stored, answered=True)


async def test_calls_at_once_stay_apart(stage: Stage) -> None:
    callers = [
        stage.caller("mayor", PICKED_UP, talks=4.0),
        stage.caller("mayor", PICKED_UP, talks=3.0),
        stage.caller("duty", PICKED_UP, talks=NOTICE_SECONDS + 4.0),
    ]
    for placed in await asyncio.gather(*(stage.dial(caller) for caller in callers)):
        stored = await stage.recorded(placed.caller.caller)
        assert stored.call["outcome"] == "answered"
        assert stored.cases == 1
        check_times(stage, placed, stored, answered=True)


async def test_the_exchanges_files_tell_the_same_story(stage: Stage) -> None:
    callers = [
        stage.caller("mayor", PICKED_UP, talks=2.0),
        stage.caller("duty", NOBODY, talks=NOTICE_SECONDS + 1.0),
    ]
    placed = await asyncio.gather(*(stage.dial(caller) for caller in callers))
    for call in placed:
        stored = await stage.stored(call.caller.caller)
        assert await stage.differences(stored.call["linked_id"]) == []
