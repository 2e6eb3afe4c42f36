"""What people confirmed becomes training data: masked, and never of a protected case."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hotline.corrections import Correction, corrections
from hotline.database import Pool, borrowed, transaction
from routing.cases import Move
from routing.training import Message, read_messages
from tests.hotline.city import build
from tests.hotline.command_line import typist
from tests.hotline.test_one_matter import CONFIRMED, SAME, Town

MASKED = "张**的电话138****5678，阳光花园停水"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


async def told(pool: Pool, *, changed: bool = False) -> list[Correction]:
    async with borrowed(pool) as conn:
        return [one async for one in corrections(conn, changed=changed)]


async def test_confirmed_cases_are_told_masked_and_drafts_and_protected_ones_never(
    pool: Pool,
) -> None:
    town = Town(pool)
    confirmed = await town.opened(1, "张三的电话13890115678，阳光花园停水")
    corrected, kept = await town.opened(2, "公交线路太少"), await town.opened(3, "举报某局干部")
    await town.rings(4, "还没有人看过的草稿")
    async with transaction(pool) as tx:
        await tx.execute(
            "UPDATE cases SET suggestion = jsonb_build_object('level1', $2::text, 'unit', unit)"
            " WHERE id = $1",
            *(confirmed, "城乡建设"),
        )
        await tx.execute(
            'UPDATE cases SET suggestion = \'{"level1": "交通运输"}\' WHERE id = $1', corrected
        )
        await tx.execute(
            "INSERT INTO protections (case_id, against_office, taker, marked_at, marked_by)"
            " VALUES ($1, true, '1001', $2, '1001')",
            *(kept, NOW + timedelta(minutes=1)),
        )
    everything = await told(pool)
    assert [one.text for one in everything] == [
        MASKED,
        "公交线路太少",
    ]
    assert [(one.label, one.suggested) for one in everything] == [
        *(("城乡建设", "城乡建设"), ("城乡建设", "交通运输")),
    ]
    assert [one.text for one in await told(pool, changed=True)] == ["公交线路太少"]
    again = await town.rings(1, "还在停水")
    await town.makes(again, Move.EXPLAIN, level1="城乡建设", same_as=confirmed, **SAME)
    assert len(await told(pool)) == 3
    assert CONFIRMED["level1"] == "城乡建设"


async def test_the_file_is_one_that_training_takes(
    pool: Pool,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    build(tmp_path, dsn=database, ami_port=1)
    await Town(pool).opened(1, "张三的电话13890115678，阳光花园停水")
    typed = typist(monkeypatch, capfd, tmp_path / "hotline.toml")
    out = tmp_path / "told.csv"
    status, said = await asyncio.to_thread(typed, "cases", "corrections", "--out", str(out))
    assert (status, "1 messages" in said) == (0, True), said
    assert read_messages(out) == ([Message(text=MASKED, label="城乡建设")], 0)
