"""The way out and the ways of call control, as text: what is there and what never is."""

import re
from pathlib import Path
from typing import Any

import pytest

from deploy.asterisk.config import Exchange, Line, Operator
from deploy.asterisk.control_plan import control_files
from deploy.asterisk.outbound import Outbound
from deploy.errors import ExchangeInvalid

WAY_OUT = Outbound(contact="sip:10.0.0.1:5060", number="12345", allowed=("1XXXXXXXXXX",))


def exchange(outbound: Outbound | None) -> Exchange:
    return Exchange(
        system="mianyang-1",
        run_dir=Path("/srv/x"),
        sip_port=5070,
        ami_port=5048,
        rtp_ports=(21000, 21199),
        lines=(
            Line(name="mayor", number="12345", operators=("1001",), survey=True),
            Line(name="duty", number="222", operators=("1001",)),
        ),
        operators=(Operator(extension="1001"), Operator(extension="1002")),
        outbound=outbound,
    )


def contexts(text: str) -> dict[str, str]:
    parts = re.split(r"^\[([\w-]+)\]$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_without_an_outgoing_trunk_nothing_leads_outside() -> None:
    rendered = control_files(exchange(None))
    found = contexts(rendered["extensions_control.conf"])
    for name in ("outbound", "emergency"):
        assert "exten" not in found[name]
    assert re.findall(r"exten => ([^,]+),1", found["control-transfer"]) == ["1001", "1002"]
    assert "type = endpoint" not in rendered["pjsip_outbound.conf"]


def test_only_whole_numbers_of_the_list_leave_and_nothing_is_left_to_a_wildcard() -> None:
    text = control_files(exchange(WAY_OUT))["extensions_control.conf"]
    assert not re.search(r"@\w+@", text)
    assert not re.search(r"exten => _[^,]*[.!\[]", text)
    found = contexts(text)
    way_out = re.findall(r"exten => ([^,]+),1", found["outbound"])
    assert way_out == ["_1XXXXXXXXXX", "110", "119", "120"]
    assert re.findall(r"exten => ([^,]+),1", found["emergency"]) == ["110", "119", "120"]
    outside = [line for line in text.splitlines() if "@outbound," in line and "Dial(" in line]
    assert len(outside) == 2
    assert all("${FILTER(0-9,${ARG1})}@outbound" in line for line in outside)


def test_a_lost_citizen_returns_to_his_line_and_a_finished_one_to_its_survey() -> None:
    control = contexts(control_files(exchange(None))["extensions_control.conf"])["control"]
    again = "Gosub(recording-again,s,1)\n same => n,"
    assert f"exten => lost-mayor,1,{again}Queue(mayor," in control
    assert "Goto(from-trunk,222,gave_up)" in control
    assert re.findall(r'"\$\{CONTROL_LINE\}" = "(\w+)"', control) == ["mayor"]


def test_whoever_may_speak_to_a_citizen_anew_is_recorded_anew() -> None:
    found = contexts(control_files(exchange(WAY_OUT))["extensions_control.conf"])
    steps = [step for step in found["control"].splitlines() if not step.startswith(";")]
    begins = [n for n, step in enumerate(steps) if re.search(r",(Dial|Bridge|Queue)\(", step)]
    assert len(begins) >= 4
    assert all("Gosub(recording-again,s,1)" in steps[n - 1] for n in begins)
    given = re.findall(r"exten => [^,]+,1,(\w+\([\w-]+)", found["control-transfer"])
    assert set(given) == {"Gosub(recording-again"}


def test_the_outgoing_trunk_shows_the_hotline_and_tells_nobodys_number() -> None:
    text = control_files(exchange(WAY_OUT))["pjsip_outbound.conf"]
    for line in (
        *("from_user = 12345", "send_pai = no", "send_rpid = no", "send_connected_line = no"),
        *("allow_transfer = no", "context = nowhere", "contact = sip:10.0.0.1:5060"),
    ):
        assert line in text
    assert "password" not in text
    known = Outbound(contact="sip:10.0.0.1", number="12345", username="city", secret="s3cr3t-w0rd")
    assert "password = s3cr3t-w0rd" in control_files(exchange(known))["pjsip_outbound.conf"]
    assert "s3cr3t" not in repr(known)


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact": "sip:10.0.0.1\n[x]"},
        {"contact": "tel:110"},
        {"number": "abc"},
        {"allowed": ("X",)},
        {"allowed": ("XXXXXXXX",)},
        {"allowed": ("1.",)},
        {"allowed": ("1!",)},
        {"allowed": ("[12]XXXX",)},
        {"emergency": ("1XX",)},
        {"secret": "a\nb"},
        {"calls_per_operator": 0},
        {"longest_seconds": 0},
    ],
)
def test_a_way_out_that_could_be_misread_is_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"contact": "sip:10.0.0.1:5060", "number": "12345", **wrong}
    with pytest.raises(ExchangeInvalid) as refused:
        Outbound(**given)
    assert "a\nb" not in str(refused.value)
