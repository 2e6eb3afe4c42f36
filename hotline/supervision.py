"""The runner of supervision: every clock that ended without being stopped gets its record.

    a case changed        -> its look is due at once (a trigger of the table `cases`)
    its look is due       -> its whole past from the journal: spent clocks, returns, repeats, bursts
    a tracked item's end  -> the same clocks, the same records (tracking.py)
    a level's limit over  -> one level up, never two at once, with a new notice
    a card past its day   -> one record for each version

One transaction for each thing: its records, their journal rows, and when it is looked at next. A
crash before the commit leaves the look due; after it the natural key (subject, trigger, occasion)
opens nothing twice. What ended while the service was down is found from the journal afterwards.

To drive it through time (a simulation, a test), no task needs to run: after everything that
happened until a moment `now` was committed, call

    await desk.catch_up(now)

for moments that never go back. It returns when nothing is left to do for `now`: then every clock
of every case and tracked item that ended before `now` has its record. Moments may lie hours or
days apart: `since` of a record is when the clock ended, `opened_at` is `now`, and levels rise by
one for each call at most. Only cases with a clock that ended or a change since are read, by index.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta

from hotline import journal, supervising, tracking
from hotline import supervision_looks as looks
from hotline import supervision_rows as rows
from hotline.database import PASSING, Connection, Pool, borrowed, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.services import Clock as Time
from hotline.supervision_looks import Look, Looked
from hotline.supervision_rows import StaleCard, Subject
from routing import store, supervision, triggers
from routing.directory import City
from routing.errors import HistoryFault
from routing.in_force import InForce
from routing.moves import is_over
from routing.numbers import SHANGHAI
from routing.supervision import ItemType
from routing.supervision_rules import Trigger, TriggerRule, rules_of
from routing.triggers import Burst, Occasion, Version

log = logging.getLogger(__name__)

AT_ONCE = 200
_LATELY = timedelta(days=30)
"""How far back bursts are looked at: further than any standstill."""
_UNDATED = timedelta(hours=1)
"""A clock that cannot be computed is tried again then, or at once after a change."""


class SupervisionDesk:
    """Finds what is to be supervised and presses it harder until it is cleared."""

    def __init__(
        self,
        *,
        pool: Pool,
        limits: Callable[[], InForce],
        city: Callable[[], City],
        clock: Time,
        every: timedelta,
    ) -> None:
        self._pool, self._clock = pool, clock
        self._limits, self._city = limits, city
        self._every = every.total_seconds()

    async def run(self) -> None:
        """Look every few seconds; returns only when cancelled."""
        while True:
            try:
                await self.catch_up(self._clock())
            except (DatabaseUnavailableError, *PASSING) as error:
                log.warning("The supervision lost the database (%s) and tries again.", error)
            await asyncio.sleep(self._every)

    async def catch_up(self, now: datetime) -> int:
        """Do all there is to do for a moment; returns how many things were settled."""
        settled = 0
        steps = (self._cases, self._tracked, self._bursts, self._cards, self._date, self._raise)
        for step in steps:
            while done := await step(now):
                settled += done
        return settled

    async def _cases(self, now: datetime) -> int:
        limits = self._limits()
        async with borrowed(self._pool) as conn:
            waiting = await looks.waiting(conn, now, AT_ONCE)
            looked = [_looked(look, limits, now) for look in waiting]
            looked = await _pooled(conn, looked, limits) if looked else []
        settled = 0
        silent = [one for one in looked if not one.occasions and not one.elsewhere]
        if silent:
            async with transaction(self._pool) as tx:
                settled += len(await looks.move_on(tx, silent))
        for one in looked:
            if one.occasions or one.elsewhere:
                settled += await self._open(one, limits, now)
        return settled

    async def _open(self, looked: Looked, limits: InForce, now: datetime) -> int:
        """The records of one case, in one transaction with its next look."""
        case = looked.look.case
        async with transaction(self._pool) as tx:
            # Before any row is locked: whoever moves several cases in one transaction holds the
            # turn and then needs the rows.
            await journal.take_turn(tx)
            if not await looks.move_on(tx, [looked]):
                return 0
            subject, policy = supervising.of_case(case), limits.of(case) or limits.policy
            for occasion in looked.occasions:
                await supervising.opened(tx, subject, occasion, now, policy, limits)
            for aim, occasion in looked.elsewhere:
                about = await _subject(tx, aim)
                await supervising.opened(tx, about, occasion, now, limits.policy, limits)
        return 1

    async def _tracked(self, now: datetime) -> int:
        limits = self._limits()
        async with borrowed(self._pool) as conn:
            waiting = await tracking.waiting(conn, now, AT_ONCE)
        settled = 0
        for item in waiting:
            async with transaction(self._pool) as tx:
                await journal.take_turn(tx)
                settled += await tracking.look(tx, item, now, limits)
        return settled

    async def _bursts(self, now: datetime) -> int:
        """What many callers said in like words, found by bursts.py."""
        limits, opened = self._limits(), 0
        rule = rules_of(limits.policy).of(Trigger.CONCENTRATED)
        async with borrowed(self._pool) as conn:
            since = now - _LATELY
            found = await looks.alike_bursts(conn, since, rule.count or 0) if rule else []
        for burst in found:
            occasion = triggers.concentrated(burst, rule)
            if occasion is not None:
                async with transaction(self._pool) as tx:
                    await journal.take_turn(tx)
                    subject, policy = supervising.of_burst(burst), limits.policy
                    new = await supervising.opened(tx, subject, occasion, now, policy, limits)
                    opened += new is not None
        return opened

    async def _cards(self, now: datetime) -> int:
        limits = self._limits()
        rule = rules_of(limits.policy).of(Trigger.STALE_CARD)
        today = now.astimezone(SHANGHAI).date()
        async with borrowed(self._pool) as conn:
            stale = await rows.stale_cards(conn, today, AT_ONCE) if rule else []
        for card in stale:
            occasion = self._stale(card, limits)
            if occasion is not None:
                subject = Subject(
                    type=ItemType.KNOWLEDGE, key=f"card/{card.card_id}", card_id=card.card_id
                )
                async with transaction(self._pool) as tx:
                    await supervising.opened(tx, subject, occasion, now, limits.policy, limits)
        return len(stale)

    def _stale(self, card: StaleCard, limits: InForce) -> Occasion | None:
        unit = self._city().unit(card.unit_id)
        midnight = datetime.combine(card.review + timedelta(days=1), time.min, SHANGHAI)
        return triggers.stale_card(
            version=card.version,
            title=card.title,
            review=card.review,
            unit=unit.name if unit else None,
            since=midnight,
            rule=rules_of(limits.policy).of(Trigger.STALE_CARD),
        )

    async def _date(self, _: datetime) -> int:
        """Give records whose limit reached past the holiday calendar their end."""
        limits, dated = self._limits(), 0
        async with borrowed(self._pool) as conn:
            undated = await rows.undated(conn, AT_ONCE)
        for record in undated:
            level = supervision.given(
                record.level,
                record.kind,
                record.urgency,
                at=record.level_at,
                policy=supervising.policy_of(record, limits),
                calendar=limits.calendar,
            )
            if level.ends_at is not None:
                async with transaction(self._pool) as tx:
                    dated += await rows.date_it(tx, record, level.ends_at)
        return dated

    async def _raise(self, now: datetime) -> int:
        limits, done = self._limits(), 0
        async with borrowed(self._pool) as conn:
            rising = await rows.rising(conn, now, AT_ONCE)
        for record in rising:
            async with transaction(self._pool) as tx:
                await journal.take_turn(tx)
                done += await supervising.raised(tx, record, now, limits) is not None
        return done


def _looked(look: Look, limits: InForce, now: datetime) -> Looked:
    """What the case's own past gives reason for, and when its next clock ends."""
    versions = _versions(look)
    policy = limits.of(look.case) or limits.policy
    found = triggers.together(
        triggers.spent_clocks(versions, limits, now),
        triggers.spent_assignments(look.case, look.phoned, limits, now),
    )
    occasions = triggers.occasions_of(versions, found.spent, rules_of(policy))
    again_at = found.next_end
    if found.undated:
        log.warning("Case %s is not supervised: %s", look.case.number, found.undated[0])
        again_at = min(again_at or now + _UNDATED, now + _UNDATED)
    new = tuple(one for one in occasions if (one.trigger, one.key) not in look.known)
    return Looked(look=look, occasions=new, again_at=again_at, over=is_over(look.case.state))


def _versions(look: Look) -> Sequence[Version]:
    """The case's past; where its journal does not tell it, the case as it stands."""
    try:
        versions = triggers.versions_of(look.rows)
    except HistoryFault as error:
        log.warning("Case %s is supervised as it stands: %s", look.case.number, error)
        versions = ()
    return versions or (Version(at=look.case.drafted_at, case=look.case),)


async def _pooled(conn: Connection, looked: Sequence[Looked], limits: InForce) -> list[Looked]:
    """With what each newly opened case says together with others: repeats and bursts."""
    ids = looks.newly_opened([one.look for one in looked])
    rules = rules_of(limits.policy)
    repeat, burst = rules.of(Trigger.REPEATED), rules.of(Trigger.CONCENTRATED)
    before = await looks.related(conn, ids, _back(repeat)) if ids and repeat else {}
    bursts = await looks.bursts(conn, ids, _back(burst), burst.count or 0) if ids and burst else {}
    found: dict[int, list[tuple[int | Burst, Occasion]]] = {}
    for case in (one.look.case for one in looked if one.look.case.id in ids):
        told = found.setdefault(case.id, [])
        if (again := triggers.repeated(case, before.get(case.id, ()), repeat)) is not None:
            told.append(again)
        if (many := bursts.get(case.id)) and (occasion := triggers.concentrated(many, burst)):
            told.append((many, occasion))
    return [replace(one, elsewhere=tuple(found.get(one.look.case.id, ()))) for one in looked]


def _back(rule: TriggerRule | None) -> timedelta:
    return timedelta(days=(rule.within_days if rule else None) or 0)


async def _subject(tx: Connection, about: int | Burst) -> Subject:
    if isinstance(about, Burst):
        return supervising.of_burst(about)
    return supervising.of_case(await store.get(tx, about))
