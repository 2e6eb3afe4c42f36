"""Fault records: three people for one record, and no word of what follows from it."""

from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import faults
from routing.cases import Actor, Role
from routing.errors import SupervisionRefused
from routing.faults import Fact, FaultRecord, FaultState, Verdict
from tests.routing.life import NOON, OTHER, UNIT

PEOPLE = (
    Actor(name="an", roles=frozenset({Role.UNIT}), unit=UNIT),
    Actor(name="bo", roles=frozenset({Role.UNIT}), unit=UNIT),
    Actor(name="chen", roles=frozenset({Role.UNIT}), unit=OTHER),
    Actor(name="super", roles=frozenset({Role.SUPERVISOR})),
    Actor(name="chief", roles=frozenset({Role.LEADER})),
    Actor(name="ji", roles=frozenset({Role.DISCIPLINE})),
    Actor(name="wei", roles=frozenset({Role.SUPERVISOR, Role.UNIT}), unit=UNIT),
)
STEPS = ("state", "decide", "appeal", "decide appeal")


def record(person: str | None, unit: str | None, by: str = "super") -> FaultRecord:
    return FaultRecord(
        id=1,
        fact=Fact.FALSE_REPLY,
        unit=unit,
        person=person,
        case_id=None,
        supervision_id=None,
        happened_at=NOON,
        recorded_at=NOON,
        recorded_by=by,
        state=FaultState.RECORDED,
    )


@settings(max_examples=300, deadline=None)
@given(
    whose=st.sampled_from((("an", UNIT), ("an", None), (None, UNIT), ("super", None))),
    by=st.sampled_from(("super", "ji")),
    tried=st.lists(
        st.tuples(st.sampled_from(STEPS), st.sampled_from(PEOPLE), st.sampled_from(Verdict)),
        max_size=30,
    ),
)
def test_recorded_decided_and_appealed_by_three_people_none_of_whom_it_concerns(
    whose: tuple[str | None, str | None], by: str, tried: list[tuple[str, Actor, Verdict]]
) -> None:
    fault = record(*whose, by=by)
    for step, actor, verdict in tried:
        try:
            fault = _done(fault, step, actor, verdict)
        except SupervisionRefused:
            continue
        assert (step in {"state", "appeal"}) == faults.concerns(fault, actor)
    judges = [it for it in (fault.recorded_by, fault.decided_by, fault.appeal_decided_by) if it]
    assert len(set(judges)) == len(judges)
    assert not {fault.person} & set(judges[1:])
    if whose[1] is not None:
        assert not {"an", "bo", "wei"} & set(judges[1:])
    assert (fault.state is FaultState.RECORDED) == (fault.decided_by is None)
    assert (fault.state is FaultState.APPEALED) == (
        fault.appealed_at is not None and fault.appeal_decided_at is None
    )


def _done(fault: FaultRecord, step: str, actor: Actor, verdict: Verdict) -> FaultRecord:
    match step:
        case "state":
            faults.check_statement(fault, actor)
            return fault
        case "decide":
            return faults.decided(fault, verdict, actor, NOON)
        case "appeal":
            return faults.appealed(fault, actor, NOON)
        case _:
            return faults.appeal_decided(fault, verdict, actor, NOON)


@pytest.mark.parametrize(
    ("fault", "seen_by"),
    [
        (record("an", UNIT), {"an", "super", "chief", "ji", "wei"}),
        (record(None, UNIT), {"an", "bo", "super", "chief", "ji", "wei"}),
        (record("an", None, by="chen"), {"an", "chen", "super", "chief", "ji", "wei"}),
    ],
)
def test_who_sees_a_record(fault: FaultRecord, seen_by: set[str]) -> None:
    assert {it.name for it in PEOPLE if faults.may_see(fault, it)} == seen_by


def test_nothing_is_kept_of_what_follows() -> None:
    assert {one.name for one in fields(FaultRecord)} == {
        *("id", "fact", "unit", "person", "case_id", "supervision_id", "happened_at", "version"),
        *("recorded_at", "recorded_by", "state", "decided_at", "decided_by", "appealed_at"),
        *("appealed_by", "appeal_decided_at", "appeal_decided_by"),
    }
