"""Test calls into the lines of a real exchange: what passes, what each broken part is called."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import LiteralString

import pytest

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.ports import free_port, free_ports
from deploy.asterisk.process import Asterisk
from hotline.casework import load_casework
from hotline.config import Config, Probe
from hotline.database import Pool, borrowed, connected
from hotline.errors import LineSilentError
from hotline.jobs import Workers
from hotline.keeping import sounds_of
from hotline.probe import ProbeDesk
from hotline.services import utc_now
from hotline.steps import Steps
from metrics.collect import Line as Counted
from metrics.ledger import Ledger
from metrics.store import snapshot
from telephony.seating import seated
from tests.deploy.sip_calls import Caller, Sipp, Telephone
from tests.hotline.seats import Office, config_of, opened, tool
from tests.hotline.story import ScriptedEngine

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(150)]

NOTHING_ELSE: LiteralString = """
    SELECT (SELECT count(*) FROM cases) + (SELECT count(*) FROM callbacks)
         + (SELECT count(*) FROM surveys) + (SELECT count(*) FROM transcripts)
         + (SELECT count(*) FROM identities)"""
NUMBERS = {"mayor": "12345", "duty": "2222345"}


@pytest.fixture
async def sipp(tmp_path: Path) -> AsyncIterator[Sipp]:
    runner = Sipp(tool("sipp"), tmp_path / "sipp")
    yield runner
    await runner.close()


def exchange_at(folder: Path, port: int) -> Exchange:
    """Both ways to answer; the mayor's line also has a second group, a survey and a message."""
    ports = free_ports()
    return Exchange(
        system="mianyang-1",
        run_dir=folder,
        sip_port=ports.sip,
        ami_port=ports.ami,
        rtp_ports=ports.rtp,
        block_list=True,
        calls_per_caller=2,
        lines=(
            Line(
                name="mayor",
                number=NUMBERS["mayor"],
                operators=("1001",),
                second_group=("1002",),
                overflow_seconds=1,
                ring_seconds=2,
                survey=True,
                takes_message=True,
                tells_place=True,
                tells_badge=True,
            ),
            Line(
                name="duty",
                number=NUMBERS["duty"],
                operators=("1001",),
                max_wait_seconds=3,
                answer="by_operator",
            ),
        ),
        operators=tuple(
            Operator(extension=one, contact=f"sip:{one}@127.0.0.1:{port}")
            for one in ("1001", "1002")
        ),
    )


@pytest.fixture
def port() -> int:
    return free_port(socket.SOCK_DGRAM)


@pytest.fixture
async def asterisk(tmp_path: Path, port: int) -> AsyncIterator[Asterisk]:
    async with Asterisk(exchange_at(tmp_path / "exchange", port), tool("asterisk")) as running:
        yield running


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every test here stands on."""

    asterisk: Asterisk
    pool: Pool
    dsn: str
    folder: Path

    @property
    def cel(self) -> str:
        return self.asterisk.exchange.cel_file.read_text()


@pytest.fixture
def ground(asterisk: Asterisk, pool: Pool, database: str, tmp_path: Path) -> Ground:
    return Ground(asterisk=asterisk, pool=pool, dsn=database, folder=tmp_path)


@asynccontextmanager
async def probing(ground: Ground) -> AsyncIterator[tuple[Office, ProbeDesk]]:
    """The service's parts that a test call goes through: the exchange, the record, the store."""
    asterisk, pool = ground.asterisk, ground.pool
    config = config_of(
        asterisk,
        probe=Probe(interval_seconds=1.0, timeout_seconds=15.0),
        data_dir=ground.folder / "data",
    )
    sounds, casework = sounds_of(config), load_casework(Config())
    steps = Steps(
        pool=pool,
        clock=utc_now,
        sounds=sounds,
        recordings_dirs={asterisk.exchange.system: asterisk.exchange.recordings_dir},
        recording_grace=timedelta(seconds=4),
        transcriber=ScriptedEngine(),
        classifier=casework.classifier,
        vocabulary=lambda: casework.city.vocabulary,
    )
    workers = Workers(connect=lambda: connected(ground.dsn), steps=steps.quick(), at_once=2)
    async with opened(pool, config) as office:
        desk = ProbeDesk(
            config=config,
            pool=pool,
            exchanges={office.running.system: office.running},
            sounds=sounds,
            clock=utc_now,
        )
        working = asyncio.create_task(workers.run())
        try:
            yield office, desk
        finally:
            workers.stop()
            await asyncio.wait([working], timeout=10)
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


async def once(office: Office, desk: ProbeDesk, line: str) -> dict[str, object]:
    """One test call into a line, and the result it left."""
    wanted = next(one for one in office.config.lines if one.name == line)
    await desk.call(office.running, wanted)
    row = await office.pool.fetchrow("SELECT * FROM probes ORDER BY id DESC LIMIT 1")
    assert row is not None
    return dict(row)


async def test_both_lines_answer_and_nobody_is_rung(
    ground: Ground,
    sipp: Sipp,
    port: int,
) -> None:
    rung = await sipp.operator(Telephone(), port)
    async with probing(ground) as (office, desk):
        for line in NUMBERS:
            result = await once(office, desk, line)
            assert (result["ok"], result["stage"]) == (True, "recorded"), result
            assert isinstance(result["seconds"], float)
            assert 0 <= result["seconds"] < 5
        await desk.ping()
        assert await office.journal("operator.%") == await office.journal("%")
        calls = await ground.pool.fetch("SELECT * FROM calls ORDER BY id")
        assert [(row["kind"], row["line"], row["outcome"]) for row in calls] == [
            ("probe", "mayor", "answered"),
            ("probe", "duty", "answered"),
        ]
        assert {row["operator"] for row in calls} == {"probe"}
        assert {row["caller"] for row in calls} == {None}
        assert await ground.pool.fetchval(NOTHING_ELSE) == 0
        members = await seated(office.running.connection)
        assert {(one.queue, one.operator) for one in members} == {
            *(("mayor", "1001"), ("mayor", "1002"), ("duty", "1001"))
        }
        await is_counted_apart(ground.pool)
        assert await office.running.recovery.check(utc_now()) == []
        assert await ground.pool.fetchval("SELECT count(*) FROM exchange_facts") > 0
    assert rung.returncode is None, "an operator's telephone was called"
    events = {row.split(",")[0] for row in ground.cel.splitlines()}
    assert not events & {'"SURVEY"', '"MESSAGE"', '"UNANSWERED"'}
    assert "PJSIP/1001" not in ground.cel


async def is_counted_apart(pool: Pool) -> None:
    """Two test calls happened: no rate, no histogram and no recording counts them."""
    lines = tuple(Counted(name=name) for name in NUMBERS)
    async with borrowed(pool) as conn:
        page = await snapshot(conn, lines, Ledger(list(NUMBERS), lambda _: None), utc_now())
    assert page.ended == {}
    assert page.waits == {}
    assert page.talks == {}
    assert {line.offered + line.answered + line.recovered for line in page.calls.values()} == {0}
    assert page.recordings == {}
    assert {key: found.ok for key, found in page.probes.items()} == {
        ("mianyang-1", "mayor"): True,
        ("mianyang-1", "duty"): True,
    }


async def test_the_recordings_of_test_calls_do_not_pile_up(
    ground: Ground,
) -> None:
    async with probing(ground) as (office, desk):
        for _ in range(2):
            assert (await once(office, desk, "duty"))["ok"]
        kept = list((ground.folder / "data").rglob("*.wav"))
        assert len(kept) == 2
        assert await ground.pool.fetchval("SELECT count(*) FROM recordings") == 2
        assert list(ground.asterisk.exchange.recordings_dir.iterdir()) == []


async def test_a_citizen_is_answered_by_a_person_while_a_test_call_is_in_his_line(
    ground: Ground,
    sipp: Sipp,
    port: int,
) -> None:
    async with probing(ground) as (office, desk):
        probe = asyncio.create_task(once(office, desk, "duty"))

        async def is_there() -> bool:
            told = ground.asterisk.exchange.queue_log_file.read_text()
            return "|duty|probe|ADDMEMBER" in told

        await office.until(is_there)
        await sipp.operator(Telephone(talk_seconds=1), port)
        citizen = Caller(number=NUMBERS["duty"], talk_seconds=1)
        assert await sipp.call(citizen, ground.asterisk.exchange.sip_port) == 0
        assert (await probe)["ok"]

        async def is_stored() -> bool:
            return bool(
                await ground.pool.fetchval(
                    "SELECT operator = '1001' FROM calls WHERE kind = 'citizen' AND ended_at > $1",
                    utc_now() - timedelta(minutes=5),
                )
            )

        await office.until(is_stored)


async def test_a_citizen_who_finds_nobody_is_never_given_to_the_member_of_test_calls(
    ground: Ground,
    sipp: Sipp,
) -> None:
    """Even where a crash left that member in the queue and no person is there."""
    async with probing(ground) as (office, _):
        actor = office.running.actor
        assert actor is not None
        left = {"Queue": "duty", "Interface": "Local/probe@probe/n", "Penalty": "0"}
        await actor.action("QueueAdd", left)
        citizen = Caller(number=NUMBERS["duty"], gives_up_after=None)
        await sipp.call(citizen, ground.asterisk.exchange.sip_port)

        async def is_over() -> bool:
            return bool(
                await ground.pool.fetchval("SELECT count(*) FROM calls WHERE outcome IS NOT NULL")
            )

        await office.until(is_over)
        row = await ground.pool.fetchrow("SELECT outcome, answered_at FROM calls")
        assert tuple(row or ()) == ("unanswered", None)


async def test_a_line_where_a_citizen_waits_is_left_alone(
    ground: Ground,
    sipp: Sipp,
    port: int,
) -> None:
    await sipp.operator(Telephone(answers=False), port, calls=9)
    async with probing(ground) as (office, desk):
        citizen = Caller(number=NUMBERS["mayor"], gives_up_after=4)
        calling = asyncio.create_task(sipp.call(citizen, ground.asterisk.exchange.sip_port))

        async def waits() -> bool:
            return bool(
                await ground.pool.fetchval(
                    "SELECT count(*) FROM calls WHERE queued_at > '-infinity'"
                )
            )

        await office.until(waits)
        line = office.config.lines[0]
        assert await desk.call(office.running, line) is None
        assert await ground.pool.fetchval("SELECT count(*) FROM probes") == 0
        await calling


async def test_each_broken_part_is_named_and_so_is_its_return(
    ground: Ground,
) -> None:
    asterisk = ground.asterisk
    exchange = asterisk.exchange
    queues = exchange.etc / "queues.conf"
    async with probing(ground) as (office, desk):
        assert (await once(office, desk, "duty"))["ok"]

        spool = exchange.recordings_dir
        shutil.rmtree(spool)
        spool.write_text("no folder")
        silent = await once(office, desk, "duty")
        assert (silent["ok"], silent["stage"]) == (False, "answered"), silent
        assert "The recording of the caller" in str(silent["detail"])
        spool.unlink()
        spool.mkdir()
        with pytest.raises(LineSilentError, match="duty at mianyang-1 failed"):
            await desk.ping()
        assert (await once(office, desk, "duty"))["ok"]
        await desk.ping()
        assert await office.journal("probe.%") == ["probe.failed", "probe.recovered"]

        whole = queues.read_text()
        queues.write_text(whole.partition("[duty]")[0])
        await reloaded(asterisk)
        gone = await once(office, desk, "duty")
        assert (gone["ok"], gone["stage"]) == (False, "entered"), gone
        assert (await once(office, desk, "mayor"))["ok"]
        queues.write_text(whole)
        await reloaded(asterisk)
        assert (await once(office, desk, "duty"))["ok"]

        await asterisk.kill()
        down = await once(office, desk, "duty")
        assert (down["ok"], down["stage"]) == (False, "none"), down
        assert "did not place the call" in str(down["detail"])
        told = ["probe.failed", "probe.recovered"]
        assert await office.journal("probe.%") == [*told, *told, "probe.failed"]


async def reloaded(asterisk: Asterisk) -> None:
    """Let Asterisk read its queues anew."""
    assert asterisk.tool is not None
    argv = [*asterisk.tool.argv, "-C", str(asterisk.exchange.etc / "asterisk.conf")]
    process = await asyncio.create_subprocess_exec(
        *argv, "-rx", "queue reload all", env={**os.environ, **asterisk.tool.env}
    )
    assert await process.wait() == 0
