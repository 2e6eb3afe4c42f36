"""Who listens to what is drawn and explained; two who listened are compared; marks fit the form."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from tests.transcription.inspected import form, talk
from transcription.inspection.agreement import agreement
from transcription.inspection.by_hand import Mark, MarksWrong, differences, marked
from transcription.inspection.inspecting import inspect
from transcription.inspection.judged import Verdict
from transcription.inspection.sampling import Because, Candidate, drawn_at_least, plan

FORM = form()
RULES = FORM.people


@st.composite
def weeks(draw: st.DrawFn) -> list[Candidate]:
    """The calls of some operators in a week; whoever is new is new in all of them."""
    new = draw(st.sets(st.sampled_from(["1001", "1002", "1003"])))
    found = []
    for number in range(draw(st.integers(0, 120))):
        operator = draw(st.sampled_from(["1001", "1002", "1003"]))
        flags = draw(st.tuples(st.booleans(), st.booleans())) if number % 9 == 0 else (False, False)
        found.append(
            Candidate(
                call_id=number + 1,
                operator=operator,
                low=flags[0],
                serious=flags[1],
                newcomer=operator in new,
            )
        )
    return found


@given(weeks(), st.text(max_size=8))
def test_a_plan_draws_each_operators_share_and_takes_all_that_ask_for_it(
    calls: list[Candidate], seed: str
) -> None:
    chosen = {one.call_id: one for one in plan(calls, RULES, seed)}
    for one in calls:
        asked = one.low or one.serious
        assert not asked or one.call_id in chosen
        if one.call_id in chosen:
            why = chosen[one.call_id].because
            assert why
            assert (Because.LOW in why, Because.SERIOUS in why) == (one.low, one.serious)
    for operator in {one.operator for one in calls}:
        theirs = [one for one in calls if one.operator == operator]
        drawn = [
            one
            for one in theirs
            if one.call_id in chosen
            and {Because.DRAWN, Because.NEWCOMER} & set(chosen[one.call_id].because)
        ]
        assert len(drawn) == drawn_at_least(len(theirs), RULES, newcomer=theirs[0].newcomer)
    twice = sum(one.scorers == 2 for one in chosen.values())
    assert RULES.double * len(chosen) <= twice <= RULES.double * len(chosen) + 1


@given(weeks(), st.text(max_size=8))
def test_the_same_seed_draws_the_same_whatever_the_order(calls: list[Candidate], seed: str) -> None:
    assert plan(calls, RULES, seed) == plan(calls[::-1], RULES, seed)


def test_another_seed_draws_others_and_each_call_about_as_often() -> None:
    calls = [
        Candidate(call_id=n, operator="1001", low=False, serious=False, newcomer=False)
        for n in range(60)
    ]
    times = dict.fromkeys(range(60), 0)
    for seed in range(400):
        for one in plan(calls, RULES, str(seed)):
            times[one.call_id] += 1
    assert sum(times.values()) == 400 * 3
    assert min(times.values()) >= 6  # 20 expected; below 6 is one draw in 10 000
    assert max(times.values()) <= 40


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[bool, bool]]) -> None:
    found = agreement(pairs)
    ours, theirs = zip(*pairs, strict=True)
    if len({*ours, *theirs}) == 1:
        assert found.kappa is None
    else:
        assert found.kappa == pytest.approx(cohen_kappa_score(ours, theirs), abs=1e-4)
    assert found.agreed == sum(a == b for a, b in pairs)


def test_nothing_in_common_has_no_kappa() -> None:
    assert (agreement([]).pairs, agreement([]).kappa) == (0, None)


def marks(**lost: int) -> list[Mark]:
    return [
        Mark(
            item=one.key,
            verdict=Verdict.LOST if one.key in lost else Verdict.KEPT,
            lost=lost.get(one.key, 0),
        )
        for one in FORM.items
    ]


def test_a_persons_marks_are_scored_by_the_machines_rule() -> None:
    machine = inspect(talk(), FORM)
    same = [Mark(item=one.key, verdict=one.verdict, lost=one.lost) for one in machine.items]
    assert marked(same, FORM).score == machine.score
    every = sum(one.most for one in FORM.items)
    found = marked(marks(rude=14, badge=8), FORM)
    assert float(found.score) == pytest.approx(100 * (every - 22) / every, abs=0.005)
    assert isinstance(found.score, Decimal)


@pytest.mark.parametrize(
    ("given_marks", "says"),
    [
        (marks()[1:], "greeting is not marked"),
        ([*marks(), marks()[0]], "marked twice"),
        ([*marks(), Mark(item="charm", verdict=Verdict.KEPT)], "has no charm"),
        (marks(rude=15), "rude loses 1 to 14"),
        ([Mark(item=it.item, verdict=Verdict.LOST) for it in marks()], "greeting loses 1 to 8"),
        (
            [Mark(item=it.item, verdict=Verdict.KEPT, start=3.0) for it in marks()],
            "a start and an end",
        ),
        ([Mark(item=it.item, verdict=Verdict.NOT_JUDGED) for it in marks()], "too few are judged"),
    ],
)
def test_marks_that_do_not_fit_the_form_are_refused(given_marks: list[Mark], says: str) -> None:
    with pytest.raises(MarksWrong, match=says):
        marked(given_marks, FORM)


def test_two_people_differ_where_they_took_other_points() -> None:
    assert differences(marks(rude=14), marks(rude=14)) == ()
    assert differences(marks(rude=14, badge=8), marks(rude=7)) == ("badge", "rude")
