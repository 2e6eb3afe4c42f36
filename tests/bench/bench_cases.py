"""Lists, search and work lists among a million cases, beside the same query in bare SQL.

    .cache/venv/bin/python tests/bench/bench_cases.py [CASES] [ROUNDS]

CASES (default 1,000,000) lie in a real PostgreSQL: three years of calls by half as many callers,
sixty units of very different size, summaries of some thirty characters of which some words are in
one of ten cases and others in one of a thousand. Each question is asked ROUNDS (default 100) times
with ever other values, in turn: through HTTP as a signed-in person, through the service's own
query code on a connection that shows that person's world (two hundred cases are protected), and as
bare SQL with those values written into it. Printed: the median and p95 of each way
in milliseconds, and the ratio of the p95s. The ratio the issue asks for is that of the query code.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiohttp import ClientSession

from hotline import case_rows
from hotline.case_rows import Filter, Place
from hotline.database import (
    Connection,
    EmbeddedPostgres,
    Pool,
    borrowed,
    connected,
    migrate,
    pooled,
)
from hotline.sighted import sighted, viewer
from routing.cases import CaseState, Role, Urgency
from routing.searching import Sought
from telephony.sealing import KeyFile
from tests.hotline.console.conftest import configured, opened, services_on
from tests.hotline.console.staff import Staff, hire

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
GOAL_MS = 200
BARE, OURS, HTTP = range(3)
UNITS = tuple(f"第{n}单位" for n in range(60))
THINGS = (
    "路灯",
    "井盖",
    "污水",
    "垃圾",
    "供水",
    "停电",
    "油烟",
    "占道",
    "公交",
    "社保",
    "学位",
    "物业",
)
PLACES = tuple(f"{a}{b}路" for a in "临园长虹建设滨江" for b in "东西南北中一二三四五六七八")
DEEDS = ("坏了三天", "无人清理", "夜间扰民", "收费不明", "一直没有答复", "存在安全隐患", "影响出行")

CALLERS = """
    INSERT INTO identities (token, tail)
    SELECT gen_random_uuid(), ($2::bytea[])[1 + n % 10000] FROM generate_series(1, $1::int) AS n"""
CALLS = """
    INSERT INTO calls (id, system, linked_id, line, caller, started_at, answered_at, ended_at,
                       outcome)
    SELECT n, 'bench', n::text, 'mayor', token, at, at, at + interval '150 s', 'answered'
      FROM (SELECT n, $2::timestamptz - make_interval(secs => ($1::int - n) * 94.6) AS at,
                   1 + (hashint4(n)::bigint + 2147483648) % ($1::int / 2) AS who
              FROM generate_series(1, $1::int) AS n) AS told
      JOIN (SELECT token, row_number() OVER () AS who FROM identities) AS i USING (who)"""
# The square of a random number: the first unit has an eighth of the cases, the last a hundredth.
CASES = """
    INSERT INTO cases (number, call_id, line, state, kind, urgency, level1, area, unit, owner,
                       policy, drafted_at, opened_at, dispatched_at, given_at, signed_at, due_at,
                       summary, outcome, closed_at)
    SELECT to_char(at + interval '8 h', 'YYYYMMDD') || '-' || lpad(n::text, 6, '0') || '-0', n,
           'mayor', state,
           (ARRAY['complaint', 'consult', 'help', 'suggestion', 'report'])
               [1 + (5 * b ^ 2)::int % 5],
           CASE WHEN c < 0.01 THEN 'emergency' WHEN c < 0.05 THEN 'urgent' ELSE 'normal' END,
           '类' || (24 * c)::int, '区' || (11 * b)::int,
           ($3::text[])[1 + floor(60 * a ^ 2)::int], 'u' || (200 * b)::int, 'sichuan-2025/2',
           at, at, at, at, at, at + make_interval(hours => (9 + 400 * c)::int),
           ($5::text[])[1 + floor(52 * b ^ 2)::int] || (1 + (900 * a)::int) || '号附近的'
               || ($4::text[])[1 + floor(12 * c ^ 2)::int]
               || ($6::text[])[1 + floor(7 * a)::int] || '，市民请求尽快处理，门牌' || n % 1000,
           CASE WHEN state IN ('closed', 'archived') THEN 'handled' END,
           CASE WHEN state IN ('closed', 'archived') THEN at END
      FROM (SELECT n, random() AS a, random() AS b, random() AS c,
                   $2::timestamptz - make_interval(secs => ($1::int - n) * 94.6) AS at,
                   CASE WHEN n < $1::int * 0.97 THEN
                        CASE WHEN random() < 0.997 THEN
                             CASE WHEN n < $1::int * 0.6 THEN 'archived' ELSE 'closed' END
                             ELSE 'handling' END
                        ELSE (ARRAY['open', 'dispatched', 'handling', 'handling', 'answered',
                                    'calling_back', 'closed', 'closed'])
                             [1 + floor(8 * random())::int]
                   END AS state
              FROM generate_series(1, $1::int) AS n) AS told ORDER BY n"""
HELPERS = """
    INSERT INTO case_units (case_id, unit, part, asked_at, asked_by)
    SELECT id, ($1::text[])[1 + floor(60 * random())::int], 'helper', drafted_at, 'desk'
      FROM cases WHERE id % 20 = 0"""


PROTECTED = """
    INSERT INTO protections (case_id, against_office, taker, marked_at, marked_by)
    SELECT id, false, 'desk', drafted_at, 'desk' FROM cases WHERE id % 5000 = 0"""
APART = """
    INSERT INTO kept_apart (case_id, unit, because, since, by)
    SELECT id, ($1::text[])[1 + id % 60], 'accused', drafted_at, 'desk'
      FROM cases WHERE id % 5000 = 0"""
WORDS = "INSERT INTO case_words SELECT id, search_plain(summary) FROM cases"


async def fill(conn: Connection, keys: KeyFile, cases: int) -> None:
    """Three years of cases; the index of words and the triggers are those of the service."""
    begun = time.perf_counter()
    tails = [keys.ring.tails(f"{n:04d}")[0] for n in range(10_000)]
    await conn.execute("ALTER TABLE cases DISABLE TRIGGER cases_begun")
    await conn.execute("SET maintenance_work_mem = '512MB'")
    await conn.execute("DROP INDEX case_words_grams")
    await conn.execute(CALLERS, cases // 2, tails)
    await conn.execute(CALLS, cases, NOW)
    await conn.execute("ALTER TABLE cases DISABLE TRIGGER cases_worded")
    await conn.execute(CASES, cases, NOW, list(UNITS), list(THINGS), list(PLACES), list(DEEDS))
    await conn.execute(HELPERS, list(UNITS))
    await conn.execute(WORDS)
    await conn.execute(PROTECTED)
    await conn.execute(APART, list(UNITS))
    await conn.execute(
        "CREATE INDEX case_words_grams ON case_words USING gin (search_grams(plain))"
    )
    for trigger in ("cases_begun", "cases_worded"):
        await conn.execute(f"ALTER TABLE cases ENABLE TRIGGER {trigger}")
    await conn.execute("VACUUM ANALYZE")
    size = await conn.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))")
    print(f"{cases} cases, {size}, filled in {time.perf_counter() - begun:.0f} s", flush=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One way of asking: as an address, through the query code, and as bare SQL."""

    of_unit: str | None
    address: str
    ask: Callable[[Connection], Awaitable[object]]
    bare: str


SEEN = """(unit = '{0}' AND given_at IS NOT NULL OR id IN
    (SELECT case_id FROM case_units WHERE unit = '{0}' AND ended_at IS NULL))"""


THEIRS = """SELECT id FROM cases WHERE unit = '{0}' AND given_at IS NOT NULL UNION ALL
    SELECT case_id FROM case_units WHERE unit = '{0}' AND ended_at IS NULL"""


def listed(conditions: str, order: str = "id DESC") -> str:
    return f"SELECT * FROM cases WHERE {conditions} ORDER BY {order} LIMIT 51"  # noqa: S608


def of_list(
    address: str,
    wanted: Filter,
    bare: str,
    *,
    after: int | None = None,
    search: Sought | None = None,
) -> Question:
    async def ask(conn: Connection) -> object:
        return await case_rows.page(conn, wanted, after=after, search=search)

    return Question(of_unit=wanted.of_unit, address=f"/api/cases?{address}", ask=ask, bare=bare)


def of_work(address: str, wanted: Filter, bare: str, *, after: Place | None = None) -> Question:
    async def ask(conn: Connection) -> object:
        return await case_rows.work(conn, wanted, after=after)

    return Question(
        of_unit=wanted.of_unit, address=f"/api/cases/work?{address}", ask=ask, bare=bare
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What the values of the questions are drawn from."""

    rng: random.Random
    cases: int
    numbers: Sequence[str]
    tails: Mapping[str, str]


Asking = Callable[[Draw], Question]


def a_list(it: Draw) -> Question:
    state = it.rng.choice(tuple(CaseState))
    return of_list(f"state={state}", Filter(state=state), listed(f"state = '{state}'"))


def a_narrow_list(it: Draw) -> Question:
    unit, level1 = it.rng.choice(UNITS), f"类{it.rng.randrange(25)}"
    urgency = it.rng.choice(tuple(Urgency))
    return of_list(
        f"unit={unit}&level1={level1}&urgency={urgency}",
        Filter(unit=unit, level1=level1, urgency=urgency),
        listed(f"unit = '{unit}' AND level1 = '{level1}' AND urgency = '{urgency}'"),
    )


def a_deep_page(it: Draw) -> Question:
    below, area = it.rng.randrange(1000, it.cases // 2), f"区{it.rng.randrange(12)}"
    return of_list(
        f"area={area}&before={below}",
        Filter(area=area),
        listed(f"area = '{area}' AND id < {below}"),
        after=below,
    )


def a_units_list(it: Draw) -> Question:
    unit = it.rng.choice(UNITS)
    return of_list("", Filter(of_unit=unit), listed(SEEN.format(unit)))


def a_units_deep_page(it: Draw) -> Question:
    unit, below = it.rng.choice(UNITS), it.rng.randrange(1000, it.cases // 2)
    return of_list(
        f"before={below}",
        Filter(of_unit=unit),
        listed(f"id < {below} AND {SEEN.format(unit)}"),
        after=below,
    )


def a_units_work(it: Draw) -> Question:
    unit = it.rng.choice(UNITS)
    live = f"state NOT IN ('closed', 'archived') AND {SEEN.format(unit)}"
    return of_work("", Filter(of_unit=unit), listed(live, "due_at, id"))


def the_offices_work(it: Draw) -> Question:
    place = Place(
        due_at=NOW + timedelta(hours=it.rng.randrange(-200, 200)), id=it.rng.randrange(it.cases)
    )
    moment = int(place.due_at.timestamp()) * 1_000_000 if place.due_at else 0
    live = f"""state NOT IN ('closed', 'archived')
        AND (coalesce(due_at, 'infinity'::timestamptz), id) > ('{place.due_at}', {place.id})"""
    order = "coalesce(due_at, 'infinity'::timestamptz), id"
    return of_work(f"after={moment}.{place.id}", Filter(), listed(live, order), after=place)


FOUND = """id IN (SELECT case_id FROM case_words
     WHERE search_grams(plain) @> search_grams('{0}') AND position('{0}' IN plain) > 0)"""


def searched(words: str, unit: str | None = None) -> Question:
    means = FOUND.format(words) + (f" AND id IN ({THEIRS.format(unit)})" if unit else "")
    return of_list(
        f"search={words}", Filter(of_unit=unit), listed(means), search=Sought(words=words)
    )


def words_of_a_common_matter(it: Draw) -> Question:
    return searched(it.rng.choice(THINGS))


def words_of_a_rare_matter(it: Draw) -> Question:
    return searched(
        f"{it.rng.choice(PLACES)}{it.rng.randrange(1, 900)}号附近的{it.rng.choice(THINGS)}"
    )


def words_that_stand_nowhere(it: Draw) -> Question:
    return searched(f"{it.rng.choice(DEEDS)}附近的{it.rng.choice(THINGS)}")


def a_units_words(it: Draw) -> Question:
    return searched(it.rng.choice(THINGS), it.rng.choice(UNITS))


def a_phone_tail(it: Draw) -> Question:
    tail = f"{it.rng.randrange(10_000):04d}"
    means = f"""id IN (SELECT k.id FROM identities i JOIN calls c ON c.caller = i.token
        JOIN cases k ON k.call_id = c.id WHERE i.tail = '\\x{it.tails[tail]}')"""  # noqa: S608
    return of_list(f"search={tail}", Filter(), listed(means), search=Sought(tail=tail))


def a_case_number(it: Draw) -> Question:
    number = it.rng.choice(it.numbers)
    return of_list(
        f"search={number[:-2]}",
        Filter(),
        listed(f"number LIKE '{number[:-2]}%'"),
        search=Sought(begins=number[:-2]),
    )


def a_day(it: Draw) -> Question:
    day = it.rng.choice(it.numbers)[:9]
    return of_list(
        f"search={day[:8]}", Filter(), listed(f"number LIKE '{day}%'"), search=Sought(begins=day)
    )


ASKED: Sequence[Asking] = (
    *(a_list, a_narrow_list, a_deep_page, a_units_list, a_units_deep_page),
    *(a_units_work, the_offices_work),
    *(words_of_a_common_matter, words_of_a_rare_matter, words_that_stand_nowhere, a_units_words),
    *(a_phone_tail, a_case_number, a_day),
)


async def took(work: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * 1000


def told(times: Sequence[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Whoever asks: the hotline's own desk, and somebody of each unit."""

    pool: Pool
    cases: int
    numbers: Sequence[str]
    tails: Mapping[str, str]
    house: ClientSession
    units: dict[str, ClientSession]

    async def measure(self, asking: Asking, rounds: int) -> bool:
        """Ask one question so many times; returns whether it kept to the goal."""
        rng = random.Random(1)  # noqa: S311 - any values will do
        drawn = Draw(rng=rng, cases=self.cases, numbers=self.numbers, tails=self.tails)
        times: tuple[list[float], ...] = ([], [], [])
        for _ in range(rounds):
            one = asking(drawn)
            for way in rng.sample(range(3), 3):  # whoever comes later finds warm pages
                times[way].append(await took(self._ask(one, way)))
        (m_bare, p_bare), (m_ours, p_ours), (m_http, p_http) = map(told, times)
        print(
            f"{asking.__name__:26} bare {m_bare:7.2f} {p_bare:7.2f}   "
            f"ours {m_ours:7.2f} {p_ours:7.2f}   http {m_http:7.2f} {p_http:7.2f}   "
            f"ratio {p_ours / p_bare:6.2f}",
            flush=True,
        )
        return p_ours < GOAL_MS

    async def _ask(self, one: Question, way: int) -> None:
        if way == BARE:
            async with borrowed(self.pool) as conn:
                await conn.fetch(one.bare)
        elif way == OURS:
            who = viewer(names=frozenset({"desk"}), unit=one.of_unit, discipline=False)
            async with borrowed(sighted(self.pool, who)) as conn:
                await one.ask(conn)
        else:
            visitor = self.house if one.of_unit is None else self.units[one.of_unit]
            async with visitor.get(one.address) as answer:
                assert answer.status == HTTPStatus.OK, await answer.text()
                await answer.read()


async def ask_all(folder: Path, dsn: str, keys: KeyFile, cases: int, rounds: int) -> bool:
    async with pooled(dsn, size=4, keys=keys) as pool:
        some = await pool.fetch("SELECT number FROM cases WHERE id % 997 = 0")
        tails = {f"{n:04d}": keys.ring.tails(f"{n:04d}")[0].hex() for n in range(10_000)}
        services = services_on(configured(folder), pool, dsn, lambda: NOW)
        await hire(services, "boss", Role.ADMINISTRATOR)
        await hire(services, "desk", Role.DISPATCHER)
        for n, unit in enumerate(UNITS):
            await hire(services, f"unit{n}", Role.UNIT, unit=unit)
        site = await opened(services)
        try:
            staff = Staff(services=services, site=site)
            asker = Asker(
                pool=pool,
                cases=cases,
                numbers=[row["number"] for row in some],
                tails=tails,
                house=await staff.visitor("desk"),
                units={unit: await staff.visitor(f"unit{n}") for n, unit in enumerate(UNITS)},
            )
            print(f"milliseconds: p50 and p95 of {rounds} rounds; the ratio is that of the p95s")
            return all([await asker.measure(asking, rounds) for asking in ASKED])
        finally:
            services.feed.close()
            await site.close()


async def main(cases: int, rounds: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="hotline-bench-", ignore_cleanup_errors=True) as at:
        server = EmbeddedPostgres(Path(at) / "data")
        dsn = server.start()
        keys = KeyFile(Path(at) / "identity.keys")
        try:
            async with connected(dsn) as conn:
                await conn.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
                await conn.execute("SELECT pg_reload_conf()")
                await migrate(conn)
                await fill(conn, keys, cases)
            return await ask_all(Path(at), dsn, keys, cases, rounds)
        finally:
            server.stop()


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:3]]
    cases, rounds = given + [1_000_000, 100][len(given) :]
    if not asyncio.run(main(cases, rounds)):
        sys.exit(f"A question took more than {GOAL_MS} ms at its p95.")
