"""Notices out: the journal is read once more, and whoever must know is told.

Reading, the notices it leads to and the place it came to are one transaction, so a crash tells
nobody twice and forgets nobody. Sending is a job of its own: delivered, it is settled; refused for
good or failing for a day, it lies with the undeliverable until a person has it tried again. Only
between a delivery and its commit a crash can repeat one, with the same id.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hotline import absence_rows, alerts, journal, notice_rows, sending
from hotline.catalogue import Language, messages, say
from hotline.config import Config
from hotline.config_notices import NoticeRule
from hotline.database import PASSING, Connection, Pool, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.feed import Feed
from hotline.jobs import JobName, Payload, Step, enqueue
from hotline.journal import Entry, Event
from hotline.masking import mask_number
from hotline.notice_rows import Address, Channel, NoticeRow, NoticeState
from hotline.services import Clock
from hotline.sighted import NOBODY, sighted
from routing.destinations.notice import DeliveryError, Destination, Notice
from routing.numbers import SHANGHAI

log = logging.getLogger(__name__)

READ_AT_ONCE = 500
SERVICE = "service"
FROM_THE_ROW = {"unit": "unit", "owner": "owner", "receiver": "holder"}
"""Receivers that the row itself names, by its own word for them."""

EACH_OF = {
    str(Event.CASE_CONSULTED): "units",
    str(Event.CASE_HELPER_ADDED): "helpers",
    str(Event.REMINDER_DUE): "units",
}
"""Rows that may be about other units than the one that leads the case: each of them is told."""


class NoticeDesk:
    """Reads the journal for notices and sends them."""

    def __init__(self, *, config: Config, pool: Pool, feed: Feed, clock: Clock) -> None:
        self._rules = config.notices
        self._kinds = {one.name: one.kind for one in config.destinations}
        self._ways: Mapping[str, Destination] = {
            one.name: one.opened() for one in config.destinations
        }
        self._delivery = config.delivery
        self._language = config.language
        self._pool = pool
        # A protected case is told to nobody outside: no notice is made of it, none is sent.
        self._told = sighted(pool, NOBODY)
        self._feed = feed
        self._clock = clock

    def steps(self) -> dict[JobName, Step]:
        """The job that sends one notice."""
        return {JobName.NOTIFY: Step(do=self.send, give_up=self._give_up)}

    async def run(self) -> None:
        """Read the journal for ever; without any rule there is nothing to do."""
        while self._rules:
            try:
                woken = self._feed.now()
                if await self.read() == 0:
                    await self._feed.news(woken)
            except (DatabaseUnavailableError, *PASSING) as error:
                log.warning("The notices lost the database (%s) and try again.", error)
                await asyncio.sleep(1.0)

    async def read(self) -> int:
        """Turn the next rows of the journal into notices; returns how many rows there were."""
        async with transaction(self._told) as tx:
            last = await notice_rows.begin(tx)
            rows = await journal.after(tx, last, READ_AT_ONCE)
            for entry in rows:
                await self._announce(tx, entry)
            if rows:
                await notice_rows.move_on(tx, rows[-1].id)
        return len(rows)

    async def _announce(self, tx: Connection, entry: Entry) -> None:
        for rule in self._rules:
            if not rule.speaks_of(entry.event):
                continue
            for name, holder, address in await self._receivers(tx, rule, entry):
                added = await notice_rows.add(
                    tx,
                    journal_id=entry.id,
                    case_id=entry.case_id,
                    destination=name,
                    holder=holder,
                    address=address,
                    at=self._clock(),
                )
                if added is not None:
                    await enqueue(tx, JobName.NOTIFY, {"notice_id": added, "attempt": 0})

    async def _receivers(
        self, tx: Connection, rule: NoticeRule, entry: Entry
    ) -> list[tuple[str, str, str]]:
        """Destination, holder and address of everybody a rule wants to be told."""
        found: list[tuple[str, str, str]] = []
        for holder in await self._holders(tx, rule, entry):
            book = await notice_rows.addresses(tx, holder) if holder else []
            found += [
                (name, to, address)
                for name in rule.by
                for to, address in _reached(self._kinds[name], holder, book)
            ]
        return found

    async def _holders(self, tx: Connection, rule: NoticeRule, entry: Entry) -> list[str]:
        """Who is meant: each unit that a row is about, the one it names, or the rule's own."""
        if rule.to == "unit" and (several := entry.body.get(EACH_OF.get(entry.event, ""))):
            return [str(unit) for unit in several]
        if rule.to == alerts.ON_DUTY:
            return await alerts.holders_on_duty(tx, self._clock())
        named = FROM_THE_ROW.get(rule.to)
        holder = rule.to if named is None else str(entry.body.get(named) or "")
        if holder and rule.to == "owner":
            # Whoever is away is told nothing: the deputy is, or the desk.
            holder = (await absence_rows.staffing(tx, self._clock())).reached(holder)
        return [holder]

    async def send(self, job: Payload) -> None:
        """Deliver one notice, or see to it that it is tried again."""
        async with transaction(self._told) as conn:
            notice = await notice_rows.get(conn, int(job["notice_id"]))
            entry = await journal.get(conn, notice.journal_id) if notice else None
            if notice is not None and notice.caller is not None:
                number = await sending.number_of(conn, notice.caller)
                notice = replace(notice, address=number)
        if notice is None or entry is None or notice.state is not NoticeState.QUEUED:
            return
        if notice.caller is not None and not notice.address:
            await self._settle(notice, NoticeState.DEAD, "The caller's number is gone.")
            return
        try:
            await self._way(notice.destination).send(written(notice, entry, self._language))
        except DeliveryError as error:
            await self._failed(notice, error)
        else:
            await self._settle(notice, NoticeState.SENT, None)

    def _way(self, name: str) -> Destination:
        if (way := self._ways.get(name)) is None:
            raise DeliveryError(f"The configuration has no destination {name} now.", final=False)
        return way

    async def _failed(self, notice: NoticeRow, error: DeliveryError) -> None:
        age = self._clock() - notice.queued_at
        if error.final or age > timedelta(hours=self._delivery.give_up_hours):
            await self._settle(notice, NoticeState.DEAD, str(error))
            return
        async with transaction(self._pool) as tx:
            tries = await notice_rows.try_again(tx, notice.id, str(error))
            if tries is not None:
                job = {"notice_id": notice.id, "attempt": tries}
                await enqueue(tx, JobName.NOTIFY, job, after=self._wait(tries))

    def _wait(self, tries: int) -> timedelta:
        """10 s, 20 s, 40 s ... to an hour, as configured."""
        first, longest = self._delivery.first_wait_seconds, self._delivery.longest_wait_seconds
        return timedelta(seconds=min(longest, first * 2.0 ** min(tries - 1, 30)))

    async def _settle(self, notice: NoticeRow, state: NoticeState, reason: str | None) -> None:
        word = Event.NOTICE_SENT if state is NoticeState.SENT else Event.NOTICE_DEAD
        now = self._clock()
        async with transaction(self._pool) as tx:
            if await notice_rows.settle(tx, notice.id, state, now, reason):
                await journal.write(
                    tx,
                    at=now,
                    actor=SERVICE,
                    event=word,
                    case_id=notice.case_id,
                    body={
                        "notice": notice.id,
                        "of": notice.event,
                        "destination": notice.destination,
                        "holder": notice.holder,
                        "address": masked(notice.address),
                        "reason": reason,
                    },
                )

    async def _give_up(self, job: Payload, reason: str) -> None:
        """A fault of ours: the notice must not wait for ever without anybody knowing."""
        async with transaction(self._pool) as conn:
            notice = await notice_rows.get(conn, int(job["notice_id"]))
        if notice is not None and notice.state is NoticeState.QUEUED:
            await self._settle(notice, NoticeState.DEAD, reason)


def _reached(kind: str, holder: str, book: Iterable[Address]) -> Iterator[tuple[str, str]]:
    """Whom one destination tells: a program itself, or every address it can reach."""
    if kind == "webhook":
        yield holder, ""
        return
    for one in book:
        if one.channel is Channel(kind):
            yield holder, one.address


def written(notice: NoticeRow, entry: Entry, language: Language) -> Notice:
    """The notice in the words of the catalogue, over what the journal says (all of it masked).

    What is sent to a caller has its words in the journal, exactly as he gets them.
    """
    key = f"notice.{entry.event}" if f"notice.{entry.event}" in messages(language) else "notice.any"
    line = say(key, language, facts=_Facts({**entry.body, "event": entry.event}, language))
    when = f"{entry.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return Notice(
        id=str(notice.uuid),
        at=entry.at,
        event=entry.event,
        to=notice.address,
        subject=line,
        text=str(entry.body["message"])
        if notice.caller is not None
        else say("notice.text", language, line=line, at=when),
        facts={**entry.body, "case_id": entry.case_id, "call_id": entry.call_id},
    )


class _Facts:
    """The facts of a row as a message names them (`{facts.number}`); what is not said is empty."""

    def __init__(self, facts: Mapping[str, Any], language: Language) -> None:
        self._facts, self._language = facts, language

    def __getattr__(self, name: str) -> str:
        value = self._facts.get(f"{name}_{self._language}", self._facts.get(name))
        if name in {"stage", "level", "trigger"}:
            return messages(self._language).get(f"{name}.{value}", str(value or ""))
        if name == "due_at" and value is not None:
            return f"{datetime.fromisoformat(str(value)).astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        return "" if value is None else str(value)


def masked(address: str) -> str:
    """An address as the journal may show it."""
    name, at, host = address.rpartition("@")
    return f"{name[:1]}**@{host}" if at else mask_number(address)


async def revived(tx: Connection, ids: list[int] | None, actor: str, clock: Clock) -> list[int]:
    """A person has undeliverable notices tried again, with a day of tries before them."""
    now = clock()
    found = await notice_rows.revive(tx, ids, now)
    for notice_id in found:
        again = {"notice_id": notice_id, "attempt": f"again at {now.isoformat()}"}
        await enqueue(tx, JobName.NOTIFY, again)
    if found:
        body = {"notices": found}
        await journal.write(tx, at=now, actor=actor, event=Event.NOTICE_REVIVED, body=body)
    return found
