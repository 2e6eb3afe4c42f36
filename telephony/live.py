"""Who is on a call at this moment, asked of the exchange itself.

Whoever is about to act on a call must know its channels as they are now, not as the last event
told them; the exchange is asked then, and the answer is used at once. Pure but for the asking.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from asterisk.ami.event import Event

from telephony.events import LinkedId, UniqueId
from telephony.snapshot import Asker
from telephony.text import operator_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveChannel:
    """One leg of a call: a telephone, or the way to one."""

    name: str
    unique_id: UniqueId
    linked_id: LinkedId
    bridge: str
    """The bridge it speaks in; empty while it rings, waits or is on hold."""
    state: str
    """The exchange's own word: Ring, Ringing, Up."""
    place: tuple[str, str] = ("", "")
    """Context and extension of the dialplan."""

    @property
    def seat(self) -> str:
        """The endpoint the leg belongs to: an operator's extension, or a trunk's name."""
        return operator_of(self.name)

    @property
    def is_up(self) -> bool:
        """Whether its telephone was picked up."""
        return self.state == "Up"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """A caller who is here now, and the legs that belong to his call."""

    caller: LiveChannel
    others: tuple[LiveChannel, ...]

    @property
    def is_on_hold(self) -> bool:
        """Whether the caller waits because somebody put him on hold."""
        return self.caller.place == ("control", "hold")

    def at_seat(self, seat: str) -> LiveChannel | None:
        """The leg of this seat, the one that was picked up before one that only rings."""
        mine = [leg for leg in self.others if leg.seat == seat]
        return max(mine, key=lambda leg: leg.is_up, default=None)

    def speaking(self) -> tuple[LiveChannel, ...]:
        """The legs that are in one bridge with the caller."""
        where = self.caller.bridge
        return tuple(leg for leg in self.others if where and leg.bridge == where)


async def live_channels(asker: Asker) -> tuple[LiveChannel, ...]:
    """Every channel of the exchange as it is now.

    Raises:
        ActionError: the exchange did not tell.
    """
    listing = await asker.list_action("CoreShowChannels")
    return tuple(_channel(event) for event in listing.events if event.name == "CoreShowChannel")


def live_call(channels: Iterable[LiveChannel], caller: UniqueId | LinkedId) -> LiveCall | None:
    """The call of the caller with this unique id; None when he is gone.

    A call's linked id is its first channel's unique id, so either names the caller. Legs belong to
    the call when they bear its linked id as it is now, or are in the caller's bridge.
    """
    everybody = tuple(channels)
    found = next((channel for channel in everybody if channel.unique_id == caller), None)
    if found is None:
        return None
    others = tuple(
        channel
        for channel in everybody
        if channel is not found
        and (
            channel.linked_id == found.linked_id
            or (found.bridge and channel.bridge == found.bridge)
        )
    )
    return LiveCall(caller=found, others=others)


def _channel(event: Event) -> LiveChannel:
    def told(key: str) -> str:
        return str(event.keys.get(key) or "")

    return LiveChannel(
        name=told("Channel"),
        unique_id=UniqueId(told("Uniqueid")),
        linked_id=LinkedId(told("Linkedid")),
        bridge=told("BridgeId"),
        state=told("ChannelStateDesc"),
        place=(told("Context"), told("Exten")),
    )
