from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from routing.cases import (
    HIGHEST_LEVEL,
    Actor,
    Case,
    CaseState,
    Explanation,
    Kind,
    Move,
    MoveData,
    Outcome,
    Reached,
    Role,
    Satisfied,
    Solved,
    Truth,
)
from routing.errors import IllegalMove, MissingFact
from routing.guards import Attempt
from routing.moves import LED, LIVE, MOVES, is_over, legal_moves
from routing.moving import EFFECTS, SET_LIMITS, check, moved, possible
from tests.routing.life import (
    ANYBODY,
    LIMITS,
    NOON,
    OTHER,
    TO_AUDIT,
    TO_STATE,
    TO_UNIT,
    UNIT,
    data_of,
    draft,
    maker_of,
    walked,
)

MINUTE = timedelta(minutes=1)
LATER = NOON + timedelta(hours=1)
HANDLER = Actor(name="wang", roles=frozenset({Role.UNIT}), unit=UNIT)
STRANGER = Actor(name="zhao", roles=frozenset({Role.UNIT}), unit=OTHER)
AUDITOR = Actor(name="sun", roles=frozenset({Role.AUDITOR, Role.CALL_BACK, Role.SUPERVISOR}))
DESK = Actor(name="1001", roles=frozenset({Role.OPERATOR, Role.DISPATCHER}))


def make(case: Case, move: Move, actor: Actor = ANYBODY, **data: object) -> Case:
    return moved(case, move, actor, data_of(move, LATER, **data), LATER, LIMITS)


def refused(case: Case, move: Move, actor: Actor = ANYBODY, **data: object) -> str:
    with pytest.raises(IllegalMove) as caught:
        make(case, move, actor, **data)
    assert str(caught.value).count(".") == 1
    assert case.number in str(caught.value)
    return str(caught.value)


# ---- the table ----


@pytest.mark.parametrize(("state", "path"), TO_STATE.items())
def test_every_state_is_reached_by_a_path_of_the_table(
    state: CaseState, path: tuple[Move, ...]
) -> None:
    assert walked(path).state is state


def test_every_move_has_an_effect_and_a_word_of_its_own_in_the_journal() -> None:
    assert set(MOVES) == set(EFFECTS) == set(Move)
    shared = {Move.ANSWER_DIRECTLY, Move.CLOSE}
    words = [rule.event for move, rule in MOVES.items() if move not in shared]
    assert len(words) == len(set(words))
    assert {MOVES[move].event for move in shared} == {"case.closed"}


LEGAL = {
    CaseState.DRAFT: {Move.OPEN, Move.ANSWER_DIRECTLY, Move.EXPLAIN, Move.WITHDRAW},
    CaseState.OPEN: {
        *(Move.ANSWER_DIRECTLY, Move.EXPLAIN, Move.WITHDRAW, Move.CONSULT, Move.DISPATCH),
        Move.JOIN,
    },
    CaseState.CONSULTING: {Move.COMMENT, Move.CONCLUDE},
    CaseState.DISPATCHED: {Move.SIGN, Move.ASK_RETURN, Move.CITE_LAW, Move.JOIN},
    CaseState.RETURN_ASKED: {Move.ACCEPT_RETURN, Move.REFUSE_RETURN},
    CaseState.HANDLING: {
        *(Move.ASK_RETURN, Move.ADD_HELPER, Move.HELPER_FEEDBACK, Move.ASK_EXTENSION),
        *(Move.ANSWER, Move.ASK_TERMINATION, Move.CITE_LAW, Move.JOIN),
    },
    CaseState.EXTENSION_ASKED: {
        *(Move.GRANT_EXTENSION, Move.REFUSE_EXTENSION, Move.ANSWER, Move.CITE_LAW),
    },
    CaseState.TERMINATION_ASKED: {Move.APPROVE_TERMINATION, Move.REFUSE_TERMINATION},
    CaseState.ANSWERED: {Move.APPROVE, Move.REDO},
    CaseState.CALLING_BACK: {Move.CALL_BACK_TRIED, Move.CLOSE, Move.REDO},
    CaseState.CLOSED: {Move.ARCHIVE, Move.REOPEN},
    CaseState.ARCHIVED: {Move.REOPEN},
}
ANY_LIVE = {
    *(Move.RAISE_LEVEL, Move.RULE, Move.HAND_OVER, Move.ACCEPT, Move.DECLINE, Move.DEPUTISE),
    Move.RECUSE,
}
ANY_STATE = {Move.PROTECT, Move.TAKE_OVER}


@pytest.mark.parametrize("state", list(CaseState))
@pytest.mark.parametrize("move", list(Move))
def test_every_other_move_is_refused_in_one_sentence(state: CaseState, move: Move) -> None:
    case = walked(TO_STATE[state])
    legal = LEGAL[state] | ANY_STATE | (ANY_LIVE if state in LIVE else set())
    legal |= {Move.LEAVE, Move.FOLLOW} if state in LED else set()
    assert set(legal_moves(state)) == legal
    if move not in legal:
        assert f"is {state}" in refused(case, move)


@pytest.mark.parametrize("move", list(Move))
def test_only_the_named_roles_may_make_a_move(move: Move) -> None:
    case = walked(TO_STATE[next(iter(sorted(MOVES[move].sources)))])
    for role in set(Role) - MOVES[move].roles:
        said = refused(case, move, Actor(name="x", roles=frozenset({role})))
        assert "may be made by" in said


def test_some_moves_have_no_address_of_their_own() -> None:
    own = {move for move, rule in MOVES.items() if Role.SYSTEM in rule.roles}
    assert own == {Move.ARCHIVE, Move.DEPUTISE, Move.RECUSE, Move.FOLLOW, *ANY_STATE}
    assert all(MOVES[move].roles == {Role.SYSTEM} for move in own)


@pytest.mark.parametrize("move", [move for move, rule in MOVES.items() if rule.carries])
def test_a_move_that_lacks_what_it_must_carry_names_it(move: Move) -> None:
    case = walked(TO_STATE[next(iter(sorted(MOVES[move].sources)))])
    bare = replace(case, kind=None, level1=None, unit=None)
    with pytest.raises(MissingFact) as caught:
        moved(bare, move, maker_of(move, bare), MoveData(), NOON, LIMITS)
    assert set(caught.value.missing) == set(MOVES[move].carries) - {"urgency"}
    assert all(name in str(caught.value) for name in caught.value.missing)


def test_a_blank_reply_is_no_reply() -> None:
    with pytest.raises(MissingFact, match="needs reply"):
        make(walked(TO_UNIT), Move.ANSWER, reply="  \n")


def test_what_a_move_does_not_take_is_refused_and_changes_nothing() -> None:
    case = walked([Move.OPEN, Move.DISPATCH])
    assert "'sign' takes no reason" in refused(case, Move.SIGN, reason="无")
    assert "takes no kind" in refused(walked(TO_UNIT), Move.ASK_EXTENSION, kind=Kind.REPORT)


# ---- returns ----


def test_an_accepted_return_gives_the_case_back_to_the_desk() -> None:
    case = make(walked([*TO_UNIT, Move.ASK_RETURN]), Move.ACCEPT_RETURN, DESK)
    assert (case.state, case.unit, case.owner) == (CaseState.OPEN, None, "1001")
    with pytest.raises(MissingFact, match="needs unit"):
        moved(case, Move.DISPATCH, DESK, MoveData(), LATER, LIMITS)
    assert case.opened_at == NOON + MINUTE
    assert make(case, Move.DISPATCH, DESK).due_at == case.due_at


def test_a_refused_return_is_binding_for_ever() -> None:
    ruled = make(walked([Move.OPEN, Move.DISPATCH, Move.ASK_RETURN]), Move.REFUSE_RETURN, DESK)
    assert (ruled.state, ruled.unit) == (CaseState.DISPATCHED, UNIT)
    assert "the ruling is binding" in refused(ruled, Move.ASK_RETURN, HANDLER)
    signed = make(ruled, Move.SIGN, HANDLER)
    assert "the ruling is binding" in refused(signed, Move.ASK_RETURN, HANDLER)
    ended = walked([Move.ANSWER, Move.APPROVE, Move.CLOSE, Move.REOPEN], signed)
    again = walked([Move.DISPATCH, Move.SIGN], ended)
    assert "the ruling is binding" in refused(again, Move.ASK_RETURN, HANDLER)


def test_a_return_is_asked_for_in_time() -> None:
    case = walked([Move.OPEN, Move.DISPATCH])
    late = NOON + timedelta(days=60)
    with pytest.raises(IllegalMove, match="A return had to be asked for until"):
        moved(case, Move.ASK_RETURN, HANDLER, data_of(Move.ASK_RETURN), late, LIMITS)


def test_the_unit_cannot_rule_on_its_own_return() -> None:
    asked = walked([Move.OPEN, Move.DISPATCH, Move.ASK_RETURN])
    both = Actor(name="wang", roles=frozenset({Role.UNIT, Role.DISPATCHER}), unit=UNIT)
    assert "cannot judge its own work" in refused(asked, Move.ACCEPT_RETURN, both)
    assert "cannot judge its own work" in refused(asked, Move.REFUSE_RETURN, both)


# ---- the unit ----


@pytest.mark.parametrize(
    ("move", "path"),
    [
        (Move.SIGN, [Move.OPEN, Move.DISPATCH]),
        (Move.ASK_RETURN, [Move.OPEN, Move.DISPATCH]),
        (Move.ASK_EXTENSION, TO_UNIT),
        (Move.ANSWER, TO_UNIT),
        (Move.ASK_TERMINATION, TO_UNIT),
        (Move.ADD_HELPER, TO_UNIT),
    ],
)
def test_only_the_units_own_people_act_for_it(move: Move, path: list[Move]) -> None:
    case = walked(path)
    homeless = replace(STRANGER, unit=None)
    assert f"only {UNIT}" in refused(case, move, STRANGER)
    assert f"only {UNIT}" in refused(case, move, homeless)
    make(case, move, HANDLER)


def test_who_signs_answers_for_the_case_and_until_then_the_desk_does() -> None:
    dispatched = walked([Move.OPEN, Move.DISPATCH])
    assert dispatched.owner == "1001"
    assert make(dispatched, Move.SIGN, HANDLER).owner == "wang"


def test_helpers_give_feedback_and_the_lead_stays_one() -> None:
    case = make(walked([Move.OPEN]), Move.DISPATCH, helpers=(OTHER,))
    assert (case.unit, case.helpers) == (UNIT, (OTHER,))
    case = make(case, Move.SIGN, HANDLER)
    assert "only a helping unit" in refused(case, Move.HELPER_FEEDBACK, HANDLER, unit=None)
    make(case, Move.HELPER_FEEDBACK, STRANGER, unit=None)
    assert "named already" in refused(case, Move.ADD_HELPER, HANDLER)
    assert "cannot help itself" in refused(case, Move.ADD_HELPER, HANDLER, helpers=(UNIT,))
    more = make(case, Move.ADD_HELPER, DESK, helpers=("市公安局",))
    assert more.helpers == (OTHER, "市公安局")


def test_an_answer_says_what_came_of_it() -> None:
    case = walked(TO_UNIT)
    assert "yes or no" in refused(case, Move.ANSWER, solved=Solved.NOT_ANSWERED)
    assert "unsolved_reason" in refused(case, Move.ANSWER, solved=Solved.NO)
    assert "contacted_at" in refused(case, Move.ANSWER, contacted_at=None)
    assert "in the future" in refused(case, Move.ANSWER, contacted_at=LATER + MINUTE)
    unsolved = make(
        case,
        Move.ANSWER,
        solved=Solved.NO,
        unsolved_reason="无预算",
        contacted_at=None,
        not_contacted="匿名来电",
    )
    assert unsolved.unit_solved is Solved.NO
    assert unsolved.answered_at == LATER


def test_the_reply_form_says_whether_it_is_so_whose_duty_it_is_and_who_may_read_it() -> None:
    case = walked(TO_UNIT)
    assert "needs truth and publish" in refused(case, Move.ANSWER, truth=None, publish=None)
    beyond: dict[str, Any] = {"beyond_duty": True, "beyond_duty_reason": "属省级事权"}
    withheld: dict[str, Any] = {
        "publish": False,
        "withheld_reason": "涉及个人隐私，政府信息公开条例第十五条",
    }
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"beyond_duty": True, "beyond_duty_reason": " "}, "needs beyond_duty_reason"),
        ({**beyond, "beyond_duty": False}, "give beyond_duty, too"),
        ({**beyond, "beyond_duty": None}, "give beyond_duty, too"),
        ({"publish": False}, "needs withheld_reason"),
        ({**withheld, "publish": True}, "say publish false"),
    )
    for given, needed in wrong:
        assert needed in refused(case, Move.ANSWER, **given)
    plain = make(case, Move.ANSWER)
    assert (plain.truth, plain.beyond_duty, plain.publish) == (Truth.YES, False, True)
    answered = make(case, Move.ANSWER, truth=Truth.PARTLY, **beyond, **withheld)
    assert (answered.truth, answered.beyond_duty, answered.publish) == (Truth.PARTLY, True, False)
    redone = make(answered, Move.REDO, AUDITOR)
    assert (redone.truth, redone.beyond_duty, redone.publish) == (None, None, None)


def test_who_handled_a_case_does_not_judge_it() -> None:
    answered = walked(TO_AUDIT)
    own = Actor(name="li", roles=AUDITOR.roles, unit=UNIT)
    assert "cannot judge its own work" in refused(answered, Move.APPROVE, own)
    assert "cannot judge its own work" in refused(answered, Move.REDO, own)
    back = make(answered, Move.APPROVE, AUDITOR)
    assert "cannot judge its own work" in refused(back, Move.CLOSE, own)
    assert "cannot judge its own work" in refused(back, Move.CALL_BACK_TRIED, own)
    assert make(back, Move.CLOSE, AUDITOR).outcome is Outcome.HANDLED


def test_a_redone_answer_is_none_and_the_limit_does_not_begin_again() -> None:
    redo = walked([*TO_AUDIT, Move.REDO])
    assert (redo.state, redo.answered_at, redo.unit_solved) == (CaseState.HANDLING, None, None)
    again = walked([Move.ANSWER, Move.APPROVE, Move.REDO, Move.ANSWER], redo)
    assert again.opened_at == NOON + MINUTE
    assert again.due_at == redo.due_at


# ---- extensions and laws ----


def test_an_extension_is_asked_for_before_the_limit_ends_and_moves_it_when_granted() -> None:
    case = walked(TO_UNIT)
    assert case.due_at is not None
    late = case.due_at + timedelta(seconds=1)
    with pytest.raises(IllegalMove, match="before the limit ends"):
        moved(case, Move.ASK_EXTENSION, HANDLER, data_of(Move.ASK_EXTENSION), late, LIMITS)
    asked = make(case, Move.ASK_EXTENSION, HANDLER)
    assert (asked.asked_days, asked.due_at) == (3, case.due_at)
    assert "between 1 and 3" in refused(asked, Move.GRANT_EXTENSION, AUDITOR, days=4)
    granted = make(asked, Move.GRANT_EXTENSION, AUDITOR, days=2)
    assert granted.due_at is not None
    assert granted.due_at > case.due_at
    assert (granted.extended_days, granted.asked_days) == ((2,), None)
    assert "extended 1 times" in refused(granted, Move.ASK_EXTENSION, HANDLER)
    assert make(asked, Move.REFUSE_EXTENSION, AUDITOR).due_at == case.due_at


def test_no_more_days_than_the_policy_allows() -> None:
    said = refused(walked(TO_UNIT), Move.ASK_EXTENSION, HANDLER, days=11)
    assert "at most 10 working days" in said


def test_an_answer_may_come_while_an_extension_is_asked_for() -> None:
    asked = walked([*TO_UNIT, Move.ASK_EXTENSION])
    answered = make(asked, Move.ANSWER, HANDLER)
    assert (answered.state, answered.asked_days) == (CaseState.ANSWERED, None)


def test_a_cited_law_moves_the_limit_once_and_only_later() -> None:
    case = walked(TO_UNIT)
    cited = make(case, Move.CITE_LAW, AUDITOR)
    assert case.due_at is not None
    assert cited.due_at is not None
    assert cited.due_at > case.due_at
    assert "cited already" in refused(cited, Move.CITE_LAW, AUDITOR)
    assert "knows no statutory limit" in refused(case, Move.CITE_LAW, AUDITOR, statutory="x")


# ---- consultation, levels, owners ----


def test_each_asked_unit_comments_once() -> None:
    case = make(walked([Move.OPEN]), Move.CONSULT, DESK, units=(OTHER, "市公安局"))
    assert case.asked == (OTHER, "市公安局")
    heard = make(case, Move.COMMENT, STRANGER, unit=None)
    assert heard.asked == ("市公安局",)
    assert "not asked for now" in refused(heard, Move.COMMENT, STRANGER, unit=None)
    assert "not asked for now" in refused(heard, Move.COMMENT, HANDLER, unit=None)
    assert make(heard, Move.CONCLUDE, DESK).asked == ()
    assert "named already" in refused(walked([Move.OPEN]), Move.CONSULT, DESK, units=(OTHER, OTHER))


def test_a_case_is_raised_to_the_standing_meeting_and_its_ruling_binds() -> None:
    case = walked([Move.OPEN, Move.DISPATCH, Move.ASK_RETURN])
    assert "none can rule" in refused(case, Move.RULE)
    raised = walked([Move.RAISE_LEVEL] * HIGHEST_LEVEL, case)
    assert raised.level == HIGHEST_LEVEL
    assert "standing meeting" in refused(raised, Move.RAISE_LEVEL)
    ruled = make(raised, Move.RULE)
    assert "the ruling is binding" in refused(ruled, Move.ACCEPT_RETURN)
    assert make(ruled, Move.REFUSE_RETURN).unit == UNIT


def test_the_owner_changes_only_when_the_other_accepts() -> None:
    case = walked(TO_UNIT)
    other = Actor(name="1002", roles=frozenset({Role.UNIT}), unit=UNIT)
    assert "only 1001" in refused(case, Move.HAND_OVER, other, person="zhou")
    assert "already" in refused(case, Move.HAND_OVER, person="1001")
    offered = make(case, Move.HAND_OVER)
    assert (offered.owner, offered.offered_to) == ("1001", "1002")
    assert "offered to 1002" in refused(offered, Move.ACCEPT)
    taken = make(offered, Move.ACCEPT, other)
    assert (taken.owner, taken.offered_to) == ("1002", None)
    assert "to nobody" in refused(taken, Move.ACCEPT, other)
    assert make(offered, Move.DECLINE, other).owner == "1001"
    assert make(offered, Move.DECLINE).offered_to is None


def test_a_deputy_answers_for_a_case_at_once() -> None:
    case = walked([*TO_UNIT, Move.HAND_OVER, Move.DEPUTISE])
    assert (case.owner, case.offered_to) == ("1002", None)


# ---- endings ----


def test_who_was_not_reached_is_never_counted_as_satisfied() -> None:
    case = walked([*TO_AUDIT, Move.APPROVE])
    silent: dict[str, Any] = {"result": Reached.NOT_REACHED, "solved": None, "satisfied": None}
    assert "must be tried 3 times" in refused(case, Move.CLOSE, **silent)
    tried = walked([Move.CALL_BACK_TRIED] * 3, case)
    assert tried.call_back_tries == 3
    said = refused(tried, Move.CLOSE, result=Reached.NOT_REACHED, satisfied=Satisfied.SATISFIED)
    assert "said nothing" in said
    closed = make(tried, Move.CLOSE, **silent)
    assert (closed.solved, closed.satisfied) == (Solved.NOT_ANSWERED, Satisfied.NOT_ANSWERED)
    refusing = make(case, Move.CLOSE, result=Reached.REFUSED, solved=None, satisfied=None)
    assert refusing.satisfied is Satisfied.NOT_ANSWERED
    assert "needs solved and satisfied" in refused(case, Move.CLOSE, satisfied=None)
    assert "stays open" in refused(tried, Move.CLOSE, **{**silent, "result": Reached.LATER})
    assert "close the case" in refused(case, Move.CALL_BACK_TRIED, result=Reached.REACHED)


@pytest.mark.parametrize("explanation", list(Explanation))
def test_each_kind_that_is_no_work_order_is_told_with_its_reason_and_channel(
    explanation: Explanation,
) -> None:
    link = 17 if explanation is Explanation.SAME_MATTER else None
    case = make(draft(), Move.EXPLAIN, DESK, explanation=explanation, same_as=link)
    assert (case.outcome, case.explanation) == (Outcome.EXPLAINED, explanation)
    assert case.same_as == link
    for name in ("reason", "channel"):
        with pytest.raises(MissingFact, match=name):
            make(draft(), Move.EXPLAIN, DESK, explanation=explanation, same_as=link, **{name: None})


def test_the_same_matter_is_linked_and_a_secret_is_not_written_down() -> None:
    said = refused(draft(), Move.EXPLAIN, explanation=Explanation.SAME_MATTER)
    assert "needs same_as" in said
    assert "its own" in refused(
        draft(), Move.EXPLAIN, explanation=Explanation.SAME_MATTER, same_as=1
    )
    said = refused(draft(), Move.EXPLAIN, explanation=Explanation.SECRET, summary="军事")
    assert "give no summary" in said
    noted = replace(draft(), summary="军事")
    assert make(noted, Move.EXPLAIN, explanation=Explanation.SECRET).summary is None


def test_a_case_ends_unsolved_only_with_the_reason_told() -> None:
    asked = walked([*TO_UNIT, Move.ASK_TERMINATION])
    with pytest.raises(MissingFact, match="told"):
        make(asked, Move.APPROVE_TERMINATION, AUDITOR, told=None)
    ended = make(asked, Move.APPROVE_TERMINATION, AUDITOR)
    assert (ended.outcome, ended.answered_at) == (Outcome.TERMINATED, None)
    assert make(asked, Move.REFUSE_TERMINATION, AUDITOR).state is CaseState.HANDLING


def test_a_withdrawn_case_was_never_answered() -> None:
    case = walked([Move.OPEN, Move.WITHDRAW])
    assert (case.answered_at, case.outcome) == (None, Outcome.WITHDRAWN)
    assert case.closed_at is not None


def test_new_facts_begin_a_new_life_with_a_limit_of_its_own() -> None:
    case = walked([*TO_AUDIT, Move.APPROVE, Move.CLOSE, Move.ARCHIVE])
    again = make(case, Move.REOPEN, DESK)
    assert (again.state, again.owner, again.unit) == (CaseState.OPEN, "1001", None)
    assert (again.opened_at, again.reopened_at, again.outcome) == (LATER, LATER, None)
    assert again.due_at is not None
    assert not is_over(again.state)


def test_only_some_moves_may_touch_the_limit() -> None:
    assert {
        *(Move.OPEN, Move.ANSWER_DIRECTLY, Move.EXPLAIN, Move.DISPATCH),
        *(Move.GRANT_EXTENSION, Move.CITE_LAW, Move.REOPEN),
    } == SET_LIMITS


# ---- what the page offers ----


def test_a_person_is_offered_only_what_he_may_do() -> None:
    dispatched = walked([Move.OPEN, Move.DISPATCH])

    def offered(case: Case, actor: Actor) -> set[Move]:
        return set(possible(case, actor, LATER, LIMITS))

    assert offered(dispatched, STRANGER) == set()
    assert offered(dispatched, HANDLER) == {Move.SIGN, Move.ASK_RETURN}
    assert Move.SIGN in offered(dispatched, ANYBODY)
    assert Move.ACCEPT not in offered(dispatched, ANYBODY)
    assert offered(walked(TO_AUDIT), Actor(name="x", roles=frozenset({Role.AUDITOR}))) == {
        *(Move.APPROVE, Move.REDO)
    }


def test_a_legal_move_returns_its_row() -> None:
    case = walked([Move.OPEN])
    attempt = Attempt(
        case=case, actor=ANYBODY, data=data_of(Move.DISPATCH), now=NOON, limits=LIMITS
    )
    assert check(Move.DISPATCH, attempt) is MOVES[Move.DISPATCH]
