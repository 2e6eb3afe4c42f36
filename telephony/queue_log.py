"""Rows of Asterisk's queue_log become facts. Pure.

`time|call id|queue|agent|event|data...`, time in whole seconds, the call id being the unique id
of the caller's channel. Rows about agents and queues without a call tell nothing here.
"""

from collections.abc import Callable, Sequence

from telephony.cel import time_of
from telephony.events import (
    Fact,
    Head,
    OperatorConnected,
    OperatorDone,
    OperatorMissed,
    QueueAbandoned,
    QueueGaveUp,
    QueueJoined,
    Source,
    System,
    UniqueId,
)
from telephony.rows import BadRow
from telephony.text import clean, operator_at

FEWEST = 5
TIME, CALL, QUEUE, AGENT, EVENT = range(FEWEST)
Row = Sequence[str]


def parse(line: bytes, system: System) -> Fact | None:
    """The fact in one row, or None if it tells nothing we need.

    Raises:
        BadRow: the row is torn, or not one of queue_log.
    """
    row = line.decode(errors="replace").rstrip("\r").split("|")
    if len(row) < FEWEST or not row[EVENT].isalnum() or not row[TIME].isdecimal():
        raise BadRow("A row of queue_log is torn.")
    rule = _RULES.get(row[EVENT])
    unique_id = clean(row[CALL])
    if rule is None or unique_id in ("", "NONE"):
        return None
    head: Head = {
        "system": system,
        "source": Source.QUEUE_LOG,
        "at": time_of(row[TIME]),
        "unique_id": UniqueId(unique_id),
        "linked_id": None,
        "channel": "",
    }
    return rule(head, row)


def _joined(head: Head, row: Row) -> Fact:
    return QueueJoined(**head, queue=clean(row[QUEUE]))


def _abandoned(head: Head, row: Row) -> Fact:
    return QueueAbandoned(**head, queue=clean(row[QUEUE]))


def _gave_up(head: Head, row: Row) -> Fact:
    return QueueGaveUp(**head, queue=clean(row[QUEUE]), reason=row[EVENT])


def _connected(head: Head, row: Row) -> Fact:
    """`CONNECT|hold time|unique id of the operator's channel|ring time`."""
    place = FEWEST + 1
    channel = clean(row[place]) if len(row) > place else ""
    return OperatorConnected(
        **head,
        operator=operator_at(row[AGENT]),
        operator_unique_id=UniqueId(channel) if channel else None,
    )


def _missed(head: Head, row: Row) -> Fact:
    return OperatorMissed(**head, operator=operator_at(row[AGENT]))


def _done(reason: str) -> Callable[[Head, Row], Fact]:
    def rule(head: Head, row: Row) -> Fact:
        return OperatorDone(**head, operator=operator_at(row[AGENT]), reason=reason)

    return rule


_RULES: dict[str, Callable[[Head, Row], Fact]] = {
    "ENTERQUEUE": _joined,
    "ABANDON": _abandoned,
    "CONNECT": _connected,
    "RINGNOANSWER": _missed,
    "RINGCANCELED": _missed,
    "COMPLETECALLER": _done("caller"),
    "COMPLETEAGENT": _done("agent"),
    "BLINDTRANSFER": _done("transfer"),
    "ATTENDEDTRANSFER": _done("transfer"),
    "EXITWITHTIMEOUT": _gave_up,
    "EXITEMPTY": _gave_up,
    "EXITWITHKEY": _gave_up,
    "JOINEMPTY": _gave_up,
    "JOINUNAVAIL": _gave_up,
    "LEAVEEMPTY": _gave_up,
    "LEAVEUNAVAIL": _gave_up,
    "FULL": _gave_up,
}
