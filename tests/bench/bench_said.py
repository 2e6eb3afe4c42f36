"""Searching what was said in a million transcripts, over HTTP beside the same search in bare SQL.

    .cache/venv/bin/python tests/bench/bench_said.py [LEGS] [ROUNDS]

LEGS (default 1,000,000; two of each call) lie in a real PostgreSQL: three years of calls on two
lines by two hundred operators, each leg saying the beginnings of two of the labelled messages of
citizens in `../shared/data/messages` (some 240 characters, ten million pairs), as the service's own
code divides, marks and keeps them. Each question is asked ROUNDS (default 100) times with ever
other words: over HTTP as a signed-in person, with the journal's rows of who was shown what; by the
service's own query on a connection of that person's world; and as one bare statement on the same
index. Words are drawn from the texts, so that they are as common and as rare as in them. Printed:
median and p95 of each way in milliseconds, and the ratio of query and statement by their p95s.
"""

import asyncio
import csv
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from aiohttp import ClientSession

from hotline import said_rows
from hotline.console.said_api import RANKED
from hotline.database import (
    Connection,
    EmbeddedPostgres,
    Pool,
    borrowed,
    connected,
    migrate,
    pooled,
)
from hotline.said_rows import Narrowed
from hotline.sighted import sighted, viewer
from routing.cases import Role
from routing.said import Wanted, said_of, wanted
from telephony.calls import Leg
from telephony.sealing import KeyFile
from tests.hotline.console.conftest import configured, opened, services_on
from tests.hotline.console.staff import Staff, hire
from transcription.sentences import to_rows, unfinished
from transcription.transcripts import Word, transcript

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
GOAL_MS = 200
BARE, OURS, HTTP = range(3)
PAGE = 20
MESSAGES = Path(__file__).resolve().parents[3] / "shared" / "data" / "messages" / "messages.csv"
BEGINNING = 120
"""Characters of a message that a leg says."""

BASES = """
    CREATE TABLE bases (n integer PRIMARY KEY, sentences jsonb, said text, sounds text,
                        marks integer[])"""
CALLS = """
    INSERT INTO calls (id, system, linked_id, line, operator, started_at, answered_at, ended_at,
                       outcome)
    SELECT n, 'bench', n::text, CASE WHEN n % 20 = 0 THEN 'duty' ELSE 'mayor' END,
           (1001 + hashint4(n) & 1023 % 200)::text, at, at, at + interval '150 s', 'answered'
      FROM (SELECT n, $2::timestamptz - make_interval(secs => ($1::int - n) * 94.6e6 / $1) AS at
              FROM generate_series(1, $1::int) AS n) AS told"""
TRANSCRIPTS = """
    INSERT INTO transcripts (call_id, leg, state, words, text, done_at)
    SELECT id, leg, 'done', '[]', '-', ended_at
      FROM calls, unnest(ARRAY['caller', 'operator']) AS leg"""
LEGS = """
    INSERT INTO finished_texts (call_id, leg, at, line, operator, level1, rules, sentences, said,
                                raw, sounds, marks, tags)
    SELECT t.call_id, t.leg, c.started_at, c.line, c.operator, t.level1, '1',
           a.sentences || b.sentences,
           a.said || E'\\n' || b.said, '', a.sounds || E'\\n' || b.sounds,
           ARRAY(SELECT unnest(a.marks) UNION SELECT unnest(b.marks)),
           finished_tags(t.leg, c.line, c.operator, t.level1)
      FROM (SELECT call_id, leg, '类' || call_id % 24 AS level1, floor(random() * $1)::int AS one,
                   floor(random() * $1)::int AS other FROM transcripts) AS t
      JOIN calls c ON c.id = t.call_id
      JOIN bases a ON a.n = t.one JOIN bases b ON b.n = t.other"""

INDEX = "CREATE INDEX finished_texts_marks ON finished_texts USING gin (marks, tags)"


def messages() -> list[str]:
    with MESSAGES.open(encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return [
        text for it in texts if len(text := re.sub(r"\s+", "", it)[:BEGINNING]) > BEGINNING // 2
    ]


async def fill_bases(conn: Connection, texts: Sequence[str]) -> None:
    """Each message as a leg that says it, four characters a second, a pause at each mark."""
    await conn.execute(BASES)
    rows = []
    for n, text in enumerate(texts):
        words, at = [], 0.0
        for char in text:
            if char.isalnum():
                words.append(Word(text=char, start=at, end=at + 0.22, conf=0.9))
            at += 0.25 if char.isalnum() else 0.7
        heard = transcript(leg=Leg.CALLER, engine="e", model="m", words=words, audio_seconds=at)
        said = said_of(unfinished(heard))
        sentences = json.dumps(to_rows(unfinished(heard)), ensure_ascii=False)
        rows.append((n, sentences, said.text, said.sounds, said.marks))
    await conn.executemany("INSERT INTO bases VALUES ($1, $2::text::jsonb, $3, $4, $5)", rows)


async def fill(conn: Connection, legs: int) -> list[str]:
    """Three years of calls; index, triggers and views are those of the service."""
    begun = time.perf_counter()
    texts = messages()
    await fill_bases(conn, texts)
    await conn.execute("SET maintenance_work_mem = '1GB'")
    for table in ("transcripts", "finished_texts"):
        await conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    await conn.execute("DROP INDEX finished_texts_marks")
    await conn.execute(CALLS, legs // 2, NOW)
    await conn.execute(TRANSCRIPTS)
    await conn.execute(LEGS, len(texts))
    laid = time.perf_counter()
    await conn.execute(
        "CREATE INDEX finished_texts_marks ON finished_texts USING gin (marks, tags)"
    )
    indexed = time.perf_counter()
    for table in ("transcripts", "finished_texts"):
        await conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER ALL")
    await conn.execute("VACUUM ANALYZE")
    size = await conn.fetchrow(
        """SELECT pg_size_pretty(pg_total_relation_size('finished_texts')) AS whole,
                  pg_size_pretty(pg_relation_size('finished_texts_marks')) AS marks,
                  (SELECT count(*) FROM finished_texts) AS legs"""
    )
    assert size is not None
    print(
        f"{size['legs']} legs, {size['whole']}, of which the index of marks {size['marks']}; "
        f"laid in {laid - begun:.0f} s, indexed in {indexed - laid:.0f} s",
        flush=True,
    )
    return texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is looked for, and in which calls."""

    words: Wanted
    within: Narrowed
    likest: bool = False

    @property
    def params(self) -> dict[str, str]:
        given = {
            "leg": self.within.leg,
            "operator": self.within.operator,
            "level1": self.within.level1,
            "since": self.within.since and self.within.since.isoformat(),
            "until": self.within.until and self.within.until.isoformat(),
            "by_sound": "true" if self.words.by_sound else None,
            "order": "likeness" if self.likest else None,
        }
        return {"words": " ".join(self.words.words)} | {k: v for k, v in given.items() if v}

    @property
    def bare(self) -> str:
        """The same as one statement with its values written into it."""
        column, words = (
            ("sounds", self.words.sounds) if self.words.by_sound else ("said", self.words.words)
        )
        marks = ",".join(map(str, self.words.marks))
        of = self.within
        more = [f"{column} LIKE '%{word}%'" for word in words]
        more += [f"operator = '{of.operator}'"] if of.operator else []
        more += [f"level1 = '{of.level1}'"] if of.level1 else []
        more += [f"leg = '{of.leg}'"] if of.leg else []
        more += [f"at >= '{of.since}'", f"at < '{of.until}'"] if of.since else []
        size = RANKED if self.likest else PAGE + 1
        return (
            "SELECT at, call_id, leg, said FROM finished_texts"  # noqa: S608 - of our own values
            f" WHERE marks @> ARRAY[{marks}] AND {' AND '.join(more)}"
            f" ORDER BY at DESC, call_id DESC, leg DESC LIMIT {size}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """What words and values are drawn from."""

    rng: random.Random
    texts: Sequence[str]

    def piece(self, size: int) -> str:
        """So many characters that somebody says in one breath."""
        while True:
            text = self.rng.choice(self.texts)
            at = self.rng.randrange(max(1, len(text) - size))
            piece = text[at : at + size]
            if len(piece) == size and all(one.isalpha() and one > "\u4e00" for one in piece):
                return piece

    def asked(self, *sizes: int, by_sound: bool = False) -> Wanted:
        found = wanted(" ".join(self.piece(size) for size in sizes), by_sound=by_sound)
        assert found is not None
        return found


Asking = Callable[[Draw], Question]


def one_character(it: Draw) -> Question:
    return Question(words=it.asked(1), within=Narrowed())


def two_characters(it: Draw) -> Question:
    return Question(words=it.asked(2), within=Narrowed())


def four_characters(it: Draw) -> Question:
    return Question(words=it.asked(4), within=Narrowed())


def eight_characters(it: Draw) -> Question:
    return Question(words=it.asked(8), within=Narrowed())


def two_words(it: Draw) -> Question:
    return Question(words=it.asked(2, 2), within=Narrowed())


def nowhere(it: Draw) -> Question:
    words = wanted(it.piece(3) + it.piece(3))
    assert words is not None
    return Question(words=words, within=Narrowed())


def by_sound(it: Draw) -> Question:
    return Question(words=it.asked(3, by_sound=True), within=Narrowed())


def by_sound_likest(it: Draw) -> Question:
    return Question(words=it.asked(2, by_sound=True), within=Narrowed(), likest=True)


def of_an_operator(it: Draw) -> Question:
    operator = str(it.rng.randrange(1001, 1201))
    return Question(words=it.asked(2), within=Narrowed(operator=operator, leg=Leg.OPERATOR))


def of_a_category(it: Draw) -> Question:
    return Question(words=it.asked(2), within=Narrowed(level1=f"类{it.rng.randrange(24)}"))


def of_a_month(it: Draw) -> Question:
    since = NOW - timedelta(days=it.rng.randrange(60, 1000))
    within = Narrowed(since=since, until=since + timedelta(days=30))
    return Question(words=it.asked(2), within=within)


ASKED: Sequence[Asking] = (
    *(one_character, two_characters, four_characters, eight_characters, two_words, nowhere),
    *(by_sound, by_sound_likest, of_an_operator, of_a_category, of_a_month),
)


async def took(work: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * 1000


def told(times: Sequence[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Somebody of the hotline's own desk."""

    pool: Pool
    texts: Sequence[str]
    desk: ClientSession

    async def measure(self, asking: Asking, rounds: int) -> bool:
        """Ask one question so many times; returns whether it kept to the goal."""
        rng = random.Random(1)  # noqa: S311 - any values will do
        times: tuple[list[float], ...] = ([], [], [])
        for _ in range(rounds):
            one = asking(Draw(rng=rng, texts=self.texts))
            for way in rng.sample(range(3), 3):  # whoever comes later finds warm pages
                times[way].append(await took(self._ask(one, way)))
        (m_bare, p_bare), (m_ours, p_ours), (m_http, p_http) = map(told, times)
        print(
            f"{asking.__name__:18} bare {m_bare:8.2f} {p_bare:8.2f}   "
            f"ours {m_ours:8.2f} {p_ours:8.2f}   http {m_http:8.2f} {p_http:8.2f}   "
            f"ratio {p_ours / p_bare:6.2f}",
            flush=True,
        )
        return p_http < GOAL_MS

    async def _ask(self, one: Question, way: int) -> None:
        if way == BARE:
            async with borrowed(self.pool) as conn:
                await conn.fetch(one.bare)
        elif way == OURS:
            who = viewer(names=frozenset({"desk"}), unit=None, discipline=False)
            async with borrowed(sighted(self.pool, who)) as conn:
                limit = RANKED if one.likest else PAGE + 1
                await said_rows.newest(conn, one.words, one.within, after=None, limit=limit)
        else:
            address = "/api/transcripts/search"
            async with self.desk.get(address, params=one.params) as answer:
                assert answer.status == HTTPStatus.OK, await answer.text()
                await answer.read()


async def ask_all(folder: Path, dsn: str, keys: KeyFile, texts: Sequence[str], rounds: int) -> bool:
    async with pooled(dsn, size=4, keys=keys) as pool:
        services = services_on(configured(folder), pool, dsn, lambda: NOW)
        await hire(services, "boss", Role.ADMINISTRATOR)
        await hire(services, "desk", Role.DISPATCHER)
        site = await opened(services)
        try:
            desk = await Staff(services=services, site=site).visitor("desk")
            asker = Asker(pool=pool, texts=texts, desk=desk)
            print(f"milliseconds: p50 and p95 of {rounds} rounds; the ratio is that of the p95s")
            return all([await asker.measure(asking, rounds) for asking in ASKED])
        finally:
            services.feed.close()
            await site.close()


async def main(legs: int, rounds: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="hotline-bench-", ignore_cleanup_errors=True) as at:
        server = EmbeddedPostgres(Path(at) / "data")
        dsn = server.start()
        keys = KeyFile(Path(at) / "identity.keys")
        try:
            async with connected(dsn) as conn:
                await conn.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
                await conn.execute("SELECT pg_reload_conf()")
                await migrate(conn)
                texts = await fill(conn, legs)
            return await ask_all(Path(at), dsn, keys, texts, rounds)
        finally:
            server.stop()


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:3]]
    legs, rounds = given + [1_000_000, 100][len(given) :]
    if not asyncio.run(main(legs, rounds)):
        sys.exit(f"A search took more than {GOAL_MS} ms at its p95.")
