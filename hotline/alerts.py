"""Alerts of the monitoring: each becomes a row of the journal, and whoever is on duty is told.

Alertmanager sends an alert when it begins, again while it goes on (as its `repeat_interval` says)
and when it is over; and once more whenever it did not hear our answer. What comes again within
`NOT_AGAIN` tells nobody twice.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from hotline import journal
from hotline.database import Connection
from hotline.journal import Event
from hotline.masking import mask_text
from hotline.roster import on_duty
from hotline.roster_rows import lines_with_roster, shifts_between
from hotline.user_rows import owner_of_extension

NOT_AGAIN = timedelta(minutes=4)
MONITORING = "monitoring"
ON_DUTY = "on_duty"
DUTY_DESK = "duty"
"""The holder of the address book who is told where the roster has nobody."""

_TOLD: LiteralString = """
    SELECT max(at) FROM journal
     WHERE event = $1 AND body ->> 'fingerprint' = $2 AND body ->> 'starts_at' = $3"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert as it stands; the texts are those of our own rules."""

    fingerprint: str
    name: str
    severity: str
    line: str
    system: str
    summary: str
    summary_zh: str
    action: str
    starts_at: datetime
    is_over: bool


async def take(tx: Connection, alerts: Iterable[Alert], now: datetime) -> int:
    """Write down what is new; returns how many rows that made.

    The journal's turn is taken first: of two that bring the same alert, the second finds it told.
    """
    await journal.take_turn(tx)
    told = 0
    for alert in alerts:
        event = Event.ALERT_OVER if alert.is_over else Event.ALERT_FIRING
        began = alert.starts_at.isoformat()
        last = await tx.fetchval(_TOLD, event, alert.fingerprint, began)
        if last is not None and (alert.is_over or now - last < NOT_AGAIN):
            continue
        body = {key: mask_text(value) for key, value in asdict(alert).items() if _is_text(value)}
        body["starts_at"] = began
        await journal.write(tx, at=now, actor=MONITORING, event=event, body=body)
        told += 1
    return told


def _is_text(value: object) -> bool:
    return isinstance(value, str)


async def holders_on_duty(conn: Connection, now: datetime) -> list[str]:
    """In whose names those on duty stand in the address book: their login, else their seat."""
    seats: dict[str, None] = {}
    for line in await lines_with_roster(conn):
        for shift in on_duty(await shifts_between(conn, line, now, now), now):
            seats[shift.operator] = None
    found = [await owner_of_extension(conn, seat) or seat for seat in seats]
    return found or [DUTY_DESK]
