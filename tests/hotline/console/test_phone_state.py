"""The telephone's states in the page, run as they are in the Node that builds the console."""

import json
import subprocess
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from deploy.setup import webapp

STATE = Path(str(resources.files("hotline.console") / "web" / "src" / "phone" / "state.ts"))
RUN = """
import { first, next } from %s;
const events = JSON.parse(process.argv[1]);
const views = [first(0)];
events.forEach((event, n) => views.push(next(views.at(-1), event, n + 1)));
console.log(JSON.stringify(views));
"""
LINKED = {"kind": "linked"}
LOST = {"kind": "unlinked", "problem": "no_network"}
RINGS = {"kind": "rings", "remote": "13800001111", "returned": False}
UP, HELD, RESUMED = {"kind": "up"}, {"kind": "held"}, {"kind": "resumed"}
OVER = {"kind": "over", "problem": None}
CLEARED = {"kind": "cleared"}
MUTED = {"kind": "muted", "on": True}


def views(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """What the page shows after each of these, the first being before any."""
    node = webapp.node_of(Path(sys.executable)) / "bin" / "node"
    script = RUN % json.dumps(STATE.as_uri())
    done = subprocess.run(  # noqa: S603 - the pinned Node and this file's script
        [node, "--input-type=module", "-e", script, json.dumps(events)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def states(*events: dict[str, Any]) -> list[str]:
    return [view["state"] for view in views(*events)]


@pytest.mark.parametrize(
    ("events", "shown"),
    [
        ([LINKED, LOST, LINKED], ["registered", "unregistered", "registered"]),
        (
            [LINKED, RINGS, UP, HELD, RESUMED, OVER, CLEARED],
            ["registered", "ringing", "talking", "held", "talking", "ended", "registered"],
        ),
        ([LINKED, RINGS, OVER], ["registered", "ringing", "ended"]),
        # The link goes and comes in a call: the call is not touched by it.
        ([LINKED, RINGS, UP, LOST, LINKED], ["registered", "ringing", *["talking"] * 3]),
        ([LINKED, RINGS, UP, LOST, OVER, CLEARED][3:], ["unregistered"] * 3),
        (
            [LINKED, RINGS, UP, LOST, OVER, CLEARED],
            ["registered", "ringing", "talking", "talking", "ended", "unregistered"],
        ),
        # A new call may ring before the last one was cleared away.
        ([LINKED, RINGS, OVER, RINGS], ["registered", "ringing", "ended", "ringing"]),
        # What fits no state changes nothing.
        ([UP, HELD, RESUMED, OVER, CLEARED, MUTED], ["unregistered"] * 6),
        ([LINKED, RINGS, HELD, RESUMED, RINGS], ["registered", *["ringing"] * 4]),
    ],
)
def test_each_event_leads_where_it_should(
    events: Sequence[dict[str, Any]], shown: Sequence[str]
) -> None:
    assert states(*events) == ["unregistered", *shown]


def test_since_is_when_the_state_began_and_not_when_something_else_changed() -> None:
    shown = views(LINKED, RINGS, UP, MUTED, LOST, LINKED, OVER)
    assert [view["since"] for view in shown] == [0, 1, 2, 3, 3, 3, 3, 7]
    assert [view["muted"] for view in shown[4:]] == [True, True, True, False]


def test_a_trouble_is_shown_until_it_is_over() -> None:
    gone = {"kind": "trouble", "problem": "microphone_lost"}
    back = {"kind": "well", "problem": "microphone_lost"}
    shown = views(LINKED, RINGS, UP, gone, back, gone, OVER, LOST, LINKED)
    told = [view["problem"] for view in shown[4:]]
    assert told == ["microphone_lost", None, "microphone_lost", None, "no_network", None]


def test_a_call_that_came_back_says_so_until_it_is_cleared_away() -> None:
    shown = views(LINKED, {**RINGS, "returned": True}, UP, OVER, CLEARED)
    assert [view["returned"] for view in shown] == [False, False, True, True, True, False]
    assert [view["remote"] for view in shown][2:] == [*["13800001111"] * 3, ""]
