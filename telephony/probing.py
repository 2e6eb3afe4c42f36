"""Places a test call into a line from inside, and judges what became of it.

Both halves of the call bear ids of our own making (`ChannelId`, `OtherChannelId` of Originate), so
its caller is known by the id alone, in every file and after every crash. The dialplan it goes
through, and why it rings nobody, is told in deploy/asterisk/templates/extensions_probe.conf.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from telephony.call import PROBE_PREFIX
from telephony.control import Actor
from telephony.errors import ControlRefused

MEMBER = "Local/probe@probe/n"
"""Who answers test calls: a member of a line's queue for as long as one lasts, and no person."""
SPOKEN = timedelta(seconds=2)
"""So much of the member's tone must be recorded; it lasts 4 s."""
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}\Z", re.ASCII)
_CALLER = re.compile(r"probe-[0-9a-z-]{1,60}\Z", re.ASCII)


class Stage(StrEnum):
    """How far a test call got; each is further than the one before."""

    NONE = "none"
    ENTERED = "entered"
    QUEUED = "queued"
    ANSWERED = "answered"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What became of one recorded side: its state, its length, and what was remarked."""

    leg: str
    state: str
    seconds: float | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A test call as it is in the record."""

    started_at: datetime
    queued_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    sounds: tuple[Sound, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will become known of it."""
        over = self.ended_at is not None
        return over and not any(sound.state == "expected" for sound in self.sounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How far it got, and one sentence where that was not the whole way."""

    stage: Stage
    reason: str | None
    seconds: float | None
    """From its first moment, the notice included, to the answer."""

    @property
    def ok(self) -> bool:
        """Whether the line answers and records."""
        return self.reason is None


async def place(actor: Actor, caller: str, number: str, *, seconds: int) -> None:
    """Call a line's number from inside; `caller` becomes the id of the calling channel.

    Raises:
        ControlRefused: an argument has a shape the exchange must never see; nothing was sent.
        ActionError: NotConnected and ActionRefused mean that no call was placed.
    """
    for pattern, text in ((_CALLER, caller), (_NUMBER, number)):
        if pattern.match(text) is None:
            raise ControlRefused(f"{text!r} is no test call; nothing was sent to the exchange.")
    headers = {
        "Channel": f"Local/{number}@from-trunk/n",
        # No id may be the beginning of another: Asterisk takes them for the same (22.10, measured).
        "ChannelId": caller.replace(PROBE_PREFIX, f"{PROBE_PREFIX}ear-", 1),
        "OtherChannelId": caller,
        "Context": "probe",
        "Exten": "ear",
        "Priority": "1",
        "Async": "true",
        "Timeout": str(seconds * 1000),
    }
    await actor.action("Originate", headers)


def caller_id(word: str) -> str:
    """The id of a test call's calling channel, made of a word that was never used before."""
    return f"{PROBE_PREFIX}{word}"


def judge(seen: Seen | None) -> Verdict:
    """How far the test call got, by what the record holds of it when it is settled or time is up.

    The first thing that is missing is the one that is told.
    """
    if seen is None:
        return _failed(Stage.NONE, "No call came into the line: its number leads nowhere.")
    if seen.queued_at is None:
        return _failed(Stage.ENTERED, "It came in and never reached the queue.")
    if seen.answered_at is None:
        return _failed(Stage.QUEUED, "It waited in the queue and nobody took it.")
    seconds = (seen.answered_at - seen.started_at).total_seconds()
    if seen.ended_at is None:
        return _failed(Stage.ANSWERED, "It was answered and did not end.", seconds)
    silent = _not_recorded(seen)
    if silent is not None:
        return _failed(Stage.ANSWERED, silent, seconds)
    return Verdict(stage=Stage.RECORDED, reason=None, seconds=seconds)


def _not_recorded(seen: Seen) -> str | None:
    if not seen.sounds:
        return "It was answered and nothing was recorded."
    for sound in seen.sounds:
        if sound.state == "expected":
            return f"The recording of the {sound.leg} has not come."
        if sound.state != "stored" or sound.seconds is None:
            return f"The recording of the {sound.leg} is {sound.state}: {sound.reason}"
        if timedelta(seconds=sound.seconds) < SPOKEN:
            return f"The recording of the {sound.leg} holds only {sound.seconds:.1f} s."
    return None


def _failed(stage: Stage, reason: str, seconds: float | None = None) -> Verdict:
    return Verdict(stage=stage, reason=reason, seconds=seconds)
