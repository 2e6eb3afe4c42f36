"""Every indicator is defined once, in both languages, and computed by its source's statement."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from metrics.collect import Line
from metrics.indicators.definitions import Figure, Scope, Source
from metrics.indicators.every import BY_KEY, INDICATORS
from metrics.indicators.store import STATEMENTS, facts, figures
from tests.metrics.rows import CallRow

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LINES = (Line(name="mayor"), Line(name="duty"))


def scope(line: str | None = None, unit: str | None = None) -> Scope:
    return Scope(since=NOW - DAY, until=NOW, line=line, unit=unit, lines=LINES)


async def told(conn: asyncpg.Connection, line: str | None = None) -> dict[str, Figure]:
    return await figures(conn, scope(line), INDICATORS)


async def test_each_statement_gives_the_facts_that_the_definitions_name(
    conn: asyncpg.Connection,
) -> None:
    named: dict[Source, set[str]] = {source: set() for source in Source}
    for indicator in INDICATORS:
        for fact in indicator.facts:
            named[fact.source].add(fact.key)
    given = {it: set(await facts(conn, scope(), [it])) for it in STATEMENTS}
    assert {it: named[it] - given[it] for it in Source} == {it: set() for it in Source}
    keys = [key for its in given.values() for key in its]
    assert len(keys) == len(set(keys))  # a fact has one source


def test_every_definition_is_told_in_both_languages_and_with_its_basis() -> None:
    assert len(BY_KEY) == len(INDICATORS)
    for it in INDICATORS:
        words = [it.name, it.formula, it.basis, *(fact.words for fact in it.facts)]
        assert all(one.zh.strip() and one.en.strip() for one in words), it.key
        assert it.numerator, it.key
        assert it.denominator, it.key


async def test_with_nothing_counted_nothing_is_claimed(conn: asyncpg.Connection) -> None:
    for figure in (await told(conn)).values():
        assert figure.value is None, figure.indicator.key


async def calls(conn: asyncpg.Connection) -> None:
    """Ten calls: seven answered (one after 20 s), two lost (one short), one that still waits."""
    for number in range(1, 8):
        wait = 20.0 if number == 7 else 4.0
        await CallRow(
            id=number,
            line="mayor",
            started_at=NOW - timedelta(hours=number),
            queued=0,
            answered=wait,
            ended=wait + 60,
            outcome="answered",
        ).write(conn)
    for number, outcome, left in ((8, "abandoned", 30), (9, "abandoned_short", 3)):
        await CallRow(
            id=number,
            line="mayor",
            started_at=NOW - timedelta(hours=number),
            queued=0,
            ended=left,
            outcome=outcome,
        ).write(conn)
    await CallRow(id=10, line="mayor", started_at=NOW - timedelta(seconds=9), queued=0).write(conn)
    await conn.execute("UPDATE call_counter SET last = 10")


async def test_the_rates_of_calls(conn: asyncpg.Connection) -> None:
    await calls(conn)
    found = await told(conn, "mayor")
    numbers = {key: (it.numerator, it.denominator) for key, it in found.items() if it.denominator}
    assert numbers == {
        "connect": (7, 9),
        "connect_without_short": (7, 8),
        "answered_in_time": (6, 9),
        "abandonment": (2, 9),
        "speed_of_answer": (44.0, 7),
        "service_level": (6, 9),
        "service_level_4": (6, 8),
        "talk_time": (420.0, 7),
        "registered": (0, 7),
        "repeated_calls": (0, 9),
    }
    assert found["connect"].excluded == {"waiting": 1, "left_before_queue": 0, "blocked": 0}
    assert found["connect"].value == 7 / 9
    assert (await told(conn, "duty"))["connect"].denominator == 0


async def test_a_window_slides_and_a_past_one_stays_as_it_was(conn: asyncpg.Connection) -> None:
    await calls(conn)
    past = Scope(since=NOW - DAY, until=NOW - timedelta(hours=7), lines=LINES)
    found = (await figures(conn, past, INDICATORS))["connect"]
    # The call of that very moment waits, as seen then; the two before it were lost.
    assert (found.numerator, found.denominator, found.excluded["waiting"]) == (0, 2, 1)
    begun = Scope(since=NOW - timedelta(hours=8), until=NOW, lines=LINES)
    assert (await figures(conn, begun, INDICATORS))["connect"].denominator == 7


@pytest.mark.parametrize("gone", [8, 9, 10, 1])
async def test_deleting_a_call_raises_no_rate(conn: asyncpg.Connection, gone: int) -> None:
    """Numbers have no gaps: whoever deletes a call leaves a number that counts as unanswered."""
    await calls(conn)
    before = await told(conn)
    await conn.execute("DELETE FROM calls WHERE id = $1", gone)
    after = await told(conn)
    for key in ("connect", "answered_in_time", "service_level", "registered"):
        one, other = after[key].value, before[key].value
        assert one is not None
        assert other is not None
        assert one <= other, key
    assert after["connect"].facts["missing"] == 1
    one, other = after["abandonment"].value, before["abandonment"].value
    assert one is not None
    assert other is not None
    assert one >= other


async def test_a_call_that_the_exchange_tells_of_and_nobody_stored_counts_against_the_rate(
    conn: asyncpg.Connection,
) -> None:
    await calls(conn)
    await conn.execute(
        """INSERT INTO differences (found_at, system, linked_id, kind, repaired)
           VALUES ($1, 'mianyang-1', 'never-stored', 'missing', false),
                  ($1, 'mianyang-1', 'mianyang-1-1.1', 'missing', true)""",
        NOW - timedelta(hours=1),
    )
    found = (await told(conn))["connect"]
    assert (found.numerator, found.denominator, found.facts["unstored"]) == (7, 10, 1)


async def test_who_says_nothing_is_not_satisfied(conn: asyncpg.Connection) -> None:
    await calls(conn)
    await conn.execute(
        """INSERT INTO surveys (call_id, told_at, solved, satisfied)
           VALUES (1, $1, 'yes', 'yes'), (2, $1, 'no', 'no'),
                  (3, $1, 'not_answered', 'not_answered')""",
        NOW - timedelta(minutes=5),
    )
    found = (await told(conn))["satisfied_with_call"]
    assert (found.numerator, found.denominator) == (1, 2)
    assert found.excluded == {"survey_silent": 1}


async def test_of_a_unit_only_what_is_a_units_is_told(conn: asyncpg.Connection) -> None:
    found = await figures(conn, scope(unit="市水务集团"), INDICATORS)
    assert set(found) == {it.key for it in INDICATORS if it.by_unit}
