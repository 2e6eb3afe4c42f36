"""All channels of one exchange that are known, by id and by party. Pure; its memory is bounded."""

from telephony.channels import Channel, Party
from telephony.events import LinkedId, UniqueId

REMEMBERED = 20_000
"""Ids of ended calls, so that late facts do not open them again; about 7 000 calls."""
STRANGERS = 2_000
"""Parties without a call of ours, kept in case a caller turns up in them."""


class Switchboard:
    """Finds the channel a fact is about, joins parties, forgets what is over."""

    __slots__ = ("_gone", "_linked", "_strangers", "channels")

    def __init__(self) -> None:
        self.channels: dict[UniqueId, Channel] = {}
        self._linked: dict[LinkedId, Party] = {}
        self._gone: dict[str, None] = {}
        self._strangers: dict[Party, None] = {}

    def channel(self, unique_id: UniqueId, linked_id: LinkedId | None) -> Channel | None:
        """The channel of these ids, made if need be; None if it belongs to an ended call."""
        if self._gone and (unique_id in self._gone or linked_id in self._gone):
            return None
        channel = self.channels.get(unique_id)
        if channel is None:
            # queue_log tells no linked id; a caller's is the id of his channel.
            linked_id = linked_id or LinkedId(unique_id)
            channel = self._new_channel(unique_id, self._linked.get(linked_id))
        if linked_id is not None and linked_id not in channel.party.linked:
            self._link(channel.party, linked_id)
        return channel

    def join(self, party: Party, unique_id: UniqueId) -> Channel | None:
        """The channel of this id as one of the party; None if it belongs to an ended call."""
        if unique_id in self._gone:
            return None
        channel = self.channels.get(unique_id)
        if channel is None:
            return self._new_channel(unique_id, party)
        if channel.party is not party:
            self._unite(party, channel.party)
        return channel

    def is_ours(self, caller: Channel) -> None:
        """This channel is a caller on one of our lines."""
        if caller not in caller.party.callers:
            caller.party.callers.append(caller)
            self._strangers.pop(caller.party, None)

    def strangers(self) -> list[Party]:
        """The parties without a caller of ours that are still kept."""
        return list(self._strangers)

    def forget(self, party: Party) -> None:
        """Nothing of the party is needed any more; later facts about it are dropped."""
        self._drop(party)
        for gone in (*party.channels, *party.linked):
            self._gone[gone] = None
        while len(self._gone) > REMEMBERED:
            del self._gone[next(iter(self._gone))]

    def _new_channel(self, unique_id: UniqueId, party: Party | None) -> Channel:
        if party is None:
            party = Party()
            self._strangers[party] = None
            if len(self._strangers) > STRANGERS:
                self._drop(next(iter(self._strangers)))
        channel = Channel(unique_id, party)
        self.channels[unique_id] = party.channels[unique_id] = channel
        return channel

    def _link(self, party: Party, linked_id: LinkedId) -> None:
        other = self._linked.get(linked_id)
        if other is None:
            party.linked.add(linked_id)
            self._linked[linked_id] = party
        else:
            self._unite(party, other)

    def _unite(self, one: Party, other: Party) -> None:
        if len(one.channels) < len(other.channels):
            one, other = other, one
        one.absorb(other)
        for linked_id in other.linked:
            self._linked[linked_id] = one
        self._strangers.pop(other, None)
        if one.callers:
            self._strangers.pop(one, None)

    def _drop(self, party: Party) -> None:
        self._strangers.pop(party, None)
        for unique_id in party.channels:
            self.channels.pop(unique_id, None)
        for linked_id in party.linked:
            self._linked.pop(linked_id, None)
