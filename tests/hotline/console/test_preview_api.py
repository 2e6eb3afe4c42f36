"""A change of policy, tried on the open cases: counts, and the cases whose limit would move."""

from datetime import timedelta

from aiohttp import ClientSession

from hotline.services import Services
from routing.cases import Move
from telephony.calls import Leg
from tests.hotline.console.conftest import NOW, Clock
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.test_cases_api import ask

SAID = (Said(leg=Leg.CALLER, start=5.0, text="涪城区临园路的路灯坏了三天了"),)


async def test_another_pack_is_tried_on_every_open_case_and_changes_none(
    town: Town, services: Services, clock: Clock, visitor: ClientSession
) -> None:
    ids = []
    # Sichuan gives 3, 7 and 15 working days; Weifang 5 for all; urgent ones 24 hours in both.
    for n, (kind, urgency) in enumerate(
        [("consult", "normal"), ("help", "normal"), ("complaint", "normal"), ("help", "urgent")]
    ):
        call = await town.is_talked(NOW - timedelta(minutes=9), SAID, number=f"1389011000{n}")
        await town.moves(call, Move.OPEN, NOW, kind=kind, urgency=urgency, level1="城乡建设")
        ids.append(await town.case_of(call))
    over = await town.is_talked(NOW - timedelta(minutes=9), SAID, number="13890110009")
    await town.moves(over, Move.WITHDRAW, NOW, reason="误拨")
    before = await services.pool.fetch("SELECT id, due_at, policy, version FROM cases ORDER BY id")

    clock.forward(days=8)  # past five working days, within seven
    _, found = await ask(visitor, "GET", "/api/policies/weifang-2021/preview")
    assert found["policy"] == "weifang-2021/1"
    assert [found[it] for it in ("cases", "earlier", "later", "same", "undated")] == [4, 2, 1, 1, 0]
    assert (found["now_overdue"], found["no_longer_overdue"]) == (2, 0)
    # Those that would be overdue come first, of them the one whose limit shrinks most.
    assert [it["case_id"] for it in found["moved"]] == [ids[2], ids[1], ids[0]]
    first = found["moved"][0]
    assert (first["due_at"], first["would_be_due_at"]) == (
        "2026-12-14T10:00:00Z",
        "2026-11-30T10:00:00Z",
    )
    assert first["policy"].startswith("sichuan-2025/")
    after = await services.pool.fetch("SELECT id, due_at, policy, version FROM cases ORDER BY id")
    assert before == after

    _, same = await ask(visitor, "GET", "/api/policies/sichuan-2025/preview?version=2&limit=1")
    assert (same["same"], same["moved"]) == (4, [])
    assert (await ask(visitor, "GET", "/api/policies/no-such/preview"))[0] == 404
