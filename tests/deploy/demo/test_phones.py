"""SIPp's own trace is read as it is written, and a telephone that cannot start says so."""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.demo.phones import TelephoneError, Telephones, first, read_trace
from deploy.demo.scenarios import Reply
from deploy.portable import Tool

TRACE = """\
----------------------------------------------- 2026-11-23 05:06:38.883242
UDP message sent (479 bytes):

INVITE sip:12345@127.0.0.1:39808 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5983;branch=z9hG4bK28831c1i
From: <sip:13800000007@127.0.0.1:5983>;tag=28831c1
Call-ID: 1-28831@127.0.0.1
CSeq: 1 INVITE
Content-Length:   137

v=0
o=demo 1 1 IN IP4 127.0.0.1

----------------------------------------------- 2026-11-23 05:06:46.37
UDP message received [279] bytes :

SIP/2.0 200 OK
From: <sip:13800000007@127.0.0.1:5983>;tag=28831c1
Call-ID: 1-28831@127.0.0.1
CSeq: 1 INVITE

"""


def test_a_trace_is_read_with_times_and_directions(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text(TRACE)
    sent, received = read_trace(tmp_path / "trace")
    assert sent.sent
    assert sent.at == datetime(2026, 11, 23, 5, 6, 38, 883242, UTC)
    assert (sent.caller, sent.call_id, sent.cseq) == (
        "13800000007",
        "1-28831@127.0.0.1",
        "1 INVITE",
    )
    assert received.at == datetime(2026, 11, 23, 5, 6, 46, 370000, UTC)
    assert first([sent, received], "SIP/2.0 2", cseq="INVITE") == received.at
    assert first([sent, received], "SIP/2.0 2", sent=True) is None


def test_no_trace_is_no_message(tmp_path: Path) -> None:
    assert read_trace(tmp_path / "missing") == []


def program(path: Path, says: str) -> Tool:
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit 3\n")
    path.chmod(0o755)
    return Tool(name="sipp", argv=(str(path),), version="0", prefix=None)


async def test_telephones_that_do_not_start_say_why(tmp_path: Path) -> None:
    sipp = program(tmp_path / "sipp", "no such scenario")
    async with Telephones(folder=tmp_path / "phones", sipp=sipp) as telephones:
        with pytest.raises(TelephoneError, match="no such scenario"):
            await telephones.seat([])


async def test_missing_speech_is_one_sentence(tmp_path: Path) -> None:
    sipp = program(tmp_path / "sipp", "")
    async with Telephones(folder=tmp_path / "phones", sipp=sipp) as telephones:
        with pytest.raises(TelephoneError, match="is missing"):
            await telephones.seat([Reply(caller="1", audio=tmp_path / "none.al")])


async def test_telephones_of_a_killed_run_are_ended(tmp_path: Path) -> None:
    folder = tmp_path / "phones"
    (folder / "audio").mkdir(parents=True)
    left = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "input()",
        "operators-1.xml",
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
    )
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "input()",
        "operators-2.xml",
        cwd=tmp_path,
        stdin=asyncio.subprocess.PIPE,
    )
    (folder / "operators-1.pid").write_text(f"{left.pid}\n")
    (folder / "operators-2.pid").write_text(f"{other.pid}\n")
    async with Telephones(folder=folder, sipp=program(tmp_path / "sipp", "")):
        assert await left.wait() == -signal.SIGKILL
        assert other.returncode is None, "not in our folder, not ours to end"
    other.kill()
    await other.wait()
