"""Rows of Asterisk's channel event log become facts. Pure.

The columns are those of deploy/asterisk/templates/cel_custom.conf. Every field is quoted and
every quote inside is doubled, so text a caller chose can end neither its field nor its row: what
is not exactly thirteen quoted fields is a bad row.
"""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from telephony.call import TAP_PREFIX
from telephony.events import (
    BadgeTold,
    BridgeEntered,
    BridgeLeft,
    CallerInsisted,
    CallerRefused,
    CalloutTaken,
    ChannelEnded,
    ChannelStarted,
    Fact,
    HangupHeard,
    Head,
    LinkedId,
    LinkedIdEnded,
    OutsideDialled,
    QueueGaveUp,
    QueueJoined,
    QueueLeft,
    RecordingStarted,
    Source,
    SurveyAnswered,
    System,
    UniqueId,
    VoicemailReached,
)
from telephony.rows import BadRow
from telephony.text import channel_of, clean, name_of, number_of, recording_files

(
    TYPE,
    TIME,
    NAME,
    NUMBER,
    EXTEN,
    CONTEXT,
    CHANNEL,
    APP,
    APP_DATA,
    UNIQUE_ID,
    LINKED_ID,
    _,
    EXTRA,
) = range(13)
COLUMNS = 13
VOICEMAIL = frozenset({"voicemail", "minivmrecord"})
"""The dialplan applications, in small letters, that take a caller's message."""
Row = Sequence[str]


def parse(line: bytes, system: System) -> Fact | None:
    """The fact in one row, or None if it tells nothing we need.

    Raises:
        BadRow: the row is torn, or not in the form we configure.
    """
    row = _fields(line)
    rule = _RULES.get(row[TYPE])
    if rule is None:
        return None
    unique_id, linked_id = clean(row[UNIQUE_ID]), clean(row[LINKED_ID])
    if not unique_id or not linked_id:
        raise BadRow("A row of the channel event log names no channel.")
    if unique_id.startswith(TAP_PREFIX):
        return None
    head: Head = {
        "system": system,
        "source": Source.CEL,
        "at": time_of(row[TIME]),
        "unique_id": UniqueId(unique_id),
        "linked_id": LinkedId(linked_id),
        "channel": channel_of(row[CHANNEL]),
    }
    return rule(head, row)


def _fields(line: bytes) -> Row:
    text = line.decode(errors="replace").rstrip("\r")
    try:
        row = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise BadRow(f"A row of the channel event log is torn ({error}).") from error
    if len(row) != COLUMNS or not (text.startswith('"') and text.endswith('"')):
        raise BadRow(f"A row of the channel event log has {len(row)} fields instead of {COLUMNS}.")
    return row


def time_of(text: str) -> datetime:
    """Epoch seconds, with or without a fraction, as an aware time."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise BadRow("A row of the exchange's files has no time that can be read.") from error


def _extra(row: Row) -> dict[str, object]:
    if not row[EXTRA]:
        return {}
    try:
        extra = json.loads(row[EXTRA])
    except ValueError as error:
        raise BadRow("A row of the channel event log has a torn extra field.") from error
    return extra if isinstance(extra, dict) else {}


def _channel_started(head: Head, row: Row) -> Fact:
    return ChannelStarted(
        **head,
        number=number_of(row[NUMBER]),
        name=name_of(row[NAME]),
        context=clean(row[CONTEXT]),
        exten=clean(row[EXTEN]),
    )


def _channel_ended(head: Head, _: Row) -> Fact:
    return ChannelEnded(**head, cause=None)


def _hangup(head: Head, row: Row) -> Fact:
    extra = _extra(row)
    cause = extra.get("hangupcause")
    return HangupHeard(
        **head,
        by=channel_of(str(extra.get("hangupsource", ""))),
        cause=cause if isinstance(cause, int) and cause else None,
    )


def _linked_id_ended(head: Head, _: Row) -> Fact:
    return LinkedIdEnded(**head)


def _app_started(head: Head, row: Row) -> Fact | None:
    app = row[APP].lower()
    if app == "queue":
        return QueueJoined(**head, queue=_queue(row))
    if app == "mixmonitor":
        caller_file, operator_file = recording_files(row[APP_DATA])
        return RecordingStarted(**head, caller_file=caller_file, operator_file=operator_file)
    return VoicemailReached(**head) if app in VOICEMAIL else None


def _app_ended(head: Head, row: Row) -> Fact | None:
    return QueueLeft(**head, queue=_queue(row)) if row[APP].lower() == "queue" else None


def _queue(row: Row) -> str:
    return clean(row[APP_DATA].partition(",")[0])


def _unanswered(head: Head, row: Row) -> Fact:
    """The mark our dialplan sets where Queue() comes back."""
    return QueueGaveUp(**head, queue="", reason=clean(str(_extra(row).get("extra", ""))))


def _message(head: Head, _: Row) -> Fact:
    """The mark our dialplan sets at the beep."""
    return VoicemailReached(**head)


def _refused(head: Head, _: Row) -> Fact:
    """The mark our dialplan sets where it keeps a caller out."""
    return CallerRefused(**head)


def _insisted(head: Head, _: Row) -> Fact:
    """The mark our dialplan sets where it lets him in after all."""
    return CallerInsisted(**head)


def _outside(head: Head, row: Row) -> Fact:
    """The mark our dialplan sets before it calls a number outside: `1001-13800001111`."""
    operator, _, number = clean(str(_extra(row).get("extra", ""))).partition("-")
    return OutsideDialled(**head, operator=operator, number=number_of(number))


def _callout_taken(head: Head, _: Row) -> Fact:
    """The mark our dialplan sets where somebody called out has picked up."""
    return CalloutTaken(**head)


def _survey(head: Head, row: Row) -> Fact:
    """The mark our dialplan sets after each question: `solved=1`, `satisfied=`."""
    question, _, key = clean(str(_extra(row).get("extra", ""))).partition("=")
    return SurveyAnswered(**head, question=question, key=key)


def _badge(head: Head, row: Row) -> Fact:
    """The mark our dialplan sets when an operator has picked up: `1001-8001`, seat and badge."""
    operator, _, badge = clean(str(_extra(row).get("extra", ""))).partition("-")
    return BadgeTold(**head, operator=operator, badge=badge)


def _bridge_entered(head: Head, row: Row) -> Fact:
    extra = _extra(row)
    holding = extra.get("bridge_technology") == "holding_bridge"
    return BridgeEntered(**head, bridge=_bridge(extra), holding=holding)


def _bridge_left(head: Head, row: Row) -> Fact:
    return BridgeLeft(**head, bridge=_bridge(_extra(row)))


def _bridge(extra: dict[str, object]) -> str:
    bridge = clean(str(extra.get("bridge_id", "")))
    if not bridge:
        raise BadRow("A row of the channel event log names no bridge.")
    return bridge


_RULES: dict[str, Callable[[Head, Row], Fact | None]] = {
    "CHAN_START": _channel_started,
    "CHAN_END": _channel_ended,
    "HANGUP": _hangup,
    "LINKEDID_END": _linked_id_ended,
    "APP_START": _app_started,
    "APP_END": _app_ended,
    "BRIDGE_ENTER": _bridge_entered,
    "BRIDGE_EXIT": _bridge_left,
    "UNANSWERED": _unanswered,
    "MESSAGE": _message,
    "REFUSED": _refused,
    "INSISTED": _insisted,
    "OUTSIDE": _outside,
    "CALLOUT_TAKEN": _callout_taken,
    "SURVEY": _survey,
    "BADGE": _badge,
}
