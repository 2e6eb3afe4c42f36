"""SIPp scenarios are sound XML whose every jump has somewhere to land."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from deploy.demo.scenarios import Caller, Reply, caller_scenario, operator_scenario

AUDIO = Path("audio/a & b.al")
CALLERS = [
    Caller(number="12345", caller="13800000001", audio=AUDIO, talks_ms=1000),
    Caller(number="12345", caller="13800000001", audio=None),
    Caller(number="12345", caller="13800000001", audio=AUDIO, gives_up_ms=500),
    Caller(number="12345", caller="13800000001", audio=None, refused=True),
]
REPLIES = [
    Reply(caller="13800000001", audio=AUDIO),
    Reply(caller="13800000002", audio=AUDIO, talks_ms=1000),
    Reply(caller="13800000003", audio=None, rings_ms=None),
]
TEXTS = [*map(caller_scenario, CALLERS), operator_scenario(REPLIES)]


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - we wrote it ourselves


@pytest.mark.parametrize("text", TEXTS)
def test_every_jump_lands(text: str) -> None:
    scenario = parsed(text)
    labels = [label.get("id") for label in scenario.iter("label")]
    jumps = {
        goal
        for step in scenario
        for key in ("next", "ontimeout")
        if (goal := step.get(key)) is not None
    }
    assert jumps <= set(labels)
    assert len(labels) == len(set(labels))


def test_an_operator_picks_up_by_the_callers_number() -> None:
    scenario = parsed(operator_scenario(REPLIES))
    tests = [step.get("test") for step in scenario.iter("nop") if step.get("test")]
    assert tests == ["is0", "is1", "is2"]
    patterns = [found.get("regexp") or "" for found in scenario.iter("ereg")]
    assert [p for p in patterns if p.startswith("sip:138")] == [
        f"sip:{reply.caller}@" for reply in REPLIES
    ]


def test_only_who_gives_up_cancels() -> None:
    cancels = ["CANCEL sip:" in caller_scenario(caller) for caller in CALLERS]
    assert cancels == [False, False, True, False]


def test_a_cancel_bears_the_branch_of_its_invite() -> None:
    messages = [step.text or "" for step in parsed(caller_scenario(CALLERS[2])).iter("send")]
    branch = {
        message.split()[0]: next(
            line.split("branch=")[1] for line in message.splitlines() if "branch=" in line
        )
        for message in messages
        if "branch=" in message
    }
    assert branch["CANCEL"] == branch["INVITE"]
