"""Calls in the real PostgreSQL: saved once, numbered without gaps, recovered from the files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hotline.database import Pool, transaction
from telephony import fact_store, store
from telephony.calls import CallEnded, CallEvent, CallTracker, Outcome, Side
from telephony.events import ChannelEnded, Fact, LinkedId, Source, System
from telephony.reconcile import DifferenceKind, judge, told_by_files
from telephony.recovery import ExchangeFiles, Recovery
from telephony.rows import PlacedFact, Position
from telephony.snapshot import Snapshot
from tests.calls.recorded import NAMES, RULES, SYSTEM, recorded

LATER = datetime(2026, 12, 1, tzinfo=UTC)


def events_of(facts: Iterable[Fact]) -> list[CallEvent]:
    tracker = CallTracker(RULES)
    return [event for fact in facts for event in tracker.observe(fact)]


async def save_all(pool: Pool, events: Iterable[CallEvent]) -> list[store.SavedCall]:
    saved = []
    for event in events:
        async with transaction(pool) as tx:
            saved.append(await store.save(tx, event))
    return saved


async def rows(pool: Pool, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await pool.fetch(f"SELECT * FROM {table} ORDER BY 1")]  # noqa: S608 - a test's own words


# ---- saving ----


async def test_every_event_changes_the_call_once(pool: Pool) -> None:
    events = events_of(recorded("answered").ami)
    assert [saved.changed for saved in await save_all(pool, events)] == [True] * 4
    before = await rows(pool, "calls")
    assert [saved.changed for saved in await save_all(pool, events)] == [False] * 4
    assert await rows(pool, "calls") == before


async def test_the_row_is_the_call_and_the_number_is_not_in_it(pool: Pool) -> None:
    events = events_of(recorded("answered").ami)
    await save_all(pool, events)
    (row,) = await rows(pool, "calls")
    (identity,) = await rows(pool, "identities")
    call = events[-1].call
    assert row["caller"] == identity["token"]
    assert identity["number"] == call.caller_number == "13800001111"
    assert "13800001111" not in repr(row)
    assert (row["id"], row["line"], row["outcome"]) == (1, "mayor", "answered")
    assert (row["started_at"], row["answered_at"]) == (call.started_at, call.answered_at)
    async with transaction(pool) as tx:
        stored = await store.find(tx, call.key)
    assert stored is not None
    assert stored.call == replace(call, recordings=())


async def test_one_person_has_one_identity_whatever_name_he_shows(pool: Pool) -> None:
    first, second = (events_of(recorded(name).ami)[0] for name in ("answered", "abandoned"))
    await save_all(pool, [first, replace(second, call=replace(second.call, caller_name="张三"))])
    (identity,) = await rows(pool, "identities")
    assert identity["name"] in (None, "张三")
    calls = await rows(pool, "calls")
    assert {call["caller"] for call in calls} == {identity["token"]}


async def test_a_withheld_number_is_no_identity(pool: Pool) -> None:
    event = events_of(recorded("answered").ami)[0]
    await save_all(pool, [replace(event, call=replace(event.call, caller_number=None))])
    assert await rows(pool, "identities") == []
    assert (await rows(pool, "calls"))[0]["caller"] is None


async def test_an_ended_call_is_not_touched_by_later_times(pool: Pool) -> None:
    events = events_of(recorded("answered").ami)
    await save_all(pool, events)
    before = await rows(pool, "calls")
    late = events[-1].call
    assert late.ended_at is not None
    later = replace(late, ended_at=late.ended_at + timedelta(hours=1), outcome=Outcome.FAILED)
    await save_all(pool, [CallEnded(call=later, at=LATER)])
    assert await rows(pool, "calls") == before


async def test_numbers_have_no_gap_though_transactions_fail_and_compete(pool: Pool) -> None:
    event = events_of(recorded("answered").ami)[0]

    def numbered(n: int) -> CallEvent:
        key = replace(event.call.key, linked_id=LinkedId(f"x.{n}"))
        return replace(event, call=replace(event.call, key=key))

    async def one(n: int) -> None:
        async with transaction(pool) as tx:
            await store.save(tx, numbered(n // 2))  # each call twice, at the same time
            if n % 5 == 0:
                raise ZeroDivisionError

    done = await asyncio.gather(*(one(n) for n in range(40)), return_exceptions=True)
    assert {type(result) for result in done} == {type(None), ZeroDivisionError}
    ids = [row["id"] for row in await rows(pool, "calls")]
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) == 20


# ---- facts of the files ----


WITHOUT_A_NUMBER = (
    "caller_withholds_his_number",
    "operator_calls_operator",
    "called_out_and_acknowledged",
    "called_out_and_not_acknowledged",
    "called_out_and_not_answered",
    *("called_out_outside", "colleague_dialled_by_hand", "colleague_refuses"),
    *("dialled_and_not_taken_at_the_desk", "police_dialled_by_hand"),
)


def placed(facts: Sequence[Fact], file: int = 1) -> list[PlacedFact]:
    return [PlacedFact(fact=fact, file=file, offset=100 * n) for n, fact in enumerate(facts)]


async def test_facts_come_back_as_they_went_and_hold_no_number(pool: Pool) -> None:
    for name in NAMES:
        facts = recorded(name).cel + recorded(name).queue_log
        system = System(name)
        told = [replace(fact, system=system) for fact in facts]
        end = Position(file=1, offset=9)
        async with transaction(pool) as tx:
            assert await fact_store.append_facts(
                tx, system, Source.CEL, placed(told), end, since=None, at=LATER
            )
            back: list[Fact] = []
            for linked_id in {fact.linked_id for fact in told} - {None}:
                back += await fact_store.facts_of(tx, system, LinkedId(str(linked_id)))
        as_cel = [replace(fact, source=Source.CEL) for fact in told]
        # Ids that came to belong together are told together, whichever of them is asked for.
        assert sorted({*map(repr, back)}) == sorted({*map(repr, as_cel)})
        numbers = {getattr(fact, "number", "") for fact in back}
        assert any(n.startswith("138") for n in numbers) or name in WITHOUT_A_NUMBER
    bodies = await pool.fetch("SELECT body FROM exchange_facts")
    assert not [row for row in bodies if "13800" in row["body"]]


async def test_a_second_reader_of_the_same_file_stores_nothing(pool: Pool) -> None:
    facts = placed(recorded("answered").cel)
    end = Position(file=1, offset=5_000)
    async with transaction(pool) as tx:
        arguments = (tx, SYSTEM, Source.CEL, facts, end)
        assert await fact_store.append_facts(*arguments, since=None, at=LATER)
        assert not await fact_store.append_facts(*arguments, since=None, at=LATER)
        assert await fact_store.append_facts(*arguments, since=end, at=LATER)
        assert await fact_store.position(tx, SYSTEM, Source.CEL) == end
    assert len(await rows(pool, "exchange_facts")) == len(facts)


async def test_what_has_not_ended_is_unfinished(pool: Pool) -> None:
    ended, going = recorded("answered").cel, recorded("abandoned").cel[:-2]
    end = Position(file=1, offset=5_000)
    async with transaction(pool) as tx:
        await fact_store.append_facts(
            tx, SYSTEM, Source.CEL, placed(ended + going), end, since=None, at=LATER
        )
        asked = recorded("abandoned").queue_log
        await fact_store.append_facts(
            tx, SYSTEM, Source.QUEUE_LOG, placed(asked), end, since=None, at=LATER
        )
        unfinished = await fact_store.unfinished_facts(tx, SYSTEM, since=going[0].at)
        assert {fact.unique_id for fact in unfinished} == {fact.unique_id for fact in going}
        assert {fact.source for fact in unfinished} == {Source.CEL, Source.QUEUE_LOG}
        assert await fact_store.unfinished_facts(tx, SYSTEM, since=LATER) == []


# ---- recovery ----


class Exchange:
    """The files of an exchange, and a service that can be killed and started again."""

    def __init__(self, folder: Path, pool: Pool) -> None:
        self.pool = pool
        self.files = ExchangeFiles(cel=folder / "calls.csv", queue_log=folder / "queue_log")
        self.told: list[CallEvent] = []
        self.fail: Callable[[CallEvent], None] = lambda _: None
        self.start()

    def start(self) -> None:
        """A new process: nothing of the old one is left."""
        self.tracker = CallTracker(RULES)
        self.recovery = Recovery(
            system=SYSTEM,
            files=self.files,
            rules=RULES,
            tracker=self.tracker,
            transaction=lambda: transaction(self.pool),
            tell=self.tell,
        )

    async def tell(self, event: CallEvent) -> None:
        self.fail(event)
        self.told.append(event)
        await save_all(self.pool, [event])

    async def live(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            for event in self.tracker.observe(fact):
                await self.tell(event)

    def write(self, name: str, *, cel: slice = slice(None)) -> None:
        table = recorded(name)
        with self.files.cel.open("ab") as file:
            file.writelines(line + b"\n" for line in table.cel_lines[cel])
        with self.files.queue_log.open("ab") as file:
            file.writelines(line + b"\n" for line in table.queue_log_lines)

    async def calls(self) -> list[dict[str, Any]]:
        return await rows(self.pool, "calls")

    async def kinds(self) -> list[str]:
        return sorted(row["kind"] for row in await rows(self.pool, "differences"))


@pytest.fixture
def exchange(tmp_path: Path, pool: Pool) -> Exchange:
    return Exchange(tmp_path, pool)


async def test_calls_that_happened_while_nobody_listened_become_calls(exchange: Exchange) -> None:
    for name in NAMES:
        exchange.write(name)
    await exchange.recovery.start(LATER)
    calls = await exchange.calls()
    expected = [
        event.call.outcome
        for name in NAMES
        for event in events_of(recorded(name).ami)
        if isinstance(event, CallEnded)
    ]
    assert [call["id"] for call in calls] == list(range(1, len(expected) + 1))
    assert all(call["recovered"] and call["ended_at"] for call in calls)
    assert sorted(call["outcome"] for call in calls) == sorted(map(str, expected))
    assert await exchange.kinds() == ["missing"] * len(expected)


async def test_reading_and_checking_again_changes_nothing(exchange: Exchange) -> None:
    exchange.write("two_at_once")
    await exchange.recovery.start(LATER)
    before = [
        await rows(exchange.pool, name) for name in ("calls", "differences", "exchange_facts")
    ]
    told = len(exchange.told)
    for _ in range(2):
        exchange.start()
        await exchange.recovery.start(LATER)
        assert await exchange.recovery.check(LATER) == []
    tables = ("calls", "differences", "exchange_facts")
    assert [await rows(exchange.pool, name) for name in tables] == before
    assert len(exchange.told) == told


@pytest.mark.parametrize("name", NAMES)
async def test_the_files_agree_with_what_was_told_live(exchange: Exchange, name: str) -> None:
    await exchange.live(recorded(name).ami)
    before = await exchange.calls()
    exchange.write(name)
    assert await exchange.recovery.check(LATER) == []
    assert await exchange.calls() == before
    assert not any(call["recovered"] for call in before)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
async def test_killed_in_the_middle_of_a_call_and_started_after_it(
    exchange: Exchange, part: float
) -> None:
    live = recorded("answered").ami
    await exchange.live(live[: int(part * len(live))])
    exchange.write("answered")
    exchange.start()
    await exchange.recovery.start(LATER)
    (call,) = await exchange.calls()
    assert (call["outcome"], call["operator"], call["recovered"]) == ("answered", "1001", True)
    assert call["caller"] is not None
    assert await exchange.kinds() == ["open"]


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.7, 0.9])
async def test_killed_and_started_again_within_one_call(exchange: Exchange, part: float) -> None:
    """The files hold the same part; the rest comes live, to a process that remembers nothing."""
    table = recorded("answered")
    live, cut = table.ami, int(part * len(table.ami))
    await exchange.live(live[:cut])
    told = table.cel_lines
    seen = sum(1 for fact in table.cel if fact.at <= live[cut].at)
    exchange.write("answered", cel=slice(0, seen))
    exchange.start()
    await exchange.recovery.start(LATER)
    await exchange.live(live[cut:])
    with exchange.files.cel.open("ab") as file:
        file.writelines(line + b"\n" for line in told[seen:])
    # Who hung up was told to the process that died; the files know it, too.
    assert {d.kind for d in await exchange.recovery.check(LATER)} <= {DifferenceKind.HANGUP_BY}
    (call,) = await exchange.calls()
    assert (call["outcome"], call["operator"], call["hangup_by"]) == ("answered", "1001", "caller")
    whole = events_of(live)[-1].call
    for moment in ("started_at", "queued_at", "answered_at", "ended_at"):
        assert abs(call[moment] - getattr(whole, moment)) < timedelta(seconds=1)


async def test_an_open_call_without_any_file_goes_on_and_ends(exchange: Exchange) -> None:
    live = recorded("abandoned").ami
    await exchange.live(live[:5])
    exchange.start()
    await exchange.recovery.start(LATER)
    assert len(exchange.tracker.open_calls()) == 1
    await exchange.live(live[5:])
    (call,) = await exchange.calls()
    assert call["outcome"] == "abandoned"
    assert len(exchange.told) == 3


def now_on(exchange_time: datetime, *unique_ids: str) -> Snapshot:
    from asterisk.ami.event import Event  # noqa: PLC0415 - only here

    return Snapshot(
        system=SYSTEM,
        generation=2,
        taken_at=exchange_time,
        exchange_started=None,
        restarted=False,
        channels=tuple(
            Event("CoreShowChannel", {"Uniqueid": u, "Linkedid": u, "Channel": "PJSIP/trunk-1"})
            for u in unique_ids
        ),
        statuses=(),
        bridges=(),
        queues=(),
        members=(),
        waiting=(),
        missing=(),
    )


async def test_after_a_cut_connection_ended_calls_are_closed_by_the_files(
    exchange: Exchange,
) -> None:
    await exchange.live(recorded("answered").ami[:12])
    exchange.write("answered")
    await exchange.recovery.merge(now_on(LATER), LATER)
    (call,) = await exchange.calls()
    assert call["outcome"] == "answered"
    last = max(fact.at for fact in recorded("answered").cel if isinstance(fact, ChannelEnded))
    assert last - timedelta(milliseconds=50) <= call["ended_at"] <= last
    assert exchange.tracker.open_calls() == []


async def test_calls_live_in_the_snapshot_go_on(exchange: Exchange) -> None:
    facts = recorded("abandoned").ami
    await exchange.live(facts[:5])
    exchange.write("abandoned", cel=slice(0, 5))
    await exchange.recovery.merge(now_on(LATER, facts[0].unique_id), LATER)
    assert len(exchange.tracker.open_calls()) == 1
    await exchange.live(facts[5:])
    assert [call["outcome"] for call in await exchange.calls()] == ["abandoned"]


async def test_an_exchange_that_died_takes_its_calls_with_it(exchange: Exchange) -> None:
    """Killed by SIGKILL it writes no end of any kind; the next snapshot knows none of them."""
    facts = recorded("answered").ami
    talking = [fact for fact in facts if fact.at < facts[-1].at - timedelta(seconds=1)]
    await exchange.live(talking)
    exchange.write("answered", cel=slice(0, 9))
    await exchange.recovery.merge(now_on(LATER), LATER)
    (call,) = await exchange.calls()
    assert (call["outcome"], call["hangup_by"], call["recovered"]) == ("answered", "system", True)
    last = max(fact.at for fact in (*talking, *recorded("answered").cel[:9]))
    assert call["ended_at"] <= last
    exchange.start()
    await exchange.recovery.start(LATER)
    assert exchange.tracker.open_calls() == []
    assert len(await exchange.calls()) == 1


async def test_wrong_times_and_outcomes_are_repaired_and_noted(exchange: Exchange) -> None:
    events = events_of(recorded("unanswered").ami)
    end = events[-1].call
    assert end.ended_at is not None
    wrong = replace(
        end,
        outcome=Outcome.ABANDONED,
        hangup_by=Side.CALLER,
        ended_at=end.ended_at + timedelta(seconds=30),
    )
    await save_all(exchange.pool, [*events[:-1], CallEnded(call=wrong, at=LATER)])
    exchange.write("unanswered")
    found = await exchange.recovery.check(LATER)
    assert {difference.kind for difference in found} == {
        *(DifferenceKind.OUTCOME, DifferenceKind.HANGUP_BY, DifferenceKind.ENDED_AT)
    }
    (call,) = await exchange.calls()
    assert (call["outcome"], call["hangup_by"]) == ("unanswered", "system")
    assert abs(call["ended_at"] - end.ended_at) < timedelta(seconds=1)
    assert await exchange.kinds() == ["ended_at", "hangup_by", "outcome"]
    (told,) = exchange.told
    assert told.call.outcome is Outcome.UNANSWERED


async def test_an_answered_call_is_never_made_an_unanswered_one(exchange: Exchange) -> None:
    await exchange.live(recorded("answered").ami)
    before = await exchange.calls()
    lines = recorded("answered").cel_lines
    torn = [line[:30] if b"BRIDGE" in line else line for line in lines]
    exchange.files.cel.write_bytes(b"\n".join(torn) + b"\n")
    found = await exchange.recovery.check(LATER)
    assert [difference.repaired for difference in found if difference.kind == "outcome"] == [False]
    assert await exchange.calls() == before
    assert exchange.recovery.counts.bad_rows == 4


async def test_a_call_younger_than_the_grace_is_left_to_the_live_events(
    exchange: Exchange,
) -> None:
    exchange.write("answered")
    ended_at = recorded("answered").cel[-1].at
    assert await exchange.recovery.check(ended_at + timedelta(seconds=1)) == []
    assert len(await exchange.recovery.check(ended_at + timedelta(seconds=5))) == 1


async def test_crossed_times_let_no_call_be_passed_over(exchange: Exchange) -> None:
    """Two calls ended at once and CEL wrote the later end first."""
    first, second = recorded("answered").cel, recorded("hung_up_in_notice").cel
    end = first[-1].at
    early = [replace(fact, at=min(fact.at, end)) for fact in second]
    early[-1] = replace(early[-1], at=end - timedelta(milliseconds=2))
    async with transaction(exchange.pool) as tx:
        await fact_store.append_facts(
            tx,
            SYSTEM,
            Source.CEL,
            placed([*first, *early]),
            Position(file=1, offset=9),
            since=None,
            at=LATER,
        )
        between = end - timedelta(milliseconds=1)
        assert await fact_store.ended_unjudged(tx, SYSTEM, until=between) == []
        assert len(await fact_store.ended_unjudged(tx, SYSTEM, until=end)) == 2
        # A clock that was an hour fast once holds nothing up for an hour.
        assert len(await fact_store.ended_unjudged(tx, SYSTEM, until=end - timedelta(hours=1))) == 2


async def test_a_call_that_cannot_be_judged_does_not_stop_the_others(exchange: Exchange) -> None:
    exchange.write("answered")
    exchange.write("abandoned")
    unlucky = recorded("answered").cel[0].linked_id

    def fail(event: CallEvent) -> None:
        if event.call.key.linked_id == unlucky:
            raise ZeroDivisionError

    exchange.fail = fail
    found = await exchange.recovery.check(LATER)
    assert sorted(difference.kind for difference in found) == ["missing", "unjudged"]
    assert [call["outcome"] for call in await exchange.calls()] == ["abandoned"]


async def test_a_database_that_goes_away_leaves_the_work_undone(exchange: Exchange) -> None:
    exchange.write("answered")
    open_transaction = exchange.recovery._transaction
    left = 6

    @asynccontextmanager
    async def failing() -> AsyncIterator[store.Connection]:
        nonlocal left
        left -= 1
        if left <= 0:
            raise OSError("The database is away.")
        async with open_transaction() as tx:
            yield tx

    exchange.recovery._transaction = failing
    with pytest.raises(OSError, match="away"):
        await exchange.recovery.check(LATER)
    exchange.recovery._transaction = open_transaction
    await exchange.recovery.check(LATER)
    assert [call["outcome"] for call in await exchange.calls()] == ["answered"]


async def test_any_split_of_the_files_over_restarts_gives_the_same_rows(
    tmp_path: Path, pool: Pool
) -> None:
    """The files grow by any number of bytes between starts and checks, live events in between."""
    random = Random(20261123)  # noqa: S311 - a test wants the same dice each time
    whole = b"".join(line + b"\n" for name in NAMES for line in recorded(name).cel_lines)
    queue = b"".join(line + b"\n" for name in NAMES for line in recorded(name).queue_log_lines)
    live = [fact for name in NAMES for fact in recorded(name).ami]
    exchange = Exchange(tmp_path, pool)
    exchange.files.queue_log.write_bytes(queue)
    while whole or live:
        size = random.randrange(6_000)
        with exchange.files.cel.open("ab") as file:
            file.write(whole[:size])
        whole = whole[size:]
        match random.randrange(3):
            case 0:
                exchange.start()
                await exchange.recovery.start(LATER)
            case 1:
                await exchange.recovery.check(LATER)
            case _:
                many = random.randrange(40)
                await exchange.live(live[:many])
                live = live[many:]
    await exchange.recovery.check(LATER)
    calls = await exchange.calls()
    expected = sorted(
        (
            event.call
            for name in NAMES
            for event in events_of(recorded(name).ami)
            if isinstance(event, CallEnded)
        ),
        key=lambda call: call.key,
    )
    calls.sort(key=lambda call: str(call["linked_id"]))
    assert [(c["linked_id"], c["outcome"], c["operator"], c["hangup_by"]) for c in calls] == [
        (call.key.linked_id, call.outcome, call.operator, call.hangup_by) for call in expected
    ]


# ---- the judgement alone ----


def test_the_files_tell_the_calls_that_have_ended_only() -> None:
    facts = recorded("two_at_once").cel
    assert len(told_by_files(facts, RULES)) == 2
    assert len(told_by_files(facts[:-1], RULES)) >= 1
    assert told_by_files(recorded("answered").cel[:5], RULES) == {}
    assert told_by_files([], RULES) == {}


def test_a_difference_names_no_caller() -> None:
    for events in told_by_files(recorded("answered").cel, RULES).values():
        verdict = judge(events, replace(events[-1].call, outcome=Outcome.FAILED, operator=None))
        assert [d.kind for d in verdict.differences] == [
            DifferenceKind.OUTCOME,
            DifferenceKind.OPERATOR,
        ]
        assert "13800001111" not in repr(verdict)
