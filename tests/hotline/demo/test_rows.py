"""The demo's verdict: a call that lacks anything it must have is named with what it lacks."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.demo.script import Fate, ScriptedCall, load
from hotline.console.case_shapes import CaseView
from hotline.console.shapes import CallView
from hotline.demo.rows import Placed, lacking, match
from hotline.masking import mask_number
from routing.cases import Case, CaseState, Kind

AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PLAN = {call.name: call for call in load()}
GAS = PLAN["07-gas-smell"]
GIVEN_UP = next(call for call in PLAN.values() if call.fate is Fate.ABANDONED)


def told(plan: ScriptedCall, number: int = 1, **changes: Any) -> CallView:
    """A call as the service tells it when all went well."""
    answered = plan.fate is Fate.ANSWERED
    legs = {"caller": "stored", "operator": "stored"} if answered else {}
    words = {"caller": "done", "operator": "done"} if answered else {}
    facts: dict[str, Any] = {
        "id": number,
        "kind": "citizen",
        "system": "mianyang-1",
        "direction": "incoming",
        "line": plan.line,
        "caller": mask_number(plan.caller),
        "callee": "",
        "name": "",
        "started_at": AT + timedelta(seconds=plan.starts),
        "queued_at": AT + timedelta(seconds=plan.starts + 6),
        "ringing_at": None,
        "ringing": (),
        "answered_at": AT + timedelta(seconds=plan.starts + 8) if answered else None,
        "message_at": None,
        "ended_at": AT + timedelta(seconds=plan.starts + 50),
        "operator": "1001" if answered else None,
        "badge": None,
        "outcome": plan.fate.value,
        "hangup_by": "caller",
        "recovered": False,
        "wait_seconds": 2.0,
        "talk_seconds": 42.0 if answered else None,
        "recordings": legs,
        "transcripts": words,
        "case": None,
        "about": None,
    }
    return CallView.model_validate(facts | changes)


def case(call: CallView, **changes: Any) -> CaseView:
    drafted = Case(
        id=call.id,
        number=f"20261123-{call.id:06}-1",
        call_id=call.id,
        line=call.line,
        state=CaseState.DRAFT,
        kind=Kind.HELP,
        owner="1001",
        drafted_at=AT,
    )
    return CaseView.model_validate({**asdict(drafted), "standing": None, **changes})


def placed(plan: ScriptedCall, *, kind: str | None = "help", **changes: Any) -> Placed:
    call = told(plan, **changes)
    has_case = plan.fate is Fate.ANSWERED
    return Placed(plan=plan, call=call, case=case(call, kind=kind) if has_case else None)


@pytest.mark.parametrize("plan", PLAN.values(), ids=lambda plan: plan.name)
def test_a_call_that_went_well_lacks_nothing(plan: ScriptedCall) -> None:
    whole = placed(plan)
    assert whole.settled
    assert lacking(whole) == []


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"line": "duty"}, "line"),
        ({"outcome": "abandoned"}, "outcome"),
        ({"recordings": {"caller": "stored", "operator": "missing"}}, "recording"),
        ({"recordings": {}}, "recording"),
        ({"transcripts": {"caller": "done", "operator": "failed"}}, "transcript"),
        ({"transcripts": {"caller": "done", "operator": "pending"}}, "transcript"),
        ({"kind": None}, "suggestion"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], word: str) -> None:
    (lack,) = lacking(placed(GAS, **changes))
    assert word in lack


def test_a_call_without_row_or_case_is_named() -> None:
    assert lacking(Placed(plan=GAS, call=None, case=None)) == ["its row"]
    assert lacking(Placed(plan=GAS, call=told(GAS), case=None)) == ["a case"]


def test_an_abandoned_call_needs_no_sound_but_its_outcome() -> None:
    assert lacking(placed(GIVEN_UP)) == []
    assert lacking(placed(GIVEN_UP, outcome="unanswered"))


@pytest.mark.parametrize(
    "changes",
    [
        {"ended_at": None},
        {"recordings": {"caller": "stored", "operator": "expected"}},
        {"transcripts": {}},
        {"transcripts": {"caller": "done", "operator": "pending"}},
        {"kind": None},
    ],
)
def test_a_call_that_still_moves_is_not_settled(changes: dict[str, Any]) -> None:
    assert not placed(GAS, **changes).settled


def test_rows_are_matched_by_number_each_once() -> None:
    first, second = told(GAS, 1), told(GIVEN_UP, 2)
    stranger = told(GAS, 3, caller="130****9999")
    found = match([GAS, GIVEN_UP, GAS], [stranger, second, first], [case(first)])
    assert [one.call and one.call.id for one in found] == [1, 2, None]
    assert [one.case and one.case.id for one in found] == [1, None, None]
