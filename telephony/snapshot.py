"""What is true on the exchange right now, asked for after every login.

Events are a stream without a beginning: calls that began while nobody listened are only here.
Waiting callers are in `waiting`; who talks to whom is in `bridges`, for a queue does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from asterisk.ami.event import Event
from asterisk.ami.response import Response

from telephony.errors import ActionRefused
from telephony.inflight import Listing


class Asker(Protocol):
    """Whoever can put questions to the exchange: the session, or the connection."""

    async def action(self, name: str, headers: Mapping[str, str] | None = None) -> Response:
        """The answer to one action."""

    async def list_action(self, name: str, headers: Mapping[str, str] | None = None) -> Listing:
        """The complete list an action asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """Channels that hear each other."""

    bridge_id: str
    item: Event
    """The BridgeListItem event."""
    channels: tuple[Event, ...]
    """BridgeInfoChannel events, with Uniqueid, Linkedid and caller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The exchange at one moment, as its own events tell it."""

    system: str
    generation: int
    taken_at: datetime
    """Our clock before the first question; the answers are not older."""
    exchange_started: str | None
    """The exchange's own start, in its local time, `2026-11-23 08:00:00`."""
    restarted: bool
    """The exchange was started anew since our last snapshot: calls of before are over."""
    channels: tuple[Event, ...]
    """CoreShowChannel: Uniqueid, Linkedid, BridgeId, Application, Duration."""
    statuses: tuple[Event, ...]
    """Status: `Seconds` of life by channel."""
    bridges: tuple[Bridge, ...]
    queues: tuple[Event, ...]
    """QueueParams."""
    members: tuple[Event, ...]
    """QueueMember."""
    waiting: tuple[Event, ...]
    """QueueEntry: callers who wait, with Queue, Position, Wait, Uniqueid."""
    missing: tuple[str, ...]
    """What the exchange did not tell, in its own sentences; the rest is whole."""


async def take(
    asker: Asker, *, system: str, generation: int, at: datetime, last_start: str | None
) -> Snapshot:
    """Ask for everything; what the exchange refuses is left out and named in `missing`.

    Raises:
        ActionTimeout, ActionLost: the exchange did not answer; there is no snapshot then.
    """
    missing: list[str] = []
    started = await _started(asker, missing)
    channels = await _list(asker, "CoreShowChannels", missing)
    statuses = await _list(asker, "Status", missing)
    bridges = await _bridges(asker, missing)
    queue = await _list(asker, "QueueStatus", missing)
    return Snapshot(
        system=system,
        generation=generation,
        taken_at=at,
        exchange_started=started,
        restarted=None not in (started, last_start) and started != last_start,
        channels=_named(channels, "CoreShowChannel"),
        statuses=_named(statuses, "Status"),
        bridges=bridges,
        queues=_named(queue, "QueueParams"),
        members=_named(queue, "QueueMember"),
        waiting=_named(queue, "QueueEntry"),
        missing=tuple(missing),
    )


async def _started(asker: Asker, missing: list[str]) -> str | None:
    try:
        answer = await asker.action("CoreStatus")
    except ActionRefused as refused:
        missing.append(str(refused))
        return None
    date, time = (answer.keys.get(f"CoreStartup{part}") for part in ("Date", "Time"))
    return f"{date} {time}" if date and time else None


async def _list(
    asker: Asker, name: str, missing: list[str], headers: Mapping[str, str] | None = None
) -> tuple[Event, ...]:
    try:
        return (await asker.list_action(name, headers)).events
    except ActionRefused as refused:
        missing.append(str(refused))
        return ()


async def _bridges(asker: Asker, missing: list[str]) -> tuple[Bridge, ...]:
    bridges: list[Bridge] = []
    for item in _named(await _list(asker, "BridgeList", missing), "BridgeListItem"):
        bridge_id = str(item.keys.get("BridgeUniqueid", ""))
        try:
            inside = await asker.list_action("BridgeInfo", {"BridgeUniqueid": bridge_id})
        except ActionRefused:  # gone since the list was made, which is an answer too
            continue
        channels = _named(inside.events, "BridgeInfoChannel")
        bridges.append(Bridge(bridge_id=bridge_id, item=item, channels=channels))
    return tuple(bridges)


def _named(events: tuple[Event, ...], name: str) -> tuple[Event, ...]:
    return tuple(event for event in events if event.name == name)
