"""The levels of supervision: none skipped or shortened, ended by evidence and another desk."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from routing import supervision, tracked, triggers
from routing.cases import Actor, Kind, Role, Urgency
from routing.errors import SupervisionRefused
from routing.limits import Origin, Stage
from routing.policy import policy_faults, read_policy
from routing.supervision import ItemType, Supervision, SupervisionState, is_to_rise
from routing.supervision_rules import (
    OURS,
    Level,
    LevelRule,
    Receiver,
    SupervisionRules,
    Trigger,
    TriggerRule,
    rules_of,
)
from routing.tracked import TrackedItem, TrackedState
from tests.routing.life import DEPLOY, LIMITS, NOON, OTHER, UNIT

POLICY = LIMITS.policy
HANDLER = Actor(name="an", roles=frozenset({Role.UNIT}), unit=UNIT)
NEIGHBOUR = Actor(name="bo", roles=frozenset({Role.UNIT}), unit=OTHER)
CHIEF = Actor(name="chief", roles=frozenset({Role.SUPERVISOR}))
OWNER = Actor(name="1001", roles=frozenset({Role.SUPERVISOR, Role.DISPATCHER}))
CHIEF_OF_THE_UNIT = Actor(name="wei", roles=frozenset({Role.SUPERVISOR, Role.UNIT}), unit=UNIT)
PEOPLE = (HANDLER, NEIGHBOUR, CHIEF, OWNER, CHIEF_OF_THE_UNIT)


def record(
    unit: str | None = UNIT,
    type: ItemType = ItemType.CALL_ORDER,  # noqa: A002 - what it is called
    urgency: Urgency = Urgency.NORMAL,
    at: datetime = NOON,
) -> Supervision:
    kind = Kind.HELP if type is ItemType.CALL_ORDER else None
    first = supervision.given(
        Level.URGE, kind, urgency, at=at, policy=POLICY, calendar=LIMITS.calendar
    )
    return Supervision(
        id=1,
        type=type,
        subject="case/1",
        trigger=Trigger.OVERDUE,
        occasion="once",
        level=Level.URGE,
        state=SupervisionState.OPEN,
        since=at,
        opened_at=at,
        opened_by="service",
        level_at=at,
        due_at=first.ends_at,
        policy=POLICY.name,
        basis="b",
        limit_basis=first.limit.basis,
        receiver=first.receiver,
        kind=kind,
        urgency=urgency,
        unit=unit,
        person="1001",
    )


def raised(item: Supervision, now: datetime) -> Supervision:
    return supervision.raised(item, now, POLICY, LIMITS.calendar)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("tick", "notice", "answer", "clear", "clear bare", "raise")),
        st.sampled_from(PEOPLE),
        st.integers(0, 100),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, unit=st.sampled_from((UNIT, None)), urgency=st.sampled_from(Urgency))
def test_no_level_is_skipped_or_shortened_and_only_another_desk_clears_with_evidence(
    steps: list[tuple[str, Actor, int]], unit: str | None, urgency: Urgency
) -> None:
    now = NOON - timedelta(days=250)  # the calendar goes on longer than the longest of these lives
    item = record(unit, urgency=urgency, at=now)
    for step, actor, hours in steps:
        now += timedelta(hours=hours)
        before = item
        try:
            item = _done(item, step, actor, now)
        except SupervisionRefused:
            continue
        if item is before:
            continue
        assert before.state is not SupervisionState.CLEARED
        assert item.version == before.version + 1
        if item.level is not before.level:
            assert item.level is before.level.next
            assert (item.state, item.level_at, item.noticed_at) == (
                SupervisionState.OPEN,
                now,
                None,
            )
            assert item.due_at is not None
            assert item.due_at > now
            if step == "tick":
                assert before.due_at is not None
                assert now > before.due_at >= before.level_at
        if item.state is SupervisionState.CLEARED:
            assert step == "clear"
            assert actor.unit is None or actor.unit != unit
            assert unit is not None or actor.name != item.person
        if step in {"notice", "answer"}:
            assert actor.unit == unit


def _done(item: Supervision, step: str, actor: Actor, now: datetime) -> Supervision:
    match step:
        case "tick":
            return raised(item, now) if is_to_rise(item, now) else item
        case "notice":
            return supervision.noticed(item, actor, now)
        case "answer":
            return supervision.answered(item, actor, now)
        case "clear":
            return supervision.cleared(item, actor, now, [7])
        case "clear bare":
            supervision.cleared(item, actor, now, [])
            raise AssertionError("cleared without evidence")
        case _:
            return raised(item, now)


def test_each_level_has_its_own_limit_and_receiver() -> None:
    item = record(at=NOON)  # Monday noon
    ends, receivers = [item.due_at], [item.receiver]
    while item.level.next is not None:
        assert item.due_at is not None
        assert not is_to_rise(item, item.due_at)
        item = raised(item, item.due_at + timedelta(seconds=1))
        ends.append(item.due_at)
        receivers.append(item.receiver)
    assert receivers == [Receiver.UNIT, Receiver.HEAD, Receiver.LEADER]
    # One, three and five working days, each to six in the evening, over two weekends.
    days = [end.date().isoformat() for end in ends if end]
    assert days == ["2026-11-24", "2026-11-27", "2026-12-04"]
    with pytest.raises(SupervisionRefused, match="highest"):
        raised(item, NOON)
    assert not is_to_rise(item, NOON + timedelta(days=300))


def test_after_a_long_standstill_it_rises_by_one_level() -> None:
    item = raised(record(), NOON + timedelta(days=30))
    assert item.level is Level.SUPERVISE
    assert not is_to_rise(item, NOON + timedelta(days=30, minutes=1))


def test_an_urgent_matter_is_pressed_in_minutes_and_hours_day_and_night() -> None:
    item = record(urgency=Urgency.EMERGENCY)
    assert item.due_at == NOON + timedelta(minutes=30)
    assert raised(item, NOON).due_at == NOON + timedelta(hours=2)


def test_past_the_calendar_it_is_opened_without_an_end() -> None:
    assert record(at=NOON.replace(year=2026, month=12, day=31)).due_at is None


TYPES = (
    ItemType.LEADER,
    ItemType.SUGGESTION,
    ItemType.PROPOSAL,
    ItemType.TARGET,
    ItemType.DECISION,
)


def item_of(kind: ItemType, **more: object) -> TrackedItem:
    facts = {
        "id": 5,
        "type": kind,
        "title": "滨江路路灯改造",
        "source": "市政府常务会议",
        "unit": UNIT,
        "person": None,
        "urgency": Urgency.NORMAL,
        "state": TrackedState.GIVEN,
        "policy": POLICY.name,
        "due_at": NOON + timedelta(days=10),
        "given_at": NOON,
        "given_by": "chief",
    }
    return TrackedItem(**(facts | more))  # type: ignore[arg-type]


def spent(item: TrackedItem, now: datetime) -> set[tuple[Trigger, Stage | None, str | None]]:
    found = tracked.spent_clocks(item, tracked.clocks_of(item, LIMITS).clocks, now)
    told = [triggers.of_clock(one, OURS) for one in found]
    return {(one.trigger, one.stage, one.unit) for one in told}


SIGN = (Trigger.NOT_SIGNED, Stage.SIGN, UNIT)
LATE = (Trigger.OVERDUE, Stage.HANDLING, UNIT)
CHECK = (Trigger.OVERDUE, Stage.AUDIT, None)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_has_the_clocks_of_a_call_order(kind: ItemType) -> None:
    item, due = item_of(kind), NOON + timedelta(days=10)
    assert spent(item, NOON + timedelta(hours=1)) == set()
    assert spent(item, NOON + timedelta(days=2)) == {SIGN}  # one working day to sign
    going = tracked.signed(item, HANDLER, NOON + timedelta(hours=2))
    assert going.person == "an"
    assert spent(going, due) == set()
    assert spent(going, due + timedelta(microseconds=1)) == {LATE}
    in_time = tracked.reported(going, HANDLER, due)
    assert spent(in_time, due + timedelta(hours=1)) == set()
    assert spent(in_time, due + timedelta(days=5)) == {CHECK}
    late = tracked.reported(going, HANDLER, due + timedelta(seconds=1))
    settled = tracked.done(late, CHIEF, due + timedelta(minutes=1))
    assert spent(settled, due + timedelta(days=500)) == {LATE}  # for ever
    back = tracked.sent_back(in_time, CHIEF)
    assert spent(back, due + timedelta(hours=1)) == {LATE}


@pytest.mark.parametrize("kind", [ItemType.CALL_ORDER, *TYPES, ItemType.KNOWLEDGE])
def test_every_type_rises_by_the_same_levels(kind: ItemType) -> None:
    item, usual = record(type=kind), record()
    while item.level.next is not None:
        assert (item.due_at, item.receiver, item.limit_basis) == (
            *(usual.due_at, usual.receiver, usual.limit_basis),
        )
        assert item.due_at is not None
        item, usual = (raised(one, item.due_at + timedelta(hours=1)) for one in (item, usual))


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (lambda it: tracked.signed(it, NEIGHBOUR, NOON), "Only"),
        (lambda it: tracked.reported(it, HANDLER, NOON), "given and cannot be reported"),
        (lambda it: tracked.done(it, CHIEF, NOON), "given and cannot be accepted"),
        (lambda it: tracked.ended(it, CHIEF_OF_THE_UNIT, NOON), "own work"),
        (lambda it: tracked.check_progress(it, NEIGHBOUR), "Only"),
        (
            lambda it: tracked.done(
                replace(it, state=TrackedState.REPORTED), CHIEF_OF_THE_UNIT, NOON
            ),
            "own work",
        ),
    ],
)
def test_who_may_not_do_it_is_told_why(step: object, why: str) -> None:
    with pytest.raises(SupervisionRefused, match=why):
        step(item_of(ItemType.LEADER))  # type: ignore[operator]


def test_a_pack_without_a_part_of_its_own_gives_its_stage_limit_to_the_second_level() -> None:
    own = POLICY.stages[Stage.SUPERVISION][0]
    rules = rules_of(POLICY).level(Level.SUPERVISE)
    assert rules.limit(Kind.HELP, Urgency.NORMAL) == own
    assert rules.limit(Kind.HELP, Urgency.EMERGENCY).amount == 2  # ours: nobody waits for days
    urgent = own.model_copy(update={"urgencies": (Urgency.EMERGENCY,), "amount": 1})
    named = POLICY.model_copy(update={"stages": {Stage.SUPERVISION: (urgent, own)}})
    own_rules = rules_of(named).level(Level.SUPERVISE)
    assert own_rules.limit(Kind.HELP, Urgency.EMERGENCY) == urgent
    bare = POLICY.model_copy(update={"stages": {}})
    assert rules_of(bare) is OURS


def _rule(trigger: Trigger, **more: object) -> TriggerRule:
    return TriggerRule(trigger=trigger, basis="b", origin=Origin.OURS, **more)  # type: ignore[arg-type]


def test_a_packs_own_part_counts() -> None:
    triggers_ = (
        _rule(Trigger.NOT_SIGNED),
        _rule(Trigger.OVERDUE),
        _rule(Trigger.RETURNED, count=3),
    )
    own = SupervisionRules(triggers=triggers_, levels=OURS.levels)
    policy = POLICY.model_copy(update={"supervision": own})
    assert rules_of(policy) is own
    assert own.of(Trigger.STALE_CARD) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"triggers": (_rule(Trigger.OVERDUE),)}, "not_signed cannot be left out"),
        ({"triggers": (_rule(Trigger.OVERDUE),) * 2}, "stands twice"),
        ({"triggers": (*OURS.triggers, _rule(Trigger.BY_HAND))}, "no rule"),
        ({"levels": OURS.levels[1:]}, "in this order"),
        ({"levels": OURS.levels[::-1]}, "in this order"),
    ],
)
def test_a_wrong_part_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        SupervisionRules(**({"triggers": OURS.triggers, "levels": OURS.levels} | change))  # type: ignore[arg-type]


def test_a_level_must_fit_every_matter_and_a_trigger_say_what_it_counts() -> None:
    first = OURS.levels[0]
    with pytest.raises(ValidationError, match="must fit every matter"):
        LevelRule(level=first.level, receiver=first.receiver, limits=first.limits[:1])
    with pytest.raises(ValidationError, match="needs count"):
        _rule(Trigger.RETURNED)
    with pytest.raises(ValidationError, match="takes no within_days"):
        _rule(Trigger.OVERDUE, within_days=3)


PART = """
supervision:
  triggers:
    - {trigger: not_signed, basis: 本市督办办法第三条, origin: regulation, verified: read}
    - {trigger: overdue, basis: 本市督办办法第三条, origin: regulation, verified: read}
    - {trigger: repeated, count: 5, within_days: 60, basis: 本市督办办法第四条, origin: ours}
  levels:
    - level: urge
      receiver: unit
      limits: [{amount: 2, unit: working_days, basis: 第五条, origin: ours}]
    - level: supervise
      receiver: head
      limits: [{amount: 4, unit: working_days, basis: 第六条, origin: ours}]
    - level: list
      receiver: leader
      limits: [{amount: 6, unit: working_days, basis: 第七条, origin: ours}]
"""


def test_a_citys_pack_says_in_its_file_what_is_supervised_and_how_it_rises(tmp_path: Path) -> None:
    shipped = (DEPLOY / "policies" / "sichuan-2025-2.yaml").read_text()
    file = tmp_path / "city.yaml"
    file.write_text(shipped + PART)
    rules = rules_of(read_policy(file))
    repeated = rules.of(Trigger.REPEATED)
    assert repeated is not None
    assert (repeated.count, repeated.within_days) == (5, 60)
    assert rules.of(Trigger.STALE_CARD) is None
    given_ = [rules.level(level).limit(Kind.HELP, Urgency.NORMAL).amount for level in Level]
    assert given_ == [2, 4, 6]
    file.write_text(shipped + PART.replace("trigger: overdue", "trigger: stale_card"))
    (fault,) = policy_faults(file)
    assert "overdue cannot be left out" in fault
