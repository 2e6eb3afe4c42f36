"""Inspections of calls: lists, one call explained, counts, and the form; reading only.

Supervisors and auditors see those of everybody, whoever answers calls sees those of the own seat.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from hotline import inspection_lists, inspection_rows
from hotline.casework import SHIPPED
from hotline.catalogue import say
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.inspection_shapes import (
    Both,
    BrokeInView,
    DeductionView,
    FormItemView,
    FormView,
    InspectedItemView,
    InspectionDetail,
    InspectionFilter,
    InspectionQuery,
    Inspections,
    InspectionSummary,
    InspectionView,
    ItemCount,
    MeasuresView,
    SideView,
    UnscoredCount,
)
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.who import INSPECTED, INSPECTORS_OF_CALLS
from hotline.database import borrowed
from hotline.inspection_form import load_form
from hotline.inspection_lists import Wanted
from hotline.journal import Event
from transcription.inspection.form import AnyItem, Badge, Form, Never, ReadBack, Said


def wanted_by(asked: Request, given: InspectionFilter) -> Wanted:
    """What is asked for, narrowed to what this person may see."""
    facts = given.model_dump(exclude={"before", "limit"})
    wanted = Wanted(**facts)
    if asked.who.roles & INSPECTORS_OF_CALLS:
        return wanted
    return replace(wanted, operator=asked.who.seat or "")


def may_see(asked: Request, operator: str | None) -> bool:
    """Whether this person may see the inspection of an operator's call."""
    if asked.who.roles & INSPECTORS_OF_CALLS:
        return True
    return operator is not None and operator == asked.who.seat


async def list_inspections(asked: Request) -> Inspections:
    """One page of inspections, newest calls first."""
    query = asked.asked(InspectionQuery)
    async with borrowed(asked.services.pool) as conn:
        rows = await inspection_lists.page(
            conn, wanted_by(asked, query), before=query.before, limit=query.limit + 1
        )
    shown = rows[: query.limit]
    more = shown[-1]["call_id"] if len(rows) > query.limit else None
    badges = _badges(asked)
    found = tuple(InspectionView(**_view(row, badges)) for row in shown)
    return Inspections(inspections=found, next=more)


async def call_inspection(asked: Request) -> InspectionDetail:
    """The inspection of one call, each item explained, with the moments to listen to."""
    call_id = asked.path_id("call_id")
    async with borrowed(asked.services.pool) as conn:
        row = await inspection_lists.of_call(conn, call_id)
        if row is None or not may_see(asked, row["operator"]):
            raise ProblemError(Fault.NOT_FOUND, f"Call {call_id} has no inspection.")
        items = await inspection_lists.items(conn, row["id"])
        lost = await inspection_lists.deductions(conn, row["id"])
        forms = await inspection_rows.forms(conn, [row["fingerprint"]])
    await note(asked, Event.SEEN_CALL, call_id=call_id, what="inspection")
    form = forms[row["fingerprint"]]
    return InspectionDetail(
        **_view(row, _badges(asked)),
        items=tuple(_item(one, lost, form) for one in items),
        measures=_measures(row["measures"]),
    )


async def inspection_summary(asked: Request) -> InspectionSummary:
    """How many calls lost what, and how many could not be judged, and why."""
    wanted = wanted_by(asked, asked.asked(InspectionFilter))
    form = _in_force(asked)
    async with borrowed(asked.services.pool) as conn:
        found = await inspection_lists.counted(conn, wanted)
    p10, median, p90 = (
        None if one is None else float(one) for one in found["percentiles"] or (None,) * 3
    )
    return InspectionSummary(
        calls=found["calls"],
        scored=found["scored"],
        low=found["low"],
        serious=found["serious"],
        p10=p10,
        median=median,
        p90=p90,
        items=tuple(_counted(one, form) for one in found["items"]),
        unscored=tuple(
            UnscoredCount(**one, says=reason_says(one["reason"])) for one in found["unscored"]
        ),
    )


async def inspection_form(asked: Request) -> FormView:
    """The form in force: what every call is listened to for."""
    form = _in_force(asked)
    return FormView(
        name=form.name,
        fingerprint=form.fingerprint(),
        basis=form.basis,
        low=form.low,
        items=tuple(
            FormItemView(
                key=one.key,
                name=Both(zh=one.name.zh, en=one.name.en),
                check=one.check,
                points=one.points,
                most=one.most,
                lines=one.lines,
                serious=one.serious,
                phrases=phrases_of(one),
            )
            for one in form.items
        ),
    )


def _in_force(asked: Request) -> Form:
    return load_form(asked.services.config.city_dir, SHIPPED)


def phrases_of(item: AnyItem) -> tuple[str, ...]:
    """What an item listens for."""
    match item:
        case Said():
            return tuple(phrase for group in item.groups for phrase in group)
        case Badge():
            return item.words
        case ReadBack() | Never():
            return item.phrases
        case _:
            return ()


def _badges(asked: Request) -> Mapping[str, str]:
    return {one.extension: one.badge for one in asked.services.config.operators}


def _view(row: asyncpg.Record, badges: Mapping[str, str]) -> dict[str, Any]:
    score = row["score"]
    return {
        "call_id": row["call_id"],
        "form": row["form"],
        "line": row["line"],
        "operator": row["operator"],
        "badge": badges.get(row["operator"] or ""),
        "answered_at": row["answered_at"],
        "talk_seconds": row["talk_seconds"],
        "score": None if score is None else float(score),
        "reason": row["reason"],
        "low": row["low"],
        "serious": row["serious"],
        "lost": tuple(row["lost"]),
        "not_judged": tuple(row["not_judged"]),
        "made_at": row["made_at"],
    }


def name_of(key: str, form: Form) -> Both:
    """What people call an item; one of a form of before by its key."""
    item = form.item(key)
    return Both(zh=key, en=key) if item is None else Both(zh=item.name.zh, en=item.name.en)


def reason_says(reason: str, **facts: object) -> Both:
    """A reason as a sentence."""
    named = {"phrase": "", "found": "", "limit": "", **facts}
    key = f"inspection.reason.{reason}"
    return Both(zh=say(key, "zh", **named), en=say(key, "en", **named))


def _item(row: asyncpg.Record, lost: Sequence[asyncpg.Record], form: Form) -> InspectedItemView:
    item = form.item(row["item"])
    plain = row["verdict"] != "lost" and row["reason"] is not None
    return InspectedItemView(
        key=row["item"],
        name=name_of(row["item"], form),
        verdict=row["verdict"],
        weight=row["weight"],
        lost=row["lost"],
        reason=row["reason"],
        says=reason_says(row["reason"]) if plain else None,
        serious=item is not None and item.serious,
        deductions=tuple(_deduction(one) for one in lost if one["item"] == row["item"]),
    )


def _deduction(row: asyncpg.Record) -> DeductionView:
    facts = json.loads(row["facts"])
    return DeductionView(
        points=row["points"],
        reason=row["reason"],
        says=reason_says(row["reason"], **facts),
        leg=row["leg"],
        start=row["starts"],
        end=row["ends"],
        words=row["words"],
        phrase=facts.get("phrase"),
        likeness=facts.get("likeness"),
    )


def _measures(text: str | None) -> MeasuresView | None:
    if text is None:
        return None
    found = json.loads(text)
    broke = found["interruptions"]
    return MeasuresView(
        **{**found, "interruptions": None, "sides": {}}
        | {
            "interruptions": None
            if broke is None
            else tuple(BrokeInView(by=by, start=start, end=end) for by, start, end in broke),
            "sides": {leg: SideView(**side) for leg, side in found["sides"].items()},
        }
    )


def _counted(one: Mapping[str, Any], form: Form) -> ItemCount:
    counts = {name: one[name] for name in ("kept", "lost", "not_judged", "not_asked")}
    return ItemCount(key=one["item"], name=name_of(one["item"], form), **counts)


ENDPOINTS = (
    get(
        "/api/inspections",
        list_inspections,
        Inspections,
        query=InspectionQuery,
        roles=INSPECTED,
    ),
    get(
        "/api/inspections/summary",
        inspection_summary,
        InspectionSummary,
        query=InspectionFilter,
        roles=INSPECTED,
    ),
    get("/api/inspections/form", inspection_form, FormView, roles=INSPECTED),
    get(
        "/api/calls/{call_id}/inspection",
        call_inspection,
        InspectionDetail,
        faults=(Fault.NOT_FOUND,),
        roles=INSPECTED,
    ),
)
