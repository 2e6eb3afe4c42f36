"""What the facts say about channels, kept so that their order and repetition do not matter. Pure.

Channels with a common linked id, or in a common bridge, form a party; parties only ever grow
together (union), as Asterisk's linked ids do when calls are joined. Of each moment the best
telling is kept: an exact clock before a coarse one, the earliest of equals. So the same set of
facts gives the same party, however they were shuffled.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from telephony.call import Recording
from telephony.events import Fact, LinkedId, Source, UniqueId
from telephony.text import operator_of, technology_of

Moment = tuple[int, datetime]
"""(how coarse the clock is, at): the smaller is the better telling."""
_COARSE = {Source.AMI: 0, Source.CEL: 0, Source.SNAPSHOT: 1, Source.QUEUE_LOG: 2}
COARSEST = 2
"""Whole seconds, rounded down: good enough where nothing else is known in the end."""

# Ends of Asterisk's own making: nobody speaks there.
_NOBODY = frozenset(
    {"Local", "Announcer", "Recorder", "CBAnn", "CBRec", "Snoop", "AudioSocket", "Surrogate"}
)
_MOST_BRIDGES = 64
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def moment(fact: Fact) -> Moment:
    """When a fact was, with how exactly its source tells the time."""
    return (_COARSE[fact.source], fact.at)


def best(known: Moment | None, told: Moment) -> Moment:
    """The better of two tellings of one moment."""
    return told if known is None or told < known else known


class Channel:
    """One channel's story so far; as a caller it also waits, is answered and is recorded."""

    __slots__ = (
        "badge",
        "callee",
        "caller_file",
        "calls_for",
        "cause",
        "connected",
        "connected_to",
        "context",
        "done",
        "ended",
        "ended_live",
        "exten",
        "gave_up",
        "insisted",
        "left",
        "line",
        "message",
        "name",
        "number",
        "operator_file",
        "party",
        "queue",
        "queued",
        "recording",
        "recordings",
        "refused",
        "shown_name",
        "started",
        "started_live",
        "survey",
        "surveyed",
        "taken",
        "told",
        "unique_id",
    )

    def __init__(self, unique_id: UniqueId, party: "Party") -> None:
        self.unique_id = unique_id
        self.party = party
        self.name = ""
        self.started: Moment | None = None
        self.ended: Moment | None = None
        self.started_live = False
        self.ended_live = False
        self.number = ""
        self.shown_name = ""
        self.context = ""
        self.exten = ""
        self.line: str | None = None
        self.queue = ""
        self.queued: Moment | None = None
        self.left: Moment | None = None
        self.gave_up = False
        self.connected: tuple[Moment, str] | None = None
        self.connected_to: UniqueId | None = None
        self.badge: tuple[Moment, str, str] | None = None
        """When the caller was told which operator's badge; then that operator had picked up."""
        self.done = ""
        self.message: Moment | None = None
        """When the tone told him to speak."""
        self.refused = False
        self.insisted = False
        self.calls_for: tuple[Channel, str] | None = None
        """For which waiting caller the queue rings here, and at whose seat."""
        self.callee: tuple[Moment, str, str] | None = None
        """When it last called a number outside, in whose name, and the number."""
        self.taken: Moment | None = None
        """When whom the service called out had picked up."""
        self.cause: int | None = None
        """Why it ended (Q.850), once told."""
        self.survey: dict[str, str] | None = None
        """The key pressed by question, once anything was asked."""
        self.surveyed: Moment | None = None
        self.recording: Moment | None = None
        self.recordings: tuple[Recording, ...] | None = None
        """What the verdict made of these last three; None again when they change."""
        self.caller_file = ""
        self.operator_file = ""
        self.told = 0

    @property
    def has_a_person(self) -> bool:
        """Whether somebody can speak at its far end."""
        return bool(self.name) and technology_of(self.name) not in _NOBODY


class Stay:
    """A channel's time in a bridge."""

    __slots__ = ("entered", "left")

    def __init__(self) -> None:
        self.entered: Moment | None = None
        self.left: Moment | None = None


class Party:
    """The channels that belong together, and where they met."""

    __slots__ = ("bridges", "callers", "channels", "ended_ids", "hangups", "last", "linked", "rang")

    def __init__(self) -> None:
        self.linked: set[LinkedId] = set()
        self.ended_ids: dict[LinkedId, datetime] = {}
        self.channels: dict[UniqueId, Channel] = {}
        self.callers: list[Channel] = []
        self.bridges: dict[str, dict[UniqueId, Stay]] = {}
        self.hangups: dict[str, Moment] = {}
        """By channel name: when its side hung up."""
        self.rang: Moment | None = None
        self.last: datetime | None = None

    def absorb(self, other: "Party") -> None:
        """Take over everything of `other`, which nobody may use any more."""
        self.linked |= other.linked
        self.ended_ids.update(other.ended_ids)
        for channel in other.channels.values():
            channel.party = self
        self.channels.update(other.channels)
        self.callers += other.callers
        for bridge, stays in other.bridges.items():
            self.bridges.setdefault(bridge, {}).update(stays)
        for name, at in other.hangups.items():
            self.hangups[name] = best(self.hangups.get(name), at)
        if other.rang is not None:
            self.rang = best(self.rang, other.rang)
        if other.last is not None and (self.last is None or other.last > self.last):
            self.last = other.last

    def stay(self, channel: Channel, bridge: str) -> "Stay":
        """The time of a channel in a bridge; past a bound, one that is not kept."""
        stays = self.bridges.get(bridge)
        if stays is None:
            if len(self.bridges) >= _MOST_BRIDGES:
                return Stay()
            stays = self.bridges[bridge] = {}
        return stays.setdefault(channel.unique_id, Stay())

    @property
    def is_over(self) -> bool:
        """Whether every linked id seen has ended."""
        return len(self.ended_ids) >= len(self.linked) and self.linked <= self.ended_ids.keys()

    @property
    def over_since(self) -> datetime | None:
        """When the last of the linked ids ended, once all have."""
        return max(self.ended_ids.values()) if self.is_over and self.ended_ids else None

    def others_live(self) -> bool:
        """Whether a channel that is not a caller's own still exists."""
        return any(c.ended is None and c not in self.callers for c in self.channels.values())

    def rings_at(self, caller: Channel) -> tuple[str, ...]:
        """The seats whose telephones ring for the caller now; none once he is answered."""
        if caller.ended is not None or self.answer(caller) is not None:
            return ()
        ring = (c.calls_for for c in self.channels.values() if c.ended is None)
        return tuple(sorted({told[1] for told in ring if told and told[0] is caller}))

    def meetings(self, caller: Channel) -> Iterator[tuple[Moment, Channel]]:
        """When the caller could first speak with whom, one entry a bridge and person."""
        return self._met(caller, through=False)

    def _met(self, channel: Channel, *, through: bool) -> Iterator[tuple[Moment, Channel]]:
        """Whom this channel met; `through` the two halves of a Local channel, but of one only."""
        for stays in self.bridges.values():
            mine = stays.get(channel.unique_id)
            if mine is None or mine.entered is None:
                continue
            for unique_id, stay in stays.items():
                other = self.channels.get(unique_id)
                if (
                    other is None
                    or other is channel
                    or stay.entered is None
                    or other in self.callers
                    or _apart(mine, stay)
                ):
                    continue
                if other.has_a_person:
                    yield max(mine.entered, stay.entered, key=_later), other
                elif not through and (half := self._other_half(other)) is not None:
                    for at, person in self._met(half, through=True):
                        yield max(mine.entered, stay.entered, at, key=_later), person

    def _other_half(self, channel: Channel) -> Channel | None:
        """The end of a Local channel that what goes into this end comes out of."""
        name, half = channel.name[:-1], channel.name[-2:]
        if half not in (";1", ";2"):
            return None
        wanted = name + ("2" if half == ";1" else "1")
        return next((one for one in self.channels.values() if one.name == wanted), None)

    def has_a_bridge_of_one(self) -> bool:
        """Whether somebody was in a bridge of which nothing is known but that."""
        return any(
            sum(stay.entered is not None for stay in stays.values()) == 1
            for stays in self.bridges.values()
        )

    def has_both_halves(self, channel: Channel) -> bool:
        """Whether a Local channel's other end is known as well; others have only one."""
        return channel.name[-2:] not in (";1", ";2") or self._other_half(channel) is not None

    def answer(self, caller: Channel) -> tuple[Moment, str] | None:
        """When the caller was answered, and by which operator; None while he was not.

        Who is told the badge of whoever picked up has been answered, though the two speak later.
        """
        met = self._met_or_connected(caller)
        told = caller.badge
        return met if told is None or (met and met[0] < told[0]) else (told[0], told[1])

    def _met_or_connected(self, caller: Channel) -> tuple[Moment, str] | None:
        connected = self._connected(caller)
        if not self.bridges:
            return connected
        first = min(
            ((at, operator_of(person.name)) for at, person in self.meetings(caller)),
            default=None,
        )
        if connected is None:
            return first
        if first is None or connected[0] <= first[0]:
            return connected
        return first[0], connected[1] or first[1]

    def _connected(self, caller: Channel) -> tuple[Moment, str] | None:
        """Whom the queue says it connected; who picked the call up elsewhere, if somebody did.

        The queue then still names the operator whose telephone rang. A member who is reached by
        way of a trunk or a Local channel has no seat in the channel's name: there he is named.
        """
        if caller.connected is None or caller.connected_to is None:
            return caller.connected
        channel = self.channels.get(caller.connected_to)
        seat = operator_of(channel.name) if channel and channel.has_a_person else ""
        return (caller.connected[0], seat) if seat.isdecimal() else caller.connected

    def is_told_by_one_side(self, caller: Channel) -> bool:
        """Whether the caller was in a bridge and nothing is known of whom he met there."""
        return (
            caller.connected is None
            and any(
                (mine := stays.get(caller.unique_id)) is not None and mine.entered is not None
                for stays in self.bridges.values()
            )
            and next(self.meetings(caller), None) is None
        )

    def last_partner(self, caller: Channel) -> Channel | None:
        """The operator's channel that was with the caller at the end."""
        partners = {person.unique_id: person for _, person in self.meetings(caller)}
        if caller.connected_to is not None and caller.connected_to in self.channels:
            partners[caller.connected_to] = self.channels[caller.connected_to]
        if not partners and caller.badge is not None:  # gone before the two could speak
            seat = caller.badge[1]
            partners = {
                c.unique_id: c for c in self.channels.values() if operator_of(c.name) == seat
            }
        return max(
            partners.values(),
            key=lambda c: (c.ended is None, c.ended[1] if c.ended else _LONG_AGO, c.unique_id),
            default=None,
        )

    def hung_up(self, channel: Channel) -> Moment | None:
        """When this channel's own side hung up, if it did."""
        return self.hangups.get(channel.name) if channel.name else None


def _later(told: Moment) -> tuple[datetime, int]:
    return told[1], told[0]


def _apart(one: Stay, other: Stay) -> bool:
    """Whether one had left the bridge before the other came."""
    return bool(
        (one.left and other.entered and one.left[1] < other.entered[1])
        or (other.left and one.entered and other.left[1] < one.entered[1])
    )
