"""What was kept long enough is deleted by class, held where it must be, and proven in the chain."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from hotline import duty_contact_rows, duty_log_rows, evidence, retaining, supervision_texts
from hotline import retention_rows as rows
from hotline.casework import SHIPPED
from hotline.database import Pool, borrowed, transaction
from hotline.duty_contact_rows import ContactFacts
from hotline.duty_log_rows import Reporter
from hotline.errors import StoreAwayError
from hotline.protection_rows import mark
from hotline.retaining import RetentionDesk, Stores, months_before, next_night, prove, standing
from hotline.services import Services
from routing.cases import Actor, Move, Role
from routing.errors import DataFault
from routing.retention import Kept, load_retention
from tests.hotline.console.conftest import NOW
from tests.hotline.console.filled import Town
from tests.hotline.console.twins import CONFIRMED, SAID

LONG_AGO = NOW - timedelta(days=40 * 31)
PERIODS = load_retention(Path("/nowhere"), SHIPPED)


async def told(services: Services, *, now: Any = NOW) -> list[retaining.Deleted]:
    run = retaining.run(services.pool, stores_of(services), PERIODS, now)
    return [it async for it in run]


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


async def test_files_of_evidence_what_was_written_and_who_reported_go_when_all_is_over(
    town: Town, services: Services, pool: Pool
) -> None:
    shared, alone = b"one picture for two cases", b"another"
    old = [await an_old_call(town, 10 * n, f"1390000002{n}", closed=False) for n in range(2)]
    cases = [await town.case_of(call_id) for call_id in old]
    for case_id, contents in zip(cases, ((shared, alone), (shared,)), strict=True):
        for content in contents:
            await brings(services, pool, case_id, content)
    record = await pool.fetchval(SUPERVISED, cases[0], LONG_AGO)
    async with transaction(pool) as tx:
        await supervision_texts.keep(
            tx,
            "supervision_id",
            record,
            step="opened",
            by="desk",
            unit=None,
            now=LONG_AGO,
            texts={"reason": "报告人李四，电话13900000021"},
        )
        reporter = Reporter(name="李四", phone="13900000021")
        number = await duty_log_rows.keep_reporter(tx, reporter)
        entry = await tx.fetchval(ENTRY, LONG_AGO)
        await tx.execute(VERSION, entry, LONG_AGO, number)
    later = NOW + timedelta(days=365 * 3)
    # Nothing is over yet: everything is held, or not due.
    assert await told(services, now=later) == []
    before = months_before(later, PERIODS.classes[Kept.REPORTERS].months)
    async with borrowed(pool) as conn:
        assert await rows.counted(conn, rows.SORTS[Kept.REPORTERS][0], before) == (0, 1)
    await pool.execute("UPDATE duty_log SET done = true, newest = 1 WHERE id = $1", entry)
    done = await told(services, now=later)
    assert {it.kind: it.count for it in done} == {Kept.REPORTERS: 1, Kept.DUTY_LOG: 1}
    assert await pool.fetchval("SELECT num_nonnulls(name, phone) FROM duty_reporters") == 0
    # The first case ends and its record is cleared; the other case still has the same picture.
    for call_id in old[:1]:
        await town.moves(call_id, Move.ANSWER_DIRECTLY, LONG_AGO, **CONFIRMED, reply="办好了")
    assert Kept.EVIDENCE not in {it.kind for it in await told(services, now=later)}
    await pool.execute(CLEARED, record, LONG_AGO)
    assert (await prove(pool)).fault is None
    found = [(it.kind, it.count) for it in await told(services, now=later)]
    assert (Kept.EVIDENCE, 2) in found
    assert found.count((Kept.TEXTS, 1)) == 2  # the case's reply, and what the record says
    assert await pool.fetchval("SELECT count(text) FROM supervision_texts") == 0
    assert "not deleted yet" in str((await prove(pool)).fault)  # the files are fresh
    for path in files(services):
        os.utime(path, (0, 0))
    assert await told(services, now=later) == []
    assert [path.read_bytes() for path in files(services)] == [shared]
    assert (await prove(pool)).fault is None
    await town.moves(old[1], Move.ANSWER_DIRECTLY, LONG_AGO, **CONFIRMED, reply="办好了")
    desk = RetentionDesk(
        pool=pool, stores=stores_of(services), periods=PERIODS, clock=lambda: later
    )
    assert await desk.look() > 0
    assert files(services) == []
    assert (await prove(pool)).fault is None
    assert await desk.look() == 0


SUPERVISED = """
    INSERT INTO supervisions (type, subject, case_id, trigger, occasion, since, facts, urgency,
                              level, receiver, state, policy, basis, limit_basis, opened_at,
                              opened_by, level_at, look_at)
    VALUES ('call_order', 'case/1', $1, 'by_hand', 'x', $2, '{}', 'normal', 'urge', 'unit', 'open',
            'p', 'b', 'l', $2, 'desk', $2, 'infinity') RETURNING id"""
CLEARED = """
    UPDATE supervisions SET state = 'cleared', cleared_at = $2, cleared_by = 'desk' WHERE id = $1"""


async def test_what_was_written_on_duty_leaves_and_who_wrote_it_stays(
    services: Services, pool: Pool
) -> None:
    facts = ContactFacts(
        unit="市应急局",
        post="值班长",
        name="王五",
        phone="13900000031",
        leader=False,
        valid_from=LONG_AGO.date(),
        valid_until=None,
        review=NOW.date(),
    )
    async with transaction(pool) as tx:
        entry = await tx.fetchval(ENTRY, LONG_AGO)
        await tx.execute(VERSION, entry, LONG_AGO, None)
        await tx.execute("SET LOCAL session_replication_role = replica")
        await tx.execute("UPDATE duty_log_versions SET content = $1", '{"course": "李四来电"}')
        first = await duty_contact_rows.enter(tx, facts, by="li", now=LONG_AGO)
        await duty_contact_rows.enter(tx, facts, by="li", now=LONG_AGO, replaces=first)
    later = NOW + timedelta(days=365 * 6)
    # The entry is not finished: only the contact that was replaced leaves.
    done = await told(services, now=later)
    assert {it.kind: it.count for it in done} == {Kept.CONTACTS: 1}
    kept = await pool.fetch("SELECT name, phone FROM duty_contacts ORDER BY id")
    assert [(it["name"], it["phone"]) for it in kept] == [(None, None), ("王五", "13900000031")]
    await pool.execute("UPDATE duty_log SET done = true WHERE id = $1", entry)
    done = await told(services, now=later)
    assert {it.kind: it.count for it in done} == {Kept.DUTY_LOG: 1}
    async with borrowed(pool) as conn:
        (version,) = await duty_log_rows.versions(conn, entry)
    assert (version.by, version.text.course) == ("li", "")
    assert (await prove(pool)).fault is None
    assert await told(services, now=later) == []
    # Nothing but the job's own step is let through, and that once.
    for change in ("by = 'wang'", "content = '{}', erased_at = now()", "erased_at = NULL"):
        with pytest.raises(asyncpg.RaiseError, match="stay as they are"):
            await pool.execute(f"UPDATE duty_log_versions SET {change}")  # noqa: S608 - literals


ENTRY = """
    INSERT INTO duty_log (line, kind, at, newest) VALUES ('duty', 'fax', $1, 1) RETURNING id"""
VERSION = """
    INSERT INTO duty_log_versions (entry_id, version, at, by, done, reporter, content)
    VALUES ($1, 1, $2, 'li', false, $3, '{}')"""


def stores_of(services: Services) -> Stores:
    return Stores(sounds=services.sounds, evidence=services.config.evidence_dir)


def files(services: Services) -> list[Path]:
    return sorted(it for it in services.config.evidence_dir.rglob("*") if it.is_file())


async def brings(services: Services, pool: Pool, case_id: int, content: bytes) -> None:
    """Somebody at the desk adds a file to a case."""

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    kept = await evidence.keep(services.config.evidence_dir, chunks(), 1000)
    actor = Actor(name="desk", roles=frozenset({Role.DISPATCHER}))
    async with transaction(pool) as tx:
        await evidence.add(
            tx, case_id, kept, name="现场.png", media_type="image/png", actor=actor, now=LONG_AGO
        )


def test_a_night_is_at_three_in_the_city() -> None:
    evening = datetime(2026, 11, 26, 18, 59, tzinfo=UTC)
    assert next_night(evening).astimezone(UTC) == evening + timedelta(minutes=1)
    assert next_night(next_night(evening)) - next_night(evening) == timedelta(days=1)


async def test_words_for_the_public_and_appeals_leave_after_their_time(
    town: Town, services: Services, pool: Pool
) -> None:
    done, kept = [
        await town.case_of(await an_old_call(town, minutes, f"1390000004{minutes}", closed=closed))
        for minutes, closed in ((1, True), (2, False))
    ]
    for case_id in (done, kept):
        await pool.execute(
            """INSERT INTO publications (case_id, question, reply, proposed_at, proposed_by)
               VALUES ($1, '何时修好？', '已修好。', $2, 'desk')""",
            case_id,
            LONG_AGO,
        )
        await pool.execute(
            """INSERT INTO league_appeals (month, unit, indicator, case_id, reason, asked_at,
                                           asked_by)
               VALUES ('2020-01-01', '城管局', 'on_time', $1, 'not_ours', $2, 'wang')""",
            case_id,
            LONG_AGO,
        )
    later = NOW + timedelta(days=365 * 6)
    gone = {it.kind: it.count for it in await told(services, now=later)}
    assert (gone[Kept.PUBLICATIONS], gone[Kept.APPEALS]) == (1, 1)
    for table in ("publications", "league_appeals"):  # what belongs to an open case waits for it
        assert await pool.fetchval(f"SELECT array_agg(case_id) FROM {table}") == [kept]  # noqa: S608
    assert (await prove(pool)).fault is None
