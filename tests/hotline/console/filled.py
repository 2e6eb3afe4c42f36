"""Fills a database through the service's own steps: calls, sound, words, suggestions, moves.

Everything is made up. `Town` plays the exchange, the speech engine and the people at their desks.
"""

import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from hotline import dial_orders, flow, recordings
from hotline.database import transaction
from hotline.finishing import finish_call
from hotline.services import Services
from hotline.sounds import Kept, Place
from routing.cases import Actor, Kind, Move, MoveData, Role, Urgency
from routing.classify import Classifier
from telephony.calls import (
    Call,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallKey,
    CallMessage,
    CallRinging,
    CallStarted,
    Direction,
    Leg,
    Outcome,
    Recording,
    Side,
)
from telephony.events import LinkedId, System
from transcription import store as words
from transcription.transcripts import Word, transcript

SYSTEM = System("mianyang-1")
RATE = 8000
DESK = frozenset(Role) - {Role.SYSTEM}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One sentence of one side; seconds from the answer."""

    leg: Leg
    start: float
    text: str


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


class Town:
    """Makes calls happen in one database."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._classifier = Classifier(services.city, None)
        self._ids = count(1)

    async def tell(self, event: CallEvent) -> int:
        async with transaction(self.services.pool) as tx:
            return await flow.call_changed(tx, event)

    def call(
        self,
        at: datetime,
        *,
        line: str = "mayor",
        number: str = "13890115678",
        name: str | None = None,
        operator: str = "1001",
    ) -> Call:
        linked = f"{SYSTEM}-{int(at.timestamp())}.{next(self._ids)}"
        return Call(
            key=CallKey(system=SYSTEM, linked_id=LinkedId(linked)),
            line=line,
            caller_number=number,
            caller_name=name,
            started_at=at,
            operator=operator,
        )

    async def starts(self, call: Call, *, queued: float = 4.0) -> tuple[int, Call]:
        """The call comes in; `queued` seconds later it asks for a person."""
        waiting = replace(call, operator=None, queued_at=call.started_at + seconds(queued))
        return await self.tell(CallStarted(call=waiting, at=call.started_at)), waiting

    async def rings(self, call: Call, *, after: float = 1.0) -> tuple[int, Call]:
        assert call.queued_at is not None
        ringing = replace(call, ringing_at=call.queued_at + seconds(after))
        assert ringing.ringing_at is not None
        return await self.tell(CallRinging(call=ringing, at=ringing.ringing_at)), ringing

    async def answers(
        self, call: Call, *, wait: float = 6.0, operator: str = "1001"
    ) -> tuple[int, Call]:
        assert call.queued_at is not None
        at = call.queued_at + seconds(wait)
        files = tuple(
            Recording(leg=leg, path=f"{call.key.linked_id}-{leg}.wav", started_at=call.started_at)
            for leg in Leg
        )
        answered = replace(call, answered_at=at, operator=operator, recordings=files)
        return await self.tell(CallAnswered(call=answered, at=at)), answered

    async def ends(
        self, call: Call, at: datetime, outcome: Outcome, by: Side = Side.CALLER
    ) -> tuple[int, Call]:
        ended = replace(call, ended_at=at, outcome=outcome, hangup_by=by)
        return await self.tell(CallEnded(call=ended, at=at)), ended

    async def leaves_a_message(self, call: Call, *, wait: float = 20.0) -> tuple[int, Call]:
        """Nobody takes it; the caller hears the tone and speaks."""
        assert call.queued_at is not None
        speaking = replace(call, message_at=call.queued_at + seconds(wait))
        assert speaking.message_at is not None
        return await self.tell(CallMessage(call=speaking, at=speaking.message_at)), speaking

    async def is_dialled(
        self, at: datetime, *, about: int | None = None, number: str = "13890115678"
    ) -> int:
        """An operator calls somebody, who does not answer."""
        channel = LinkedId(f"dial-1001-{next(self._ids)}")
        async with transaction(self.services.pool) as tx:
            await dial_orders.record(
                tx,
                channel=channel,
                system=SYSTEM,
                number=number,
                by="1001",
                at=at,
                call_id=about,
                case_id=None,
            )
        call = Call(
            key=CallKey(system=SYSTEM, linked_id=channel),
            line="",
            caller_number=None,
            caller_name=None,
            direction=Direction.OUTGOING,
            callee_number=number,
            started_at=at,
            ended_at=at + seconds(40),
            operator="1001",
            outcome=Outcome.UNANSWERED,
            hangup_by=Side.OPERATOR,
        )
        return await self.tell(CallEnded(call=call, at=at + seconds(40)))

    async def is_lost(
        self, at: datetime, *, line: str = "mayor", wait: float = 40.0, outcome: Outcome
    ) -> int:
        """A whole call that nobody answers."""
        _, call = await self.starts(self.call(at, line=line, number=f"139{int(wait):08d}"))
        assert call.queued_at is not None
        return (await self.ends(call, call.queued_at + seconds(wait), outcome))[0]

    async def is_talked(
        self,
        at: datetime,
        said: Sequence[Said],
        *,
        line: str = "mayor",
        number: str = "13890115678",
        name: str | None = None,
        wait: float = 6.0,
        operator: str = "1001",
        talk: float = 60.0,
    ) -> int:
        """A whole answered call, its sound stored, its words heard and routed."""
        _, call = await self.starts(self.call(at, line=line, number=number, name=name))
        _, call = await self.rings(call)
        _, call = await self.answers(call, wait=wait, operator=operator)
        assert call.answered_at is not None
        call_id, call = await self.ends(
            call, call.answered_at + seconds(talk), Outcome.ANSWERED, Side.OPERATOR
        )
        await self.records(call_id, call)
        await self.hears(call_id, call, said)
        return call_id

    async def records(self, call_id: int, call: Call) -> None:
        assert call.ended_at is not None
        length = (call.ended_at - call.started_at).total_seconds()
        kept_in = self.services.sounds.current
        found = {}
        for leg in Leg:
            place = Place(call_id=call_id, leg=leg, started_at=call.started_at)
            sha256 = f"{call_id:02d}{leg:*<62}"
            kept = Kept(store=kept_in.kind, key=place.key(sha256), sha256=sha256)
            path = self.services.config.store_dir / kept.key
            write_sound(path, length, 440 if leg is Leg.CALLER else 330)
            found[leg] = recordings.Stored(kept=kept, seconds=length, note=None)
        async with transaction(self.services.pool) as tx:
            await flow.recordings_collected(tx, call_id, found, call.ended_at + seconds(2))

    async def hears(self, call_id: int, call: Call, said: Sequence[Said]) -> None:
        assert call.answered_at is not None
        assert call.ended_at is not None
        offset = (call.answered_at - call.started_at).total_seconds()
        for number, leg in enumerate(Leg, start=3):
            heard = transcript(
                leg=leg,
                engine="vosk",
                model="vosk-model-small-cn-0.22",
                audio_seconds=(call.ended_at - call.started_at).total_seconds(),
                words=[word for one in said if one.leg is leg for word in spoken(one, offset)],
            )
            async with transaction(self.services.pool) as tx:
                await flow.leg_heard(
                    tx, call_id, heard, f"{call_id:02d}{leg:*<62}", call.ended_at + seconds(number)
                )
        async with transaction(self.services.pool) as tx:
            await finish_call(tx, call_id, self.services.city.vocabulary)
            turns = await words.dialogue(tx, call_id)
            suggestion = self._classifier.suggest(turns, call.line)
            await flow.words_routed(tx, call_id, suggestion, call.ended_at + seconds(6))

    async def case_of(self, call_id: int) -> int:
        found = await self.services.pool.fetchval(
            "SELECT id FROM cases WHERE call_id = $1", call_id
        )
        assert isinstance(found, int)
        return found

    async def moves(
        self, call_id: int, move: Move, at: datetime, *, by: str = "1001", **data: Any
    ) -> None:
        typed = MoveData(
            **{key: value for key, value in data.items() if key not in {"kind", "urgency"}},
            kind=Kind(data["kind"]) if "kind" in data else None,
            urgency=Urgency(data["urgency"]) if "urgency" in data else None,
        )
        async with transaction(self.services.pool) as tx:
            await flow.case_moved(
                tx,
                await self.case_of(call_id),
                move=move,
                actor=Actor(name=by, roles=DESK),
                now=at,
                data=typed,
                limits=self.services.limits,
            )


def spoken(said: Said, offset: float) -> list[Word]:
    """A sentence as the engine would time it: four characters a second, a pause at a comma."""
    found, at = [], offset + said.start
    for character in said.text:
        if character in "，。？！":
            at += 0.4
            continue
        found.append(Word(text=character, start=at, end=at + 0.22, conf=0.9))
        at += 0.24
    return found


def write_sound(path: Path, length: float, pitch: int) -> None:
    """A quiet square tone, so that a player shows and plays something."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = RATE // pitch // 2
    period = (b"\x00\x04" * half) + (b"\x00\xfc" * half)
    size = int(length * RATE) * 2
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((period * (size // len(period) + 1))[:size])
