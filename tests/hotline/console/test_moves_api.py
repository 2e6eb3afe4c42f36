"""Keys, evidence and races at the API: done once, kept once, and the loser is told."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from hotline.console.keyed import KEY
from hotline.console.moves_api import ENDPOINTS
from hotline.services import Services
from routing.cases import Move
from tests.hotline.console.conftest import Clock
from tests.hotline.console.filled import Town
from tests.hotline.console.test_cases_api import ANSWER, CONFIRMED, a_draft, ask

PNG = b"\x89PNG\r\n" + bytes(range(256)) * 40


async def post(
    visitor: ClientSession, path: str, body: object, key: str | None = None
) -> tuple[int, dict[str, Any]]:
    headers = {KEY: key} if key is not None else {}
    async with visitor.post(path, json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def handled(town: Town, visitor: ClientSession) -> str:
    """The path of a case that a unit handles."""
    path = f"/api/cases/{await a_draft(town)}"
    for word, body in (
        ("open", CONFIRMED),
        ("dispatch", {"unit": "市城市管理行政执法局"}),
        ("sign", {}),
    ):
        status, said = await post(visitor, f"{path}/{word}", body)
        assert status == 200, said
    return path


def test_every_move_of_a_person_has_an_address() -> None:
    words = {endpoint.path.rpartition("/")[2].replace("-", "_") for endpoint in ENDPOINTS}
    own = {Move.ARCHIVE, Move.DEPUTISE, Move.PROTECT, Move.TAKE_OVER, Move.RECUSE, Move.FOLLOW}
    assert words == set(Move) - own


async def test_the_same_request_with_the_same_key_is_done_once(
    town: Town, visitor: ClientSession
) -> None:
    path = f"{await handled(town, visitor)}/raise-level"
    body = {"reason": "久拖不决"}
    answers = await asyncio.gather(*(post(visitor, path, body, "k-1") for _ in range(5)))
    assert [status for status, _ in answers] == [200] * 5
    assert {case["level"] for _, case in answers} == {1}
    status, problem = await post(visitor, path, {"reason": "另一个理由"}, "k-1")
    assert (status, problem["type"]) == (409, "conflict")
    status, case = await post(visitor, path, body, "k-2")
    assert (status, case["level"]) == (200, 2)


async def test_a_refused_request_does_not_use_its_key_up(
    town: Town, visitor: ClientSession
) -> None:
    path = f"/api/cases/{await a_draft(town)}"
    status, _ = await post(visitor, f"{path}/open", {"kind": "help"}, "k")
    assert status in {200, 422}
    status, problem = await post(visitor, f"{path}/answer-directly", CONFIRMED, "k2")
    assert (status, problem["type"]) == (422, "missing_fact")
    status, _ = await post(visitor, f"{path}/answer-directly", {**CONFIRMED, "reply": "好"}, "k2")
    assert status == 200
    status, problem = await post(visitor, f"{path}/reopen", {"reason": "x"}, "k" * 201)
    assert (status, problem["type"]) == (422, "invalid")


async def test_of_two_clients_who_saw_the_same_version_one_is_told_so(
    town: Town, visitor: ClientSession
) -> None:
    path = await handled(town, visitor)
    _, case = await ask(visitor, "GET", path)
    body = {"reason": "久拖不决", "version": case["version"]}
    answers = await asyncio.gather(*(post(visitor, f"{path}/raise-level", body) for _ in range(6)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409, 409, 409]
    lost = [problem for status, problem in answers if status == 409]
    assert {problem["type"] for problem in lost} == {"conflict"}
    assert all("changed by somebody else" in str(problem["detail"]) for problem in lost)
    _, case = await ask(visitor, "GET", path)
    assert case["level"] == 1


async def upload(
    visitor: ClientSession, path: str, content: object, name: str = "现场.png", **more: str
) -> tuple[int, dict[str, Any]]:
    headers = {"Content-Type": "image/png", **more}
    async with visitor.post(
        f"{path}/evidence", params={"name": name}, data=content, headers=headers
    ) as answer:
        return answer.status, await answer.json()


async def stored(services: Services) -> list[Path]:
    """The files below the evidence folder."""
    folder = services.config.evidence_dir
    return await asyncio.to_thread(lambda: [it for it in sorted(folder.rglob("*")) if it.is_file()])


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(size // 2**16 + 1):
        yield bytes(2**16)


async def test_evidence_is_kept_once_named_and_given_back_as_a_file(
    town: Town, visitor: ClientSession, services: Services
) -> None:
    path = await handled(town, visitor)
    status, first = await upload(visitor, path, PNG)
    assert (status, first["size"], first["media_type"]) == (200, len(PNG), "image/png")
    assert first["sha256"] == hashlib.sha256(PNG).hexdigest()
    _, second = await upload(visitor, path, PNG, "同一张.png")
    assert [it.name for it in await stored(services)] == [first["sha256"]]
    async with visitor.get(f"{path}/evidence/{first['id']}") as answer:
        assert await answer.read() == PNG
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    answered = {**ANSWER, "contacted_at": "2026-11-23T10:00:00+08:00"}
    status, case = await post(
        visitor, f"{path}/answer", {**answered, "evidence": [first["id"], second["id"]]}
    )
    assert status == 200, case
    _, case = await ask(visitor, "GET", path)
    assert [it["name"] for it in case["evidence"]] == ["现场.png", "同一张.png"]
    (told,) = [it for it in case["history"] if it["event"] == "case.answered"]
    assert {it["sha256"] for it in told["body"]["evidence"]} == {first["sha256"]}


async def test_evidence_that_comes_again_with_its_key_is_one_piece(
    town: Town, visitor: ClientSession
) -> None:
    path = await handled(town, visitor)
    key = {"Idempotency-Key": "up-1"}
    answers = await asyncio.gather(*(upload(visitor, path, PNG, **key) for _ in range(4)))
    assert [status for status, _ in answers] == [200] * 4
    assert len({piece["id"] for _, piece in answers}) == 1
    status, problem = await upload(visitor, path, PNG, "另一张.png", **key)
    assert (status, problem["type"]) == (409, "conflict")
    _, case = await ask(visitor, "GET", path)
    assert [piece["name"] for piece in case["evidence"]] == ["现场.png"]


async def test_evidence_that_is_none_is_refused_and_leaves_nothing(
    town: Town, visitor: ClientSession, services: Services
) -> None:
    path = await handled(town, visitor)
    largest = services.config.evidence_mebibytes * 2**20
    for body in (io.BytesIO(bytes(largest + 1)), in_pieces(largest)):
        status, problem = await upload(visitor, path, body)
        assert (status, problem["type"]) == (413, "too_large")
        assert "10 MiB" in problem["detail"]
    status, problem = await upload(visitor, path, b"")
    assert (status, problem["type"]) == (409, "not_possible")
    status, problem = await upload(visitor, "/api/cases/999", PNG)
    assert (status, problem["type"]) == (404, "not_found")
    async with visitor.get(f"{path}/evidence/7") as answer:
        assert answer.status == 404
    assert await stored(services) == []


async def test_a_closed_case_takes_no_evidence(
    town: Town, clock: Clock, visitor: ClientSession
) -> None:
    path = f"/api/cases/{await a_draft(town)}"
    clock.forward(minutes=1)
    await post(visitor, f"{path}/withdraw", {"reason": "重复"})
    status, problem = await upload(visitor, path, PNG)
    assert (status, problem["type"]) == (409, "not_possible")
