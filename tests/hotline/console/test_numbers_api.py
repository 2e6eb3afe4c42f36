"""Rates, metrics and health: three views of one state that must agree."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from pydantic import SecretStr

from hotline.config import Exchange
from hotline.console import counted
from hotline.database import Pool, pooled
from hotline.errors import HotlineError
from hotline.exchange import RunningExchange
from hotline.services import Services
from metrics.collect import Item
from metrics.ledger import Ledger
from metrics.names import ALL
from routing.cases import Move
from telephony.calls import Leg, Outcome
from tests.hotline.console.conftest import NOW, Clock, Site, configured, opened, services_on
from tests.hotline.console.filled import Said, Town
from tests.metrics.test_page import Series, read, value

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪城区临园路的路灯坏了三天"),)


async def numbers(visitor: ClientSession) -> dict[str, Any]:
    async with visitor.get("/api/numbers") as answer:
        assert answer.status == 200
        found: dict[str, Any] = await answer.json()
    return found


async def test_the_page_and_prometheus_read_the_same_numbers(
    town: Town, visitor: ClientSession
) -> None:
    for minutes, wait in ((200, 5.0), (150, 15.0), (100, 16.0)):
        await town.is_talked(NOW - timedelta(minutes=minutes), SAID, wait=wait)
    await town.is_lost(NOW - timedelta(minutes=90), wait=40, outcome=Outcome.ABANDONED)
    await town.is_lost(NOW - timedelta(minutes=80), wait=2, outcome=Outcome.ABANDONED_SHORT)
    await town.is_lost(NOW - timedelta(days=2), wait=60, outcome=Outcome.UNANSWERED)
    await town.starts(town.call(NOW - timedelta(seconds=30)))
    late = await town.is_talked(NOW - timedelta(days=20), SAID, line="duty")
    await town.moves(late, Move.OPEN, NOW - timedelta(days=20), kind="consult", urgency="normal",
                     level1="民政")  # fmt: skip

    found = await numbers(visitor)
    mayor, duty = found["lines"]
    assert mayor["connect_24h"] == {"numerator": 3, "denominator": 5, "value": 0.6}
    assert mayor["connect_24h_without_short"] == {"numerator": 3, "denominator": 4, "value": 0.75}
    # The caller who has waited 26 s counts against the 15 s, not yet against the connect ratio.
    assert mayor["answered_in_time_24h"] == {"numerator": 2, "denominator": 6, "value": 2 / 6}
    assert (mayor["waiting"], mayor["active"]) == (1, 1)
    assert duty["handling_30d"] == {"numerator": 0, "denominator": 1, "value": 0.0}
    assert duty["overdue"] == 1

    async with visitor.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        series = read(await answer.read())
    for line in found["lines"]:
        name = line["line"]
        for metric, number in {
            "hotline_connect_window_answered": line["connect_24h"]["numerator"],
            "hotline_connect_window_offered": line["connect_24h"]["denominator"],
            "hotline_target_window_answered": line["answered_in_time_24h"]["numerator"],
            "hotline_target_window_offered": line["answered_in_time_24h"]["denominator"],
            "hotline_handling_window_handled": line["handling_30d"]["numerator"],
            "hotline_handling_window_due": line["handling_30d"]["denominator"],
            "hotline_calls_waiting": line["waiting"],
            "hotline_cases_overdue": line["overdue"],
        }.items():
            assert value(series, metric, line=name) == number, metric
        for state, count in line["cases"].items():
            assert value(series, "hotline_cases", line=name, state=state) == count
    assert value(series, "hotline_calls_offered_total", line="mayor") == 7


async def test_openmetrics_is_served_to_who_asks(visitor: ClientSession) -> None:
    accept = {"Accept": "application/openmetrics-text;version=1.0.0"}
    async with visitor.get("/metrics", headers=accept) as answer:
        assert answer.content_type == "application/openmetrics-text"
        assert (await answer.text()).endswith("# EOF\n")


async def test_counters_stand_still_over_a_restart(
    town: Town, services: Services, visitor: ClientSession
) -> None:
    await town.is_talked(NOW - timedelta(hours=1), SAID)
    async with visitor.get("/metrics") as answer:
        before = read(await answer.read())
    again = await opened(services)
    async with again.visitor().get("/metrics") as answer:
        after = read(await answer.read())
    await again.close()
    ours = {metric.name for metric in ALL if metric.name.startswith(("hotline_c", "hotline_h"))}
    assert {k: v for k, v in before.items() if k[0] in ours} == {
        k: v for k, v in after.items() if k[0] in ours
    }


async def test_an_exchange_that_cannot_be_reached_shows_on_the_page(
    services: Services, tmp_path: Path
) -> None:
    away = Exchange(
        system="mianyang-1",
        secret=SecretStr("x"),
        port=1,
        cel_file=tmp_path / "calls.csv",
        queue_log_file=tmp_path / "queue_log",
        recordings_dir=tmp_path,
    )
    exchange = RunningExchange(
        away, config=services.config, pool=services.pool, clock=services.clock
    )
    site = await opened(replace(services, exchanges={"mianyang-1": exchange}))
    async with site.visitor().get("/metrics") as answer:
        series = read(await answer.read())
    await site.close()
    assert value(series, "hotline_ami_connected", system="mianyang-1") == 0
    different = "hotline_reconciliation_differences_total"
    assert value(series, different, system="mianyang-1", kind="missing") == 0


async def fails() -> None:
    raise HotlineError("The exchange at 13890115678 does not answer.")


async def test_health_names_what_fails_and_hides_numbers(services: Services) -> None:
    broken = replace(services, pings={**services.pings, "exchange mianyang-1": fails})
    site = await opened(broken)
    async with site.visitor().get("/healthz") as answer:
        health = await answer.json()
        assert answer.status == 503
    await site.close()
    assert (health["well"], health["complete"]) == (False, False)
    failing = [check for check in health["checks"] if not check["works"]]
    assert [check["name"] for check in failing] == ["exchange mianyang-1"]
    assert "138****5678" in failing[0]["sentence"]
    assert "13890115678" not in failing[0]["sentence"]


async def test_a_part_that_only_waits_does_not_make_the_service_unwell(
    services: Services,
) -> None:
    site = await opened(replace(services, pings={**services.pings, "speech": fails}))
    async with site.visitor().get("/healthz") as answer:
        assert answer.status == 200
        health = await answer.json()
    await site.close()
    assert (health["well"], health["complete"]) == (True, False)


async def test_strangers_learn_which_part_fails_and_no_more(
    tmp_path: Path, pool: Pool, database: str, clock: Clock
) -> None:
    config = configured(tmp_path, console_password=SecretStr("secret"))
    services = services_on(config, pool, database, clock)
    site = await opened(replace(services, pings={"speech": fails}))
    async with site.visitor().get("/healthz") as answer:
        health = await answer.json()
    await site.close()
    assert health["checks"] == [{"name": "speech", "works": False, "sentence": None}]


@pytest.fixture
async def without_database(services: Services, database: str) -> AsyncIterator[Site]:
    async with pooled(database, size=1) as gone:
        pass
    site = await opened(replace(services, pool=gone))
    yield site
    await site.close()


async def test_without_a_database_the_process_still_speaks(without_database: Site) -> None:
    visitor = without_database.visitor()
    async with visitor.get("/metrics") as answer:
        assert answer.status == 200
        series = read(await answer.read())
    assert value(series, "hotline_database_up") == 0
    for path in ("/api/numbers", "/api/calls", "/api/cases"):
        async with visitor.get(path) as answer:
            assert answer.status == 503
            assert (await answer.json())["type"] == "database_down"


async def scraped(site: Site) -> Series:
    async with site.visitor().get("/metrics") as answer:
        return read(await answer.read())


async def test_a_database_that_answers_is_up_before_anything_is_counted(
    services: Services, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "PATIENCE", 0.2)
    site = await opened(services)
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("LOCK TABLE calls IN ACCESS EXCLUSIVE MODE")  # no count gets past it
        series = await scraped(site)
        assert value(series, "hotline_database_up") == 1
        assert not any(name.startswith("hotline_calls_") for name, _ in series)
    async with asyncio.timeout(10):
        while ("hotline_calls_waiting", frozenset({("line", "mayor")})) not in series:
            series = await scraped(site)
    await site.close()


async def test_after_a_start_all_but_the_handling_counters_is_served_at_once(
    town: Town, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.is_talked(NOW - timedelta(hours=1), SAID)
    go_on = threading.Event()

    class Slow(Ledger):
        """As a million ended cases make it."""

        def settle(self, closed: Iterable[Item], seen: int) -> None:
            go_on.wait(30)
            super().settle(closed, seen)

    monkeypatch.setattr(counted, "Ledger", Slow)
    monkeypatch.setattr(counted, "PATIENCE", 0.2)
    site = await opened(services)
    try:
        first = await scraped(site)
        async with asyncio.timeout(10):
            while not any(name == "hotline_calls_waiting" for name, _ in first):
                first = await scraped(site)
        assert value(first, "hotline_database_up") == 1
        assert value(first, "hotline_calls_answered_total", line="mayor") == 1
        assert not any(name.startswith("hotline_handling") for name, _ in first)
        async with site.visitor().get("/api/numbers") as answer:
            assert answer.status == 503  # people are shown no zero that was not counted
        go_on.set()
        whole = first
        async with asyncio.timeout(10):
            while not any(name == "hotline_handling_due_total" for name, _ in whole):
                whole = await scraped(site)
    finally:
        go_on.set()
        await site.close()


async def test_test_calls_are_shown_beside_their_line_and_apart_from_citizens(
    pool: Pool, visitor: ClientSession
) -> None:
    await pool.execute(
        """INSERT INTO calls (id, system, linked_id, line, started_at, ended_at, outcome, kind)
           VALUES (1, 'mianyang-1', 'probe-1', 'mayor', $1, $1, 'unanswered', 'probe'),
                  (2, 'mianyang-1', 'x-1', 'mayor', $1, $1, 'answered', 'citizen')""",
        NOW,
    )
    await pool.execute(
        """INSERT INTO probes (system, line, at, ok, stage, detail, call_id)
           VALUES ('mianyang-1', 'mayor', $1, false, 'queued', 'Nobody took it.', 1)""",
        NOW,
    )
    mayor, duty = (await numbers(visitor))["lines"]
    (probe,) = mayor["probes"]
    assert (probe["ok"], probe["stage"], probe["reason"]) == (False, "queued", "Nobody took it.")
    assert duty["probes"] == []
    for query, wanted in (("", [(2, "citizen")]), ("?kind=probe", [(1, "probe")])):
        async with visitor.get(f"/api/calls{query}") as answer:
            calls = (await answer.json())["calls"]
        assert [(call["id"], call["kind"]) for call in calls] == wanted
