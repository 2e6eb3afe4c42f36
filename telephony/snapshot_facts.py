"""The snapshot after a login, told as facts. Pure.

A snapshot knows where a caller is now, not how he came there: its times are coarse and yield to
what AMI or the files told exactly.
"""

from datetime import timedelta

from telephony.call import TAP_PREFIX
from telephony.events import (
    BridgeEntered,
    ChannelStarted,
    Fact,
    Head,
    LinkedId,
    QueueJoined,
    SnapshotTaken,
    Source,
    System,
    UniqueId,
)
from telephony.snapshot import Bridge, Snapshot
from telephony.text import channel_of, clean, name_of, number_of
from telephony.translation import Event, whole_number

_TIME_PARTS = 3


def facts_in(snapshot: Snapshot) -> list[Fact | SnapshotTaken]:
    """What is true now; at the end, unless the exchange refused to tell, which channels exist."""
    linked: dict[str, LinkedId] = {}
    facts: list[Fact | SnapshotTaken] = []
    for event in snapshot.channels:
        fact = _channel(snapshot, event)
        if fact is not None and fact.linked_id is not None:
            linked[fact.unique_id] = fact.linked_id
            facts.append(fact)
    for event in snapshot.waiting:
        waiting = _waiting(snapshot, event, linked)
        if waiting is not None:
            facts.append(waiting)
    for bridge in snapshot.bridges:
        facts += _bridge(snapshot, bridge)
    if linked or not snapshot.missing:
        existing = frozenset(UniqueId(unique_id) for unique_id in linked)
        system = System(snapshot.system)
        facts.append(SnapshotTaken(system=system, at=snapshot.taken_at, channels=existing))
    return facts


def _head(snapshot: Snapshot, event: Event, *, ago: timedelta, linked_id: str | None) -> Head:
    return {
        "system": System(snapshot.system),
        "source": Source.SNAPSHOT,
        "at": snapshot.taken_at - ago,
        "unique_id": UniqueId(event.keys["Uniqueid"]),
        "linked_id": LinkedId(linked_id) if linked_id else None,
        "channel": channel_of(event.keys.get("Channel", "")),
    }


def _channel(snapshot: Snapshot, event: Event) -> ChannelStarted | None:
    keys = event.keys
    if not keys.get("Uniqueid") or not keys.get("Linkedid"):
        return None
    if str(keys["Uniqueid"]).startswith(TAP_PREFIX):
        return None
    ago = _duration(str(keys.get("Duration", "")))
    return ChannelStarted(
        **_head(snapshot, event, ago=ago, linked_id=keys["Linkedid"]),
        number=number_of(keys.get("CallerIDNum", "")),
        name=name_of(keys.get("CallerIDName", "")),
        context=clean(keys.get("Context", "")),
        exten=clean(keys.get("Exten", "")),
    )


def _waiting(snapshot: Snapshot, event: Event, linked: dict[str, LinkedId]) -> QueueJoined | None:
    unique_id = event.keys.get("Uniqueid")
    if not unique_id:
        return None
    ago = timedelta(seconds=whole_number(str(event.keys.get("Wait", ""))) or 0)
    head = _head(snapshot, event, ago=ago, linked_id=linked.get(unique_id))
    return QueueJoined(**head, queue=clean(event.keys.get("Queue", "")))


def _bridge(snapshot: Snapshot, bridge: Bridge) -> list[Fact | SnapshotTaken]:
    holding = bridge.item.keys.get("BridgeTechnology") == "holding_bridge"
    return [
        BridgeEntered(
            **_head(snapshot, event, ago=timedelta(), linked_id=event.keys.get("Linkedid")),
            bridge=bridge.bridge_id,
            holding=holding,
        )
        for event in bridge.channels
        if event.keys.get("Uniqueid") and bridge.bridge_id
    ]


def _duration(text: str) -> timedelta:
    """`01:02:03`, or nothing."""
    parts = [whole_number(part) for part in text.split(":")]
    if len(parts) != _TIME_PARTS or None in parts:
        return timedelta()
    hours, minutes, seconds = (part or 0 for part in parts)
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
