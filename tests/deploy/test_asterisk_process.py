"""Asterisk started, stopped, killed and started again; its AMI users and its secrets."""

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.asterisk.config import Exchange
from deploy.asterisk.process import Asterisk, is_booted
from deploy.errors import ExchangeNotStarted, PortTaken
from deploy.portable import Tool
from tests.deploy.conftest import MakeExchange
from tests.deploy.sip_calls import Caller, Sipp, alaw, tone

pytestmark = pytest.mark.acceptance


class Ami:
    """A plain AMI session that keeps every byte."""

    def __init__(self, exchange: Exchange) -> None:
        self.port = exchange.ami_port
        self.received = bytearray()

    async def login(self, user: str, secret: str, *, address: str = "127.0.0.1") -> str:
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(address, 0)
        )
        return await self.ask(f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}")

    async def ask(self, action: str, until: bytes = b"Response: ") -> str:
        self.writer.write(f"{action}\r\nActionID: 7\r\n\r\n".encode())
        start = len(self.received)
        async with asyncio.timeout(10):
            while until not in self.received[start:] or not self.received.endswith(b"\r\n\r\n"):
                chunk = await self.reader.read(65536)
                if not chunk:
                    break
                self.received += chunk
        return bytes(self.received[start:]).decode(errors="replace")

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def grown(exchange: Exchange) -> bool:
    """Tell whether Asterisk has written a first block of sound, 2 s of it."""
    return any(path.stat().st_size > 30000 for path in exchange.recordings_dir.iterdir())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def test_it_starts_stops_and_starts_again(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    exchange = make_exchange()
    asterisk = Asterisk(exchange, asterisk_tool)
    for _ in range(2):
        await asterisk.start()
        pid = asterisk.pid
        assert pid is not None
        assert await is_booted(exchange.ami_port, "reader", asterisk.secrets.reader)
        await asterisk.stop()
        assert asterisk.pid is None
        assert not alive(pid)
    log = asterisk.log_path.read_text()
    assert "ERROR" not in log
    assert "WARNING" not in log


async def test_two_exchanges_run_side_by_side(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    one, two = make_exchange("one"), make_exchange("two")
    async with Asterisk(one, asterisk_tool) as first, Asterisk(two, asterisk_tool) as second:
        assert first.pid != second.pid
        assert await is_booted(one.ami_port, "reader", first.secrets.reader)
        assert not await is_booted(two.ami_port, "reader", first.secrets.reader)
        assert await is_booted(two.ami_port, "reader", second.secrets.reader)


async def test_a_folder_with_a_very_long_name_serves(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    exchange = make_exchange("long-" * 30)
    async with Asterisk(exchange, asterisk_tool) as asterisk:
        assert asterisk.pid is not None


async def test_an_asterisk_left_by_a_killed_run_is_ended_first(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    exchange = make_exchange()
    left = Asterisk(exchange, asterisk_tool)
    await left.start()
    old = left.pid
    assert old is not None
    async with Asterisk(exchange, asterisk_tool) as fresh:
        assert fresh.pid not in (None, old)
        assert await left.wait() != -1
        assert not alive(old)


@pytest.mark.parametrize("which", ["sip_port", "ami_port"])
async def test_a_taken_port_is_named_in_one_sentence(
    which: str, make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    exchange = make_exchange()
    kind = socket.SOCK_DGRAM if which == "sip_port" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", getattr(exchange, which)))
        if kind == socket.SOCK_STREAM:
            holder.listen()
        with pytest.raises(PortTaken) as caught:
            await Asterisk(exchange, asterisk_tool).start()
    sentence = str(caught.value)
    assert str(getattr(exchange, which)) in sentence
    assert which in sentence
    assert "\n" not in sentence
    assert caught.value.port == getattr(exchange, which)


async def test_an_asterisk_that_cannot_start_shows_the_end_of_its_log(
    make_exchange: MakeExchange, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho the loader is missing >&2\nexit 3\n")
    broken.chmod(0o755)
    tool = Tool(name="asterisk", argv=(str(broken),), version="22.0.0", prefix=None)
    with pytest.raises(ExchangeNotStarted, match="status 3") as caught:
        await Asterisk(make_exchange(), tool).start()
    assert "the loader is missing" in caught.value.log_tail


async def test_an_asterisk_without_its_sip_channel_is_not_called_started(
    make_exchange: MakeExchange, asterisk_tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deploy.asterisk import render  # noqa: PLC0415

    without = tuple(name for name in render.MODULES if not name.startswith("res_pjsip"))
    monkeypatch.setattr(render, "MODULES", without)
    exchange = make_exchange()
    asterisk = Asterisk(exchange, asterisk_tool)
    with pytest.raises(ExchangeNotStarted, match=str(exchange.sip_port)):
        await asterisk.start()
    assert asterisk.pid is None


async def test_secrets_are_private_and_stay_the_same(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    exchange = make_exchange()
    async with Asterisk(exchange, asterisk_tool) as asterisk:
        secrets = asterisk.secrets
        for path in (exchange.run_dir / "secrets.json", *exchange.etc.iterdir()):
            assert path.stat().st_mode & 0o077 == 0, path
        assert exchange.run_dir.stat().st_mode & 0o077 == 0
    again = Asterisk(exchange, asterisk_tool)
    assert again.secrets == secrets
    assert len(secrets.reader) >= 32
    assert secrets.reader != secrets.actor
    assert secrets.reader not in repr(secrets)


async def test_each_ami_user_may_do_its_work_and_no_more(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    exchange = make_exchange()
    async with Asterisk(exchange, asterisk_tool) as asterisk:
        reader, actor = Ami(exchange), Ami(exchange)
        assert "Success" in await reader.login("reader", asterisk.secrets.reader)
        assert "Success" in await actor.login("actor", asterisk.secrets.actor)
        for action, until in (
            ("Ping", b"Pong"),
            ("CoreShowChannels", b"CoreShowChannelsComplete"),
            ("Status", b"StatusComplete"),
            ("QueueStatus", b"QueueStatusComplete"),
            ("BridgeList", b"BridgeListComplete"),
            ("CoreStatus", b"CoreStartupDate"),
        ):
            answer = await reader.ask(f"Action: {action}", until)
            assert until.decode() in answer, action
        pause = "Action: QueuePause\r\nInterface: PJSIP/1001\r\nPaused: true"
        assert "Success" in await actor.ask(pause)
        for user in (reader, actor):
            for action in (
                "Command\r\nCommand: core show version",
                "GetConfig\r\nFilename: manager.conf",
                "UpdateConfig\r\nSrcFilename: a\r\nDstFilename: a",
                "ModuleLoad\r\nLoadType: load\r\nModule: app_system.so",
                "DBPut\r\nFamily: a\r\nKey: b\r\nVal: c",
                "Filter\r\nOperation: Add\r\nFilter: Event",
            ):
                assert "Permission denied" in await user.ask(f"Action: {action}"), action
        assert "Permission denied" in await reader.ask(pause)
        shell = "Originate\r\nChannel: Local/1001@from-operator\r\nApplication: System\r\nData: id"
        assert "Error" in await actor.ask(f"Action: {shell}")
        wrong = Ami(exchange)
        assert "Authentication failed" in await wrong.login("reader", "guess")
        stranger = Ami(exchange)  # knows the secret, and comes from where nobody may
        told = await stranger.login("reader", asterisk.secrets.reader, address="127.0.0.2")
        assert "Success" not in told
        for user in (reader, actor, wrong, stranger):
            await user.close()


async def test_the_reader_hears_the_life_of_a_call_and_nothing_else(
    make_exchange: MakeExchange, asterisk_tool: Tool, sipp: Sipp
) -> None:
    exchange = make_exchange(ring_seconds=1, max_wait_seconds=1)
    async with Asterisk(exchange, asterisk_tool) as asterisk:
        reader = Ami(exchange)
        await reader.login("reader", asterisk.secrets.reader)
        assert await sipp.call(Caller(number="12345", hangs_up=False), exchange.sip_port) == 0
        heard = await reader.ask("Action: Ping", b"Event: Hangup")
        await reader.close()
    events = [line.split(": ")[1] for line in heard.splitlines() if line.startswith("Event: ")]
    if events[0] == "FullyBooted":  # told at every login
        del events[0]
    assert events[0] == "Newchannel"
    assert {"QueueCallerJoin", "QueueCallerLeave", "UserEvent", "Hangup"} <= set(events)
    assert set(events).isdisjoint({"VarSet", "Newexten", "RTCPSent", "RTCPReceived", "CEL"})
    assert heard.count("Timestamp: ") >= len(events)
    assert "UserEvent: HotlineUnanswered" in heard


async def test_a_killed_asterisk_leaves_sound_and_rows_and_starts_again(
    make_exchange: MakeExchange, asterisk_tool: Tool, sipp: Sipp, tmp_path: Path
) -> None:
    (tmp_path / "caller.al").write_bytes(alaw(tone(440, 10)))
    exchange = make_exchange(max_wait_seconds=30, ring_seconds=30)
    asterisk = Asterisk(exchange, asterisk_tool)
    await asterisk.start()
    caller = Caller(number="12345", sound=tmp_path / "caller.al", talk_seconds=20)
    process = await sipp.start(caller.steps(), f"127.0.0.1:{exchange.sip_port}")
    try:
        async with asyncio.timeout(15):
            while not grown(exchange):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        await asterisk.kill()
    finally:
        process.kill()
        await process.wait()
    assert b"CHAN_START" in exchange.cel_file.read_bytes()
    assert b"CHAN_END" not in exchange.cel_file.read_bytes()
    size = exchange.cel_file.stat().st_size
    async with Asterisk(exchange, asterisk_tool):
        assert exchange.cel_file.stat().st_size >= size  # appended, never begun anew
        assert len(list(exchange.recordings_dir.iterdir())) == 2


async def test_a_ctrl_c_for_the_service_does_not_reach_the_calls(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    async with Asterisk(make_exchange(), asterisk_tool) as asterisk:
        assert asterisk.pid is not None
        assert os.getpgid(asterisk.pid) != os.getpgid(0)
        assert os.getsid(asterisk.pid) != os.getsid(0)


async def test_an_asterisk_that_dies_by_itself_is_noticed(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    async with Asterisk(make_exchange(), asterisk_tool) as asterisk:
        assert asterisk.pid is not None
        os.kill(asterisk.pid, signal.SIGKILL)
        assert await asterisk.wait() == -signal.SIGKILL
        assert asterisk.pid is None


async def test_another_exchange_in_the_pid_file_is_left_alone(
    make_exchange: MakeExchange, asterisk_tool: Tool
) -> None:
    one, two = make_exchange("one"), make_exchange("two")
    async with Asterisk(one, asterisk_tool) as first:
        two.run_dir.mkdir()
        (two.run_dir / "asterisk.pid").write_text(f"{first.pid}\n")
        async with Asterisk(replace(two), asterisk_tool):
            assert first.pid is not None
            assert alive(first.pid)
