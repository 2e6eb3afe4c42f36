"""Rates for people, the page for Prometheus, and the health of every part."""

from dataclasses import asdict
from http import HTTPStatus

from aiohttp import web

from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.number_shapes import LineNumbers, Numbers, ProbeView, RatioView
from hotline.console.shapes import Check, Health
from hotline.health import examine
from metrics.collect import PROMISE, Handling, Line, LineCalls, Ratio, Snapshot
from routing.cases import CaseState


def as_numbers(found: Snapshot) -> Numbers:
    """The snapshot as people read it."""
    none = (LineCalls(), Handling())
    return Numbers(
        at=found.at,
        promise=PROMISE,
        lines=tuple(
            _line(
                found,
                line,
                found.calls.get(line.name, none[0]),
                found.handling.get(line.name, none[1]),
            )
            for line in found.lines
        ),
        transcripts_pending=found.transcripts.pending,
        transcripts_oldest_pending_at=found.transcripts.oldest_pending,
        transcripts_failed=found.transcripts.failed,
        recordings=dict(found.recordings),
        differences=sum(found.differences.values()),
    )


def _line(found: Snapshot, line: Line, calls: LineCalls, handling: Handling) -> LineNumbers:
    without_short = Ratio(
        numerator=calls.window_answered, denominator=calls.window_offered - calls.window_short
    )
    return LineNumbers(
        line=line.name,
        target_seconds=line.target.total_seconds(),
        waiting=calls.waiting,
        active=calls.active,
        oldest_waiting_at=calls.oldest_waiting,
        answered_in_time_24h=_ratio(calls.answered_in_time),
        connect_24h=_ratio(calls.connect),
        connect_24h_without_short=_ratio(without_short),
        handling_30d=_ratio(handling.ratio),
        on_time_30d=_ratio(handling.on_time_ratio),
        overdue=handling.open_overdue,
        not_yet_due=handling.not_yet_due,
        not_yet_due_answered=handling.not_yet_due_answered,
        withdrawn=handling.withdrawn,
        undated=handling.undated,
        probes=tuple(
            ProbeView(system=system, **asdict(probed))
            for (system, name), probed in sorted(found.probes.items())
            if name == line.name
        ),
        cases={state: found.cases.get((line.name, state), 0) for state in CaseState},
    )


def _ratio(ratio: Ratio) -> RatioView:
    return RatioView(numerator=ratio.numerator, denominator=ratio.denominator, value=ratio.value)


async def health(asked: Request) -> tuple[HTTPStatus, Health]:
    """What every part says; without the password only which part it is that fails."""
    found = await examine(asked.services)
    checks = tuple(
        Check(name=name, works=said is None, sentence=said if asked.person else None)
        for name, said in sorted(found.parts.items())
    )
    status = HTTPStatus.OK if found.well else HTTPStatus.SERVICE_UNAVAILABLE
    return status, Health(well=found.well, complete=found.complete, checks=checks)


async def rates(asked: Request) -> Numbers:
    """The rates of all lines, with their numerators and denominators."""
    return as_numbers(await asked.desk.counted.now())


async def metrics(asked: Request) -> web.Response:
    """The page Prometheus scrapes."""
    body, content_type = await asked.desk.counted.page(asked.http.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": content_type})


ENDPOINTS = (
    get("/api/numbers", rates, Numbers),
    get("/healthz", health, Health, is_open=True, also=(HTTPStatus.SERVICE_UNAVAILABLE,)),
    get("/metrics", metrics, None, media="text/plain"),
)
