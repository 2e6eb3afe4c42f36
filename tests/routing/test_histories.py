"""Random histories by random people: whatever they try, the promises of a case's life hold."""

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.cases import Actor, Case, CaseState, Kind, Move, MoveData, Role
from routing.errors import HistoryFault, IllegalMove
from routing.fold import Row, digest, fold, told
from routing.in_force import InForce
from routing.moves import MOVES, is_over, legal_moves
from routing.moving import SET_LIMITS, moved, possible
from tests.routing.life import ANYBODY, LIMITS, NOON, OTHER, UNIT, data_of, draft, maker_of

OWNER_CHANGES = frozenset(
    {
        *(Move.OPEN, Move.SIGN, Move.ACCEPT_RETURN, Move.REFUSE_RETURN, Move.ACCEPT),
        *(Move.DEPUTISE, Move.REOPEN, Move.PROTECT, Move.TAKE_OVER, Move.RECUSE),
    }
)
PEOPLE = tuple(
    Actor(name=name, roles=frozenset(roles), unit=unit)
    for name, roles, unit in (
        ("desk", {Role.OPERATOR, Role.DISPATCHER}, None),
        ("audit", {Role.AUDITOR, Role.CALL_BACK, Role.SUPERVISOR}, None),
        ("lead", {Role.UNIT}, UNIT),
        ("help", {Role.UNIT}, OTHER),
        ("chief", {Role.LEADER, Role.SUPERVISOR}, None),
        ("1002", {Role.UNIT, Role.AUDITOR, Role.DISPATCHER}, UNIT),
        ("every", set(Role) - {Role.SYSTEM}, UNIT),
    )
)
Attempt = tuple[int | Move, Actor | None, int, Kind]
"""A move, or a number that chooses one; who tries it (None: whoever may); hours later; a kind."""
ANY_TIME = (
    *(Move.RAISE_LEVEL, Move.RULE, Move.HAND_OVER, Move.ACCEPT, Move.DECLINE, Move.DEPUTISE),
    *(Move.JOIN, Move.LEAVE, Move.FOLLOW),
    *(Move.PROTECT, Move.TAKE_OVER, Move.RECUSE),
)
SELDOM = {Move.PROTECT, Move.TAKE_OVER, Move.RECUSE}
"""What takes a case from its path whenever it is made: tried as one move of all there are."""
SEEDS = st.integers(0, 2**40)


def attempts(seed: int, steps: int, hours: int) -> list[Attempt]:
    """Random attempts, up to so many hours apart."""
    rng = random.Random(seed)  # noqa: S311 - test data
    return [
        (
            rng.randrange(10_000),
            rng.choice((None, None, None, *PEOPLE)),
            rng.randint(0, hours),
            rng.choice((Kind.CONSULT, Kind.COMPLAINT)),
        )
        for _ in range(steps)
    ]


def chosen(case: Case, number: int) -> Move:
    """A move by its number: mostly one that leads on, sometimes one of all there are."""
    if number % 7 == 0:
        return list(Move)[number // 7 % len(Move)]
    legal = legal_moves(case.state)
    on = [move for move in legal if move not in ANY_TIME]
    rest = [move for move in legal if move not in SELDOM]
    likely = [*on, *on, *on, *rest] if on else rest
    return likely[number // 7 % len(likely)]


class History:
    """A case as people move it, with the journal the service would write."""

    def __init__(self, limits: InForce = LIMITS) -> None:
        self.limits = limits
        self.case = draft()
        self.now = NOON
        self.texts: dict[str, str] = {}
        self.rows: list[Row] = []
        self.after: list[Case] = []
        self.at: list[datetime] = []
        self._write({"changes": told(None, self.case)})

    def _write(self, body: dict[str, Any]) -> None:
        row = Row(id=len(self.rows) + 1, case_id=1, body=json.loads(json.dumps(body)))
        self.rows.append(row)
        self.after.append(self.case)
        self.at.append(self.now)

    def try_to(self, move: Move, actor: Actor, data: MoveData) -> Case | None:
        """The case before, where the move was legal."""
        before = self.case
        try:
            after = moved(before, move, actor, data, self.now, self.limits)
        except IllegalMove:
            return None
        texts = {sort: digest(b"salt", text) for sort, text in data.texts().items()}
        self.texts |= {texts[sort]: text for sort, text in data.texts().items()}
        self.case = after
        self._write({"move": move, "changes": told(before, after), "texts": texts})
        return before


def lived(tried: Sequence[Attempt]) -> History:
    history = History()
    for what, person, hours, kind in tried:
        move = what if isinstance(what, Move) else chosen(history.case, what)
        history.now += timedelta(hours=hours, seconds=1)
        actor = person or maker_of(move, history.case)
        more: dict[str, Any] = {"kind": kind} if move is Move.OPEN else {}
        if move is Move.OPEN:
            more["summary"] = f"路灯坏了{hours}天"
        if person is not None and move in {Move.COMMENT, Move.HELPER_FEEDBACK}:
            more["unit"] = None
        before = history.try_to(move, actor, data_of(move, history.now, **more))
        if before is not None:
            promises_hold(before, history.case, move, actor, history.now)
    return history


def promises_hold(before: Case, case: Case, move: Move, actor: Actor, now: datetime) -> None:
    rule = MOVES[move]
    assert before.state in rule.sources
    to_the_desk = move in {Move.PROTECT, Move.RECUSE} and case.state is CaseState.OPEN
    assert case.state is (rule.target or before.state) or to_the_desk
    assert actor.roles & rule.roles
    assert case.version == before.version + 1
    # First asked stays responsible: there always is an owner, and he changes by few moves only.
    assert case.owner
    assert case.owner == before.owner or move in OWNER_CHANGES
    if move is Move.ACCEPT:
        assert case.owner == before.offered_to == actor.name
    # A ruling is for ever.
    assert case.return_ruled or not before.return_ruled
    if before.return_ruled:
        assert move not in {Move.ASK_RETURN, Move.ACCEPT_RETURN}
    # No limit moves but by the moves that may, and an extension is asked for before its end.
    assert case.due_at == before.due_at or move in SET_LIMITS
    if move in {Move.GRANT_EXTENSION, Move.CITE_LAW}:
        assert before.due_at is not None
        assert case.due_at is not None
        assert case.due_at > before.due_at
    if move is Move.ASK_EXTENSION:
        assert before.due_at is not None
        assert now <= before.due_at
    # Units act for themselves and judge nobody's work but others'.
    if not actor.everywhere:
        if move in {Move.SIGN, Move.ANSWER, Move.ASK_RETURN, Move.ASK_EXTENSION}:
            assert actor.unit == before.unit
        if move in {Move.APPROVE, Move.CLOSE, Move.REDO, Move.CALL_BACK_TRIED}:
            assert actor.unit is None or actor.unit != before.unit
    # What a state says, the facts say too.
    assert (case.closed_at is not None) == (case.outcome is not None) == is_over(case.state)
    anywhere = {Move.PROTECT, Move.TAKE_OVER}
    assert not is_over(before.state) or move in {Move.ARCHIVE, Move.REOPEN, *anywhere}
    if case.state in {CaseState.DISPATCHED, CaseState.HANDLING, CaseState.ANSWERED}:
        assert case.unit
        assert case.dispatched_at
    if case.state in {CaseState.HANDLING, CaseState.ANSWERED, CaseState.CALLING_BACK}:
        # A member is called back with what its lead was answered, and may have had no unit.
        assert case.signed_at or case.lead
    assert (case.asked_days is not None) == (case.state is CaseState.EXTENSION_ASKED)
    assert not case.asked or case.state is CaseState.CONSULTING
    assert move in possible(before, actor, now, LIMITS)


@settings(max_examples=150, deadline=None)
@given(seed=SEEDS, steps=st.integers(1, 80), hours=st.sampled_from((1, 12, 90)))
def test_whatever_people_try_the_promises_hold_and_the_journal_tells_it(
    seed: int, steps: int, hours: int
) -> None:
    history = lived(attempts(seed, steps, hours))
    assert fold(history.rows, history.texts) == history.case


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, steps=st.integers(20, 80))
def test_after_a_crash_at_any_row_the_fold_is_the_case_of_that_moment(
    seed: int, steps: int
) -> None:
    history = lived(attempts(seed, steps, 4))
    for crash in range(1, len(history.rows) + 1):
        assert fold(history.rows[:crash], history.texts) == history.after[crash - 1]


def test_random_lives_reach_every_state_and_make_every_move() -> None:
    histories = [lived(attempts(seed, 80, 4)) for seed in range(100)]
    made = {row.body.get("move") for history in histories for row in history.rows}
    reached = {case.state for history in histories for case in history.after}
    assert reached == set(CaseState)
    assert made - {None} == set(Move)


def a_whole_life() -> History:
    path = (Move.OPEN, Move.DISPATCH, Move.SIGN, Move.ANSWER, Move.APPROVE, Move.CLOSE)
    return lived([(move, None, 1, Kind.COMPLAINT) for move in path])


@pytest.mark.parametrize("lost", [1, 3, 5])
def test_a_history_with_a_row_missing_is_none(lost: int) -> None:
    history = a_whole_life()
    with pytest.raises(HistoryFault, match="does not"):
        fold(history.rows[:lost] + history.rows[lost + 1 :])


def test_a_history_without_its_beginning_is_none() -> None:
    with pytest.raises(HistoryFault):
        fold(a_whole_life().rows[1:])
    with pytest.raises(HistoryFault, match="no such case"):
        fold([])


def test_a_row_that_leads_where_its_move_does_not_is_found() -> None:
    rows = a_whole_life().rows
    body = {**rows[2].body, "changes": {**rows[2].body["changes"], "state": "closed"}}
    forged = Row(id=3, case_id=1, body=body)
    with pytest.raises(HistoryFault, match="'dispatch' cannot make it closed"):
        fold([*rows[:2], forged])


def test_a_state_that_no_move_changed_is_found() -> None:
    history = a_whole_life()
    changes = {"version": history.case.version + 1, "state": "archived"}
    with pytest.raises(HistoryFault):
        fold([*history.rows, Row(id=99, case_id=1, body={"changes": changes})])


def test_an_erased_summary_is_missing_in_the_fold_and_nothing_else() -> None:
    history = a_whole_life()
    assert fold(history.rows, history.texts).summary == "路灯坏了1天"
    erased = fold(history.rows)
    assert erased.summary is None
    assert ANYBODY.name == erased.owner
