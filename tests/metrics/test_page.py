"""The page Prometheus scrapes: complete, at zero from the start, without anything personal."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from metrics import names
from metrics.collect import Line, ProcessState, Snapshot
from metrics.exporter import render
from metrics.indicators.store import current
from metrics.ledger import Ledger
from metrics.names import ALL, Shape
from metrics.store import snapshot
from telephony.ami import WireCounts
from telephony.errors import Reason
from telephony.health import LAG_BOUNDS, Lag, LinkState, Phase
from tests.metrics.rows import CallRow, CaseRow

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LINES = (Line(name="mayor"), Line(name="duty"))
NAMES = [line.name for line in LINES]
LINK = LinkState(
    system="mianyang-1",
    phase=Phase.READY,
    connected=True,
    since=NOW,
    generation=2,
    asterisk_ami="11.0.0",
    retry_at=None,
    reconnects={Reason.SILENT: 3},
    events={"Newchannel": 12, "Hangup": 11},
    lag=Lag(counts=(5, 1, *(0,) * (len(LAG_BOUNDS) - 2), 1), total=42.5),
    filtered=0,
    dropped=4,
    consumer_errors=0,
    late_answers=0,
    pings_missed=0,
    buffer=7,
    buffer_limit=1000,
    wire=WireCounts(),
    last_error=None,
    last_error_at=None,
    warning=None,
)
PROCESS = ProcessState(
    version="0.1.0", links=(LINK,), calendar_end=NOW, certificates={"hotline.pem": NOW}
)

Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def read(page: bytes) -> Series:
    """The page's samples by name and labels, read with the client library's own parser."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float:
    return series[name, frozenset(labels.items())]


async def empty(conn: asyncpg.Connection) -> Snapshot:
    return await snapshot(conn, LINES, Ledger(NAMES, lambda _: None), NOW)


async def test_every_metric_stands_on_the_page_of_an_empty_service(
    conn: asyncpg.Connection,
) -> None:
    page, content_type = render(await empty(conn), PROCESS)
    series = read(page)
    shown = {name for name, _ in series}
    assert content_type.startswith("text/plain; version=0.0.4")
    for metric in ALL:
        assert set(metric.series) <= shown, metric.name
        for sample in metric.series:
            labels = {
                frozenset(k for k, _ in key) - {"le"} for name, key in series if name == sample
            }
            assert labels == {frozenset(metric.labels)}, metric.name
    ours = {name for name in shown if name.startswith("hotline_")}
    assert ours == {name for metric in ALL for name in metric.series}
    assert value(series, "hotline_calls_ended_total", line="duty", outcome="voicemail") == 0
    made = {"direction": "outgoing", "outcome": "busy"}
    assert value(series, "hotline_calls_from_here_total", **made) == 0
    assert value(series, "hotline_queue_wait_seconds_count", line="duty", outcome="answered") == 0
    assert value(series, "hotline_cases", line="mayor", state="draft") == 0
    assert value(series, "hotline_ami_reconnects_total", system="mianyang-1", reason="tls") == 0
    different = partial(value, series, "hotline_reconciliation_differences_total")
    assert different(system="mianyang-1", kind="missing") == 0


async def test_open_metrics_is_spoken_to_who_asks_for_it(conn: asyncpg.Connection) -> None:
    page, content_type = render(
        await empty(conn),
        PROCESS,
        accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
    )
    assert content_type.startswith("application/openmetrics-text")
    families = list(openmetrics_parser.text_string_to_metric_families(page.decode()))  # type: ignore[no-untyped-call]
    assert {family.name for family in families} >= {"hotline_calls_offered", "hotline_cases"}


def test_without_a_database_the_process_still_speaks() -> None:
    series = read(render(None, PROCESS)[0])
    assert value(series, "hotline_database_up") == 0
    assert value(series, "hotline_ami_connected", system="mianyang-1") == 1
    assert not any(name.startswith("hotline_calls") for name, _ in series)


def test_the_connection_is_told_as_it_stands() -> None:
    of = partial(value, read(render(None, PROCESS)[0]), system="mianyang-1")
    assert of("hotline_ami_reconnects_total", reason="silent") == 3
    assert of("hotline_ami_events_total", event="Newchannel") == 12
    assert of("hotline_ami_events_dropped_total") == 4
    assert of("hotline_ami_event_buffer_size") == 7
    assert of("hotline_ami_event_lag_seconds_bucket", le="0.005") == 5
    assert of("hotline_ami_event_lag_seconds_bucket", le="30.0") == 6
    assert of("hotline_ami_event_lag_seconds_count") == 7
    assert of("hotline_ami_event_lag_seconds_sum") == 42.5


async def test_histograms_and_sums_agree_with_the_counters(conn: asyncpg.Connection) -> None:
    for number, wait in enumerate((3.0, 15.0, 15.5, 700.0), start=1):
        await CallRow(
            id=number,
            line="mayor",
            started_at=NOW - timedelta(hours=1),
            queued=0,
            answered=wait,
            ended=wait + 60,
            outcome="answered",
        ).write(conn)
    series = read(render(await empty(conn), PROCESS)[0])
    bucket = partial(
        value, series, "hotline_queue_wait_seconds_bucket", line="mayor", outcome="answered"
    )
    assert [bucket(le=edge) for edge in ("10.0", "15.0", "20.0", "600.0", "+Inf")] == [
        1,
        2,
        3,
        3,
        4,
    ]
    assert value(series, "hotline_calls_answered_within_target_total", line="mayor") == 2
    assert value(series, "hotline_talk_seconds_sum", line="mayor") == 240


async def test_no_label_holds_a_number_or_a_name_of_a_person(conn: asyncpg.Connection) -> None:
    token = await conn.fetchval(
        "INSERT INTO identities (look_up, number, name) VALUES ($1, $2, $3) RETURNING token",
        "13890115678",
        "13890115678",
        "张三丰",
    )
    await CallRow(id=5, line="mayor", started_at=NOW, queued=1, answered=2).write(conn)
    await conn.execute("UPDATE calls SET caller = $1, operator = '1001'", token)
    await CaseRow(line="mayor", state="open", drafted_at=NOW, opened_at=NOW, call_id=5).write(conn)
    text = render(await empty(conn), PROCESS)[0].decode()
    for personal in ("13890115678", "张", "1001", "5678", str(token)):
        assert not re.search(rf'="[^"]*{personal}[^"]*"', text)


def test_names_follow_the_conventions() -> None:
    assert len({metric.name for metric in ALL}) == len(ALL)
    for metric in ALL:
        assert re.fullmatch(r"hotline_[a-z0-9_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.shape is Shape.COUNTER), metric.name
        assert metric.help.endswith("."), metric.name
        assert bool(metric.buckets) == (metric.shape is Shape.HISTOGRAM)
        assert list(metric.buckets) == sorted(metric.buckets)
    assert 15.0 in names.QUEUE_WAIT.buckets


async def test_an_example_names_a_call_by_its_number_and_no_protected_one(
    conn: asyncpg.Connection,
) -> None:
    for number, wait in ((1, 3.0), (2, 4.0), (3, 12.0)):
        await CallRow(
            id=number,
            line="mayor",
            started_at=NOW - timedelta(hours=1),
            queued=0,
            answered=wait,
            ended=60,
            outcome="answered",
        ).write(conn)
    await CaseRow(line="mayor", state="open", drafted_at=NOW, opened_at=NOW, call_id=3).write(conn)
    await conn.execute(
        """INSERT INTO protections (case_id, against_office, taker, marked_at, marked_by)
           SELECT id, true, 'x', $1, 'x' FROM cases""",
        NOW,
    )
    page = render(await empty(conn), PROCESS, accept="application/openmetrics-text;version=1.0.0")
    waits = [it for it in page[0].decode().splitlines() if it.startswith("hotline_queue_wait")]
    shown = [it.split("# ")[1].split()[:2] for it in waits if "# " in it]
    assert shown == [['{call="2"}', "4.0"]]


async def test_the_page_tells_the_same_indicators_as_their_statements(
    conn: asyncpg.Connection,
) -> None:
    await CallRow(
        id=1, line="mayor", started_at=NOW, queued=-60, answered=-50, ended=-1, outcome="answered"
    ).write(conn)
    await conn.execute("UPDATE call_counter SET last = 2")
    found = await empty(conn)
    series = read(render(found, PROCESS, now=NOW + timedelta(seconds=7))[0])
    for (key, line), figure in (await current(conn, LINES, NOW)).figures.items():
        named = {"indicator": key, "line": line}
        assert value(series, "hotline_indicator_numerator", **named) == figure.numerator
        assert value(series, "hotline_indicator_denominator", **named) == figure.denominator
    connect = {"indicator": "connect", "line": "mayor"}
    assert value(series, "hotline_indicator_denominator", **connect) == 2
    assert value(series, "hotline_call_numbers_missing") == 1
    assert value(series, "hotline_snapshot_age_seconds") == 7


async def test_when_the_exchanges_files_were_read_is_told(conn: asyncpg.Connection) -> None:
    await conn.execute(
        """INSERT INTO tail_positions (system, source, inode, "offset", read_at)
           VALUES ('mianyang-1', 'cel', 1, 7, $1)""",
        NOW,
    )
    series = read(render(await empty(conn), PROCESS)[0])
    of = partial(value, series, "hotline_exchange_file_read_timestamp_seconds", system="mianyang-1")
    assert (of(source="cel"), of(source="queue_log")) == (NOW.timestamp(), 0)
