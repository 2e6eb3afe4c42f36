"""What was kept long enough is deleted by class, held where it must be, and proven in the chain."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline import retaining
from hotline.casework import SHIPPED
from hotline.database import Pool, transaction
from hotline.errors import StoreAwayError
from hotline.protection_rows import mark
from hotline.retaining import months_before, prove, standing
from hotline.services import Services
from routing.cases import Move
from routing.errors import DataFault
from routing.retention import Kept, load_retention
from tests.hotline.console.conftest import NOW
from tests.hotline.console.filled import Town
from tests.hotline.console.twins import CONFIRMED, SAID

LONG_AGO = NOW - timedelta(days=40 * 31)
PERIODS = load_retention(Path("/nowhere"), SHIPPED)


async def told(services: Services, *, now: Any = NOW) -> list[retaining.Deleted]:
    return [it async for it in retaining.run(services.pool, services.sounds, PERIODS, now)]


async def counts(pool: Pool) -> dict[Kept, tuple[int, int]]:
    return {it.kind: (it.due, it.held) for it in await standing(pool, PERIODS, NOW)}


async def an_old_call(town: Town, minutes: int, number: str, *, closed: bool) -> int:
    at = LONG_AGO + timedelta(minutes=minutes)
    call_id = await town.is_talked(at, SAID, number=number)
    if closed:
        text = {"reply": "已修好，电话13800138000", "summary": "路灯坏了"}
        await town.moves(
            call_id, Move.ANSWER_DIRECTLY, at + timedelta(minutes=5), **CONFIRMED, **text
        )
    return call_id


def sounds_of(services: Services, call_id: int) -> list[Path]:
    return list(services.config.store_dir.rglob(f"{call_id:08d}/*.wav"))


async def test_what_is_due_goes_what_is_held_stays_and_a_crash_costs_nothing(
    town: Town, services: Services, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = await an_old_call(town, 0, "13900000001", closed=True)
    still_open = await an_old_call(town, 10, "13900000002", closed=False)
    protected = await an_old_call(town, 20, "13900000003", closed=True)
    fresh = await town.is_talked(NOW - timedelta(days=2), SAID, number="13900000004")
    async with transaction(pool) as tx:
        case_id = await town.case_of(protected)
        await mark(tx, case_id, office=False, by="desk", now=NOW, handed=False)
    before = await counts(pool)
    assert before[Kept.RECORDINGS] == (2, 4)
    assert before[Kept.TRANSCRIPTS] == (1, 2)  # the operator said nothing
    assert before[Kept.IDENTITIES] == (1, 2)
    assert await counts(pool) == before  # looking deletes nothing
    # Killed between the decision and the store: the sound is still there, and nobody plays it.
    store = services.sounds.current

    def away(_: str) -> None:
        raise StoreAwayError("The store is away.")

    with monkeypatch.context() as patched:
        patched.setattr(store, "delete", away)
        with pytest.raises(StoreAwayError):
            await told(services)
    assert len(sounds_of(services, gone)) == 2
    assert "half" not in str((await prove(pool)).fault)
    assert (await prove(pool)).fault is not None
    done = await told(services)
    assert not sounds_of(services, gone)
    for call_id in (still_open, protected, fresh):
        assert len(sounds_of(services, call_id)) == 2
    assert {it.kind: it.count for it in done} == {Kept.TRANSCRIPTS: 1, Kept.IDENTITIES: 1}
    assert {kind: due for kind, (due, _) in (await counts(pool)).items()} == dict.fromkeys(Kept, 0)
    words = "SELECT DISTINCT call_id FROM transcripts WHERE text <> '' ORDER BY 1"
    assert [row[0] for row in await pool.fetch(words)] == [still_open, protected, fresh]
    left = await pool.fetch("SELECT number FROM identities ORDER BY number")
    assert sorted(str(row["number"]) for row in left if row["number"]) == [
        "13900000002",
        "13900000003",
        "13900000004",
    ]
    proven = await prove(pool)
    assert proven.fault is None
    assert proven.deleted == {Kept.RECORDINGS: 2, Kept.TRANSCRIPTS: 1, Kept.IDENTITIES: 1}
    body = await pool.fetchval("SELECT body::text FROM journal WHERE event = 'retention.deleted'")
    assert PERIODS.name in body
    assert PERIODS.fingerprint() in body
    assert retaining.hash_of([f"{gone}/caller", f"{gone}/operator"]) in body
    # Texts go later, and the case is still what its journal makes it.
    years = NOW + timedelta(days=365 * 3)
    assert Kept.TEXTS in {it.kind for it in await told(services, now=years)}
    assert (await prove(pool)).fault is None
    erased = await pool.fetchval(
        "SELECT count(*) FROM case_texts WHERE case_id = $1 AND text IS NULL",
        await town.case_of(gone),
    )
    assert erased == 2
    assert await told(services, now=years) == []


def test_months_are_those_of_the_city_and_no_period_is_shorter_than_the_law(tmp_path: Path) -> None:
    # 31 March in Mianyang, a month before: the last day of February.
    march = NOW.replace(year=2027, month=3, day=31)
    assert months_before(march, 1).date().isoformat() == "2027-02-28"
    assert months_before(NOW, 24).date().isoformat() == "2024-11-23"
    text = (SHIPPED / "retention.yaml").read_text("utf-8")
    for months, said in (
        ("    months: 12", "access"),
        ("    months: 36\n    basis: 网络", "given"),
    ):
        own = tmp_path / "retention.yaml"
        own.write_text(text.replace(months, months.replace("12", "5").replace("36", "35")), "utf-8")
        with pytest.raises(DataFault, match=said):
            load_retention(tmp_path, SHIPPED)
