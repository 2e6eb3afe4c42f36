"""The dashboards: whole, in both languages, and each query answered by a real Prometheus.

The Prometheus is filled with a simulated day: the service's own pages, written while the calls and
cases of that day happened in a real database, and of an hour a week before.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from prometheus_client import parser

from deploy.grafana.boards import BOARDS, documents, write
from deploy.portable import Tool
from metrics.collect import ProcessState, Snapshot
from metrics.exporter import render
from metrics.ledger import Ledger
from metrics.names import ALL
from metrics.store import snapshot
from telephony.health import LAG_BOUNDS, Lag
from tests.deploy.test_prometheus import LINES, NAMES, RunningPrometheus, have, rules, run
from tests.metrics.rows import CallRow, CaseRow
from tests.metrics.test_page import LINK

MINUTE, DAY, WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(days=7)


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, text in documents().items():
        for panel in json.loads(text)["panels"]:
            yield name, panel


def test_every_panel_has_its_words_unit_limits_and_legend() -> None:
    for name, panel in panels():
        where = f"{name}: {panel['title']}"
        assert re.search(r"[\u4e00-\u9fff]", panel["title"]), where
        assert re.fullmatch(r"[\x20-\x7e÷]+", panel["description"]), where
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"], where
        assert defaults["thresholds"]["steps"], where
        assert all(target["legendFormat"] for target in panel["targets"]), where
        if panel["type"] == "timeseries":
            assert panel["options"]["legend"]["showLegend"], where
        if ":ratio" in panel["targets"][0]["expr"]:
            assert {"color": "green", "value": 0.95} in defaults["thresholds"]["steps"], where


def test_panels_use_only_what_is_exported_and_recorded() -> None:
    known = {rule["record"] for rule in rules() if "record" in rule}
    known |= {name for metric in ALL for name in metric.series} | {"hotline"}
    for name, panel in panels():
        for target in panel["targets"]:
            used = set(re.findall(r"(?:[a-z]+:)?hotline[a-z0-9_:]*", target["expr"]))
            assert used <= known, (name, panel["title"])


def test_the_files_are_written_whole_and_again(tmp_path: Path) -> None:
    first = [path.read_text("utf-8") for path in write(tmp_path / "new")]
    again = [path.read_text("utf-8") for path in write(tmp_path / "new")]
    assert first == again
    assert len(list((tmp_path / "new").iterdir())) == len(BOARDS)
    titles = [json.loads(text)["title"] for text in first]
    assert len(set(titles)) == len(titles)


class SimulatedDay:
    """Lives a day of calls in a database and keeps the pages that the service would have shown."""

    def __init__(self, conn: asyncpg.Connection, end: datetime) -> None:
        self._conn, self._end = conn, end
        self._ledger = Ledger(NAMES, lambda item: item.accepted_at + timedelta(hours=1))
        self._number = 0
        self.lines: list[str] = []
        self.last: tuple[Snapshot, ProcessState] | None = None

    def moments(self) -> Iterator[datetime]:
        for minutes in range(-95, 1, 5):
            yield self._end - WEEK + minutes * MINUTE
        for minutes in range(-24 * 60, -3 * 60, 30):
            yield self._end + minutes * MINUTE
        for minutes in range(-3 * 60, 1, 5):
            yield self._end + minutes * MINUTE

    async def live(self) -> None:
        current = None
        await self._cases()
        for place, at in enumerate(self.moments()):
            await self._calls(at)
            found = await snapshot(self._conn, LINES, self._ledger, at, current=current)
            current = found.current
            lag = Lag(counts=(place, *(0,) * len(LAG_BOUNDS)), total=float(place))
            link = replace(LINK, events={"Newchannel": 9 * place}, lag=lag)
            process = ProcessState(version="0.1.0", links=(link,))
            self.last = (found, process)
            self._keep(at, render(found, process)[0].decode())

    def _keep(self, at: datetime, page: str) -> None:
        for family in parser.text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name.startswith("hotline"):
                    labels = {**sample.labels, "job": "hotline", "instance": "simulated"}
                    text = ",".join(f"{name}={json.dumps(it)}" for name, it in labels.items())
                    self.lines.append(
                        f"{sample.name}{{{text}}} {sample.value} {at.timestamp():.0f}"
                    )

    async def _calls(self, at: datetime) -> None:
        """Four callers: two reach a person, one hangs up at once, one after a minute."""
        for wait, outcome in (
            (4, "answered"),
            (22, "answered"),
            (2, "abandoned_short"),
            (60, "abandoned"),
        ):
            self._number += 1
            answered = wait if outcome == "answered" else None
            await CallRow(
                id=self._number,
                line=NAMES[self._number % 2],
                started_at=at - 4 * MINUTE,
                queued=0,
                answered=answered,
                ended=wait if answered is None else wait + 90,
                outcome=outcome,
            ).write(self._conn)
        await self._conn.execute("UPDATE call_counter SET last = $1", self._number)
        await self._conn.execute(
            """INSERT INTO transcripts (call_id, leg, state, audio_seconds, words, text, done_at,
                                        requested_at)
               VALUES ($1, 'caller', 'done', 90, '[]', '', $2, $2)""",
            self._number - 3,
            at,
        )

    async def _cases(self) -> None:
        """Twenty cases that were closed, and one that a unit has let pass."""
        begin = self._end - WEEK - DAY
        for number in range(1, 21):
            at = begin + number * MINUTE
            await CaseRow(
                id=number,
                line=NAMES[number % 2],
                state="closed",
                drafted_at=at,
                opened_at=at,
                closed_at=at + MINUTE,
                moves=(("case.opened", at), ("case.closed", at + MINUTE)),
            ).write(self._conn)
        await CaseRow(id=30, line="mayor", state="open", drafted_at=begin, opened_at=begin).write(
            self._conn
        )
        await self._conn.execute(
            "UPDATE cases SET unit = '市水务局', given_at = $1, due_at = $1 WHERE id = 30", begin
        )
        await self._conn.execute(
            """INSERT INTO probes (system, line, at, ok, stage, seconds)
               SELECT 'mianyang-1', name, $1, true, 'recorded', 6
                 FROM unnest($2::text[]) AS name""",
            self._end,
            NAMES,
        )


async def answers(session: aiohttp.ClientSession, port: int, target: Any, end: float) -> bool:
    """Whether a panel's query has at least one number."""
    query = target["expr"].replace("$line", ".+")
    way, span = "query", {}
    if target.get("range"):
        way, span = "query_range", {"start": end - 7200, "end": end + 60, "step": 60}
    url = f"http://127.0.0.1:{port}/api/v1/{way}?{urlencode({'query': query, **span})}"
    async with session.get(url) as response:
        told = await response.json()
    assert told["status"] == "success", (query, told)
    found = [it.get("values") or [it["value"]] for it in told["data"]["result"]]
    return any(value != "NaN" for values in found for _, value in values)


async def test_every_query_answers_from_a_simulated_day(
    conn: asyncpg.Connection, tmp_path: Path
) -> None:
    promtool: Tool = have("promtool")
    end = datetime.now(UTC).replace(microsecond=0)
    day = SimulatedDay(conn, end)
    await day.live()
    assert day.last is not None
    shown, process = day.last
    file = tmp_path / "day.om"
    file.write_text("\n".join([*day.lines, "# EOF", ""]), encoding="utf-8")
    fill = ("tsdb", "create-blocks-from", "openmetrics", str(file), str(tmp_path / "data"))
    await asyncio.to_thread(run, promtool, *fill)

    async def page(_: web.Request) -> web.Response:
        body, content_type = render(shown, process)
        return web.Response(body=body, headers={"Content-Type": content_type})

    app = web.Application()
    app.router.add_get("/metrics", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with RunningPrometheus(tmp_path, runner.addresses[0][1]) as prometheus:
            await prometheus.first_answer('line:hotline_connect:ratio24h{line="mayor"}')
            await prometheus.first_answer('up{job="hotline"}')
            async with aiohttp.ClientSession() as session:
                silent = [
                    (name, panel["title"], target["expr"])
                    for name, panel in panels()
                    for target in panel["targets"]
                    if not await answers(session, prometheus.port, target, end.timestamp())
                ]
    finally:
        await runner.cleanup()
    assert silent == []


@pytest.mark.parametrize("name", ["datasources", "dashboards"])
def test_provisioning_names_the_source_that_the_panels_ask(name: str) -> None:
    folder = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "provisioning" / name
    text = (folder / "hotline.yml").read_text("utf-8")
    assert ("uid: hotline" in text) is (name == "datasources")
    assert {panel["datasource"]["uid"] for _, panel in panels()} == {"hotline"}
