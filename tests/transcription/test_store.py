"""Transcripts in the real PostgreSQL: each step once, however often it is repeated."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from telephony.calls import Leg
from transcription import store
from transcription.transcripts import Transcript, Word, transcript

AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=1)


def heard(leg: Leg, *texts: str, start: float = 0.0) -> Transcript:
    words = [
        Word(text=text, start=start + n, end=start + n + 0.9, conf=0.5 + n / 10)
        for n, text in enumerate(texts)
    ]
    return transcript(leg=leg, engine="vosk-0", model="tiny", words=words, audio_seconds=30.0)


@pytest.fixture
async def call(conn: asyncpg.Connection) -> int:
    """An answered call with both legs stored."""
    await conn.execute(
        """INSERT INTO calls (id, system, linked_id, line, started_at, answered_at)
        VALUES (1, 'city-1', 'city-1-17.1', 'mayor', $1, $2)""",
        AT,
        AT + timedelta(seconds=10),
    )
    for leg in Leg:
        await conn.execute(
            """INSERT INTO recordings
                (call_id, leg, state, source_path, path, sha256, seconds, started_at)
            VALUES (1, $1, 'stored', 'spool.wav', '/store/' || $1 || '.wav', 'sha-' || $1, 30, $2)
            """,
            leg.value,
            AT + timedelta(seconds=2),
        )
    return 1


async def rows(conn: asyncpg.Connection) -> list[tuple[object, ...]]:
    found = await conn.fetch("SELECT * FROM transcripts ORDER BY call_id, leg")
    return [tuple(row.values()) for row in found]


async def test_a_request_waits_and_asking_again_changes_nothing(
    conn: asyncpg.Connection, call: int
) -> None:
    assert await store.request(conn, call, Leg.CALLER, "sha-caller", at=AT)
    before = await rows(conn)
    assert not await store.request(conn, call, Leg.CALLER, "sha-caller", at=LATER)
    assert await rows(conn) == before
    (waiting,) = await store.pending(conn)
    assert (waiting.call_id, waiting.leg, waiting.path) == (1, Leg.CALLER, "/store/caller.wav")
    assert (waiting.recording_sha256, waiting.requested_at) == ("sha-caller", AT)


async def test_words_are_stored_once_and_come_back_as_they_were(
    conn: asyncpg.Connection, call: int
) -> None:
    found = heard(Leg.CALLER, "路灯", "坏了")
    await store.request(conn, call, Leg.CALLER, "sha-caller", at=AT)
    assert await store.finish(conn, call, found, "sha-caller", at=LATER)
    before = await rows(conn)
    assert not await store.finish(conn, call, found, "sha-caller", at=LATER + timedelta(hours=1))
    assert not await store.request(conn, call, Leg.CALLER, "sha-caller", at=LATER)
    assert not await store.fail(conn, call, Leg.CALLER, "sha-caller", "too late", at=LATER)
    assert await rows(conn) == before
    assert await store.transcripts(conn, call) == {Leg.CALLER: found}
    assert await store.pending(conn) == []
    assert await conn.fetchval("SELECT text FROM transcripts") == "路灯坏了"
    assert await conn.fetchval("SELECT words->0->>'w' FROM transcripts") == "路灯"


async def test_words_survive_a_connection_that_translates_json_itself(
    conn: asyncpg.Connection, call: int
) -> None:
    def never(_: object) -> str:
        raise AssertionError

    await conn.set_type_codec("jsonb", schema="pg_catalog", encoder=never, decoder=never)
    found = heard(Leg.CALLER, "路灯")
    await store.request(conn, call, Leg.CALLER, "sha-caller", at=AT)
    assert await store.finish(conn, call, found, "sha-caller", at=LATER)
    assert (await store.transcripts(conn, call))[Leg.CALLER] == found


async def test_a_failure_says_why_and_a_later_success_replaces_it(
    conn: asyncpg.Connection, call: int
) -> None:
    await store.request(conn, call, Leg.CALLER, "sha-caller", at=AT)
    assert await store.fail(conn, call, Leg.CALLER, "sha-caller", "it died.", at=LATER)
    assert not await store.fail(conn, call, Leg.CALLER, "sha-caller", "again.", at=LATER)
    assert await conn.fetchval("SELECT reason FROM transcripts") == "it died."
    assert await store.pending(conn) == []
    assert await store.finish(conn, call, heard(Leg.CALLER, "喂"), "sha-caller", at=LATER)
    state = await conn.fetchrow("SELECT state, reason FROM transcripts")
    assert state is not None
    assert tuple(state) == ("done", None)


async def test_what_a_transcript_waits_for_is_noted_and_it_stays_pending(
    conn: asyncpg.Connection, call: int
) -> None:
    await store.request(conn, call, Leg.CALLER, "sha-caller", at=AT)
    assert await store.wait(conn, call, Leg.CALLER, "sha-caller", "There is no model.")
    assert not await store.wait(conn, call, Leg.CALLER, "sha-caller", "There is no model.")
    (waiting,) = await store.pending(conn)
    assert waiting.reason == "There is no model."


async def test_words_of_a_replaced_recording_are_never_stored(
    conn: asyncpg.Connection, call: int
) -> None:
    await store.request(conn, call, Leg.CALLER, "old", at=AT)
    await store.finish(conn, call, heard(Leg.CALLER, "旧"), "old", at=AT)
    assert await store.request(conn, call, Leg.CALLER, "sha-caller", at=LATER)
    assert await store.transcripts(conn, call) == {}
    assert not await store.finish(conn, call, heard(Leg.CALLER, "旧"), "old", at=LATER)
    assert not await store.fail(conn, call, Leg.CALLER, "old", "gone", at=LATER)
    assert [one.recording_sha256 for one in await store.pending(conn)] == ["sha-caller"]


async def test_a_recording_that_is_not_stored_is_not_pending(
    conn: asyncpg.Connection, call: int
) -> None:
    for leg in Leg:
        await store.request(conn, call, leg, f"sha-{leg}", at=AT)
    await conn.execute("UPDATE recordings SET state = 'missing' WHERE leg = 'caller'")
    assert [one.leg for one in await store.pending(conn)] == [Leg.OPERATOR]


async def test_the_dialogue_begins_for_the_operator_with_the_answer(
    conn: asyncpg.Connection, call: int
) -> None:
    operator = heard(Leg.OPERATOR, "录音", "音乐", start=6.0)
    spoken = heard(Leg.OPERATOR, "您好", "请讲", start=8.5)
    both = transcript(
        leg=Leg.OPERATOR,
        engine="e",
        model="m",
        words=(*operator.words, *spoken.words),
        audio_seconds=30.0,
    )
    caller = heard(Leg.CALLER, "喂", start=4.0)
    for found in (both, caller):
        await store.request(conn, call, found.leg, f"sha-{found.leg}", at=AT)
        await store.finish(conn, call, found, f"sha-{found.leg}", at=LATER)
    turns = await store.dialogue(conn, call)
    assert [(turn.leg.value, turn.spoken) for turn in turns] == [
        ("caller", "喂"),
        ("operator", "您好请讲"),
    ]
    await conn.execute("UPDATE recordings SET started_at = NULL")
    assert [turn.spoken for turn in await store.dialogue(conn, call)][1] == "录音音乐您好请讲"
    await conn.execute("UPDATE calls SET answered_at = NULL")
    assert [turn.leg for turn in await store.dialogue(conn, call)] == [Leg.CALLER]
    assert await store.dialogue(conn, 99) == ()
