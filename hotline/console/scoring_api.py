"""What people do about inspections: draw, score, appeal, decide; results, coaching, agreement.

Supervisors and auditors score; whoever answers calls sees and appeals the own results. Nobody sees
another's score of a call before having given the own one, or before there is a result.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from hotline import inspection_lists, inspection_rows, scoring, scoring_lists, scoring_rows
from hotline.casework import SHIPPED
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.inspection_api import may_see, name_of
from hotline.console.problems import Fault, ProblemError
from hotline.console.scoring_shapes import (
    Agreements,
    AgreementView,
    Coaching,
    CoachingMoment,
    CoachingView,
    InspectionAppealDecision,
    InspectionAppealQuery,
    InspectionAppeals,
    InspectionAppealView,
    MarkGiven,
    MarkView,
    NewInspectionAppeal,
    NewPlan,
    NewScore,
    Plans,
    PlanView,
    ResultQuery,
    Results,
    ResultView,
    SampleQuery,
    Samples,
    SampleView,
    ScoreView,
    ScoringView,
    TimeQuery,
)
from hotline.console.who import INSPECTED, INSPECTORS_OF_CALLS, SUPERVISORS
from hotline.database import Connection, borrowed, transaction
from hotline.errors import InspectionUnknownError, ScoringRefusedError
from hotline.inspection_form import load_form
from hotline.masking import mask_text
from hotline.scoring import By, Scoring, Stage
from hotline.scoring_rows import Appeal, Scored
from transcription.inspection.by_hand import Mark, MarksWrong
from transcription.inspection.form import Form


@contextmanager
def refusals() -> Iterator[None]:
    """Our errors as the API's refusals."""
    try:
        yield
    except InspectionUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except ScoringRefusedError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    except MarksWrong as error:
        raise ProblemError(Fault.INVALID, str(error)) from error


def _inspects(asked: Request) -> bool:
    return bool(asked.who.roles & INSPECTORS_OF_CALLS)


def _by(asked: Request) -> By:
    return By(name=asked.who.name, names=asked.who.names)


def _whose(asked: Request, operator: str | None) -> str | None:
    """Whose rows are shown: those asked for, or the own seat's."""
    return operator if _inspects(asked) else asked.who.seat or ""


def _form(asked: Request) -> Form:
    return load_form(asked.services.config.city_dir, SHIPPED)


def _marks(given: Sequence[MarkGiven]) -> list[Mark]:
    return [
        Mark(**one.model_dump(exclude={"note"}), note=one.note and mask_text(one.note))
        for one in given
    ]


async def list_plans(asked: Request) -> Plans:
    """The weeks whose calls were drawn."""
    async with borrowed(asked.services.pool) as conn:
        rows = await scoring_lists.plans(conn)
    return Plans(plans=tuple(PlanView(**dict(row)) for row in rows))


async def plan_week(asked: Request) -> Plans:
    """Draw the calls of a week that is over: a share of everybody's, and all that stand out."""
    given, now = asked.asked(NewPlan), asked.services.clock()
    with refusals():
        async with transaction(asked.services.pool) as tx:
            await scoring.plan_week(
                tx,
                given.week,
                _form(asked),
                seed=secrets.token_hex(8),
                by=asked.who.name,
                now=now,
            )
    return await list_plans(asked)


async def list_samples(asked: Request) -> Samples:
    """Calls that were chosen to be listened to; never one's own."""
    query = asked.asked(SampleQuery)
    async with borrowed(asked.services.pool) as conn:
        rows = await scoring_lists.samples(
            conn,
            query.week,
            asked.who.name,
            asked.who.names,
            query.before,
            query.limit + 1,
            left=query.left,
        )
    shown = tuple(SampleView(**dict(row)) for row in rows[: query.limit])
    return Samples(samples=shown, next=shown[-1].call_id if len(rows) > query.limit else None)


async def call_scores(asked: Request) -> ScoringView:
    """What people did about one call."""
    call_id = asked.path_id("call_id")
    async with borrowed(asked.services.pool) as conn:
        return await _shown(asked, conn, call_id, await scoring.of_call(conn, call_id))


async def score_call(asked: Request) -> ScoringView:
    """Score a call on the form in force, item by item, as it was heard."""
    call_id, given = asked.path_id("call_id"), asked.asked(NewScore)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            await _check_there(asked, tx, call_id)
            found = await scoring.score(
                tx,
                call_id,
                _marks(given.items),
                _form(asked),
                by=_by(asked),
                now=asked.services.clock(),
            )
            return await _shown(asked, tx, call_id, found)


async def appeal_result(asked: Request) -> ScoringView:
    """Appeal against the result of the own call, once."""
    call_id, given = asked.path_id("call_id"), asked.asked(NewInspectionAppeal)
    with refusals():
        async with transaction(asked.services.pool) as tx:
            await _check_there(asked, tx, call_id)
            found = await scoring.appeal(
                tx,
                call_id,
                items=given.items,
                reason=mask_text(given.reason),
                calendar=asked.services.calendar,
                by=_by(asked),
                now=asked.services.clock(),
            )
            return await _shown(asked, tx, call_id, found)


async def list_inspection_appeals(asked: Request) -> InspectionAppeals:
    """Appeals against results, newest first; whoever answers calls sees the own ones."""
    query, now = asked.asked(InspectionAppealQuery), asked.services.clock()
    async with borrowed(asked.services.pool) as conn:
        found = await scoring_rows.appeals(
            conn, query.state, _whose(asked, None), query.before, query.limit + 1
        )
    shown = tuple(_appeal(asked, one, now) for one in found[: query.limit])
    return InspectionAppeals(appeals=shown, next=shown[-1].id if len(found) > query.limit else None)


async def decide_inspection_appeal(asked: Request) -> InspectionAppealView:
    """Decide an appeal; whoever scored the call, or appealed, does not."""
    given, now = asked.asked(InspectionAppealDecision), asked.services.clock()
    with refusals():
        async with transaction(asked.services.pool) as tx:
            found = await scoring.decide(
                tx,
                asked.path_id("appeal_id"),
                given=None if given.items is None else _marks(given.items),
                answer=mask_text(given.answer),
                by=_by(asked),
                now=now,
            )
    return _appeal(asked, found, now)


async def list_results(asked: Request) -> Results:
    """Results of calls, each a person's score; whoever answers calls sees the own ones."""
    query = asked.asked(ResultQuery)
    async with borrowed(asked.services.pool) as conn:
        rows = await scoring_lists.results(
            conn,
            _whose(asked, query.operator),
            query.since,
            query.until,
            query.before,
            query.limit + 1,
        )
    shown = tuple(
        ResultView(**{**dict(row), "score": float(row["score"])}) for row in rows[: query.limit]
    )
    return Results(results=shown, next=shown[-1].call_id if len(rows) > query.limit else None)


async def coaching_list(asked: Request) -> Coaching:
    """Items that operators lose again and again, with moments to listen to; no ranking."""
    query, form = asked.asked(TimeQuery), _form(asked)
    badges = {one.extension: one.badge for one in asked.services.config.operators}
    async with borrowed(asked.services.pool) as conn:
        found = await scoring_lists.coaching(
            conn,
            _whose(asked, query.operator),
            query.since,
            query.until,
            least=form.people.coached,
        )
        forms = await inspection_rows.forms(conn, [one.fingerprint for one in found])
    return Coaching(
        coaching=tuple(
            CoachingView(
                operator=one.operator,
                badge=badges.get(one.operator),
                item=one.item,
                name=name_of(one.item, forms[one.fingerprint]),
                times=one.times,
                judged=one.judged,
                moments=tuple(CoachingMoment(**asdict(it)) for it in one.moments),
            )
            for one in found
        )
    )


async def scorers_agreement(asked: Request) -> Agreements:
    """How far two people agree on each item, and how often they confirm the machine."""
    query, form = asked.asked(TimeQuery), _form(asked)
    async with borrowed(asked.services.pool) as conn:
        found = await scoring_lists.compared(conn, query.since, query.until)
    return Agreements(
        items=tuple(
            AgreementView(
                item=one.item,
                name=name_of(one.item, form),
                pairs=one.people.pairs,
                agreed=one.people.agreed,
                kappa=one.people.kappa,
                fired=one.fired,
                confirmed=one.confirmed,
                missed=one.missed,
                precision=_ratio(one.confirmed, one.fired),
                recall=_ratio(one.confirmed, one.confirmed + one.missed),
            )
            for one in found
        )
    )


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


async def _check_there(asked: Request, conn: Connection, call_id: int) -> None:
    """Refuse a call that this person may not see as one that is not there."""
    row = await inspection_lists.of_call(conn, call_id)
    if row is None or not may_see(asked, row["operator"]):
        raise InspectionUnknownError(f"Call {call_id} has no inspection.")


async def _shown(asked: Request, conn: Connection, call_id: int, found: Scoring) -> ScoringView:
    """What this person may know of the scores of a call."""
    with refusals():
        await _check_there(asked, conn, call_id)
    row = await inspection_lists.of_call(conn, call_id)
    own = row is not None and row["operator"] in asked.who.names
    mine = any(one.scorer == asked.who.name for one in found.scores)
    forms = await inspection_rows.forms(conn, [one.fingerprint for one in found.scores])
    now, until = asked.services.clock(), None
    if found.stands_at is not None:
        until = scoring.days_after(
            found.stands_at, _form(asked).people.appeal_days, asked.services.calendar
        )
    return ScoringView(
        call_id=call_id,
        stage=found.stage,
        needed=found.needed,
        scored=sum(one.part == "first" for one in found.scores),
        scores=tuple(_score(asked, one, found, forms) for one in _visible(asked, found, mine=mine)),
        appeal=None if found.appeal is None else _appeal(asked, found.appeal, now),
        may_score=_inspects(asked)
        and not (own or mine)
        and found.stage in {Stage.WANTED, Stage.HALF, Stage.DIFFERS},
        may_appeal=own and found.stage is Stage.STANDS and until is not None and now < until,
        appeal_until=until,
    )


def _visible(asked: Request, found: Scoring, *, mine: bool) -> list[Scored]:
    if not _inspects(asked):
        return [one for one in found.scores if one.id == found.stands]
    if found.stands is not None or mine or found.stage is Stage.DIFFERS:
        return list(found.scores)
    return []


def _score(asked: Request, one: Scored, found: Scoring, forms: Mapping[str, Form]) -> ScoreView:
    form = forms[one.fingerprint]
    return ScoreView(
        id=one.id,
        scorer=one.scorer if _inspects(asked) else None,
        part=one.part,
        form=form.name,
        score=float(one.score),
        made_at=one.made_at,
        stands=one.id == found.stands,
        items=tuple(MarkView(**asdict(it), name=name_of(it.item, form)) for it in one.marks),
    )


def _appeal(asked: Request, one: Appeal, now: datetime) -> InspectionAppealView:
    facts: dict[str, Any] = asdict(one)
    del facts["against"], facts["asked_by"]
    if not _inspects(asked):
        facts["decided_by"] = None
    return InspectionAppealView(**facts, overdue=one.state == "open" and now >= one.due_at)


_ONE = "/api/calls/{call_id}/inspection"
_STEP = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE)
_WATCH = INSPECTORS_OF_CALLS
ENDPOINTS = (
    get("/api/inspections/plans", list_plans, Plans, roles=_WATCH),
    post(
        "/api/inspections/plans",
        plan_week,
        NewPlan,
        Plans,
        faults=(Fault.NOT_POSSIBLE,),
        roles=SUPERVISORS,
    ),
    get("/api/inspections/samples", list_samples, Samples, query=SampleQuery, roles=_WATCH),
    get(f"{_ONE}/scores", call_scores, ScoringView, faults=(Fault.NOT_FOUND,), roles=INSPECTED),
    post(f"{_ONE}/scores", score_call, NewScore, ScoringView, faults=_STEP, roles=_WATCH),
    post(
        f"{_ONE}/appeal",
        appeal_result,
        NewInspectionAppeal,
        ScoringView,
        faults=_STEP,
        roles=INSPECTED,
    ),
    get(
        "/api/inspections/appeals",
        list_inspection_appeals,
        InspectionAppeals,
        query=InspectionAppealQuery,
        roles=INSPECTED,
    ),
    post(
        "/api/inspections/appeals/{appeal_id}/decide",
        decide_inspection_appeal,
        InspectionAppealDecision,
        InspectionAppealView,
        faults=_STEP,
        roles=_WATCH,
    ),
    get("/api/inspections/results", list_results, Results, query=ResultQuery, roles=INSPECTED),
    get("/api/inspections/coaching", coaching_list, Coaching, query=TimeQuery, roles=INSPECTED),
    get("/api/inspections/agreement", scorers_agreement, Agreements, query=TimeQuery, roles=_WATCH),
)
