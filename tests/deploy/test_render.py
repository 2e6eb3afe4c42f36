"""The configuration files as text: what must be in them and what must never be."""

import configparser
import re
import wave
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.render import EVENTS, control_dir, event_filter, files, render
from deploy.asterisk.secrets import Secrets, load_or_create
from deploy.errors import ExchangeInvalid
from deploy.portable import Tool

SECRETS = Secrets(
    reader="reader-secret", actor="actor-secret", operators={"1001": "phone-1", "1002": "phone-2"}
)
TOOL = Tool(name="asterisk", argv=("asterisk",), version="22.10.1", prefix=None)


def exchange(folder: Path = Path("/srv/x")) -> Exchange:
    return Exchange(
        system="mianyang-1",
        run_dir=folder,
        sip_port=5070,
        ami_port=5048,
        rtp_ports=(21000, 21199),
        trunk_match=("10.1.0.5", "10.2.0.0/24"),
        lines=(
            Line(name="mayor", number="12345", operators=("1001", "1002")),
            Line(name="duty", number="222", operators=("1002",), answer="by_operator"),
        ),
        operators=(
            Operator(extension="1001", contact="sip:1001@127.0.0.1:5071"),
            Operator(extension="1002", secret="given-secret"),
        ),
    )


def sections(text: str, name: str) -> list[dict[str, str]]:
    """Return every section of that name, as Asterisk allows one name for several objects."""
    found = []
    for block in re.split(r"^(?=\[)", text, flags=re.MULTILINE):
        if block.startswith(f"[{name}]"):
            parser = configparser.ConfigParser(
                strict=False, interpolation=None, delimiters=("=",), comment_prefixes=(";",)
            )
            parser.read_string(block)
            found.append(dict(parser[name]))
    return found


def test_no_placeholder_is_left_and_nothing_is_left_out() -> None:
    rendered = files(exchange(), TOOL, SECRETS)
    for name, text in rendered.items():
        assert not re.search(r"@\w+@", text), name
    assert rendered == files(exchange(), TOOL, SECRETS)


def test_no_call_from_the_trunk_can_leave() -> None:
    rendered = files(exchange(), TOOL, SECRETS)
    trunk = sections(rendered["pjsip.conf"], "trunk")
    assert trunk[0]["context"] == "from-trunk"
    assert trunk[0]["allow_transfer"] == "no"
    assert all("aors" not in section for section in trunk)
    dialplan = rendered["extensions.conf"]
    from_trunk = dialplan.split("[from-trunk]")[1].split("[from-operator]")[0]
    code = [line for line in from_trunk.splitlines() if not line.startswith(";")]
    assert {m[1] for line in code if (m := re.match(r"exten => ([^,]+),", line))} == {
        "12345",
        "222",
    }
    called = re.compile(r",(?:1|n)(?:\(\w+\))?,(\w+)\(")
    applications = {m[1] for line in code if (m := called.search(line))}
    assert applications.isdisjoint({"Dial", "Goto", "System", "Originate", "TrySystem", "AGI"})
    assert not re.search(r"include|switch|_[XZN.!]", "\n".join(code))
    dialled = re.findall(r"Dial\(([^),]+)", dialplan)
    assert dialled == ["PJSIP/1001", "PJSIP/1002"]


def whole_city(folder: Path = Path("/srv/x")) -> Exchange:
    """Everything a line can do, at once."""
    mayor = Line(
        name="mayor",
        number="12345",
        operators=("1001",),
        second_group=("1002",),
        notice=folder / "notice.wav",
        tells_place=True,
        takes_message=True,
        survey=True,
        redial_within=300,
        urgent_callers=("110", "119", "120"),
    )
    return replace(exchange(folder), lines=(mayor,), block_list=True, calls_per_caller=3)


def test_a_line_in_full_opens_no_way_out_either() -> None:
    dialplan = files(whole_city(), TOOL, SECRETS)["extensions.conf"]
    from_trunk = dialplan.split("[from-trunk]")[1].split("[from-operator]")[0]
    code = [line for line in from_trunk.splitlines() if not line.startswith(";")]
    assert [m[1] for line in code if (m := re.match(r"exten => ([^,]+),", line))] == ["12345"]
    called = re.compile(r",(?:1|n)(?:\(\w+\))?,(\w+)\(")
    applications = {m[1] for line in code if (m := called.search(line))}
    ways = {"Dial", "Goto", "Gosub", "System", "TrySystem", "Originate", "AGI", "Exec", "Bridge"}
    assert applications.isdisjoint(ways)
    assert not re.search(r"include|switch|_[XZN.!]|SHELL|EVAL|CURL", "\n".join(code))
    # What the caller sends is read once, and only its digits are kept.
    assert dialplan.count("CALLERID") == 1
    assert "Set(CALLER=${FILTER(0-9,${CALLERID(num)})})" in dialplan
    assert "EXTEN" not in "".join(code)


@pytest.mark.parametrize("version", ["18.10.0", "20.6.0", "22.10.1"])
def test_the_rule_of_who_insists_is_where_the_version_reads_it(version: str) -> None:
    old = version.startswith(("18", "20"))
    dialplan = files(whole_city(), replace(TOOL, version=version), SECRETS)["extensions.conf"]
    assert f"Queue(mayor,rc,,,60{',,,,' if old else ',,,'}${{RULE}})" in dialplan


def test_a_missing_announcement_is_said_before_any_call_needs_it(tmp_path: Path) -> None:
    described = replace(whole_city(tmp_path / "run"), sounds=tmp_path)
    described = replace(described, lines=(replace(described.lines[0], notice=None),))
    with pytest.raises(ExchangeInvalid, match="queue-youarenext"):
        render(described, TOOL, SECRETS)


def test_nothing_a_caller_sends_is_used_in_the_dialplan() -> None:
    dialplan = files(exchange(), TOOL, SECRETS)["extensions.conf"]
    variables = set(re.findall(r"\$\{(\w+)", dialplan))
    assert variables == {"UNIQUEID", "QUEUESTATUS"}


@pytest.mark.parametrize(("number", "first"), [("12345", "Answer()"), ("222", "Progress()")])
def test_the_recording_starts_before_the_queue_and_without_a_mixed_file(
    number: str, first: str
) -> None:
    dialplan = files(exchange(), TOOL, SECRETS)["extensions.conf"]
    own = dialplan.split(f"exten => {number},1")[1].split("exten =>")[0]
    steps = re.findall(r"same => n(?:\(\w+\))?,(\w+\(.*)", own)
    assert steps[0] == first
    assert (
        steps[1] == "MixMonitor(,i(RECORDING)r(${UNIQUEID}-caller.wav)t(${UNIQUEID}-operator.wav))"
    )
    queue = next(place for place, step in enumerate(steps) if step.startswith("Queue("))
    between = [step for step in steps[2:queue] if not step.startswith("Set(QUEUE_MAX_PENALTY=1000")]
    probe = '$["${UNIQUEID:0:6}" = "probe-"]'
    assert between == [f"GosubIf({probe}?probe,enter,1({steps[queue][6:].split(',')[0]}))"]
    assert steps[queue + 1] == f"GotoIf({probe}?probe,left,1)"
    assert ("Answer()" in steps) == (first == "Answer()")


def test_a_test_call_and_a_citizen_never_meet_each_others_operators() -> None:
    rendered = files(exchange(), TOOL, SECRETS)
    lines, probe = rendered["extensions.conf"], rendered["extensions_probe.conf"]
    assert "[probe]" not in lines  # no context of callers or operators includes it
    assert not re.search(r"include\s*=>\s*probe", "".join(rendered.values()))
    assert lines.count("Set(QUEUE_MAX_PENALTY=1000)") == 2
    assert probe.count("PENALTY=2000)") == 2
    assert "Local/probe" not in rendered["queues.conf"]


def test_an_early_notice_does_not_answer_the_call(tmp_path: Path) -> None:
    described = replace(
        exchange(),
        lines=tuple(replace(line, notice=tmp_path / "n.wav") for line in exchange().lines),
    )
    dialplan = files(described, TOOL, SECRETS)["extensions.conf"]
    assert "Playback(/srv/x/sounds/notice-mayor)" in dialplan
    assert "Playback(/srv/x/sounds/notice-duty,noanswer)" in dialplan


def test_operators_register_or_have_an_address() -> None:
    pjsip = files(exchange(), TOOL, SECRETS)["pjsip.conf"]
    fixed, registering = sections(pjsip, "1001"), sections(pjsip, "1002")
    assert fixed[2]["contact"] == "sip:1001@127.0.0.1:5071"
    assert fixed[1]["password"] == "phone-1"
    assert registering[2]["max_contacts"] == "1"
    assert registering[1]["password"] == "given-secret"
    for section in (fixed[0], registering[0], sections(pjsip, "trunk")[0]):
        assert section["direct_media"] == "no"
        assert section["allow"] == "alaw,ulaw"
    assert sections(pjsip, "trunk")[1]["match"] == "10.2.0.0/24"
    assert "match = 10.1.0.5\n" in pjsip


def test_ami_listens_here_only_and_gives_the_least() -> None:
    manager = files(exchange(), TOOL, SECRETS)["manager.conf"]
    general, reader, actor = (sections(manager, n)[0] for n in ("general", "reader", "actor"))
    assert general["bindaddr"] == "127.0.0.1"
    assert general["webenabled"] == "no"
    for user in (reader, actor):
        assert user["deny"] == "0.0.0.0/0.0.0.0"
        assert user["permit"] == "127.0.0.1/255.255.255.255"
        assert user["writetimeout"] == "5000"
    assert reader["write"] == "reporting"
    assert actor["write"] == "originate,agent,call"
    assert "read" not in actor


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ("18.10.0~dfsg", False),
        ("20.6.0", False),
        ("20.11.0", True),
        ("21.5.0", False),
        ("22.0.0", False),
        ("22.10.1+dfsg", True),
        ("23.0.0", True),
        ("certified/18.9-cert1", False),
    ],
)
def test_the_event_filter_speaks_the_language_of_the_version(version: str, named: bool) -> None:  # noqa: FBT001
    lines = event_filter(version).splitlines()
    assert len(lines) == (len(EVENTS) if named else 1)
    if not named:
        pattern = re.compile(lines[0].removeprefix("eventfilter = "))
        assert pattern.search("Event: Hangup\r\nPrivilege: call,all\r\n")
        assert not pattern.search("Event: HangupHandlerRun\r\n")
        assert not pattern.search("Event: VarSet\r\nValue: Event: Hangup\r\n")


def wav(path: Path, rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(rate))
    return path


def test_an_announcement_is_copied_under_our_own_name(tmp_path: Path) -> None:
    strange = wav(tmp_path / "bad, name & more.wav", 8000)
    line = Line(name="mayor", number="1234", operators=(), notice=strange, sorry=strange)
    described = replace(exchange(tmp_path / "run"), lines=(line,))
    render(described, TOOL, SECRETS)
    for name in ("notice-mayor.wav", "sorry-mayor.wav"):
        assert (described.run_dir / "sounds" / name).read_bytes() == strange.read_bytes()
    assert "bad, name" not in (described.etc / "extensions.conf").read_text()
    assert described.cel_file.exists()
    assert described.queue_log_file.exists()


def empty(path: Path) -> Path:
    path.touch()
    return path


@pytest.mark.parametrize("make", [lambda p: wav(p, 16000), lambda p: p, empty])
def test_an_announcement_asterisk_cannot_play_is_refused(tmp_path: Path, make: object) -> None:
    assert callable(make)
    notice = make(tmp_path / "n.wav")
    line = Line(name="mayor", number="1234", operators=(), notice=notice)
    with pytest.raises(ExchangeInvalid, match=r"n\.wav") as caught:
        render(replace(exchange(tmp_path / "run"), lines=(line,)), TOOL, SECRETS)
    assert "\n" not in str(caught.value)


def test_a_second_rendering_keeps_the_records(tmp_path: Path) -> None:
    described = exchange(tmp_path / "run")
    render(described, TOOL, SECRETS)
    described.cel_file.write_text('"CHAN_START"\n')
    render(described, TOOL, SECRETS)
    assert described.cel_file.read_text() == '"CHAN_START"\n'


def test_the_control_socket_always_fits() -> None:
    long = exchange(Path("/srv") / ("x" * 200))
    assert len(str(control_dir(long))) < 100
    assert control_dir(long) == control_dir(long)
    assert control_dir(exchange()) == Path("/srv/x/run")


def test_secrets_are_made_once_and_grow_with_the_roster(tmp_path: Path) -> None:
    first = load_or_create(tmp_path, ["1001"])
    assert load_or_create(tmp_path, ["1001"]) == first
    second = load_or_create(tmp_path, ["1001", "1002"])
    assert second.reader == first.reader
    assert second.operators["1001"] == first.operators["1001"]
    assert set(second.operators) == {"1001", "1002"}
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert load_or_create(tmp_path / "other").reader != first.reader


@pytest.mark.parametrize("text", ["", "[]", '{"reader": ', '{"operators": 3}'])
def test_a_damaged_secrets_file_is_said_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(ExchangeInvalid, match=r"secrets\.json"):
        load_or_create(tmp_path)
