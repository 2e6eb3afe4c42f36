"""Notices from the journal to real receivers, through crashes, refusals and a person's retry."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hotline import absences, accounts, journal, notice_rows, notices
from hotline.config import Config
from hotline.database import Pool, connected, transaction
from hotline.errors import ConfigError, NoticeUnknownError
from hotline.feed import Feed
from hotline.jobs import Workers
from hotline.journal import Event
from hotline.notice_rows import Channel, NoticeRow, NoticeState
from hotline.notices import NoticeDesk
from hotline.users import UserFacts
from routing.cases import Role
from tests.routing.destinations.receivers import MailBox, Program, mail_box, program

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
UNIT = "市水务（集团）有限公司"


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def receiver() -> AsyncIterator[Program]:
    async with program() as told:
        yield told


@pytest.fixture
async def box() -> AsyncIterator[MailBox]:
    async with mail_box() as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path, receiver: Program, box: MailBox) -> Config:
    return Config(
        data_dir=tmp_path,
        destinations=[  # type: ignore[arg-type]
            {"kind": "webhook", "name": "platform", "url": receiver.url, "secret": SECRET},
            {
                "kind": "mail",
                "name": "mail",
                "host": "127.0.0.1",
                "port": box.port,
                "security": "none",
                "sender": "hotline@example.org",
            },
        ],
        notices=[  # type: ignore[arg-type]
            {"events": ["case.*"], "by": ["platform"]},
            {"events": ["case.dispatched"], "by": ["mail"], "to": "unit"},
            {"events": ["reminder.due"], "by": ["mail"], "to": "owner"},
        ],
        delivery={"first_wait_seconds": 0.01, "longest_wait_seconds": 0.02},  # type: ignore[arg-type]
    )


@pytest.fixture
def desk(config: Config, pool: Pool, database: str, clock: Clock) -> NoticeDesk:
    feed = Feed(pool=pool, connect=lambda: connected(database))
    return NoticeDesk(config=config, pool=pool, feed=feed, clock=clock)


async def dispatched(pool: Pool, number: str = "20261125-0007") -> int:
    async with transaction(pool) as tx:
        return await journal.write(
            tx,
            at=NOW,
            actor="console",
            event=Event.CASE_DISPATCHED,
            body={"number": number, "unit": UNIT},
        )


async def address(pool: Pool, to: str = "unit@example.org") -> None:
    async with transaction(pool) as tx:
        await notice_rows.keep_address(
            tx, holder=UNIT, channel=Channel.MAIL, address=to, by="test", at=NOW
        )


async def all_of(pool: Pool) -> list[NoticeRow]:
    async with transaction(pool) as conn:
        return list(await notice_rows.listed(conn, limit=500))


@asynccontextmanager
async def working(database: str, desk: NoticeDesk) -> AsyncIterator[None]:
    workers = Workers(connect=lambda: connected(database), steps=desk.steps())
    task = asyncio.create_task(workers.run())
    try:
        yield
    finally:
        workers.stop()
        await asyncio.wait_for(task, timeout=20)


async def until(pool: Pool, wanted: Callable[[list[NoticeRow]], bool]) -> list[NoticeRow]:
    async with asyncio.timeout(20):
        while not wanted(found := await all_of(pool)):
            pass  # each look is a round trip to the database
    return found


def settled(found: list[NoticeRow]) -> bool:
    return bool(found) and all(one.state is not NoticeState.QUEUED for one in found)


async def test_what_happened_reaches_the_program_and_the_unit(
    database: str, pool: Pool, desk: NoticeDesk, receiver: Program, box: MailBox
) -> None:
    await address(pool)
    assert await desk.read() == 0  # from here on, not of the past
    await dispatched(pool)
    await desk.read()
    async with working(database, desk):
        found = await until(pool, settled)
    assert {(one.destination, one.state) for one in found} == {
        ("platform", NoticeState.SENT),
        ("mail", NoticeState.SENT),
    }
    assert json.loads(receiver.heard[0].body)["data"]["unit"] == UNIT
    assert box.letters[0].rcpt_tos == ["unit@example.org"]
    told = await pool.fetch("SELECT body FROM journal WHERE event = 'notice.sent'")
    assert len(told) == 2
    assert "unit@" not in "".join(row["body"] for row in told)


async def test_the_past_is_not_told(pool: Pool, desk: NoticeDesk) -> None:
    await dispatched(pool)
    await desk.read()
    assert await all_of(pool) == []


async def test_reading_that_ends_before_its_commit_is_repeated_once(
    pool: Pool, desk: NoticeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.read()
    await dispatched(pool)

    async def crash(*_: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(notice_rows, "move_on", crash)
        with pytest.raises(RuntimeError, match="killed"):
            await desk.read()
    assert await all_of(pool) == []
    await desk.read()
    await desk.read()
    (one,) = await all_of(pool)
    assert one.destination == "platform"


async def test_a_receiver_that_is_away_is_tried_until_it_is_back(
    database: str, pool: Pool, desk: NoticeDesk, receiver: Program
) -> None:
    await desk.read()
    receiver.status = 503
    await dispatched(pool)
    await desk.read()
    async with working(database, desk):
        await until(pool, lambda found: bool(found) and found[0].attempts > 2)
        receiver.status = 200
        (one,) = await until(pool, settled)
    assert one.state is NoticeState.SENT
    ids = {heard.headers["webhook-id"] for heard in receiver.heard}
    assert ids == {str(one.uuid)}


async def test_after_a_day_it_lies_with_the_undeliverable_until_a_person_retries(
    database: str, pool: Pool, desk: NoticeDesk, receiver: Program, clock: Clock
) -> None:
    await desk.read()
    receiver.status = 503
    await dispatched(pool)
    await desk.read()
    clock.at += timedelta(hours=24, seconds=1)
    async with working(database, desk):
        (dead,) = await until(pool, settled)
        assert dead.state is NoticeState.DEAD
        assert dead.reason
        assert "503" in dead.reason
        receiver.status = 200
        async with transaction(pool) as tx:
            assert await notices.revived(tx, None, "supervisor", clock) == [dead.id]
        (sent,) = await until(pool, settled)
    assert sent.state is NoticeState.SENT
    assert await pool.fetchval("SELECT count(*) FROM journal WHERE event = 'notice.dead'") == 1


async def test_what_is_refused_for_good_is_not_tried_again(
    database: str, pool: Pool, desk: NoticeDesk, receiver: Program
) -> None:
    await desk.read()
    receiver.status = 410
    await dispatched(pool)
    await desk.read()
    async with working(database, desk):
        (dead,) = await until(pool, settled)
    assert (dead.state, dead.attempts, len(receiver.heard)) == (NoticeState.DEAD, 1, 1)


async def test_only_undeliverable_notices_are_revived(pool: Pool, clock: Clock) -> None:
    with pytest.raises(NoticeUnknownError, match="number 7"):
        async with transaction(pool) as tx:
            await notices.revived(tx, [7], "supervisor", clock)


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"notices": [{"events": ["case.*"], "by": ["none"]}]}, "names none, no destination"),
        ({"notices": [{"events": ["notice.*"], "by": ["none"]}]}, "never end"),
        (
            {
                "destinations": [
                    {"kind": "webhook", "name": "w", "url": "http://h/", "secret": "whsec_c2hvcnQ="}
                ]
            },
            "webhook secret",
        ),
        (
            {
                "destinations": [
                    {"kind": "sms", "name": "s", "url": "ftp://h/", "body": "{}"},
                ]
            },
            "https://",
        ),
        (
            {
                "destinations": [
                    {"kind": "sms", "name": "s", "url": "http://h/", "body": "{", "key": "k"},
                ]
            },
            "not JSON",
        ),
    ],
)
def test_a_wrong_table_is_one_sentence(tables: dict[str, Any], sentence: str) -> None:
    with pytest.raises((ConfigError, ValueError), match=sentence):
        Config(**tables)


def test_addresses_are_masked() -> None:
    assert notices.masked("li@example.org") == "l**@example.org"
    assert notices.masked("13812345678") == "138****5678"
    assert notices.masked("") == ""


async def reminded(pool: Pool, owner: str) -> None:
    async with transaction(pool) as tx:
        await journal.write(
            tx, at=NOW, actor="service", event=Event.REMINDER_DUE, body={"owner": owner}
        )


async def test_what_an_owner_is_told_goes_to_whoever_acts_for_one_away(
    pool: Pool, desk: NoticeDesk, clock: Clock
) -> None:
    """The owner may be a seat: the one whose seat it is must be away, not the seat."""
    facts = {"roles": frozenset({Role.UNIT}), "unit": UNIT}
    async with transaction(pool) as tx:
        boss = UserFacts(name="管", roles=frozenset({Role.ADMINISTRATOR}))
        await accounts.add(tx, "boss", boss, password=None, by="test", now=NOW)
        for login, seat in (("an", "1001"), ("bo", None)):
            user = UserFacts(name="某", extension=seat, **facts)  # type: ignore[arg-type]
            await accounts.add(tx, login, user, password=None, by="test", now=NOW)
        for holder in ("1001", "bo", "@desk"):
            await notice_rows.keep_address(
                tx,
                holder=holder,
                channel=Channel.MAIL,
                address=f"{holder.strip('@')}@example.org",
                by="test",
                at=NOW,
            )

    async def told() -> str:
        await reminded(pool, "1001")
        await desk.read()
        return (await all_of(pool))[0].address

    await desk.read()  # notices begin with what happens after the first look
    assert await told() == "1001@example.org"
    away = {"reason": "培训", "since": None, "by": "test", "now": NOW}
    async with transaction(pool) as tx:
        until = NOW + timedelta(hours=1)
        await absences.enter(tx, "an", deputy="bo", until=until, **away)  # type: ignore[arg-type]
    assert await told() == "bo@example.org"
    async with transaction(pool) as tx:
        await absences.enter(tx, "bo", deputy="an", until=None, **away)  # type: ignore[arg-type]
    assert await told() == "desk@example.org"
    clock.at = NOW + timedelta(hours=1)
    assert await told() == "1001@example.org"


async def test_each_unit_that_is_consulted_or_helps_is_told_and_not_the_lead(
    pool: Pool, desk: NoticeDesk, config: Config
) -> None:
    units = {"市自然资源局": "land@example.org", "市生态环境局": "green@example.org"}
    for unit, to in (*units.items(), (UNIT, "lead@example.org")):
        async with transaction(pool) as tx:
            await notice_rows.keep_address(
                tx, holder=unit, channel=Channel.MAIL, address=to, by="test", at=NOW
            )
    events = ["case.consulted", "case.helper_added", "reminder.due"]
    rule = {"events": events, "by": ["mail"]}
    asking = NoticeDesk(
        config=Config(**{**config.model_dump(), "notices": [rule]}),
        pool=pool,
        feed=desk._feed,
        clock=Clock(),
    )
    await asking.read()
    for event, several in zip(map(Event, events), ("units", "helpers", "units"), strict=True):
        body = {"number": "20261125-0007", "unit": UNIT, several: list(units)}
        async with transaction(pool) as tx:
            await journal.write(tx, at=NOW, actor="1001", event=event, body=body)
    await asking.read()
    told = sorted(one.address for one in await all_of(pool))
    assert told == sorted([*units.values()] * 3)
