"""Rows of CEL and queue_log, and AMI events, become facts; hostile and torn ones do no harm."""

import csv
import io
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from asterisk.ami.event import Event
from hypothesis import given
from hypothesis import strategies as st

from telephony import cel, queue_log
from telephony.call import TAP_PREFIX
from telephony.events import (
    FACTS,
    ChannelStarted,
    Fact,
    HangupHeard,
    OperatorConnected,
    QueueGaveUp,
    QueueJoined,
    RecordingStarted,
    SnapshotTaken,
    Source,
    System,
    VoicemailReached,
)
from telephony.rows import BadRow, Chunk, Line, read_rows
from telephony.snapshot import Bridge, Snapshot
from telephony.snapshot_facts import facts_in
from telephony.text import clean, name_of, number_of, operator_at, operator_of, recording_files
from telephony.translation import EVENTS, translate
from tests.calls.recorded import NAMES, recorded

SYSTEM = System("mianyang-1")
NINE = datetime(2026, 11, 23, 1, tzinfo=UTC)


def cel_row(*, newline: str = "", **fields: str) -> bytes:
    names = ("type", "time", "name", "number", "exten", "context", "channel", "app", "data")
    values = {"type": "CHAN_START", "time": "1795410308.047622", "number": "13800001111"}
    values |= {"exten": "12345", "context": "from-trunk", "channel": "PJSIP/trunk-00000004"}
    values |= {"unique": "mianyang-1-1795410308.4", "linked": "mianyang-1-1795410308.4"} | fields
    text = io.StringIO()
    row = [values.get(name, "") for name in (*names, "unique", "linked", "peer", "extra")]
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=newline).writerow(row)
    return text.getvalue().encode()


def test_a_row_of_cel_is_a_fact_at_the_exchange_s_time() -> None:
    fact = cel.parse(cel_row(name="绵阳 张"), SYSTEM)
    assert isinstance(fact, ChannelStarted)
    assert fact.at == datetime(2026, 11, 23, 5, 5, 8, 47622, tzinfo=UTC)
    assert fact.at.timestamp() == pytest.approx(1795410308.047622, abs=1e-6)
    assert (fact.number, fact.name, fact.exten) == ("13800001111", "绵阳 张", "12345")
    assert fact.source is Source.CEL


@given(name=st.text(), number=st.text(), data=st.text())
def test_what_a_caller_chooses_cannot_end_its_field(name: str, number: str, data: str) -> None:
    row = cel_row(name=name, number=number, data=data).replace(b"\n", b" ").replace(b"\r", b" ")
    fact = cel.parse(row, SYSTEM)
    assert isinstance(fact, ChannelStarted)
    assert fact.context == "from-trunk"
    assert fact.name.isprintable()
    assert fact.number.isprintable()


def test_a_number_with_a_line_break_cannot_forge_a_row() -> None:
    forged = cel_row(type="CHAN_END").decode()
    for line in cel_row(number=f"1\n{forged}\n").split(b"\n"):
        with pytest.raises(BadRow):
            cel.parse(line, SYSTEM)


@given(line=st.binary())
def test_garbage_is_a_bad_row_or_nothing_and_never_another_error(line: bytes) -> None:
    for parse in (cel.parse, queue_log.parse):
        with suppress(BadRow):
            assert parse(line, SYSTEM) is None


@given(cut=st.integers(1, 400))
def test_a_torn_row_is_a_bad_row(cut: int) -> None:
    row = recorded("answered").cel_lines[-3]
    with pytest.raises(BadRow):
        cel.parse(row[: min(cut, len(row) - 1)], SYSTEM)


@pytest.mark.parametrize("time", ["", "yesterday", "1e400", "nan", "-1e20"])
def test_a_row_without_a_readable_time_is_bad(time: str) -> None:
    with pytest.raises(BadRow):
        cel.parse(cel_row(time=time), SYSTEM)


@pytest.mark.parametrize("extra", ["", "{", "[]", '{"bridge_id": ""}'])
def test_a_bridge_without_a_name_is_a_bad_row(extra: str) -> None:
    with pytest.raises(BadRow):
        cel.parse(cel_row(type="BRIDGE_ENTER", extra=extra), SYSTEM)


def test_bad_rows_are_counted_and_the_others_read() -> None:
    good = cel_row()
    texts = (good, good[:40], b"", b'"no"', cel_row(type="ANSWER"), cel_row(type="CHAN_END"))
    lines = tuple(Line(offset=100 * n, text=text) for n, text in enumerate(texts))
    reading = read_rows(Chunk(lines=lines, position=None, file=7), cel.parse, system=SYSTEM)
    assert (reading.rows, reading.bad) == (6, 3)
    assert [(placed.file, placed.offset) for placed in reading.facts] == [(7, 0), (7, 500)]


def test_the_applications_that_matter() -> None:
    start = {"type": "APP_START"}
    joined = cel.parse(cel_row(**start, app="Queue", data="duty,r,,,5"), SYSTEM)
    recorded_ = cel.parse(
        cel_row(**start, app="MixMonitor", data=",r(a-caller.wav)t(a-operator.wav)"), SYSTEM
    )
    assert isinstance(joined, QueueJoined)
    assert joined.queue == "duty"
    assert isinstance(recorded_, RecordingStarted)
    assert (recorded_.caller_file, recorded_.operator_file) == ("a-caller.wav", "a-operator.wav")
    assert isinstance(cel.parse(cel_row(**start, app="VoiceMail"), SYSTEM), VoicemailReached)
    assert cel.parse(cel_row(**start, app="Playback"), SYSTEM) is None


def test_who_hung_up_is_in_the_extra_field() -> None:
    fact = cel.parse(cel_row(type="HANGUP", extra='{"hangupsource":"PJSIP/1001-00000001"}'), SYSTEM)
    assert isinstance(fact, HangupHeard)
    assert fact.by == "PJSIP/1001-00000001"


@pytest.mark.parametrize(
    "row",
    [
        "1795410243|NONE|NONE|NONE|QUEUESTART|",
        "1795410243|NONE|mayor|1001|PAUSE|lunch",
        "1795410243|mianyang-1-1|mayor|1001|SYSCOMPAT",
    ],
)
def test_rows_of_queue_log_about_no_call_tell_nothing(row: str) -> None:
    assert queue_log.parse(row.encode(), SYSTEM) is None


@pytest.mark.parametrize("row", ["", "1795410243", "a|b|c|d|CONNECT", "1795410243|x|mayor|1001|"])
def test_torn_rows_of_queue_log_are_bad(row: str) -> None:
    with pytest.raises(BadRow):
        queue_log.parse(row.encode(), SYSTEM)


def test_queue_log_names_the_operator_and_his_channel() -> None:
    fact = queue_log.parse(b"1795410244|u.0|mayor|PJSIP/1001|CONNECT|1|u.1|0", SYSTEM)
    assert isinstance(fact, OperatorConnected)
    assert (fact.operator, fact.operator_unique_id, fact.linked_id) == ("1001", "u.1", None)
    short = queue_log.parse(b"1795410244|u.0|mayor|1001|CONNECT", SYSTEM)
    assert isinstance(short, OperatorConnected)
    assert short.operator_unique_id is None


# ---- the taps of captions ----


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_channel_that_carries_sound_to_captions_tells_nothing(name: str) -> None:
    """It belongs to no call: neither AMI, nor the files, nor a snapshot speak of it."""
    tap = f"{TAP_PREFIX}6f0c6d0a2c524f0f9c8e3c1f1f0f9c55"
    assert ami(name, Uniqueid=tap, Linkedid=tap) is None
    ids = f'"{tap}","{tap}"'
    row = f'"CHAN_START","1795410244.1","","","s","default","AudioSocket/a","","",{ids},"",""'
    assert cel.parse(row.encode(), SYSTEM) is None
    assert cel.parse(row.replace(TAP_PREFIX, "x-").encode(), SYSTEM) is not None


# ---- AMI ----


def ami(name: str, **keys: str | list[str]) -> Fact | None:
    told: dict[str, str | list[str]] = {"Uniqueid": "u.1", "Linkedid": "u.0", **keys}
    return translate(Event(name, told), system=SYSTEM, received_at=NINE)


@given(
    name=st.sampled_from(sorted(EVENTS)) | st.text(),
    keys=st.dictionaries(
        st.sampled_from(["Uniqueid", "Linkedid", "Timestamp", "DestUniqueid", "Cause", "Queue"])
        | st.sampled_from(["Channel", "CallerIDNum", "Interface", "AppData", "Application"])
        | st.sampled_from(["BridgeUniqueid", "UserEvent", "Status", "Exten", "DestChannel"]),
        st.text(),
    ),
)
def test_no_event_however_odd_raises(name: str, keys: dict[str, str]) -> None:
    fact = translate(Event(name, keys), system=SYSTEM, received_at=NINE)
    assert fact is None or fact.at.tzinfo is not None


def test_the_exchange_s_clock_is_used_and_ours_only_without_it() -> None:
    told = ami("Hangup", Timestamp="1795410308.5")
    silent = ami("Hangup")
    assert told is not None
    assert silent is not None
    assert told.at.timestamp() == pytest.approx(1795410308.5)
    assert silent.at == NINE


def test_every_fact_has_one_name_in_the_database() -> None:
    assert {kind.__name__ for kind in FACTS.values()} == {k.__name__ for k in Fact.__subclasses__()}


def test_every_event_that_is_translated_passes_the_exchange_s_filter() -> None:
    from deploy.asterisk.render import EVENTS as LET_THROUGH  # noqa: PLC0415 - only here

    assert set(LET_THROUGH) >= EVENTS


def test_only_our_own_user_event_is_believed() -> None:
    assert isinstance(
        ami("UserEvent", UserEvent="HotlineUnanswered", Status="TIMEOUT"), QueueGaveUp
    )
    assert ami("UserEvent", UserEvent="Other") is None
    assert ami("UserEvent", UserEvent=["HotlineUnanswered", "x"]) is None


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_row_is_read(name: str) -> None:
    table = recorded(name)
    for line in (*table.cel_lines,):
        cel.parse(line, SYSTEM)
    for line in table.queue_log_lines:
        queue_log.parse(line, SYSTEM)
    assert len(table.cel) >= len(table.cel_lines) // 2


# ---- snapshot ----


def test_a_snapshot_tells_who_waits_and_who_talks_with_whom() -> None:
    def channel(unique_id: str, name: str, context: str) -> dict[str, str]:
        keys = {"Uniqueid": unique_id, "Linkedid": "u.0", "Channel": name, "Context": context}
        return {**keys, "Exten": "12345", "CallerIDNum": "13800001111", "Duration": "00:01:05"}

    caller = channel("u.0", "PJSIP/trunk-1", "from-trunk")
    operator = channel("u.1", "PJSIP/1001-2", "from-operator")
    waiting = {"Uniqueid": "u.0", "Queue": "mayor", "Wait": "60", "Channel": "PJSIP/trunk-1"}
    bridge = Bridge(
        bridge_id="b",
        item=Event("BridgeListItem", {"BridgeTechnology": "simple_bridge"}),
        channels=tuple(Event("BridgeInfoChannel", keys) for keys in (caller, operator)),
    )
    facts = facts_in(snapshot((caller, operator), bridges=(bridge,), waiting=(waiting,)))
    assert [type(fact).__name__ for fact in facts] == [
        *("ChannelStarted", "ChannelStarted", "QueueJoined", "BridgeEntered", "BridgeEntered"),
        "SnapshotTaken",
    ]
    started, _, joined, *_, taken = facts
    assert (NINE - started.at).total_seconds() == 65
    assert (NINE - joined.at).total_seconds() == 60
    assert isinstance(joined, Fact)
    assert joined.linked_id == "u.0"
    assert isinstance(taken, SnapshotTaken)
    assert taken.channels == {"u.0", "u.1"}


def test_an_exchange_that_refuses_its_channels_has_not_lost_them() -> None:
    assert facts_in(snapshot((), missing=("CoreShowChannels: Permission denied",))) == []
    (empty,) = facts_in(snapshot(()))
    assert isinstance(empty, SnapshotTaken)


def snapshot(
    channels: tuple[dict[str, str], ...],
    *,
    bridges: tuple[Bridge, ...] = (),
    waiting: tuple[dict[str, str], ...] = (),
    missing: tuple[str, ...] = (),
) -> Snapshot:
    return Snapshot(
        system=SYSTEM,
        generation=1,
        taken_at=NINE,
        exchange_started=None,
        restarted=False,
        channels=tuple(Event("CoreShowChannel", keys) for keys in channels),
        statuses=(),
        bridges=bridges,
        queues=(),
        members=(),
        waiting=tuple(Event("QueueEntry", keys) for keys in waiting),
        missing=missing,
    )


# ---- names and numbers ----


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("13812345678", "13812345678"),
        ("+86 138-1234-5678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("8613812345678", "13812345678"),
        ("08162345678", "08162345678"),
        ("<unknown>", ""),
        ("Anonymous", ""),
        ("", ""),
        ("1' OR 1=1 --", "1OR11"),
        ("1\r\nEvent: Hangup", "1EventHangup"),
        ("9" * 100, "9" * 40),
    ],
)
def test_one_person_s_number_has_one_form(text: str, number: str) -> None:
    assert number_of(text) == number


@given(text=st.text())
def test_cleaned_text_is_printable_and_short(text: str) -> None:
    assert clean(text, 20).isprintable()
    assert len(name_of(text * 10)) <= 120


@pytest.mark.parametrize(
    ("channel", "operator"),
    [
        ("PJSIP/1001-00000002", "1001"),
        ("Local/1001@agents-00000001;1", "1001"),
        ("SIP/door-west-00000002", "door-west"),
        ("", ""),
        ("odd", ""),
    ],
)
def test_the_operator_is_in_the_channel_s_name(channel: str, operator: str) -> None:
    assert operator_of(channel) == operator


@pytest.mark.parametrize(
    ("interface", "operator"),
    [("PJSIP/1001", "1001"), ("Local/1001@agents/n", "1001"), ("1001", "1001"), ("", "")],
)
def test_the_operator_is_in_the_member_s_interface(interface: str, operator: str) -> None:
    assert operator_at(interface) == operator


@pytest.mark.parametrize(
    ("data", "files"),
    [
        ("both.wav,r(a.wav)t(b.wav),touch", ("a.wav", "b.wav")),
        ("both.wav,bt(/var/b.wav)", ("", "/var/b.wav")),
        ("both.wav", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_recordings_are_in_mixmonitor_s_options(data: str, files: tuple[str, str]) -> None:
    assert recording_files(data) == files
