"""The page Prometheus scrapes: a snapshot and the process's state as text.

Each scrape builds the families anew from values, so nothing is counted twice and no old label
lingers. Known label sets are present from the first scrape, at zero.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from math import nan
from typing import TypeAlias

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
)
from prometheus_client.core import (
    Metric as Family,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from metrics import names, protobuf
from metrics.collect import (
    CaptionFigures,
    Example,
    Handling,
    Histogram,
    LineCalls,
    Probed,
    ProcessState,
    Snapshot,
    Transcripts,
)
from metrics.indicators.definitions import Current
from metrics.names import Metric, Shape
from routing.cases import CaseState
from routing.duty_incidents import Timer
from routing.supervision_rules import Level
from telephony.agents import AgentState
from telephony.calls import Direction, Outcome
from telephony.errors import Reason
from telephony.health import LinkState
from telephony.reconcile import DifferenceKind

Labels = Sequence[str]
Bucket: TypeAlias = tuple[str, float] | tuple[str, float, Exemplar]
Samples = Iterable[tuple[Labels, float]]
SHED_REASONS = ("full", "memory", "lag", "engine", "exchange")
BURST_STATES = ("unseen", "acknowledged")
FILES = ("cel", "queue_log")
COVERAGE_KINDS = ("staff", "roster", "handover")
CALLOUT_STATES = ("running", "acknowledged", "exhausted")
INCIDENT_STATES = ("raised", "open")
DUTY_TIMERS = (*Timer, "instruction")
DEADLINES = ("ok", "soon", "overdue", "undated")
STEPS = ("collect_recordings", "transcribe", "route", "notify", "follow", "inspect")
RECORDING_STATES = ("expected", "stored", "missing", "damaged", "deleted")


def render(
    snapshot: Snapshot | None,
    process: ProcessState,
    *,
    accept: str = "",
    now: datetime | None = None,
    answers: bool | None = None,
) -> tuple[bytes, str]:
    """Return the page and its content type; `accept` is the scraper's own Accept header.

    `now` says how old the snapshot is; without it the page is as fresh as that. `answers` says
    whether the database does; without it, it does when there is a snapshot. Without a snapshot
    (nothing was counted yet, or the database is away) the process still tells its own state; what
    was not counted yet is not on the page, not even at zero.
    """
    registry = CollectorRegistry(auto_describe=False)
    up = snapshot is not None if answers is None else answers
    registry.register(_Page(snapshot, process, now, up=up))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    if protobuf.is_wanted(accept):
        return protobuf.page(registry.collect()), protobuf.CONTENT_TYPE
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Page(Collector):
    """Every family of names.py."""

    def __init__(
        self,
        snapshot: Snapshot | None,
        process: ProcessState,
        now: datetime | None,
        *,
        up: bool,
    ) -> None:
        self._up = up
        self._snapshot = snapshot
        self._process = process
        self._now = now

    def collect(self) -> Iterator[Family]:
        yield from _of_process(self._process)
        yield _family(names.DATABASE_UP, [((), float(self._up))])
        if self._snapshot is not None:
            yield from _of_calls(self._snapshot)
            yield from _of_words(self._snapshot)
            yield from _of_cases(self._snapshot)
            yield from _of_people(self._snapshot)
            yield from _of_probes(self._snapshot, self._process)
            yield _differences(self._snapshot, self._process)
            yield _files_read(self._snapshot, self._process)
            yield from of_indicators(self._snapshot.current)
            yield _family(names.SNAPSHOT_TIME, [((), self._snapshot.at.timestamp())])
            age = ((self._now or self._snapshot.at) - self._snapshot.at).total_seconds()
            yield _family(names.SNAPSHOT_AGE, [((), max(age, 0.0))])
            yield _family(names.SNAPSHOT_TOOK, [((), self._snapshot.took)])


def _family(metric: Metric, samples: Samples) -> Family:
    match metric.shape:
        case Shape.COUNTER:
            counter = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, value in samples:
                counter.add_metric(labels, value)
            return counter
        case Shape.GAUGE:
            gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, value in samples:
                gauge.add_metric(labels, value)
            return gauge
        case Shape.HISTOGRAM:
            raise TypeError(f"{metric.name} is a histogram: it has more than one value")


def _histograms(metric: Metric, found: Iterable[tuple[Labels, Histogram | None]]) -> Family:
    family = protobuf.NativeFamily(metric.name, metric.help, metric.labels)
    edges = [*map(str, metric.buckets), "+Inf"]
    nothing = Histogram(edges=metric.buckets, counts=(0,) * len(edges), total=0.0)
    for labels, told in found:
        histogram = told or nothing
        shown = histogram.examples or (None,) * len(edges)
        buckets = [_bucket(*one) for one in zip(edges, histogram.counts, shown, strict=True)]
        family.add_metric(labels, buckets, histogram.total)
        family.told.append((dict(zip(metric.labels, labels, strict=True)), histogram))
    return family


def _bucket(edge: str, count: int, example: Example | None) -> Bucket:
    if example is None:
        return (edge, count)
    labels = {"call": str(example.call_id)}
    return (edge, count, Exemplar(labels, example.value, example.at.timestamp()))


def of_indicators(current: Current) -> Iterator[Family]:
    """Every indicator of each line over its own window, with both its numbers."""
    figures = sorted(current.figures.items())
    yield _family(names.INDICATOR_NUMERATOR, [(key, it.numerator) for key, it in figures])
    yield _family(names.INDICATOR_DENOMINATOR, [(key, it.denominator) for key, it in figures])
    excluded = [((*key, fact), count) for key, it in figures for fact, count in it.excluded.items()]
    yield _family(names.INDICATOR_EXCLUDED, excluded)
    units = sorted(current.units.items())
    yield _family(names.UNIT_DUE, [((unit,), it.denominator) for unit, it in units])
    yield _family(names.UNIT_ON_TIME, [((unit,), it.numerator) for unit, it in units])
    yield _family(names.INDICATORS_TIME, [((), current.at.timestamp())])
    yield _family(names.NUMBERS_MISSING, [((), current.missing)])


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


_OF_CALLS: tuple[tuple[Metric, Callable[[LineCalls], float]], ...] = (
    (names.CALLS_OFFERED, lambda calls: calls.offered),
    (names.CALLS_ANSWERED, lambda calls: calls.answered),
    (names.CALLS_ANSWERED_WITHIN_TARGET, lambda calls: calls.within_target),
    (names.CALLS_LEFT_BEFORE_QUEUE, lambda calls: calls.left_before_queue),
    (names.CALLS_RECOVERED, lambda calls: calls.recovered),
    (names.CALLS_REGISTERED, lambda calls: calls.registered),
    (names.CALLS_WAITING, lambda calls: calls.waiting),
    (names.CALLS_ACTIVE, lambda calls: calls.active),
    (names.OLDEST_WAITING, lambda calls: _seconds(calls.oldest_waiting)),
    (names.CONNECT_WINDOW_OFFERED, lambda calls: calls.window_offered),
    (names.CONNECT_WINDOW_ANSWERED, lambda calls: calls.window_answered),
    (names.CONNECT_WINDOW_SHORT, lambda calls: calls.window_short),
    (names.TARGET_WINDOW_OFFERED, lambda calls: calls.target_offered),
    (names.TARGET_WINDOW_ANSWERED, lambda calls: calls.target_answered),
)
_OF_HANDLING: tuple[tuple[Metric, Callable[[Handling], float]], ...] = (
    (names.CASES_OVERDUE, lambda handling: handling.open_overdue),
    (names.CASES_WITHDRAWN, lambda handling: handling.withdrawn),
    (names.HANDLING_DUE, lambda handling: handling.due),
    (names.HANDLING_HANDLED, lambda handling: handling.handled),
    (names.CASES_ON_TIME, lambda handling: handling.on_time),
    (names.HANDLING_WINDOW_DUE, lambda handling: handling.window_due),
    (names.HANDLING_WINDOW_HANDLED, lambda handling: handling.window_handled),
    (names.HANDLING_WINDOW_ON_TIME, lambda handling: handling.window_on_time),
    (names.HANDLING_UNDATED, lambda handling: handling.undated),
)
_OF_TRANSCRIPTS: tuple[tuple[Metric, Callable[[Transcripts], float]], ...] = (
    (names.TRANSCRIPTS_PENDING, lambda words: words.pending),
    (names.TRANSCRIPTS_OLDEST_PENDING, lambda words: _seconds(words.oldest_pending)),
    (names.TRANSCRIPTS_DONE, lambda words: words.done),
    (names.TRANSCRIPTS_FAILED, lambda words: words.failures),
    (names.TRANSCRIPTS_AUDIO, lambda words: words.audio_seconds),
)
_OF_CAPTIONS: tuple[tuple[Metric, Callable[[CaptionFigures], float]], ...] = (
    (names.CAPTION_CALLS, lambda now: now.calls),
    (names.CAPTION_LEGS, lambda now: now.legs),
    (names.CAPTION_CAPACITY, lambda now: now.capacity),
    (names.CAPTION_LAG, lambda now: now.lag_seconds),
    (names.CAPTION_SELFTEST, lambda now: now.selftest),
    (names.CAPTION_AUDIO, lambda now: now.heard_seconds),
    (names.CAPTION_CPU, lambda now: now.cpu_seconds),
    (names.CAPTION_SEGMENTS, lambda now: now.segments),
    (names.CAPTION_TAP_RESTARTS, lambda now: now.tap_restarts),
    (names.CAPTION_TAPS_REFUSED, lambda now: now.taps_refused),
    (names.CAPTION_DECODER_DEATHS, lambda now: now.decoder_deaths),
)
_OF_LINKS: tuple[tuple[Metric, Callable[[LinkState], float]], ...] = (
    (names.AMI_CONNECTED, lambda link: link.connected),
    (names.AMI_DROPPED, lambda link: link.dropped),
    (names.AMI_BUFFER, lambda link: link.buffer),
)


def _of_process(process: ProcessState) -> Iterator[Family]:
    yield _family(names.BUILD, [((process.version,), 1)])
    yield _family(names.CALENDAR_END, [((), _seconds(process.calendar_end))])
    ends = [((name,), _seconds(end)) for name, end in sorted(process.certificates.items())]
    yield _family(names.CERTIFICATE_END, ends)
    for metric, value in _OF_LINKS:
        yield _family(metric, [((link.system,), value(link)) for link in process.links])
    reconnects = [
        ((link.system, str(reason)), link.reconnects.get(reason, 0))
        for link in process.links
        for reason in Reason
    ]
    yield _family(names.AMI_RECONNECTS, reconnects)
    events = [
        ((link.system, name), count)
        for link in process.links
        for name, count in sorted(link.events.items())
    ]
    yield _family(names.AMI_EVENTS, events)
    for metric, figure in _OF_CAPTIONS:
        yield _family(metric, [((), figure(process.captions))])
    shed = [((reason,), process.captions.shed.get(reason, 0)) for reason in SHED_REASONS]
    yield _family(names.CAPTION_SHED, shed)
    lags = [((link.system,), _lag(link)) for link in process.links]
    yield _histograms(names.AMI_EVENT_LAG, lags)


def _lag(link: LinkState) -> Histogram:
    own = dict(zip((*link.lag.bounds, None), link.lag.counts, strict=True))
    return Histogram.of(link.lag.bounds, own, link.lag.total)


_OUT, _INSIDE = Direction.OUTGOING, Direction.INTERNAL
_ENDS_FROM_HERE = (Outcome.ANSWERED, Outcome.UNANSWERED, Outcome.BUSY, Outcome.FAILED)


def _of_calls(snapshot: Snapshot) -> Iterator[Family]:
    lines = sorted(snapshot.calls)
    for metric, value in _OF_CALLS:
        yield _family(metric, [((line,), value(snapshot.calls[line])) for line in lines])
    abandoned: list[tuple[Labels, float]] = []
    for line in lines:
        abandoned.append(((line, "short"), snapshot.calls[line].abandoned_short))
        abandoned.append(((line, "long"), snapshot.calls[line].abandoned_long))
    yield _family(names.CALLS_ABANDONED, abandoned)
    ends = [(line, str(it)) for line in lines for it in Outcome if it is not Outcome.BUSY]
    yield _family(names.CALLS_ENDED, [(key, snapshot.ended.get(key, 0)) for key in ends])
    made = [(str(way), str(end)) for way in (_OUT, _INSIDE) for end in _ENDS_FROM_HERE]
    yield _family(names.CALLS_FROM_HERE, [(key, snapshot.from_here.get(key, 0)) for key in made])
    yield _histograms(names.QUEUE_WAIT, [(key, snapshot.waits.get(key)) for key in ends])
    yield _histograms(names.TALK, [((line,), snapshot.talks.get(line)) for line in lines])


def _of_words(snapshot: Snapshot) -> Iterator[Family]:
    states = [((state,), snapshot.recordings.get(state, 0)) for state in RECORDING_STATES]
    yield _family(names.RECORDINGS, states)
    for metric, value in _OF_TRANSCRIPTS:
        yield _family(metric, [((), value(snapshot.transcripts))])
    steps = [((step,), snapshot.parked.get(step, 0)) for step in STEPS]
    yield _family(names.JOBS_PARKED, steps)


def _of_cases(snapshot: Snapshot) -> Iterator[Family]:
    lines = sorted({line for line, _ in snapshot.cases} | set(snapshot.handling))
    states = [(line, str(state)) for line in lines for state in CaseState]
    yield _family(names.CASES, [(key, snapshot.cases.get(key, 0)) for key in states])
    for metric, value in _OF_HANDLING:
        yield _family(
            metric, [((line,), value(found)) for line, found in sorted(snapshot.handling.items())]
        )


def _of_people(snapshot: Snapshot) -> Iterator[Family]:
    lines = [line.name for line in snapshot.lines]
    states = [(line, str(state)) for line in lines for state in AgentState]
    yield _family(names.OPERATORS, [(key, snapshot.operators.get(key, 0)) for key in states])
    kinds = [(line, kind) for line in lines for kind in COVERAGE_KINDS]
    yield _family(names.COVERAGE_GAP, [(key, _seconds(snapshot.gaps.get(key))) for key in kinds])
    callouts = [((state,), snapshot.callouts.get(state, 0)) for state in CALLOUT_STATES]
    yield _family(names.CALLOUTS, callouts)
    bursts = [((state,), snapshot.bursts.get(state, 0)) for state in BURST_STATES]
    yield _family(names.BURSTS, bursts)
    levels = [((str(level),), snapshot.supervision.get(level, 0)) for level in Level]
    yield _family(names.SUPERVISION, levels)
    of_units = {unit for unit, _ in snapshot.unit_cases} | {"none"}
    waiting = [
        ((unit, deadline), snapshot.unit_cases.get((unit, deadline), 0))
        for unit in sorted(of_units)
        for deadline in DEADLINES
    ]
    yield _family(names.UNIT_CASES, waiting)
    yield _family(names.UNSUPERVISED, [((), snapshot.unsupervised)])
    incidents = [((state,), snapshot.incidents.get(state, 0)) for state in INCIDENT_STATES]
    yield _family(names.DUTY_INCIDENTS, incidents)
    overdue = [((str(timer),), snapshot.overdue.get(timer, 0)) for timer in DUTY_TIMERS]
    yield _family(names.DUTY_OVERDUE, overdue)


def _of_probes(snapshot: Snapshot, process: ProcessState) -> Iterator[Family]:
    """Of each line of each exchange; what was never tested is no number."""
    places = {(link.system, line.name) for link in process.links for line in snapshot.lines}
    found = {place: snapshot.probes.get(place) for place in sorted(places | set(snapshot.probes))}
    for metric, value in _OF_PROBES:
        yield _family(metric, [(place, value(probed)) for place, probed in found.items()])


def _answer_seconds(probed: Probed | None) -> float:
    return nan if probed is None or probed.seconds is None else probed.seconds


_OF_PROBES: tuple[tuple[Metric, Callable[[Probed | None], float]], ...] = (
    (names.PROBE_SUCCESS, lambda probed: float(probed.ok) if probed else nan),
    (names.PROBE_LAST_SUCCESS, lambda probed: _seconds(probed.last_ok_at if probed else None)),
    (names.PROBE_ANSWER, _answer_seconds),
)


def _files_read(snapshot: Snapshot, process: ProcessState) -> Family:
    known = {(link.system, source) for link in process.links for source in FILES}
    keys = sorted(known | set(snapshot.files_read))
    samples = [(key, _seconds(snapshot.files_read.get(key))) for key in keys]
    return _family(names.FILES_READ, samples)


def _differences(snapshot: Snapshot, process: ProcessState) -> Family:
    shown = {(link.system, str(kind)) for link in process.links for kind in DifferenceKind}
    shown.update(snapshot.differences)
    samples = [(key, snapshot.differences.get(key, 0)) for key in sorted(shown)]
    return _family(names.DIFFERENCES, samples)
