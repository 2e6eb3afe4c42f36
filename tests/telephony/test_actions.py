"""What goes to the exchange: as it was meant, or refused in one sentence."""

from __future__ import annotations

import copy

import pytest
from asterisk.ami.action import Action

from telephony.actions import encode, login
from telephony.errors import UnsafeAction
from tests.telephony.test_ami import LINE_BREAKERS

FORBIDDEN = ["\r", "\n", "\0", *LINE_BREAKERS, "\x7f", "\x9b", "\ud800"]


@pytest.mark.parametrize("bad", FORBIDDEN)
def test_control_and_line_separator_characters_are_refused_everywhere(bad: str) -> None:
    for action in (
        Action("Originate", {"Channel": f"x{bad}Application: System"}),
        Action("Originate", {f"Chan{bad}nel": "x"}),
        Action(f"Orig{bad}inate"),
        Action("Originate", {}, {"A": f"1{bad}Application: System"}),
        Action("Originate", {}, {f"A{bad}": "1"}),
    ):
        with pytest.raises(UnsafeAction) as refused:
            encode(action, "1")
        assert "\n" not in str(refused.value)
    with pytest.raises(UnsafeAction):
        encode(Action("Ping"), f"1{bad}")
    with pytest.raises(UnsafeAction) as told:
        encode(login("reader", f"s3cret{bad}", None), "1")
    assert "s3cret" not in str(told.value)


def test_actions_the_exchange_would_misread_are_refused() -> None:
    for action, why in (
        (Action("X", {f"H{n}": "v" for n in range(127)}), "129 headers"),
        (Action("X", {"H": "v" * 1_020}), "1024 bytes"),
        (Action("X", {"H": "张" * 340}), "1024 bytes"),
        (Action("X", {"H": ["a", "b"]}), "must be one text or number"),
        (Action("X", {"H: y": "v"}), "not a name"),
        (Action("X", {"": "v"}), "not a name"),
        (Action("X", {"actionid": "9"}), "its own name or number"),
        (Action("X", {"Action": "Command"}), "its own name or number"),
        (Action("X", {}, {"A": "1,B=2"}), "comma"),
        (Action("X", {}, {"A=B": "1"}), "needs a name"),
        (Action("X", {}, {"": "1"}), "needs a name"),
    ):
        with pytest.raises(UnsafeAction, match=why):
            encode(action, "1")
    assert encode(Action("X", {f"H{n}": "v" for n in range(126)}), "1").count(b"\r\n") == 129
    assert len(encode(Action("X", {"H": "v" * 1_019}), "1").split(b"\r\n")[2]) == 1_022


def test_an_action_on_the_wire() -> None:
    action = Action("Originate", {"Channel": "PJSIP/1001", "Timeout": 30}, {"CASE": "12 号"})
    assert encode(action, "hotline-1-7").decode() == (
        "Action: Originate\r\nActionID: hotline-1-7\r\nChannel: PJSIP/1001\r\nTimeout: 30\r\n"
        "Variable: CASE=12 号\r\n\r\n"
    )


def test_login_with_and_without_a_challenge() -> None:
    plainly = login("reader", "s3cret", None)
    assert plainly.keys == {"Username": "reader", "Secret": "s3cret", "Events": "on"}
    proof = login("reader", "s3cret", "168426532")
    assert proof.keys == {
        "Username": "reader",
        "AuthType": "MD5",
        "Key": "1659e19377b705b9e4fa3cd1f3d3a040",
        "Events": "on",
    }


def test_a7_an_action_is_encoded_without_being_changed() -> None:
    with pytest.raises(KeyError):
        hasattr(Action("Ping"), "anything")  # the library's fault, which we must live with
    with pytest.raises(RecursionError):
        copy.copy(Action("Ping"))
    action = Action("Originate", {"Channel": "PJSIP/1001"}, {"A": "1"})
    assert encode(action, "7") == encode(action, "7")
    assert "ActionID" not in action.keys
