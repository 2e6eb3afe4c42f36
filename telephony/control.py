"""What an operator can do with a call, as actions of the exchange's manager interface.

Each method is one thing a person wants; it returns when the exchange has taken the order, and
raises one sentence when it has not. The connection is the AMI user `actor`, whose classes are
named with their reasons in deploy/asterisk/templates/manager.conf. Who may do what is decided by
the caller of this file; here only shapes are checked, so that nothing hostile reaches a dialplan.
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from asterisk.ami.response import Response

from telephony.call import DIAL_PREFIX, TAP_PREFIX
from telephony.errors import ControlRefused
from telephony.live import LiveChannel
from telephony.text import BROWSER

CONTROL = "control"
TRANSFER = "control-transfer"
CONSULT = "control-consult"
OUTBOUND = "outbound"
RING_SECONDS = 30
TAP_SECONDS = 5
LOST = "44"
"""The cause (Q.850: channel not available) by which the exchange itself gives up a silent leg."""
_NOBODY = "nobody"
"""Whom an operator waits for who has given the caller away: then his telephone is free at once."""
_SEAT = re.compile(r"[0-9]{2,8}\Z", re.ASCII)
_NUMBER = re.compile(r"[0-9]{2,20}\Z", re.ASCII)
_CHANNEL = re.compile(r"[A-Za-z]+/[\w@.;+-]{1,80}\Z", re.ASCII)
_ADDRESS = re.compile(r"(\[[0-9a-f:.]+\]|[0-9.]+):[0-9]{1,5}\Z", re.ASCII)
_UNIQUE_ID = re.compile(r"[\w.-]{1,80}\Z", re.ASCII)
_ORDER = re.compile(rf"{DIAL_PREFIX}[0-9a-z-]{{1,60}}\Z", re.ASCII)
_LINE = re.compile(r"[a-z][a-z0-9_-]{0,31}\Z", re.ASCII)


class Actor(Protocol):
    """Whoever can order the exchange about: the connection of the user `actor`."""

    async def action(
        self,
        name: str,
        headers: Mapping[str, str] | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> Response:
        """The answer to one action."""


class Ear(StrEnum):
    """How a supervisor takes part in a call: unheard, heard by the operator, heard by both."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"


# q: no announcement; u: exactly this channel; E: over when the channel is; w, B: who hears.
_SPY = {Ear.LISTEN: "quE", Ear.WHISPER: "quEw", Ear.BARGE: "quEB"}
# o: only what comes from this channel; S: over when there is nothing to hear.
_TAP = "uqoES"


class CallControl:
    """Acts on the calls of one exchange; keeps no state, so a restart forgets nothing.

    Every method raises:
        ControlRefused: an argument has a shape the exchange must never see; nothing was sent.
        NotConnected, ActionRefused: nothing happened. ActionLost, ActionTimeout: it may have.
    """

    def __init__(self, actor: Actor, *, number: str, browsers: Collection[str] = ()) -> None:
        """`number` is the hotline's own: what every outside telephone is shown.

        `browsers` are the seats whose telephone in the browser is rung, and not the desk's.
        """
        self._actor = actor
        self._number = _number(number)
        self._browsers = browsers

    async def dial(self, seat: str, number: str, *, order: str = "") -> None:
        """Ring the operator's telephone; when it is picked up, call the outside number.

        `order` is the id that the call shall have: it begins with `DIAL_PREFIX`.
        """
        await self._originate(
            self._telephone(seat),
            {"Context": OUTBOUND, "Exten": _number(number), "Priority": "1"},
            {"HOTLINE_OPERATOR": _seat(seat)},
            order=order,
        )

    async def relay(self, seat: str, first: str, then: str, *, order: str = "") -> None:
        """Ring one outside number, then connect it with another; neither sees the other's."""
        await self._originate(
            f"Local/{_number(first)}@{OUTBOUND}/n",
            {"Context": OUTBOUND, "Exten": _number(then), "Priority": "1"},
            {"HOTLINE_OPERATOR": _seat(seat)},
            order=order,
        )

    async def hold(self, caller: LiveChannel, operator: LiveChannel, line: str) -> None:
        """Part the two: the caller hears that he waits, the operator hears nothing."""
        await self._tell_apart(caller, operator, line)
        await self._redirect(caller, CONTROL, "hold", also=(operator, CONTROL, "wait"))

    async def resume(self, caller: LiveChannel, with_: LiveChannel, line: str) -> None:
        """Bring the caller together with another leg: his operator, or whom he was given to."""
        await self._set(caller, "CONTROL_PEER", with_.name)
        await self._set(caller, "CONTROL_LINE", _line(line))
        await self._redirect(caller, CONTROL, "resume")

    async def transfer(
        self, caller: LiveChannel, operator: LiveChannel, target: str, line: str
    ) -> None:
        """Give the caller to another number at once; he comes back when nobody takes him.

        Only while the two are alone: of three, the exchange would transfer more than was meant.

        The recording and the captions are begun again by the dialplan (`recording-again` in
        extensions_control.conf says why), which costs the recording a tenth of a second. What no
        dialplan sees stays open: a third party at another seat who goes on alone with the caller,
        and an operator after three have spoken for over eleven minutes, may be missing in the
        recording for as long.
        """
        await self._set(caller, "CONTROL_LINE", _line(line))
        await self._set(caller, "HOTLINE_OPERATOR", _seat(operator.seat))
        await self._set(operator, "CONTROL_PEER", _NOBODY)
        await self._actor.action(
            "BlindTransfer",
            {"Channel": _channel(operator), "Context": TRANSFER, "Exten": _number(target)},
        )

    async def consult(
        self, caller: LiveChannel, operator: LiveChannel, target: str, line: str
    ) -> None:
        """Put the caller on hold and let the operator speak with another number first."""
        await self._tell_apart(caller, operator, line)
        await self._set(operator, "HOTLINE_OPERATOR", _seat(operator.seat))
        if caller.place == (CONTROL, "hold"):
            await self._redirect(operator, CONSULT, _number(target))
        else:
            also = (operator, CONSULT, _number(target))
            await self._redirect(caller, CONTROL, "hold", also=also)

    async def invite(self, caller: LiveChannel, seat: str, target: str, *, inside: bool) -> None:
        """Ring a third party, who joins caller and operator where they speak."""
        channel = self._telephone(target) if inside else f"Local/{_number(target)}@{OUTBOUND}/n"
        await self._originate(
            channel,
            {"Application": "BridgeAdd", "Data": _channel(caller)},
            {"HOTLINE_OPERATOR": _seat(seat)},
        )

    async def pick_up(self, seat: str, ringing: LiveChannel) -> None:
        """Ring this seat; when it is picked up, it has the call that rings at another."""
        await self._originate(
            self._telephone(seat), {"Application": "PickupChan", "Data": _channel(ringing)}, {}
        )

    async def attend(self, seat: str, operator: LiveChannel, ear: Ear) -> None:
        """Ring a supervisor's telephone, who then hears a call at the operator's side."""
        data = f"{_channel(operator)},{_SPY[ear]}"
        await self._originate(self._telephone(seat), {"Application": "ChanSpy", "Data": data}, {})

    async def hang_up(self, channel: LiveChannel) -> None:
        """End this leg; what becomes of the others is the exchange's own rule."""
        await self._actor.action("Hangup", {"Channel": _channel(channel), "Cause": "16"})

    async def let_go(self, channel: LiveChannel) -> None:
        """End a leg whose telephone is gone: the dialplan takes it for lost, not for hung up."""
        await self._actor.action("Hangup", {"Channel": _channel(channel), "Cause": LOST})

    def _telephone(self, seat: str) -> str:
        return f"PJSIP/{_seat(seat)}{BROWSER if seat in self._browsers else ''}"

    async def _tell_apart(self, caller: LiveChannel, operator: LiveChannel, line: str) -> None:
        await self._set(caller, "CONTROL_PEER", operator.name)
        await self._set(caller, "CONTROL_LINE", _line(line))
        await self._set(operator, "CONTROL_PEER", caller.name)

    async def _set(self, channel: LiveChannel, variable: str, value: str) -> None:
        if variable == "CONTROL_PEER" and value != _NOBODY:
            _check(_CHANNEL, value, "a channel")
        await self._actor.action(
            "Setvar", {"Channel": _channel(channel), "Variable": variable, "Value": value}
        )

    async def _redirect(
        self,
        channel: LiveChannel,
        context: str,
        exten: str,
        *,
        also: tuple[LiveChannel, str, str] | None = None,
    ) -> None:
        headers = {
            "Channel": _channel(channel),
            "Context": context,
            "Exten": exten,
            "Priority": "1",
        }
        if also is not None:
            other, other_context, other_exten = also
            headers |= {
                "ExtraChannel": _channel(other),
                "ExtraContext": other_context,
                "ExtraExten": other_exten,
                "ExtraPriority": "1",
            }
        await self._actor.action("Redirect", headers)

    async def _originate(
        self, channel: str, to: Mapping[str, str], variables: Mapping[str, str], *, order: str = ""
    ) -> None:
        headers = {
            "Channel": channel,
            "Async": "true",
            "Timeout": str(RING_SECONDS * 1000),
            "CallerID": f'"" <{self._number}>',
            **to,
        }
        if order:
            headers["ChannelId"] = _check(_ORDER, order, "the id of an order")
            if channel.startswith("Local/"):
                headers["OtherChannelId"] = f"{order}-2"
        await self._actor.action("Originate", headers, variables=variables)


async def tap(actor: Actor, leg: LiveChannel, address: str, tap_id: UUID) -> None:
    """Send what comes from this leg, and nothing else, to a caption port as 8 kHz sound.

    The tap ends with the leg, when its connection does, or when the dialplan begins the recording
    again; neither the call nor its recording takes notice of it. A Local channel in between would
    delay the hangup by two seconds.

    Raises:
        As the methods of `CallControl` do.
    """
    _check(_ADDRESS, address, "an address")
    name, place = f"AudioSocket/{address}-{tap_id}", f"AudioSocket/{address}/{tap_id}/c(slin)"
    await actor.action(
        "Setvar", {"Channel": _channel(leg), "Variable": "CAPTION_TAP", "Value": name}
    )
    data = f"{_check(_UNIQUE_ID, leg.unique_id, 'the id of a channel')},{_TAP}"
    await actor.action(
        "Originate",
        {
            "Channel": place,
            "ChannelId": f"{TAP_PREFIX}{tap_id.hex}",
            "Application": "ChanSpy",
            "Data": data,
            "Async": "true",
            "Timeout": str(TAP_SECONDS * 1000),
        },
    )


def _seat(text: str) -> str:
    return _check(_SEAT, text, "a seat's extension")


def _number(text: str) -> str:
    return _check(_NUMBER, text, "a telephone number of 2 to 20 digits")


def _line(text: str) -> str:
    return _check(_LINE, text, "a line's name")


def _channel(channel: LiveChannel) -> str:
    return _check(_CHANNEL, channel.name, "a channel")


def _check(pattern: re.Pattern[str], text: str, what: str) -> str:
    if pattern.match(text) is None:
        raise ControlRefused(f"{text!r} is not {what}; nothing was sent to the exchange.")
    return text
