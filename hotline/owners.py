"""Whose recording a file in the exchange's spool is: the call and the side that it holds.

    its name begins with the linked id of a call, or the id of another channel of one
    the channel event log names the file in the row that began its recording
    its name bears a channel's name, and the log has that channel at the time of the file

Of two calls that would fit, none is chosen: a voice must not be put with a stranger's case.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

import asyncpg

from hotline.database import Connection
from telephony.calls import Leg
from telephony.events import System

LONGEST_CALL = timedelta(hours=12)
"""Channel names are used again after a restart: only those of this time before the file count."""
_OURS = re.compile(r"(?P<channel>[\w.-]{1,150})-(?P<leg>caller|operator)\.wav", re.ASCII)
_CHANNEL = re.compile(r"(?P<kind>[A-Za-z]{2,10})[-_/](?P<rest>[\w@.]{1,60}-[0-9a-f]{8})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A call and one side of it."""

    call_id: int
    leg: Leg


_BY_CALL: LiteralString = "SELECT id FROM calls WHERE system = $1 AND linked_id = $2"
_BY_CHANNEL: LiteralString = """
    SELECT DISTINCT c.id, f.unique_id = c.linked_id AS own
      FROM exchange_facts f
      JOIN exchange_facts party ON party.system = f.system AND party.unique_id = f.unique_id
      JOIN calls c ON c.system = f.system AND c.linked_id = party.linked_id
     WHERE f.system = $1 AND f.unique_id = $2"""
_BY_FILE: LiteralString = """
    SELECT DISTINCT c.id, regexp_replace(f.body ->> 'caller_file', '^.*/', '') = $2 AS own
      FROM exchange_facts f
      JOIN calls c ON c.system = f.system AND c.linked_id IN (f.unique_id, f.linked_id)
     WHERE f.system = $1 AND f.kind = 'recording_started' AND f.at BETWEEN $3 AND $4
       AND $2 IN (regexp_replace(f.body ->> 'caller_file', '^.*/', ''),
                  regexp_replace(f.body ->> 'operator_file', '^.*/', ''))"""
_BY_NAME: LiteralString = """
    WITH began AS (
        SELECT unique_id FROM exchange_facts
         WHERE system = $1 AND kind = 'channel_started' AND at BETWEEN $3 AND $4
           AND body ->> 'channel' = $2
         ORDER BY at DESC LIMIT 1)
    SELECT DISTINCT c.id, f.unique_id = c.linked_id AS own
      FROM began
      JOIN exchange_facts f ON f.system = $1 AND f.unique_id = began.unique_id
      JOIN calls c ON c.system = $1 AND c.linked_id = f.linked_id"""


async def owner_of(
    conn: Connection, system: System, name: str, written_at: datetime
) -> Owner | None:
    """The call and side of a file of this name, last written to then; None where none is sure."""
    since = written_at - LONGEST_CALL
    ours = _OURS.fullmatch(name)
    if ours is not None:
        leg = Leg(ours["leg"])
        if (call_id := await conn.fetchval(_BY_CALL, system, ours["channel"])) is not None:
            return Owner(call_id=call_id, leg=leg)
        if found := _one(await conn.fetch(_BY_CHANNEL, system, ours["channel"]), leg):
            return found
    rows = await conn.fetch(_BY_FILE, system, name, since, written_at)
    if found := _one(rows, None):
        return found
    if (channel := _CHANNEL.search(name)) is None:
        return None
    told = f"{channel['kind']}/{channel['rest']}"
    return _one(
        await conn.fetch(_BY_NAME, system, told, since, written_at),
        Leg(ours["leg"]) if ours else None,
    )


def _one(rows: list[asyncpg.Record], leg: Leg | None) -> Owner | None:
    """The only call there is; its caller's own channel holds the caller."""
    if len({row["id"] for row in rows}) != 1:
        return None
    own = any(row["own"] for row in rows)
    return Owner(call_id=rows[0]["id"], leg=leg or (Leg.CALLER if own else Leg.OPERATOR))
