"""Callbacks and blocks through the API: masked, in order, decided by two people."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hotline import blocks
from hotline.config import Exchange
from hotline.console.server import build
from hotline.services import Services
from telephony.calls import Outcome
from tests.hotline.console.conftest import NOW, Clock
from tests.hotline.console.filled import Town


async def ask(
    visitor: ClientSession, method: str, path: str, body: object = None
) -> tuple[int, dict[str, Any]]:
    async with visitor.request(method, path, json=body) as answer:
        return answer.status, await answer.json()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blocked"


@pytest.fixture
def services(services: Services, folder: Path) -> Services:
    exchange = Exchange(
        system="mianyang-1",
        secret="s3cret",  # type: ignore[arg-type]
        cel_file=folder / "calls.csv",
        queue_log_file=folder / "queue_log",
        recordings_dir=folder,
        blocked_dir=folder,
    )
    return replace(services, config=services.config.model_copy(update={"exchanges": (exchange,)}))


async def test_whoever_left_a_message_is_called_back_once(
    town: Town, visitor: ClientSession
) -> None:
    at = NOW - timedelta(minutes=9)
    call_id = await town.is_lost(at, outcome=Outcome.VOICEMAIL)
    await town.is_lost(at + timedelta(minutes=1), wait=30, outcome=Outcome.UNANSWERED)
    await ask(visitor, "POST", "/api/session", {"seat": "1002"})
    status, found = await ask(visitor, "GET", "/api/callbacks")
    assert status == 200
    (owed,) = found["callbacks"]
    assert (owed["call_id"], owed["line"], owed["attempts"]) == (call_id, "mayor", 0)
    assert owed["caller"] == "139****0040"
    assert owed["case_id"] == await town.case_of(call_id)
    path = f"/api/callbacks/{call_id}"
    assert (await ask(visitor, "POST", f"{path}/done", {"result": "given_up"}))[0] == 409
    _, tried = await ask(visitor, "POST", f"{path}/tried", {"result": "busy"})
    assert (tried["attempts"], tried["last_tried_by"]) == (1, "1002")
    _, done = await ask(visitor, "POST", f"{path}/done", {"result": "reached"})
    assert (done["done_result"], done["done_by"]) == ("reached", "1002")
    assert (await ask(visitor, "POST", f"{path}/done", {"result": "reached"}))[0] == 409
    assert (await ask(visitor, "POST", "/api/callbacks/99/done", {"result": "reached"}))[0] == 404
    assert (await ask(visitor, "GET", "/api/callbacks"))[1]["callbacks"] == []


def kept_out(folder: Path) -> dict[str, float]:
    return {path.name: path.stat().st_mtime for path in folder.iterdir()} if folder.exists() else {}


async def test_a_block_needs_two_people_and_ends(
    town: Town, clock: Clock, visitor: ClientSession, folder: Path
) -> None:
    call_id = await town.is_lost(NOW, outcome=Outcome.ABANDONED)
    wish = {"call_id": call_id, "reason": "反复辱骂 13890115678", "hours": 24}
    await ask(visitor, "POST", "/api/session", {"seat": "1001"})
    status, block = await ask(visitor, "POST", "/api/blocks", wish)
    assert (status, block["until"], block["caller"]) == (200, None, "139****0040")
    assert "13890115678" not in json.dumps(block)
    assert (await ask(visitor, "POST", "/api/blocks", wish))[0] == 409
    path = f"/api/blocks/{block['id']}"
    assert (await ask(visitor, "POST", f"{path}/approve", {}))[0] == 409  # not by oneself
    assert await asyncio.to_thread(kept_out, folder) == {}
    await ask(visitor, "POST", "/api/session", {"seat": "1002"})
    status, block = await ask(visitor, "POST", f"{path}/approve", {})
    assert (status, block["approved_by"]) == (200, "1002")
    ends = (clock() + timedelta(hours=24)).timestamp()
    assert await asyncio.to_thread(kept_out, folder) == {"13900000040": ends}
    assert (await ask(visitor, "POST", f"{path}/lift", {}))[0] == 200
    assert await asyncio.to_thread(kept_out, folder) == {}
    assert (await ask(visitor, "POST", f"{path}/lift", {}))[0] == 409
    assert (await ask(visitor, "POST", "/api/blocks/77/lift", {}))[0] == 404
    _, told = await ask(visitor, "GET", "/api/journal")
    events = [entry["event"] for entry in told["entries"]]
    assert events[:3] == ["caller.unblocked", "caller.blocked", "caller.block_asked"]


@pytest.mark.parametrize("number", ["110", "12345", ""])
async def test_no_service_and_no_withheld_number_is_blocked(
    town: Town, visitor: ClientSession, number: str
) -> None:
    _, call = await town.starts(town.call(NOW, number=number))
    call_id, _ = await town.ends(call, NOW + timedelta(seconds=9), Outcome.ABANDONED)
    wish = {"call_id": call_id, "reason": "x", "hours": 1}
    assert (await ask(visitor, "POST", "/api/blocks", wish))[0] == 409


def test_the_list_holds_exactly_who_is_kept_out(folder: Path) -> None:
    blocks.write_list(folder, {"13800000001": NOW, "13800000002": NOW})
    (folder / "README").touch()
    blocks.write_list(folder, {"13800000002": NOW + timedelta(hours=1), "": NOW})
    assert kept_out(folder) == {
        "13800000002": (NOW + timedelta(hours=1)).timestamp(),
        "README": (folder / "README").stat().st_mtime,
    }
    assert blocks.file_name("../../etc/138") == "138"


def test_the_exchange_of_the_test_is_the_consoles(services: Services) -> None:
    assert build(services) is not None
