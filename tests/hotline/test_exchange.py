"""One exchange in the running service, on a scripted exchange and a PostgreSQL that goes away."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hotline.config import Config, Exchange, Line
from hotline.database import EmbeddedPostgres, Pool, connected, migrate, pooled
from hotline.errors import ExchangeAwayError
from hotline.exchange import RunningExchange, log_in_once
from hotline.services import utc_now
from telephony.sealing import KeyFile
from tests.hotline import city
from tests.telephony.exchange import Peer, ScriptedExchange, event

CALLER = "mianyang-1-1795395600.1"
OPERATOR = "mianyang-1-1795395600.2"


def described(folder: Path, port: int, secret: str = "s3cret") -> Exchange:  # noqa: S107
    (folder / "monitor").mkdir(exist_ok=True)
    for name in ("calls.csv", "queue_log"):
        (folder / name).touch()
    return Exchange.model_validate(
        {
            "system": "mianyang-1",
            "port": port,
            "secret": secret,
            "cel_file": folder / "calls.csv",
            "queue_log_file": folder / "queue_log",
            "recordings_dir": folder / "monitor",
        }
    )


@asynccontextmanager
async def following(folder: Path, port: int, pool: Pool) -> AsyncIterator[RunningExchange]:
    exchange = described(folder, port)
    config = Config(
        exchanges=(exchange,),
        lines=(Line(name="mayor", number="12345"),),
        reconcile_every_seconds=3600,
    )
    running = RunningExchange(exchange, config=config, pool=pool, clock=utc_now)
    task = asyncio.create_task(running.run())
    try:
        yield running
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=10)


async def ready(running: RunningExchange) -> None:
    async with asyncio.timeout(20):
        while not running.connection.state.connected:  # noqa: ASYNC110 - a turn of the loop
            await asyncio.sleep(0)


def _channel(unique_id: str, name: str, second: float) -> dict[str, str]:
    return {
        "Timestamp": f"{1795395600 + second:.6f}",
        "Channel": name,
        "Uniqueid": unique_id,
        "Linkedid": CALLER,
    }


def place_call(peer: Peer) -> None:
    """An answered call as the manager interface tells it."""
    caller, seat = "PJSIP/trunk-00000001", "PJSIP/1001-00000002"
    inbound = {"CallerIDNum": "13812345678", "Context": "from-trunk", "Exten": "12345"}
    bridge = {"BridgeUniqueid": "b1", "BridgeTechnology": "simple_bridge"}
    peer.send(
        event("Newchannel", **_channel(CALLER, caller, 0), **inbound)
        + event("QueueCallerJoin", **_channel(CALLER, caller, 2), Queue="mayor")
        + event("Newchannel", **_channel(OPERATOR, seat, 3), Context="operators", Exten="")
        + event("BridgeEnter", **_channel(OPERATOR, seat, 6), **bridge)
        + event("BridgeEnter", **_channel(CALLER, caller, 6), **bridge)
    )


def end_call(peer: Peer) -> None:
    caller, seat = "PJSIP/trunk-00000001", "PJSIP/1001-00000002"
    peer.send(
        event("HangupRequest", **_channel(CALLER, caller, 36))
        + event("Hangup", **_channel(OPERATOR, seat, 36), Cause="16")
        + event("Hangup", **_channel(CALLER, caller, 36), Cause="16")
    )


async def until(pool: Pool, sql: str, wanted: object) -> None:
    async with asyncio.timeout(30):
        while await pool.fetchval(sql) != wanted:
            pass  # each look is a round trip to the database


async def test_a_live_call_is_stored_as_it_happens(pool: Pool, tmp_path: Path) -> None:
    async with ScriptedExchange() as exchange, following(tmp_path, exchange.port, pool) as running:
        await ready(running)
        await running.ping()
        place_call(exchange.peers[-1])
        await until(pool, "SELECT operator FROM calls WHERE answered_at IS NOT NULL", "1001")
        assert await pool.fetchval("SELECT count(*) FROM cases") == 1
        end_call(exchange.peers[-1])
        await until(pool, "SELECT outcome FROM calls WHERE ended_at IS NOT NULL", "answered")
    assert await pool.fetchval("SELECT recovered FROM calls") is False
    jobs = await pool.fetch("SELECT entrypoint FROM pgqueuer")
    assert [row["entrypoint"] for row in jobs] == ["collect_recordings"]


async def test_after_draining_no_event_is_stored_any_more(pool: Pool, tmp_path: Path) -> None:
    async with ScriptedExchange() as exchange, following(tmp_path, exchange.port, pool) as running:
        await ready(running)
        await running.drain()
        place_call(exchange.peers[-1])
        end_call(exchange.peers[-1])
        async with asyncio.timeout(10):
            while running.connection.state.events.get("Hangup", 0) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
    assert await pool.fetchval("SELECT count(*) FROM calls") == 0


async def test_calls_told_while_the_database_is_away_are_stored_when_it_is_back(
    tmp_path: Path,
) -> None:
    with tempfile.TemporaryDirectory(prefix="hotline-away-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        dsn = await asyncio.to_thread(server.start)
        try:
            async with connected(dsn) as conn:
                await migrate(conn)
            async with (
                pooled(dsn, size=4, keys=KeyFile(tmp_path / "identity.keys")) as pool,
                ScriptedExchange() as exchange,
                following(tmp_path, exchange.port, pool) as running,
            ):
                await ready(running)
                place_call(exchange.peers[-1])
                await until(pool, "SELECT count(*) FROM cases", 1)
                await asyncio.to_thread(server.stop)
                end_call(exchange.peers[-1])
                await asyncio.to_thread(server.start)
                wanted = "SELECT outcome FROM calls WHERE ended_at IS NOT NULL"
                async with connected(dsn) as fresh, asyncio.timeout(30):
                    while await fresh.fetchval(wanted) != "answered":
                        pass
                    assert await fresh.fetchval("SELECT count(*) FROM calls") == 1
        finally:
            await asyncio.to_thread(server.stop)


async def test_a_wrong_secret_is_one_sentence_that_never_shows_it(tmp_path: Path) -> None:
    async with ScriptedExchange() as exchange:
        with pytest.raises(ExchangeAwayError) as raised:
            await log_in_once(described(tmp_path, exchange.port, "falsch"))
    said = str(raised.value)
    assert said.startswith("The exchange mianyang-1 does not let us in.")
    assert "reader" in said or "secret" in said
    assert "falsch" not in said


async def test_an_exchange_nobody_answers_for_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ExchangeAwayError, match="cannot be reached"):
        await log_in_once(described(tmp_path, city.free_port()))


async def test_until_it_is_connected_the_exchange_says_why_not(pool: Pool, tmp_path: Path) -> None:
    async with following(tmp_path, city.free_port(), pool) as running:
        with pytest.raises(ExchangeAwayError, match="mianyang-1 is not followed live"):
            await running.ping()
