"""The pass: each step twice is each step once, and a death anywhere costs and doubles nothing."""

import asyncio
import json
from pathlib import Path
from typing import cast

import asyncpg
import pytest

from hotline import flow, journal
from hotline.database import Pool, borrowed, transaction
from hotline.jobs import JobName, LaterError
from hotline.services import utc_now
from routing import store as cases
from routing.cases import Actor, Move, MoveData, Reached, Role, Satisfied, Solved, Truth, Urgency
from routing.errors import IllegalMove
from telephony.calls import Leg, Outcome
from tests.hotline.story import (
    Death,
    Died,
    Life,
    at,
    call,
    events,
    everything,
    without_tokens,
    write_wav,
)
from tests.routing.life import LIMITS
from transcription.errors import AudioEmpty, ModelMissing

WHOLE_PASS = [
    "call.started",
    "call.ringing",
    "call.answered",
    "case.drafted",
    "call.ended",
    "recording.stored",
    "recording.stored",
    "transcript.ready",
    "transcript.ready",
    "case.suggested",
    "call.inspected",
]


async def _told(pool: Pool) -> list[str]:
    return [row["event"] for row in await pool.fetch("SELECT event FROM journal ORDER BY id")]


async def test_a_call_becomes_a_transcribed_routed_case(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    files = life.record(call())
    await life.tell(call())
    done = await life.work()
    assert done == ["collect_recordings", "transcribe", "transcribe", "route", "inspect"]
    assert await _told(pool) == WHOLE_PASS
    assert not set(files) & set(life.spool.iterdir())
    stored = await pool.fetch("SELECT * FROM recordings ORDER BY leg")
    assert [r["state"] for r in stored] == ["stored", "stored"]
    assert {life.store / r["path"] for r in stored} <= set(life.store.rglob("*"))
    async with borrowed(pool) as conn:
        case = await cases.of_call(conn, 1)
    assert case is not None
    assert (case.call_id, case.line, case.owner, case.state) == (1, "mayor", "1001", "draft")
    assert case.level1 is not None


@pytest.mark.parametrize("after_commit", [False, True], ids=["before commit", "after commit"])
@pytest.mark.parametrize("at_transaction", range(1, 11))
async def test_a_death_at_any_transaction_costs_and_doubles_nothing(
    pool: Pool, tmp_path: Path, at_transaction: int, *, after_commit: bool
) -> None:
    death = Death(at=at_transaction, after_commit=after_commit)
    first = Life(pool, tmp_path, death)
    first.record(call())
    with pytest.raises(Died):
        await first.live(call())
    second = Life(pool, tmp_path)
    await second.tell(call())
    await second.work()
    assert sorted(await _told(pool)) == sorted(WHOLE_PASS)
    found = without_tokens(await everything(pool))
    assert len(found["calls"]) == len(found["cases"]) == 1  # type: ignore[arg-type]
    assert found["jobs"] == []
    assert found["counter"] == [(1,)]
    assert {row[2] for row in found["recordings"]} == {"stored"}  # type: ignore[attr-defined]
    assert {row[2] for row in found["transcripts"]} == {"done"}  # type: ignore[attr-defined]
    assert not list(first.spool.iterdir())
    assert len([p for p in first.store.rglob("*") if p.is_file()]) == 2


async def test_the_pass_has_ten_transactions(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call())
    await life.work()
    assert life.transactions == 10, "the test above must strike at every one of them"


@pytest.mark.parametrize(
    "name", [JobName.COLLECT_RECORDINGS, JobName.TRANSCRIBE, JobName.ROUTE, JobName.INSPECT]
)
async def test_each_job_done_twice_leaves_the_rows_of_once(
    pool: Pool, tmp_path: Path, name: JobName
) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call())
    await life.work(lambda one: one is not name and (name is not JobName.TRANSCRIBE))
    rows = await pool.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
    if name is JobName.TRANSCRIBE:
        await life.work(lambda one: one is JobName.COLLECT_RECORDINGS)
        rows = await pool.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
    assert {row["entrypoint"] for row in rows} >= {name}
    await life.work()
    once = await everything(pool)
    for row in rows:
        await life.all_steps[JobName(row["entrypoint"])].do(json.loads(row["payload"]))
    assert await everything(pool) == once


async def test_events_told_again_change_nothing(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    await life.tell(call())
    once = await everything(pool)
    for _ in range(3):
        await life.tell(call())
    assert await everything(pool) == once


async def test_a_call_first_heard_of_at_its_end_is_whole(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    async with transaction(pool) as tx:
        await flow.call_changed(tx, events(call(recovered=True))[-1])
    await life.work()
    assert await _told(pool) == ["call.ended", "case.drafted", *WHOLE_PASS[5:]]


async def test_an_answered_call_is_looked_for_in_the_spool_even_if_no_fact_names_it(
    pool: Pool, tmp_path: Path
) -> None:
    life = Life(pool, tmp_path)
    for leg in Leg:
        write_wav(life.spool / f"{call().key.linked_id}-{leg}.wav")
    await life.tell(call(recordings=()))
    await life.work()
    assert sorted(await _told(pool)) == sorted(WHOLE_PASS)


@pytest.mark.parametrize("outcome", [Outcome.ABANDONED, Outcome.UNANSWERED, Outcome.FAILED])
async def test_a_call_nobody_answered_has_no_case_and_no_words(
    pool: Pool, tmp_path: Path, outcome: Outcome
) -> None:
    life = Life(pool, tmp_path)
    lost = call(answered_at=None, operator=None, outcome=outcome)
    life.record(lost)
    await life.tell(lost)
    assert await life.work() == ["collect_recordings"]
    found = await everything(pool)
    assert found["cases"] == found["transcripts"] == []
    assert [row[2] for row in found["recordings"]] == ["stored", "stored"]


async def test_without_a_model_words_wait_and_say_so(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    life.engine.fault = ModelMissing("There is no speech model yet.", path=tmp_path)
    await life.tell(call())
    with pytest.raises(LaterError, match="no speech model"):
        await life.work()
    waiting = await pool.fetchrow("SELECT state, reason FROM transcripts ORDER BY leg LIMIT 1")
    assert tuple(waiting or ()) == ("pending", "There is no speech model yet.")
    life.engine.fault = None
    await life.work()
    assert sorted(await _told(pool)) == sorted(WHOLE_PASS)


async def test_a_leg_that_cannot_be_heard_does_not_hold_up_the_case(
    pool: Pool, tmp_path: Path
) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    life.engine.fault = AudioEmpty("The recording holds no sound.", path=tmp_path)
    await life.tell(call())
    await life.work()
    assert (await _told(pool))[-4:] == [
        "transcript.failed",
        "transcript.failed",
        "case.suggested",
        "call.inspected",
    ]


async def test_a_transcript_that_is_given_up_says_why_and_routing_goes_on(
    pool: Pool, tmp_path: Path
) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call())
    await life.work(lambda name: name is JobName.COLLECT_RECORDINGS)
    for leg in Leg:
        await life.steps.give_up_transcript({"call_id": 1, "leg": leg}, "It broke five times.")
    await life.work()
    reasons = await pool.fetch("SELECT state, reason FROM transcripts")
    assert {tuple(row) for row in reasons} == {("failed", "It broke five times.")}
    assert (await _told(pool)).count("case.suggested") == 1


async def test_an_emergency_is_escalated_with_its_suggestion(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    life.engine.words = {
        Leg.CALLER: ("救命", "着火", "了", "楼上", "有人", "被困"),
        Leg.OPERATOR: ("您好",),
    }
    await life.tell(call())
    await life.work()
    assert (await _told(pool))[-3:-1] == ["case.suggested", "case.escalated"]
    assert await pool.fetchval("SELECT urgency FROM cases") == Urgency.EMERGENCY


async def test_both_legs_heard_at_the_same_moment_are_routed_once(
    pool: Pool, tmp_path: Path
) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call())
    await life.work(lambda name: name is JobName.COLLECT_RECORDINGS)
    await asyncio.gather(*(life.steps.transcribe({"call_id": 1, "leg": leg.value}) for leg in Leg))
    queued = await pool.fetch("SELECT entrypoint FROM pgqueuer WHERE entrypoint = 'route'")
    assert len(queued) == 1


async def test_a_person_moves_a_case_to_its_end(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    await life.tell(call())
    case_id = await pool.fetchval("SELECT id FROM cases")
    person = Actor(name="1001", roles=frozenset(Role) - {Role.SYSTEM})

    async def make(move: Move, **data: object) -> None:
        async with transaction(pool) as tx:
            await flow.case_moved(
                tx,
                case_id,
                move=move,
                actor=person,
                now=utc_now(),
                data=MoveData(**data),  # type: ignore[arg-type]
                limits=LIMITS,
            )

    with pytest.raises(IllegalMove):
        await make(Move.CLOSE)
    await make(Move.OPEN, kind="help", urgency="normal", level1="城乡建设")
    await make(Move.DISPATCH, unit="市水务集团")
    await make(Move.SIGN)
    told = {"reply": "已修复，回电13812345678", "public_reply": "已修复", "contacted_at": utc_now()}
    await make(Move.ANSWER, **told, truth=Truth.YES, publish=True, solved=Solved.YES)
    await make(Move.APPROVE)
    said = {"solved": Solved.YES, "satisfied": Satisfied.SATISFIED}
    await make(Move.CLOSE, result=Reached.REACHED, **said)
    assert (await _told(pool))[-6:] == [
        "case.opened",
        "case.dispatched",
        "case.signed",
        "case.answered",
        "case.approved",
        "case.closed",
    ]
    async with pool.acquire() as conn:
        history = await journal.of_case(cast("asyncpg.Connection", conn), case_id)
    replies = [it.body["reply"] for it in history if it.event == "case.answered"]
    assert replies == ["已修复，回电138****5678"]
    rows = await pool.fetch("SELECT body::text FROM journal")
    assert "已修复" not in " ".join(row["body"] for row in rows)


async def test_nothing_of_the_caller_stands_in_the_journal(pool: Pool, tmp_path: Path) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call(caller_name="张三丰"))
    await life.work()
    bodies = " ".join(row["body"] for row in await pool.fetch("SELECT body::text FROM journal"))
    assert "13812340001" not in bodies
    assert "张三丰" not in bodies
    assert "138****0001" in bodies
    assert "张**" in bodies


async def test_people_and_jobs_on_one_case_never_wait_for_each_other_for_ever(
    pool: Pool, tmp_path: Path
) -> None:
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call())
    await life.work()
    case_id = await pool.fetchval("SELECT id FROM cases")
    person = Actor(name="1001", roles=frozenset(Role) - {Role.SYSTEM})
    data = MoveData(kind="help", urgency="normal", level1="政法")  # type: ignore[arg-type]

    async def open_it() -> None:
        async with transaction(pool) as tx:
            await flow.case_moved(
                tx,
                case_id,
                move=Move.OPEN,
                actor=person,
                now=at(60),
                data=data,
                limits=LIMITS,
            )

    async def told_again() -> None:
        async with transaction(pool) as tx:
            await flow.call_changed(tx, events(call(number=2))[-1])
            await flow.call_changed(tx, events(call())[-1])

    results = await asyncio.gather(
        open_it(), *(told_again() for _ in range(3)), return_exceptions=True
    )
    assert [r for r in results if isinstance(r, asyncpg.DeadlockDetectedError)] == []
    assert [r for r in results if isinstance(r, BaseException)] == []
