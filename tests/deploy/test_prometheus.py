"""The rules and alerts: checked and tested by promtool, and fed by what the service exports."""

import asyncio
import json
import re
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
import asyncpg
import pytest
import yaml
from aiohttp import web

from deploy.portable import Tool, ToolMissing, ensure
from metrics.collect import Line, Snapshot
from metrics.exporter import render
from metrics.ledger import Ledger
from metrics.names import ALL
from metrics.store import snapshot
from tests.metrics.rows import CallRow
from tests.metrics.test_page import PROCESS

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"
LINES = (Line(name="mayor"), Line(name="duty"))
NAMES = [line.name for line in LINES]
# What the first release promises to show and to warn of.
ALERTED = {
    "HotlineAnswersTooSlowly",
    "HotlineConnectRatioBelowPromise",
    "HotlineHandlingRatioBelowPromise",
    "HotlineExchangeDisconnected",
    "HotlineReconciliationDifference",
    "HotlineTranscriptsBacklog",
    "HotlineJobsParked",
    "HotlineCaptionsShed",
    "HotlineCaptionsStalled",
}
ASKED_FOR = {
    "hotline_calls_offered_total",
    "hotline_calls_answered_total",
    "hotline_calls_answered_within_target_total",
    "hotline_calls_abandoned_total",
    "hotline_calls_ended_total",
    "hotline_calls_waiting",
    "hotline_calls_active",
    "hotline_queue_wait_seconds",
    "hotline_talk_seconds",
    "hotline_transcripts_pending",
    "hotline_transcripts_oldest_pending_timestamp_seconds",
    "hotline_cases",
    "hotline_handling_due_total",
    "hotline_handling_handled_total",
    "hotline_cases_on_time_total",
    "hotline_ami_connected",
    "hotline_ami_reconnects_total",
    "hotline_ami_event_lag_seconds",
    "hotline_reconciliation_differences_total",
}


@pytest.fixture(scope="session")
def promtool() -> Tool:
    return have("promtool")


def have(name: str) -> Tool:
    try:
        return ensure("promtool" if name == "promtool" else "prometheus")
    except ToolMissing as error:
        pytest.skip(str(error))


def run(tool: Tool, *argv: str, text: bytes | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - a tool of our own set-up
        [*tool.argv, *argv],
        cwd=FOLDER,
        env=dict(tool.env) or None,
        input=text,
        capture_output=True,
        check=False,
        timeout=60,
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def rules() -> list[dict[str, str]]:
    return [
        rule
        for path in sorted((FOLDER / "rules").glob("*.yml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
        for rule in group["rules"]
    ]


def test_promtool_accepts_the_configuration_and_the_rules(promtool: Tool) -> None:
    run(promtool, "check", "config", "prometheus.yml")
    found = [path.name for path in (FOLDER / "rules").glob("*.yml")]
    run(promtool, "check", "rules", *(f"rules/{name}" for name in found))


def test_each_alert_fires_when_it_must_and_not_otherwise(promtool: Tool) -> None:
    run(promtool, "test", "rules", "rules_test.yml", "rules_test_long.yml")


def test_every_rule_is_tested() -> None:
    text = "".join(it.read_text(encoding="utf-8") for it in FOLDER.glob("rules_test*.yml"))
    for rule in rules():
        assert (rule.get("alert") or rule["record"]) in text


def test_every_alert_the_city_needs_is_there_and_says_what_to_do() -> None:
    alerts = [rule for rule in rules() if "alert" in rule]
    assert {rule["alert"] for rule in alerts} >= ALERTED
    for rule in alerts:
        notes = rule["annotations"]
        assert {"summary", "summary_zh", "action"} <= set(notes), rule["alert"]


def test_rules_use_only_what_is_exported_and_recorded() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    exported = {name for metric in ALL for name in metric.series}
    for rule in rules():
        used = set(re.findall(r"(?:[a-z]+:)?hotline[a-z0-9_:]*", str(rule["expr"]))) - {"hotline"}
        assert used <= recorded | exported, rule


def test_everything_asked_for_is_exported() -> None:
    assert {metric.name for metric in ALL} >= ASKED_FOR


async def test_promtool_finds_no_fault_in_the_page(
    promtool: Tool, conn: asyncpg.Connection
) -> None:
    found = await snapshot(conn, LINES, Ledger(NAMES, lambda _: None), datetime.now(UTC))
    page, _ = render(found, PROCESS)
    said = await asyncio.to_thread(run, promtool, "check", "metrics", text=page)
    assert said == ""


async def test_a_real_prometheus_scrapes_the_page_and_knows_the_rate(
    conn: asyncpg.Connection, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    for number in range(1, 5):
        await CallRow(
            id=number,
            line="mayor",
            started_at=now,
            queued=-60,
            answered=None if number == 4 else -55,
            ended=-1,
            outcome="abandoned" if number == 4 else "answered",
        ).write(conn)
    found = await snapshot(conn, LINES, Ledger(NAMES, lambda _: None), now)

    async with served(found) as port, RunningPrometheus(tmp_path, port) as prometheus:
        expected = {"line:hotline_connect:ratio24h": 0.75, 'up{job="hotline"}': 1.0}
        for query, value in expected.items():
            assert await prometheus.first_answer(query) == value


async def test_native_histograms_reach_a_prometheus_that_asks_for_them(
    conn: asyncpg.Connection, tmp_path: Path
) -> None:
    now, waits = datetime.now(UTC), (0.0, 3.0, 8.0, 8.1, 700.0)
    for number, wait in enumerate(waits, start=1):
        await CallRow(
            id=number,
            line="mayor",
            started_at=now - timedelta(hours=1),
            queued=0,
            answered=wait,
            ended=900,
            outcome="answered",
        ).write(conn)
    found = await snapshot(conn, LINES, Ledger(NAMES, lambda _: None), now)
    asked: list[str] = []
    flag = "--enable-feature=native-histograms"
    async with (
        served(found, asked) as port,
        RunningPrometheus(tmp_path, port, flags=(flag,)) as prometheus,
    ):
        of = 'hotline_queue_wait_seconds{line="mayor",outcome="answered"}'
        assert await prometheus.first_answer(f"histogram_count({of})") == len(waits)
        assert await prometheus.first_answer(f"histogram_sum({of})") == sum(waits)
        # Three of five are at most 8: an observation on an edge is of the bucket below it.
        share = await prometheus.first_answer(f"histogram_fraction(-1, 8, {of})")
        assert round(share, 9) == 0.6
        assert 8 < await prometheus.first_answer(f"histogram_quantile(0.7, {of})") < 9.52
        assert await prometheus.first_answer('hotline_calls_offered_total{line="mayor"}') == 5
    assert all("application/vnd.google.protobuf" in it for it in asked)


@asynccontextmanager
async def served(found: Snapshot, asked: list[str] | None = None) -> AsyncIterator[int]:
    """The page on a port, as the console serves it; `asked` gets each Accept header."""

    async def page(request: web.Request) -> web.Response:
        accept = request.headers.get("Accept", "")
        if asked is not None:
            asked.append(accept)
        body, content_type = render(found, PROCESS, accept=accept)
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_get("/metrics", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


class RunningPrometheus:
    """A Prometheus with our rules that scrapes one port every second."""

    def __init__(
        self, folder: Path, target: int, *, asterisk: int = 9, flags: tuple[str, ...] = ()
    ) -> None:
        self._tool = have("prometheus")
        self._folder = folder
        self._target = target
        self._asterisk, self._flags = asterisk, flags
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    async def __aenter__(self) -> Self:
        config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
        config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{self._target}"]
        config["scrape_configs"][1]["static_configs"][0]["targets"] = [
            f"127.0.0.1:{self._asterisk}"
        ]
        del config["alerting"]
        config["rule_files"] = [self._quick_rules()]
        file = self._folder / "prometheus.yml"
        file.write_text(json.dumps(config), encoding="utf-8")
        self._log = (self._folder / "log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            *self._tool.argv,
            f"--config.file={file}",
            *self._flags,
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            env=dict(self._tool.env) or None,
            stdout=self._log,
            stderr=self._log,
        )
        return self

    def _quick_rules(self) -> str:
        """Our recording rules, evaluated every second instead of every 15 s."""
        text = (FOLDER / "rules" / "recording.yml").read_text(encoding="utf-8")
        file = self._folder / "recording.yml"
        file.write_text(text.replace("interval: 15s", "interval: 1s"), encoding="utf-8")
        return str(file)

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.wait()
        self._log.close()

    async def first_answer(self, query: str) -> float:
        """The value of a query that has one sample, as soon as it has it."""
        return float((await self.first_answers(query))[0]["value"][1])

    async def first_answers(self, query: str) -> list[dict[str, Any]]:
        """What a query gives, as soon as it gives something."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{urlencode({'query': query})}"
        async with aiohttp.ClientSession() as session, asyncio.timeout(60):
            while True:
                assert self._process.returncode is None, (self._folder / "log").read_text()
                try:
                    async with session.get(url) as response:
                        found = (await response.json())["data"]["result"]
                    if found:
                        return list(found)
                except (aiohttp.ClientError, ValueError, KeyError):
                    pass
                await asyncio.sleep(0.2)  # Prometheus has no way to be waited for but to be asked
