"""Lists of cases in a real database: every case once, filters, work lists, what is searched for."""

import random
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hotline import case_rows, sealed
from hotline.case_rows import Filter, Place
from routing.cases import CaseState, Kind, Urgency
from routing.searching import Sought
from telephony.sealing import KeyFile, write_keys
from telephony.store import caller_token

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
UNITS = ("市水务集团", "市城管局", "市教体局")
STATES = tuple(CaseState)
FILL = """
    INSERT INTO cases (number, line, state, kind, urgency, level1, area, unit, owner, offered_to,
                       given_at, due_at, drafted_at, summary)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING id"""


async def filled(conn: asyncpg.Connection, cases: int, seed: int = 1) -> None:
    """Cases of every sort, some with a unit that helps."""
    rng = random.Random(seed)  # noqa: S311 - test data
    for n in range(cases):
        case_id = await conn.fetchval(
            FILL,
            f"202611{rng.randrange(10, 30)}-{n:06d}-0",
            rng.choice(("mayor", "duty")),
            rng.choice(STATES),
            rng.choice(tuple(Kind)),
            rng.choice(tuple(Urgency)),
            rng.choice(("城乡建设", "环境保护")),
            rng.choice(("涪城区", "安州区")),
            rng.choice((*UNITS, None)),
            rng.choice(("1001", "li")),
            rng.choice(("li", None)),
            rng.choice((NOON, None)),
            rng.choice((NOON + timedelta(hours=rng.randrange(99)), None)),
            NOON,
            rng.choice(("路灯坏了三天", "噪音扰民，夜间施工", None)),
        )
        if rng.random() < 0.3:
            await conn.execute(
                """INSERT INTO case_units (case_id, unit, part, asked_at, asked_by, ended_at)
                   VALUES ($1, $2, 'helper', $3, 'x', $4)""",
                case_id,
                rng.choice(UNITS),
                NOON,
                rng.choice((NOON, None)),
            )


def seen_by(unit: str) -> str:
    return f"id IN (SELECT seen FROM cases_of_unit('{unit}') AS seen)"  # noqa: S608 - a test


async def every_page(
    conn: asyncpg.Connection, wanted: Filter, search: Sought | None = None
) -> list[int]:
    seen: list[int] = []
    after: int | None = None
    while True:
        page = await case_rows.page(conn, wanted, after=after, limit=7, search=search)
        seen += [case.id for case in page.cases]
        if page.after is None:
            return seen
        after = page.after


async def all_work(conn: asyncpg.Connection, wanted: Filter) -> list[int]:
    seen: list[int] = []
    after: Place | None = None
    while True:
        work = await case_rows.work(conn, wanted, after=after, limit=7)
        seen += [case.id for case in work.cases]
        if work.after is None:
            return seen
        after = work.after


async def told(conn: asyncpg.Connection, query: str, *values: object) -> list[int]:
    return [row["id"] for row in await conn.fetch(query, *values)]


async def test_pages_hold_every_case_once_whatever_is_asked_for(conn: asyncpg.Connection) -> None:
    await filled(conn, 150)
    newest = "SELECT id FROM cases WHERE {} ORDER BY id DESC"
    for wanted, means in (
        (Filter(), "true"),
        (Filter(state=CaseState.HANDLING), "state = 'handling'"),
        (Filter(urgency=Urgency.URGENT, kind=Kind.HELP), "urgency = 'urgent' AND kind = 'help'"),
        (Filter(line="duty", level1="环境保护"), "line = 'duty' AND level1 = '环境保护'"),
        (Filter(area="安州区", unit=UNITS[0]), f"area = '安州区' AND unit = '{UNITS[0]}'"),
        (Filter(owner="li"), "owner = 'li'"),
        (
            Filter(owners=["li"]),
            "state NOT IN ('closed', 'archived') AND 'li' IN (owner, offered_to)",
        ),
        (
            Filter(of_unit=UNITS[1]),
            seen_by(UNITS[1]),
        ),
        (
            Filter(of_unit=UNITS[1], line="duty"),
            f"line = 'duty' AND {seen_by(UNITS[1])}",
        ),
        (Filter(of_unit=""), "false"),
    ):
        found = await every_page(conn, wanted)
        assert found == await told(conn, newest.format(means)), wanted
        assert found or wanted.of_unit == ""


async def test_work_comes_in_the_order_in_which_it_is_due(conn: asyncpg.Connection) -> None:
    await filled(conn, 150)
    due = """SELECT id FROM cases WHERE state NOT IN ('closed', 'archived') AND {}
              ORDER BY coalesce(due_at, 'infinity'), id"""
    mine = seen_by(UNITS[2])
    for wanted, means in (
        (Filter(), "true"),
        (Filter(state=CaseState.HANDLING), "state = 'handling'"),
        (Filter(unit=UNITS[0]), f"unit = '{UNITS[0]}'"),
        (Filter(of_unit=UNITS[2]), mine),
        (Filter(of_unit=UNITS[2], urgency=Urgency.URGENT), f"urgency = 'urgent' AND {mine}"),
    ):
        found = await all_work(conn, wanted)
        assert found == await told(conn, due.format(means)), wanted
        assert len(found) > 3


async def test_words_are_found_as_they_stand_and_only_by_who_may_see_the_case(
    conn: asyncpg.Connection,
) -> None:
    await filled(conn, 60)
    words = Sought(words="夜间，施工 ")
    expected = "SELECT id FROM cases WHERE summary LIKE '%夜间施工%' AND {} ORDER BY id DESC"
    assert await every_page(conn, Filter(), words) == await told(conn, expected.format("true"))
    for unit in UNITS:
        own = seen_by(unit)
        found = await every_page(conn, Filter(of_unit=unit), words)
        assert found == await told(conn, expected.format(own))
    assert await every_page(conn, Filter(), Sought(words="施工夜间")) == []
    assert await every_page(conn, Filter(), Sought(words="百分%_")) == []


async def test_a_summary_that_is_changed_or_erased_is_found_no_more(
    conn: asyncpg.Connection,
) -> None:
    await filled(conn, 10)
    await conn.execute("UPDATE cases SET summary = '污水外溢，ＡＢＣ小区' WHERE id = 3")
    assert await every_page(conn, Filter(), Sought(words="abc小区")) == [3]
    await conn.execute("UPDATE cases SET summary = NULL WHERE id = 3")
    assert await every_page(conn, Filter(), Sought(words="abc小区")) == []
    assert await conn.fetchval("SELECT count(*) FROM case_words WHERE case_id = 3") == 0


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=60), start=st.integers(0, 40), length=st.integers(2, 20))
async def test_every_part_of_any_text_is_found(
    conn: asyncpg.Connection, text: str, start: int, length: int
) -> None:
    text = text.replace("\x00", "")
    plain = await conn.fetchval("SELECT search_plain($1)", text)
    part = plain[start : start + length]
    assert await conn.fetchval("SELECT search_plain($1)", part) == part or not part.isascii()
    assert await conn.fetchval(
        "SELECT search_grams($1) @> search_grams($2) AND position($2 IN $1) > 0", plain, part
    )


async def test_numbers_are_found_whole_and_by_how_they_begin(conn: asyncpg.Connection) -> None:
    await filled(conn, 60)
    number = await conn.fetchval("SELECT number FROM cases WHERE id = 7")
    assert await every_page(conn, Filter(), Sought(number=number)) == [7]
    day = "SELECT id FROM cases WHERE number LIKE $1 ORDER BY id DESC"
    found = await every_page(conn, Filter(), Sought(begins=number[:9]))
    assert found == await told(conn, day, number[:9] + "%")
    assert await every_page(conn, Filter(), Sought(begins=number[:-2])) == [7]


async def called(conn: asyncpg.Connection, number: str, n: int) -> int:
    token = await caller_token(conn, number, None, NOON)
    await conn.execute(
        """INSERT INTO calls (id, system, linked_id, line, caller, started_at)
           VALUES ($1::bigint, 'x', $1::bigint::text, 'mayor', $2, $3)""",
        n,
        token,
        NOON,
    )
    found: int = await conn.fetchval(
        """INSERT INTO cases (number, call_id, line, state, urgency, owner, drafted_at)
           VALUES ($1, $2, 'mayor', 'draft', 'normal', 'li', $3) RETURNING id""",
        f"n{n}",
        n,
        NOON,
    )
    return found


async def test_a_caller_is_found_by_the_last_digits_while_the_keys_change(
    conn: asyncpg.Connection, keys: KeyFile
) -> None:
    ids = [await called(conn, f"138{n:04d}5678", n) for n in range(1, 4)]
    await called(conn, "13890115679", 9)
    by_tail = Sought(tail="5678")
    assert await every_page(conn, Filter(), by_tail) == ids[::-1]
    old = set(await conn.fetch("SELECT tail FROM identities"))
    write_keys(keys.path, keys.ring.with_new_key())
    assert await every_page(conn, Filter(), by_tail) == ids[::-1]  # not sealed anew yet
    await sealed.renew(conn, keys.ring)
    assert not old & set(await conn.fetch("SELECT tail FROM identities"))
    write_keys(keys.path, keys.ring.without_old_keys())
    assert await every_page(conn, Filter(), by_tail) == ids[::-1]
    assert await every_page(conn, Filter(), Sought(tail="5677")) == []


async def test_callers_of_an_earlier_version_get_their_last_digits(
    conn: asyncpg.Connection,
) -> None:
    first = await called(conn, "13890115678", 1)
    await conn.execute("UPDATE identities SET tail = NULL")
    assert await every_page(conn, Filter(), Sought(tail="5678")) == []
    assert await sealed.mark_tails(conn) == 1
    assert await sealed.mark_tails(conn) == 0
    assert await every_page(conn, Filter(), Sought(tail="5678")) == [first]


async def test_the_statement_for_the_house_shows_a_unit_nothing(conn: asyncpg.Connection) -> None:
    await filled(conn, 5)
    values = [*case_rows._values(Filter(of_unit=UNITS[0]), 50, None)]
    assert await conn.fetch(case_rows.LIST, *values) == []
    with pytest.raises(asyncpg.PostgresError):
        await conn.execute("INSERT INTO case_words VALUES (99, 'of no case')")
