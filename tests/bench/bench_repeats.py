"""How well cases of one matter are found together, and how fast among a million.

    .cache/venv/bin/python tests/bench/bench_repeats.py [CASES] [ROUNDS]

1. The real messages of `messages.csv` come in the order of their times; each is put to the group
   that `routing/likeness.py` suggests for it, as if a person always said yes, or begins one.
   A topic is told by a name that all of its messages hold (a housing estate, a fraud); printed are
   the recall and precision of the group that has most of it. Names of a whole quarter with several
   matters (below the line) show where it falls apart.
2. The same calls at their real times: how many bursts are raised, and of what.
3. CASES (default 1,000,000) marks in a real PostgreSQL: sixteen of each case's marks are those of a
   real message, the others random. ROUNDS (default 200) real messages are looked up with the
   service's own code, in turn with the same rows fetched in bare SQL. Milliseconds, median and p95.

HOTLINE_SHARED_DATA names the folder of the messages.
"""

import asyncio
import csv
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a script: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hotline import likeness_rows
from hotline.database import Connection, EmbeddedPostgres, connected, migrate
from routing.bursts import ALIKE_ENOUGH, LOOK_BACK, BurstSort, unusual
from routing.likeness import (
    ALIKE,
    MARK_BITS,
    TOGETHER,
    Marks,
    asked_by,
    grams_of,
    likeness,
    marked,
    marks_of,
    together,
    weighed,
)

REPO = Path(__file__).resolve().parents[2]
SHANGHAI = timezone(timedelta(hours=8))
TOPICS = {
    "伊景园": "parking spaces forced on buyers of one estate",
    "丽发新城": "a concrete plant beside one estate",
    "58车": "one car-loan fraud",
    "绿地海外滩": "a railway beside one estate",
    "泉星公园": "the plan of one park",
}
QUARTERS = ("魅力之城", "江山帝景", "凉塘路", "松雅", "润和")
REAL_MARKS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A real message, its caller's number replaced by the data's own token."""

    user: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How much of a topic is in its largest group, and how much of that group is the topic."""

    messages: int
    recall: float
    precision: float


def messages(folder: Path) -> list[Message]:
    """The messages, oldest first."""
    with (folder / "messages.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    found = [
        Message(user=row["user"], at=_moment(row["time"]), text=f"{row['subject']}\n{row['text']}")
        for row in rows
    ]
    return sorted(found, key=lambda one: one.at)


def _moment(text: str) -> datetime:
    for form in ("%Y/%m/%d %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=SHANGHAI).astimezone(UTC)
        except ValueError:
            continue
    raise ValueError(text)


class Replay:
    """The messages one after the other, as the service would read them; an index in memory."""

    def __init__(self, given: Sequence[Message]) -> None:
        self.messages = given
        self.group: list[int] = []
        self.kept: list[Marks] = []
        self.seen: Counter[int] = Counter()
        self.near: list[dict[int, float]] = []
        holding: defaultdict[int, list[int]] = defaultdict(list)
        for number, message in enumerate(given):
            grams = grams_of(message.text)
            weights = weighed(grams, self.seen, number)
            asked = marked(weights)
            others = {it for mark in asked_by(weights, self.seen) for it in holding[mark]}
            near = {it: likeness(asked, self.kept[it]) for it in others}
            self.near.append({it: score for it, score in near.items() if score >= ALIKE})
            self.group.append(self._joined(number, near))
            self.kept.append(marks_of(weights))
            for mark in self.kept[-1].weights:
                holding[mark].append(number)
            self.seen.update(grams.keys())

    def _joined(self, number: int, near: Mapping[int, float]) -> int:
        scores: defaultdict[int, list[float]] = defaultdict(list)
        for other, score in near.items():
            scores[self.group[other]].append(score)
        best = max(((together(them), group) for group, them in scores.items()), default=(0.0, 0))
        return best[1] if best[0] >= TOGETHER else number

    def of_topic(self, name: str) -> Found:
        """How the messages that hold a name lie together."""
        topic = {n for n, message in enumerate(self.messages) if name in message.text}
        largest, hits = Counter(self.group[n] for n in topic).most_common(1)[0]
        return Found(
            messages=len(topic),
            recall=hits / len(topic),
            precision=hits / self.group.count(largest),
        )

    def offered(self) -> tuple[int, int]:
        """Of callers who wrote nearly the same again, to how many the first was offered.

        The truth is weak: one user's two messages of which one's characters are nine tenths in the
        other's.
        """
        last: dict[str, list[int]] = defaultdict(list)
        again = offered = 0
        for number, message in enumerate(self.messages):
            same = [it for it in last[message.user] if self._says_again(it, number)]
            if same:
                again += 1
                offered += any(it in self.near[number] for it in same)
            last[message.user].append(number)
        return again, offered

    def _says_again(self, first: int, second: int) -> bool:
        one, other = (Counter(self.messages[n].text) for n in (first, second))
        return 10 * (one & other).total() >= 9 * min(one.total(), other.total())

    def bursts(self) -> list[tuple[datetime, int, str]]:
        """Bursts of alike messages at their real times: when, of how many, and its words."""
        found, of_burst = [], dict[int, int]()
        ends: dict[int, datetime] = {}
        lasts: dict[int, timedelta] = {}
        for number, message in enumerate(self.messages):
            near = [it for it, score in self.near[number].items() if score >= ALIKE_ENOUGH]
            near = [it for it in near if self.messages[it].at > message.at - LOOK_BACK]
            on = [of_burst[it] for it in near if it in of_burst and ends[of_burst[it]] > message.at]
            if on:
                of_burst[number] = on[0]
                ends[on[0]] = message.at + lasts[on[0]]
                continue
            moments = [message.at, *(self.messages[it].at for it in near)]
            many = unusual(BurstSort.ALIKE, moments, message.at)
            if many is None:
                continue
            begins = message.at - many.stretch.length
            members = [it for it in near if self.messages[it].at > begins and it not in of_burst]
            if len(members) + 1 >= many.stretch.least:
                of_burst |= dict.fromkeys([*members, number], number)
                lasts[number] = many.stretch.length
                ends[number] = message.at + many.stretch.length
                found.append((message.at, many.cases, message.text.partition("\n")[0]))
        return found


def folder() -> Path:
    """Where the messages lie."""
    given = os.environ.get("HOTLINE_SHARED_DATA")
    return (Path(given) if given else REPO.parent / "shared" / "data") / "messages"


def quality(replay: Replay) -> None:
    for names in (TOPICS, QUARTERS):
        for name in names:
            one = replay.of_topic(name)
            print(f"{name:8} {one.messages:3} messages: recall {one.recall:.2f}", end=" ")
            print(f"precision {one.precision:.2f}  {TOPICS.get(name, '(several matters)')}")
        print("-" * 40)
    again, offered = replay.offered()
    print(f"callers who wrote nearly the same again: {again}, offered the first: {offered}")
    raised = replay.bursts()
    print(f"bursts raised in {len(replay.messages)} messages: {len(raised)}")
    for at, cases, words in raised[:12]:
        print(f"  {at:%Y-%m-%d %H:%M} UTC {cases:3} {words[:30]}")


CASES = """
    INSERT INTO cases (number, line, state, urgency, owner, drafted_at)
    SELECT n::text, 'mayor', 'open', 'normal', 'desk', $2::timestamptz - make_interval(mins => n)
      FROM generate_series(1, $1::int) AS n"""
COUNTS = """
    INSERT INTO mark_counts (mark, seen)
    SELECT mark, count(*) FROM case_marks, unnest(marks) AS mark GROUP BY mark ORDER BY mark"""
COMMON = """
    INSERT INTO mark_counts (mark, seen)
    SELECT mark, seen FROM unnest($1::integer[], $2::integer[]) AS real (mark, seen)
    ON CONFLICT (mark) DO UPDATE SET seen = greatest(mark_counts.seen, excluded.seen)"""


def _made(ids: Sequence[int], replay: Replay) -> Iterator[tuple[Any, ...]]:
    """Marks of cases: some of a real message's, the rest by chance."""
    rng = random.Random(ids[0])  # noqa: S311 - test data
    real = [
        tuple(marks.weights.items()) for marks in replay.kept if len(marks.weights) > REAL_MARKS
    ]
    at = datetime(2026, 11, 23, tzinfo=UTC)
    for case_id in ids:
        some = rng.sample(rng.choice(real), REAL_MARKS)
        marks = [*(mark for mark, _ in some), *(rng.getrandbits(MARK_BITS) for _ in range(48))]
        weights = [*(weight for _, weight in some), *(9.0 for _ in range(48))]
        yield case_id, at - timedelta(minutes=case_id), marks, weights, b""


async def fill(conn: Connection, replay: Replay, cases: int) -> None:
    begun = time.perf_counter()
    await conn.execute("SET session_replication_role = replica")
    await conn.execute("DROP INDEX case_marks_marks")
    await conn.execute(CASES, cases, datetime(2026, 11, 23, tzinfo=UTC))
    ids = [row["id"] for row in await conn.fetch("SELECT id FROM cases ORDER BY id")]
    for start in range(0, len(ids), 50_000):
        await conn.copy_records_to_table("case_marks", records=_made(ids[start:][:50_000], replay))
    await conn.execute("SET maintenance_work_mem = '1GB'")
    await conn.execute("CREATE INDEX case_marks_marks ON case_marks USING gin (marks)")
    await conn.execute("SET work_mem = '1GB'")
    await conn.execute(COUNTS)
    scale = cases / len(replay.kept)
    usual = {mark: round(seen * scale) for mark, seen in replay.seen.items() if seen > 20}
    await conn.execute(COMMON, list(usual), list(usual.values()))
    await conn.execute("UPDATE mark_total SET cases = $1", cases)
    await conn.execute("SET session_replication_role = origin")
    await conn.execute("VACUUM ANALYZE case_marks")
    await conn.execute("VACUUM ANALYZE mark_counts")
    print(f"{cases} cases filled in {time.perf_counter() - begun:.0f} s", flush=True)


async def speed(replay: Replay, cases: int, rounds: int) -> None:
    rng = random.Random(7)  # noqa: S311 - a reproducible measurement
    texts = [one.text for one in rng.sample(list(replay.messages), rounds)]
    with tempfile.TemporaryDirectory(prefix="hotline-bench-", ignore_cleanup_errors=True) as at:
        server = EmbeddedPostgres(Path(at) / "data")
        dsn = server.start()
        try:
            async with connected(dsn) as conn:
                await migrate(conn)
                await fill(conn, replay, cases)
                await _timed(conn, texts)
        finally:
            server.stop()


async def _timed(conn: Connection, texts: Sequence[str]) -> None:
    since = datetime(2000, 1, 1, tzinfo=UTC)
    spent: dict[str, list[float]] = defaultdict(list)
    rows = []
    for text in texts:
        begun = time.perf_counter()
        asked = await likeness_rows.asked(conn, text)
        weighed_at = time.perf_counter()
        await likeness_rows.near(conn, asked, beside=0, since=since, least=ALIKE)
        ended = time.perf_counter()
        bare = await conn.fetch(likeness_rows.NEAR, list(asked.by), 0, since)
        rows.append(len(bare))
        spent["whole look-up"].append(ended - begun)
        spent["  of it weighing the words"].append(weighed_at - begun)
        spent["bare SQL, the same rows"].append(time.perf_counter() - ended)
    for name, times in spent.items():
        ms = sorted(1000 * one for one in times)
        worst = ms[int(0.95 * len(ms))]
        print(f"{name:28} median {statistics.median(ms):7.1f} ms  p95 {worst:7.1f} ms")
    print(f"rows read: median {statistics.median(rows):.0f}, most {max(rows)}")
    for table in ("case_marks", "case_marks_marks", "mark_counts"):
        size = await conn.fetchval("SELECT pg_total_relation_size($1::regclass) / 1048576", table)
        print(f"{table}: {size} MiB")


def main() -> None:
    replay = Replay(messages(folder()))
    quality(replay)
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    if cases:
        asyncio.run(speed(replay, cases, rounds))


if __name__ == "__main__":
    main()
