"""The counts of calls, checked against a second computation that reads the rows one by one."""

import random
from datetime import UTC, datetime, timedelta

import asyncpg

from metrics.collect import Item, Line, ProcessState
from metrics.exporter import render
from metrics.ledger import Ledger
from metrics.names import TALK_BUCKETS, WAIT_BUCKETS
from metrics.store import snapshot
from tests.metrics.rows import CallRow, CaseRow

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LINES = (Line(name="mayor"), Line(name="duty", target=timedelta(seconds=10)))
NAMES = [line.name for line in LINES]
DAY = 86400


def undated(_item: Item) -> None:
    return None


def some_call(rng: random.Random, number: int) -> CallRow:
    """One call of any fate, up to three days old; waits fall often on the very edges."""
    line = rng.choice(["mayor", "mayor", "duty", "old-line"])
    age = rng.choice([rng.uniform(0, 3 * DAY), DAY, DAY - 1e-6, DAY + 1e-6])
    call = CallRow(id=number, line=line, started_at=NOW - timedelta(seconds=age))
    call.recovered = rng.random() < 0.1
    fates = ("answered", "talking", "short", "long", "gave_up", "notice", "waiting")
    fate = rng.choice((*fates, "message", "leaving"))
    wait = rng.choice([*WAIT_BUCKETS, 0.0, 15.000001, rng.uniform(0, 700)])
    talk = rng.choice([*TALK_BUCKETS, rng.uniform(0, 4000)])
    if fate == "notice":
        call.ended, call.outcome = 3.0, "abandoned_short"
        return call
    call.queued = 6.0
    if fate in {"answered", "talking"}:
        call.answered = 6.0 + wait
        if fate == "answered":
            call.ended, call.outcome = call.answered + talk, "answered"
        if rng.random() < 0.05:
            call.queued = None  # the queue's own record never came
    elif fate == "short":
        call.ended, call.outcome = 8.0, "abandoned_short"
    elif fate == "long":
        call.ended, call.outcome = 6.0 + max(wait, 5.0), "abandoned"
    elif fate in {"message", "leaving"}:
        call.message = 6.0 + wait
        if fate == "message":
            call.ended, call.outcome = call.message + talk, "voicemail"
    elif fate == "gave_up":
        call.ended, call.outcome = 66.0, "unanswered"
    return call


def asked_at(call: CallRow) -> float | None:
    """When the caller asked for a person, in seconds from the start."""
    if call.queued is not None:
        return call.queued
    return 0.0 if call.answered is not None else None


async def test_every_count_equals_a_walk_over_the_rows(conn: asyncpg.Connection) -> None:
    rng = random.Random(20261123)  # noqa: S311 - test data
    calls = [some_call(rng, number) for number in range(1, 401)]
    for call in calls:
        await call.write(conn)
    found = await snapshot(conn, LINES, Ledger(NAMES, undated), NOW)

    targets = {"mayor": 15.0, "duty": 10.0, "other": 15.0}
    assert set(found.calls) == set(targets)
    for line, target in targets.items():
        mine = [c for c in calls if (c.line if c.line in targets else "other") == line]
        asked = [c for c in mine if asked_at(c) is not None]
        waiting = [c for c in asked if (c.answered, c.message, c.ended) == (None, None, None)]
        answered = [c for c in asked if c.answered is not None]

        def in_time(call: CallRow, target: float = target) -> bool:
            begin, end = call.at(asked_at(call)), call.at(call.answered)
            return bool(begin and end and end - begin <= timedelta(seconds=target))

        def recent(call: CallRow) -> bool:
            begin = call.at(asked_at(call))
            return begin is not None and begin > NOW - timedelta(hours=24)

        def waits_in_time(call: CallRow, target: float = target) -> bool:
            begin = call.at(asked_at(call))
            return begin is not None and NOW - begin <= timedelta(seconds=target)

        counts = found.calls[line]
        assert counts.offered == len(asked)
        assert counts.answered == len(answered)
        assert counts.within_target == sum(map(in_time, answered))
        assert counts.abandoned_short == sum(c.outcome == "abandoned_short" for c in asked)
        assert counts.abandoned_long == sum(c.outcome == "abandoned" for c in asked)
        assert counts.left_before_queue == sum(
            c.ended is not None and asked_at(c) is None for c in mine
        )
        assert counts.recovered == sum(c.recovered for c in mine)
        assert counts.waiting == len(waiting)
        assert counts.active == sum(c.ended is None for c in mine)
        assert counts.oldest_waiting == min((c.at(c.queued) for c in waiting), default=None)  # type: ignore[type-var]
        assert counts.window_offered == sum(recent(c) and c not in waiting for c in asked)
        assert counts.window_answered == sum(map(recent, answered))
        assert counts.window_short == sum(
            recent(c) and c.outcome == "abandoned_short" for c in asked
        )
        assert counts.target_offered == sum(
            recent(c) and not (c in waiting and waits_in_time(c)) for c in asked
        )
        assert counts.target_answered == sum(recent(c) and in_time(c) for c in answered)
        assert counts.connect.value == counts.window_answered / counts.window_offered

        for outcome in ("answered", "abandoned", "abandoned_short", "unanswered", "voicemail"):
            assert found.ended.get((line, outcome), 0) == sum(c.outcome == outcome for c in mine)
            check_waits(found.waits.get((line, outcome)), mine, outcome)
        talks = [c.ended - c.answered for c in answered if c.ended and c.answered]
        histogram = found.talks[line]
        assert histogram.counts[-1] == len(talks)
        assert abs(histogram.total - sum(talks)) < 1e-3


def check_waits(histogram: object, calls: list[CallRow], outcome: str) -> None:
    waits = []
    for call in calls:
        end = next((at for at in (call.answered, call.message, call.ended) if at is not None), None)
        said = "answered" if call.answered is not None else call.outcome
        if call.queued is not None and end is not None and said == outcome:
            begin, until = call.at(call.queued), call.at(end)
            assert begin is not None
            assert until is not None
            waits.append(until - begin)
    if not waits:
        assert histogram is None
        return
    counts = [sum(wait <= timedelta(seconds=edge) for wait in waits) for edge in WAIT_BUCKETS]
    assert getattr(histogram, "counts") == (*counts, len(waits))  # noqa: B009 - any histogram
    assert abs(getattr(histogram, "total") - sum(w.total_seconds() for w in waits)) < 1e-3  # noqa: B009


async def test_an_empty_database_has_every_configured_line_at_zero(
    conn: asyncpg.Connection,
) -> None:
    found = await snapshot(conn, LINES, Ledger(NAMES, undated), NOW)
    assert {line: counts.offered for line, counts in found.calls.items()} == {"mayor": 0, "duty": 0}
    assert found.calls["mayor"].connect.value is None
    assert found.transcripts.oldest_pending is None


async def test_a_line_taken_out_of_the_configuration_is_still_counted(
    conn: asyncpg.Connection,
) -> None:
    await CallRow(line="old-line", started_at=NOW, queued=1, ended=70, outcome="unanswered").write(
        conn
    )
    found = await snapshot(conn, LINES, Ledger(NAMES, undated), NOW + timedelta(minutes=5))
    assert found.calls["other"].offered == 1
    assert found.ended["other", "unanswered"] == 1


async def test_registered_counts_answered_calls_whose_case_a_person_confirmed(
    conn: asyncpg.Connection,
) -> None:
    for number, state in enumerate(("draft", "open", "closed"), start=1):
        call = CallRow(
            id=number,
            line="mayor",
            started_at=NOW,
            queued=1,
            answered=2,
            ended=9,
            outcome="answered",
        )
        await call.write(conn)
        opened = None if state == "draft" else NOW
        await CaseRow(
            line="mayor", state=state, drafted_at=NOW, opened_at=opened, call_id=number
        ).write(conn)
    found = await snapshot(conn, LINES, Ledger(NAMES, undated), NOW + timedelta(minutes=5))
    assert found.calls["mayor"].registered == 2
    assert found.cases == {("mayor", "draft"): 1, ("mayor", "open"): 1, ("mayor", "closed"): 1}


async def test_pending_transcripts_tell_since_when(conn: asyncpg.Connection) -> None:
    await CallRow(
        id=7, line="mayor", started_at=NOW, queued=1, answered=2, ended=9, outcome="answered"
    ).write(conn)
    since = NOW - timedelta(minutes=20)
    await conn.execute(
        """INSERT INTO transcripts (call_id, leg, state, requested_at)
           VALUES (7, 'caller', 'pending', $1)""",
        since,
    )
    await conn.execute(
        """INSERT INTO transcripts (call_id, leg, state, audio_seconds, words, text, done_at)
           VALUES (7, 'operator', 'done', 12.5, '[]', '', now())"""
    )
    await conn.execute(
        """INSERT INTO recordings (call_id, leg, state, source_path)
           VALUES (7, 'caller', 'missing', 'x.wav'), (7, 'operator', 'expected', 'y.wav')"""
    )
    found = await snapshot(conn, LINES, Ledger(NAMES, undated), NOW)
    assert found.transcripts.pending == 1
    assert found.transcripts.oldest_pending == since
    assert found.transcripts.audio_seconds == 12.5
    assert found.recordings == {"missing": 1, "expected": 1}


async def test_jobs_that_were_given_up_are_counted_by_their_step(conn: asyncpg.Connection) -> None:
    await conn.execute(
        """INSERT INTO pgqueuer (priority, status, entrypoint)
           VALUES (0, 'failed', 'transcribe'), (0, 'failed', 'transcribe'),
                  (0, 'queued', 'route')"""
    )
    found = await snapshot(conn, LINES, Ledger(NAMES, undated), NOW)
    page = render(found, ProcessState(version="0.1.0", links=()))[0]
    assert b'hotline_jobs_parked{step="transcribe"} 2.0' in page
    assert b'hotline_jobs_parked{step="route"} 0.0' in page


async def test_a_failure_stays_counted_when_the_leg_is_heard_after_all(
    conn: asyncpg.Connection,
) -> None:
    await CallRow(
        id=7, line="mayor", started_at=NOW, queued=1, answered=2, ended=9, outcome="answered"
    ).write(conn)
    await conn.execute(
        "INSERT INTO journal (at, actor, event, call_id) VALUES ($1, 'x', 'transcript.failed', 7)",
        NOW,
    )
    await conn.execute(
        "INSERT INTO transcripts (call_id, leg, state, reason) VALUES (7, 'caller', 'failed', 'x')"
    )
    process = ProcessState(version="0.1.0", links=())
    for failed in (1, 0):
        found = await snapshot(conn, LINES, Ledger(NAMES, undated), NOW)
        assert (found.transcripts.failed, found.transcripts.failures) == (failed, 1)
        assert b"hotline_transcripts_failed_total 1.0" in render(found, process)[0]
        await conn.execute("UPDATE transcripts SET state = 'pending', reason = NULL")
