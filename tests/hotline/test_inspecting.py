"""An answered call is inspected when both sides are through: once for a form and its words."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hotline import inspection_rows
from hotline.database import Pool, borrowed, transaction
from hotline.inspecting import InspectionDesk, holds
from hotline.inspection_form import load_form
from hotline.jobs import LaterError
from telephony.calls import Leg, Outcome
from tests.hotline.story import Life, at, call
from tests.transcription.inspected import form
from transcription import store as words
from transcription.inspection.form import Form
from transcription.inspection.spans import Span

SAID = "您好 市长 公开 电话 工号 一零八六 请讲 这 不归 我们 管 你 去 找 别人 吧"
TOLD = tuple(SAID.split())


async def lived(pool: Pool, folder: Path, **given: Any) -> Life:
    life = Life(pool, folder)
    life.engine.words = {Leg.CALLER: ("我家", "停水", "三天", "了"), Leg.OPERATOR: TOLD}
    ended = call(**given)
    life.record(ended)
    await life.live(ended)
    return life


async def test_a_finished_call_is_inspected_with_its_faults(pool: Pool, tmp_path: Path) -> None:
    await lived(pool, tmp_path)
    row = await pool.fetchrow("SELECT * FROM inspections")
    assert row is not None
    assert (row["call_id"], row["form"], row["operator"]) == (1, "default/1", "1001")
    assert (row["answered_at"], row["current"]) == (at(6), True)
    lost = await pool.fetch("SELECT * FROM inspection_deductions WHERE item = 'shirking'")
    assert [(it["words"], it["leg"]) for it in lost] == [
        ("不归我们管", "operator"),
        ("你去找别人", "operator"),
    ]
    rows = await pool.fetch("SELECT item, verdict FROM inspection_items")
    verdicts = {one["item"]: one["verdict"] for one in rows}
    assert verdicts["greeting"] == verdicts["badge"] == "kept"
    assert verdicts["answer"] == "kept"
    assert verdicts["hold"] == "not_judged"  # the exchange's files told of no bridge
    assert verdicts["duty_greeting"] == "not_asked"
    measures = json.loads(row["measures"])
    assert measures["sides"]["operator"]["characters"] == len("".join(TOLD))


async def test_the_journal_tells_of_it_without_the_score(pool: Pool, tmp_path: Path) -> None:
    await lived(pool, tmp_path)
    body = await pool.fetchval("SELECT body::text FROM journal WHERE event = 'call.inspected'")
    assert json.loads(body) == {"form": "default/1"}


async def test_inspecting_again_adds_nothing_and_another_form_takes_its_place(
    pool: Pool, tmp_path: Path
) -> None:
    life = await lived(pool, tmp_path)
    await life.inspections.inspect({"call_id": 1})
    assert await pool.fetchval("SELECT count(*) FROM inspections") == 1
    stricter = Form.model_validate(form().model_dump() | {"name": "default/2", "low": 99.0})
    desk = InspectionDesk(pool=pool, form=lambda: stricter, badges={}, clock=lambda: life.now)
    async with borrowed(pool) as conn:
        assert await inspection_rows.to_do(conn, at(0), stricter.fingerprint()) == [1]
        assert await inspection_rows.to_do(conn, at(0), form().fingerprint()) == []
        assert await inspection_rows.to_do(conn, at(99), stricter.fingerprint()) == []
    await desk.inspect({"call_id": 1})
    rows = await pool.fetch("SELECT form, current, low FROM inspections ORDER BY id")
    assert [tuple(row) for row in rows] == [("default/1", False, False), ("default/2", True, True)]
    async with borrowed(pool) as conn:
        kept = await inspection_rows.forms(conn, [stricter.fingerprint(), form().fingerprint()])
    assert kept == {stricter.fingerprint(): stricter, form().fingerprint(): form()}


@pytest.mark.parametrize(
    "given",
    [
        {"answered_at": None, "operator": None, "outcome": Outcome.ABANDONED},
        {"answered_at": None, "operator": None, "outcome": Outcome.VOICEMAIL},
    ],
    ids=["nobody answered", "a message"],
)
async def test_only_a_talk_is_inspected(pool: Pool, tmp_path: Path, given: dict[str, Any]) -> None:
    await lived(pool, tmp_path, **given)
    assert await pool.fetchval("SELECT count(*) FROM inspections") == 0


async def test_a_call_without_words_is_not_judged_and_says_why(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call())
    await life.work(lambda name: name == "collect_recordings")
    for leg in Leg:
        await life.steps.give_up_transcript({"call_id": 1, "leg": leg}, "It broke five times.")
    await life.work()
    row = await pool.fetchrow("SELECT score, reason, low FROM inspections")
    assert tuple(row or ()) == (None, "leg_missing", False)
    verdicts = await pool.fetch(
        "SELECT DISTINCT verdict FROM inspection_items WHERE item IN ('greeting', 'rude')"
    )
    assert [one["verdict"] for one in verdicts] == ["not_judged"]


async def test_quoted_words_go_with_the_transcript_and_nothing_is_judged_anew(
    pool: Pool, tmp_path: Path
) -> None:
    life = await lived(pool, tmp_path)
    quoted = "SELECT count(*) FROM inspection_deductions WHERE words IS NOT NULL"
    assert await pool.fetchval(quoted) > 0
    await pool.execute(
        "UPDATE transcripts SET text = '', words = '[]', reason = 'deleted' WHERE leg = 'operator'"
    )
    assert await pool.fetchval(quoted) == 0
    await life.inspections.inspect({"call_id": 1})
    assert await pool.fetchval("SELECT count(*) FROM inspections") == 1
    async with borrowed(pool) as conn:
        assert await inspection_rows.to_do(conn, at(0), "another") == []


async def test_a_wrong_form_keeps_calls_waiting_and_loses_none(pool: Pool, tmp_path: Path) -> None:
    life = await lived(pool, tmp_path)
    (tmp_path / "inspection.yaml").write_text("name: x")
    desk = InspectionDesk(
        pool=pool, form=lambda: load_form(tmp_path, tmp_path), badges={}, clock=lambda: life.now
    )
    with pytest.raises(LaterError, match=r"inspection\.yaml"):
        await desk.inspect({"call_id": 1})


async def test_another_recording_is_inspected_anew(pool: Pool, tmp_path: Path) -> None:
    life = await lived(pool, tmp_path)
    async with transaction(pool) as tx:
        assert await words.request(tx, 1, Leg.OPERATOR, "0" * 64, at=life.now)
    assert await pool.fetchval("SELECT count(words) FROM inspection_deductions") == 0
    async with transaction(pool) as tx:
        assert await words.fail(tx, 1, Leg.OPERATOR, "0" * 64, "Broken.", at=life.now)
    await life.inspections.inspect({"call_id": 1})
    rows = await pool.fetch("SELECT current, reason FROM inspections ORDER BY id")
    assert [tuple(row) for row in rows] == [(False, None), (True, "leg_missing")]


async def test_the_schema_refuses_a_score_beside_a_reason_and_points_that_were_kept(
    pool: Pool, tmp_path: Path
) -> None:
    await lived(pool, tmp_path)
    for statement in (
        "UPDATE inspections SET reason = 'unsure'",
        "UPDATE inspections SET score = 101",
        "UPDATE inspection_items SET lost = 3 WHERE verdict = 'kept'",
        "UPDATE inspection_items SET lost = weight + 1 WHERE verdict = 'lost'",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.execute(statement)


def test_a_hold_is_where_the_caller_hears_nobody_and_longer_than_the_exchange_needs() -> None:
    def since(moment: object) -> float:
        return (moment - at(0)).total_seconds()  # type: ignore[operator, no-any-return]

    told = [
        (at(6), True),
        (at(10), False),
        (at(10.4), True),  # the exchange at work
        (at(20), False),
        (at(55), True),
        (at(90), False),
    ]
    assert holds(told, at(6), at(90), since) == (Span(start=20.0, end=55.0),)
    assert holds([], at(6), at(90), since) is None
    assert holds(told[:2], at(6), at(10), since) == ()
    assert at(55) - at(20) > timedelta(seconds=2)
