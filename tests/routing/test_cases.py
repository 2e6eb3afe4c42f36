from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.cases import (
    MOVES,
    Actor,
    Case,
    CaseState,
    Kind,
    Move,
    MoveData,
    Role,
    Urgency,
    check,
    is_over,
    legal_moves,
    moved,
)
from routing.errors import IllegalMove, MissingFact

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
ANYBODY = Actor(name="1001", roles=frozenset(Role))
FULL = MoveData(
    kind=Kind.COMPLAINT,
    urgency=Urgency.NORMAL,
    level1="城乡建设",
    area="涪城区",
    unit="市住房和城乡建设委员会",
    reply="已修好",
    reason="不属本单位职责",
)


def draft() -> Case:
    return Case(
        id=1,
        number="20261123-000001-0",
        call_id=7,
        line="mayor",
        state=CaseState.DRAFT,
        owner="1001",
        drafted_at=NOON,
    )


def walked(moves: Iterable[Move], case: Case | None = None) -> Case:
    case = case or draft()
    for step, move in enumerate(moves, start=1):
        case = moved(case, move, ANYBODY, FULL, NOON + timedelta(minutes=step))
    return case


@pytest.mark.parametrize(
    ("path", "end"),
    [
        ([Move.OPEN], CaseState.OPEN),
        ([Move.OPEN, Move.DISPATCH], CaseState.DISPATCHED),
        ([Move.OPEN, Move.DISPATCH, Move.ANSWER], CaseState.ANSWERED),
        ([Move.OPEN, Move.DISPATCH, Move.ANSWER, Move.CLOSE], CaseState.CLOSED),
        ([Move.ANSWER_DIRECTLY], CaseState.CLOSED),
        ([Move.OPEN, Move.ANSWER_DIRECTLY], CaseState.CLOSED),
        ([Move.OPEN, Move.DISPATCH, Move.SEND_BACK], CaseState.OPEN),
        ([Move.OPEN, Move.DISPATCH, Move.ANSWER, Move.REDO], CaseState.DISPATCHED),
        ([Move.WITHDRAW], CaseState.CLOSED),
        ([Move.OPEN, Move.WITHDRAW], CaseState.CLOSED),
        ([Move.OPEN, Move.DISPATCH, Move.WITHDRAW], CaseState.CLOSED),
    ],
)
def test_paths_lead_where_the_table_says(path: list[Move], end: CaseState) -> None:
    assert walked(path).state is end


LEGAL = {
    CaseState.DRAFT: {Move.OPEN, Move.ANSWER_DIRECTLY, Move.WITHDRAW},
    CaseState.OPEN: {Move.ANSWER_DIRECTLY, Move.DISPATCH, Move.WITHDRAW},
    CaseState.DISPATCHED: {Move.SEND_BACK, Move.ANSWER, Move.WITHDRAW},
    CaseState.ANSWERED: {Move.REDO, Move.CLOSE},
    CaseState.CLOSED: set(),
}
TO_STATE: dict[CaseState, list[Move]] = {
    CaseState.DRAFT: [],
    CaseState.OPEN: [Move.OPEN],
    CaseState.DISPATCHED: [Move.OPEN, Move.DISPATCH],
    CaseState.ANSWERED: [Move.OPEN, Move.DISPATCH, Move.ANSWER],
    CaseState.CLOSED: [Move.ANSWER_DIRECTLY],
}


@pytest.mark.parametrize("state", list(CaseState))
@pytest.mark.parametrize("move", list(Move))
def test_every_other_move_is_refused_in_one_sentence(state: CaseState, move: Move) -> None:
    case = walked(TO_STATE[state])
    assert case.state is state
    assert set(legal_moves(state)) == LEGAL[state]
    if move in LEGAL[state]:
        assert check(case, move, ANYBODY, FULL) is MOVES[move]
        return
    with pytest.raises(IllegalMove) as caught:
        moved(case, move, ANYBODY, FULL, NOON)
    assert str(caught.value).count(".") == 1
    assert case.number in str(caught.value)
    assert caught.value.case_id == case.id


@pytest.mark.parametrize("move", list(Move))
def test_only_the_named_roles_may_make_a_move(move: Move) -> None:
    state = next(iter(MOVES[move].sources))
    case = walked(TO_STATE[state])
    for role in Role:
        actor = Actor(name="x", roles=frozenset({role}))
        if role in MOVES[move].roles:
            check(case, move, actor, FULL)
        else:
            with pytest.raises(IllegalMove, match="may be made by"):
                check(case, move, actor, FULL)


def test_no_machine_moves_a_case() -> None:
    assert all(Role.SYSTEM not in rule.roles for rule in MOVES.values())


@pytest.mark.parametrize(
    ("move", "missing"),
    [
        (Move.OPEN, ("kind", "level1")),
        (Move.ANSWER_DIRECTLY, ("kind", "level1", "reply")),
        (Move.WITHDRAW, ("reason",)),
    ],
)
def test_a_draft_without_facts_names_what_is_missing(move: Move, missing: tuple[str, ...]) -> None:
    with pytest.raises(MissingFact) as caught:
        moved(draft(), move, ANYBODY, MoveData(), NOON)
    assert caught.value.missing == missing
    assert all(name in str(caught.value) for name in missing)


def test_a_blank_reply_is_no_reply() -> None:
    case = walked([Move.OPEN, Move.DISPATCH])
    with pytest.raises(MissingFact, match="needs reply"):
        moved(case, Move.ANSWER, ANYBODY, MoveData(reply="  \n"), NOON)


def test_the_limit_runs_from_the_first_opening_and_a_redone_answer_is_none() -> None:
    back = walked([Move.OPEN, Move.DISPATCH, Move.SEND_BACK])
    assert back.opened_at == NOON + timedelta(minutes=1)
    assert back.unit is None
    assert back.dispatched_at is None
    redo = walked([Move.OPEN, Move.DISPATCH, Move.ANSWER, Move.REDO])
    assert redo.answered_at is None
    again = walked([Move.DISPATCH, Move.ANSWER, Move.CLOSE], back)
    assert again.opened_at == NOON + timedelta(minutes=1)


def test_a_withdrawn_case_was_never_answered() -> None:
    case = walked([Move.OPEN, Move.WITHDRAW])
    assert case.answered_at is None
    assert case.closed_at is not None


def test_sending_back_makes_the_next_dispatch_name_a_unit() -> None:
    back = walked([Move.OPEN, Move.DISPATCH, Move.SEND_BACK])
    with pytest.raises(MissingFact, match="needs unit"):
        moved(back, Move.DISPATCH, ANYBODY, MoveData(), NOON)


@given(st.lists(st.sampled_from(Move), max_size=40))
def test_random_histories_keep_every_promise(attempts: list[Move]) -> None:
    case = draft()
    now = NOON
    for move in attempts:
        now += timedelta(seconds=1)
        before = case
        try:
            case = moved(case, move, ANYBODY, FULL, now, policy="sichuan-2025/1")
        except IllegalMove:
            assert case.state not in MOVES[move].sources
            continue
        assert before.state in MOVES[move].sources
        assert case.state is MOVES[move].target
        assert case.owner
        assert before.opened_at is None or case.opened_at == before.opened_at
        assert (case.closed_at is not None) == is_over(case.state)
        assert (case.opened_at is not None) or case.state in {CaseState.DRAFT, CaseState.CLOSED}
        assert (case.answered_at is None) or case.state in {CaseState.ANSWERED, CaseState.CLOSED}
        if case.state is CaseState.DISPATCHED:
            assert case.unit
            assert case.dispatched_at
        assert not is_over(before.state)
