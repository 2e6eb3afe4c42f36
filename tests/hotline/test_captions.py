"""Who is heard and who is given up, on a scripted exchange that sends sound and an ear that writes.

The exchange answers over AMI and connects to the caption port as a real one does; the ear hears a
loud piece as a guess and the silence after it as the end of an utterance. The real exchange and the
real engine are in tests/acceptance/test_captions.py.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, cast

import pytest

from hotline import captions, dial_orders, flow
from hotline.caption_board import CaptionBoard, CaptionState, Item, Offer, ShedReason, Standing
from hotline.caption_calls import dial_key
from hotline.captions import CaptionDesk
from hotline.casework import load_casework
from hotline.config import Config, Line
from hotline.config_captions import Captions
from hotline.database import Pool, transaction
from hotline.errors import CaptionsAwayError
from hotline.exchange import RunningExchange
from hotline.services import utc_now
from metrics.collect import CaptionFigures
from routing.cases import Urgency
from telephony import taps
from telephony.audiosocket import GOODBYE, ID, message
from telephony.calls import Call, CallEnded, CallKey, CallStarted, Direction, Leg, Outcome
from telephony.connection import AmiConnection
from telephony.events import BridgeEntered, LinkedId, Source, System, UniqueId
from tests.hotline.test_cards import published, text
from tests.telephony.exchange import Headers, Peer, ScriptedExchange, listing, success
from transcription.captions import Caption
from transcription.errors import DecoderNotStarted, SpeechError
from transcription.live import Guess, Heard, LiveLeg, Measured
from transcription.transcripts import Word

SYSTEM = System("mianyang-1")
LOUD = b"\x00\x10" * 800  # a tenth of a second
QUIET = bytes(1600)
PATIENCE = 20.0


@dataclass(slots=True)
class Tapped:
    """One tap as the exchange has it."""

    channel: str
    headers: Headers
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def says(self, *pieces: bytes) -> None:
        self.writer.write(b"".join(message(0x10, piece) for piece in pieces))
        await self.writer.drain()

    async def is_hung_up(self) -> bool:
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionError):
                return GOODBYE in await self.reader.read()
        return True


class Stage(ScriptedExchange):
    """Channels that are where a test puts them, and taps that connect unless it is deaf."""

    def __init__(self) -> None:
        super().__init__()
        self.where: dict[str, tuple[str, str, str]] = {}
        """Name, linked id and bridge of each channel by its id."""
        self.taps: list[Tapped] = []
        self.deaf = False
        self.answers["CoreShowChannels"] = self._channels
        self.answers["Setvar"] = lambda _, asked: success(asked, "Message: Variable Set")
        self.answers["Originate"] = self._originate
        self._connecting: set[asyncio.Task[None]] = set()

    def _channels(self, _: Peer, asked: Headers) -> bytes:
        rows = [
            (
                "CoreShowChannel",
                f"Channel: {name}",
                f"Uniqueid: {unique_id}",
                f"Linkedid: {linked}",
                f"BridgeId: {bridge}",
                "ChannelStateDesc: Up",
            )
            for unique_id, (name, linked, bridge) in self.where.items()
        ]
        return listing(asked, "CoreShowChannelsComplete", *rows)

    def _originate(self, _: Peer, asked: Headers) -> bytes:
        task = asyncio.create_task(self._connect(asked))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)
        return success(asked, "Message: Originate successfully queued")

    async def _connect(self, asked: Headers) -> None:
        found = re.fullmatch(
            r"AudioSocket/([0-9.]+):(\d+)/([0-9a-f-]{36})/c\(slin\)", asked["Channel"]
        )
        assert found is not None
        if self.deaf:
            return
        reader, writer = await asyncio.open_connection(found[1], int(found[2]))
        writer.write(message(ID, bytes.fromhex(found[3].replace("-", ""))))
        self.taps.append(Tapped(asked["Data"].partition(",")[0], asked, reader, writer))

    async def tap(self, number: int) -> Tapped:
        """The so-manieth tap, when it is there."""
        async with asyncio.timeout(PATIENCE):
            while len(self.taps) < number:  # noqa: ASYNC110 - a turn of the loop
                await asyncio.sleep(0.005)
        return self.taps[number - 1]


@dataclass
class Ear:
    """An engine that is one rule; `held` makes it deaf for a while, `ill` for good."""

    lanes: int = 2
    deaths: int = 0
    ill: SpeechError | None = None
    says: str = "你好"
    """What it makes of every utterance."""
    going: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        if self.ill:
            raise self.ill

    async def measure(self, pcm: bytes, rate: int) -> Measured:
        assert (len(pcm), rate) == (64_000, 8000)
        return Measured(speech=0.3, silence=0.2)

    def open(self, rate: int) -> LiveLeg:
        assert rate == 8000
        return EarLeg(self)

    async def aclose(self) -> None:
        """Nothing was opened."""


class EarLeg:
    def __init__(self, ear: Ear) -> None:
        self._ear, self._at = ear, 0.0
        self._since: float | None = None

    async def feed(self, pcm: bytes, at: float) -> Heard:
        await self._ear.going.wait()
        utterances: list[tuple[Word, ...]] = []
        for begin in range(0, len(pcm), 800):
            piece, start = pcm[begin : begin + 800], at + begin / 16_000
            self._at = start + len(piece) / 16_000
            if not any(piece):
                utterances += self._ended()
            elif self._since is None:
                self._since = start
        guess = None if self._since is None else Guess(text="你", start=self._since)
        return Heard(utterances=tuple(utterances), guess=guess, cpu_seconds=0.01)

    async def finish(self) -> Heard:
        return Heard(utterances=tuple(self._ended()))

    def _ended(self) -> list[tuple[Word, ...]]:
        since, self._since = self._since, None
        if since is None:
            return []
        return [(Word(text=self._ear.says, start=since, end=self._at, conf=0.9),)]

    def leave(self) -> None:
        """It keeps nothing."""


@dataclass(kw_only=True)
class Town:
    """The desk over one scripted exchange, and calls that are put where a test wants them."""

    stage: Stage
    desk: CaptionDesk
    board: CaptionBoard
    ear: Ear
    pool: Pool
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    async def talk(self) -> tuple[int, str]:
        """A caller and an operator who speak; the call's id and the caller's channel."""
        number = next(self.numbers)
        caller = f"{SYSTEM}-1.{number}"
        async with transaction(self.pool) as tx:
            call_id = await flow.call_changed(tx, CallStarted(call=self.call(caller), at=utc_now()))
        self.stage.where[caller] = (f"PJSIP/trunk-{number:08x}", caller, f"bridge-{number}")
        self.stage.where[f"{caller}9"] = (
            f"PJSIP/100{number}-{number:08x}",
            caller,
            f"bridge-{number}",
        )
        self.stir()
        return call_id, caller

    async def dialled(self) -> tuple[int, str]:
        """An operator had somebody dialled, and they speak; the order's id and its channel."""
        channel = f"dial-1001-{next(self.numbers):012x}"
        async with transaction(self.pool) as tx:
            await dial_orders.record(
                tx,
                channel=channel,
                system=SYSTEM,
                number="13800000001",
                by="1001",
                at=utc_now(),
                call_id=None,
                case_id=None,
            )
            dial_id = await tx.fetchval("SELECT id FROM dial_orders WHERE channel = $1", channel)
        self.stage.where[channel] = ("PJSIP/1001-000000aa", channel, "bridge-d")
        self.stage.where[f"{channel}9"] = ("PJSIP/trunk-000000ab", channel, "bridge-d")
        self.stir()
        return dial_id, channel

    def call(self, caller: str) -> Call:
        return Call(
            key=CallKey(system=SYSTEM, linked_id=LinkedId(caller)),
            line="mayor",
            caller_number="13800000001",
            caller_name=None,
            started_at=utc_now(),
        )

    async def ends(self, caller: str) -> None:
        for channel in (caller, f"{caller}9"):
            self.stage.where.pop(channel, None)
        self.stir()

    def move(self, channel: str, bridge: str) -> None:
        name, linked, _ = self.stage.where[channel]
        self.stage.where[channel] = (name, linked, bridge)
        self.stir()

    def stir(self) -> None:
        """The exchange tells that somebody entered a bridge."""
        fact = BridgeEntered(
            system=SYSTEM,
            source=Source.AMI,
            at=utc_now(),
            unique_id=UniqueId("x"),
            linked_id=LinkedId("x"),
            channel="",
            bridge="b",
            holding=False,
        )
        self.desk.hear(SYSTEM, fact)

    async def until(self, call_id: int, true: Callable[[list[Item]], bool]) -> list[Item]:
        """What a reader who comes now has been told once this is true."""
        told: list[Item] = []
        async with asyncio.timeout(PATIENCE):
            async for item in self.board.follow(call_id):
                told.append(item)
                if true(told):
                    break
        return told

    async def stands(
        self, call_id: int, state: CaptionState, reason: ShedReason | None = None
    ) -> None:
        wanted = Standing(state=state, reason=reason)
        await self.until(call_id, lambda told: told[-1] == wanted)

    async def finals(self, call_id: int, number: int) -> list[Caption]:
        def said(told: list[Item]) -> list[Caption]:
            return [it for it in told if isinstance(it, Caption) and it.is_final]

        return said(await self.until(call_id, lambda told: len(said(told)) == number))

    @property
    def figures(self) -> CaptionFigures:
        return self.desk.figures()


@asynccontextmanager
async def opened(pool: Pool, ear: Ear, **wanted: Any) -> AsyncIterator[Town]:
    config = Config(
        lines=(Line(name="mayor", number="12345"),),
        captions=Captions(enabled=True, **{"cpu_share": 0.6, **wanted}),
    )
    async with Stage() as stage:
        link = AmiConnection("127.0.0.1", stage.port, "actor", stage.secret, system=SYSTEM)
        following = asyncio.create_task(link.run(lambda _: None))

        class Exchange:
            system, connection, actor = SYSTEM, link, link
            listeners: list[Any] = []  # noqa: RUF012 - one of it

        board = CaptionBoard(enabled=True)
        casework = load_casework(config)
        desk = CaptionDesk(
            config=config,
            pool=pool,
            exchanges={SYSTEM: cast("RunningExchange", Exchange())},
            board=board,
            suggests=casework.classifier,
            vocabulary=lambda: casework.city.vocabulary,
            engine=ear,
        )
        async with asyncio.timeout(PATIENCE):
            while not link.state.connected:  # noqa: ASYNC110 - a turn of the loop
                await asyncio.sleep(0.005)
        running = asyncio.create_task(desk.run())
        yield Town(stage=stage, desk=desk, board=board, ear=ear, pool=pool)
        for task in (running, following):
            task.cancel()
        await asyncio.gather(running, following, return_exceptions=True)
        for tap in stage.taps:
            tap.writer.close()


@pytest.fixture
def ear() -> Ear:
    ear = Ear()
    ear.going.set()
    return ear


@pytest.fixture
async def town(pool: Pool, ear: Ear) -> AsyncIterator[Town]:
    async with opened(pool, ear) as town:
        yield town


async def test_each_leg_is_tapped_alone_and_heard_for_itself(town: Town) -> None:
    call, caller = await town.talk()
    first, second = await town.stage.tap(1), await town.stage.tap(2)
    assert {first.channel, second.channel} == {caller, f"{caller}9"}
    assert first.headers["Data"] == f"{first.channel},uqoES"
    assert first.headers["Application"] == "ChanSpy"
    assert first.headers["ChannelId"].startswith("caption-")
    mine = first if first.channel == caller else second
    await mine.says(QUIET, LOUD, LOUD, QUIET)
    (said,) = await town.finals(call, 1)
    assert (said.leg, said.segment, said.start, said.text) == (Leg.CALLER, 1, 0.1, "你好。")
    offer = (await town.until(call, lambda told: isinstance(told[-1], Offer)))[-1]
    assert isinstance(offer, Offer)
    assert offer.segment == 1
    assert (town.figures.calls, town.figures.legs, town.figures.capacity) == (1, 2, 2)


async def test_names_of_the_city_are_recovered_while_the_caller_speaks(
    town: Town, ear: Ear
) -> None:
    ear.says = "佛城区临园路的路灯坏了"
    call, caller = await town.talk()
    await town.stage.tap(2)
    await next(it for it in town.stage.taps if it.channel == caller).says(LOUD, QUIET)
    (said,) = await town.finals(call, 1)
    assert (said.text, said.spoken) == ("涪城区临园路的路灯坏了。", "涪城区临园路的路灯坏了")
    assert [word.text for word in said.words] == [ear.says]
    offer = (await town.until(call, lambda told: isinstance(told[-1], Offer)))[-1]
    assert isinstance(offer, Offer)
    assert offer.suggestion.area == "涪城区"
    (place, *_) = [it for it in offer.suggestion.reasons if it.sort == "area"]
    assert place.by == "name"  # it stands in the words now, and is no guess by its sound


async def test_a_call_that_was_dialled_from_here_is_captioned_until_it_is_over(
    town: Town, ear: Ear
) -> None:
    ear.says = "家里煤气泄漏"
    dial, channel = await town.dialled()
    key = dial_key(dial)
    await town.stage.tap(2)
    seat = next(it for it in town.stage.taps if it.channel == channel)
    outside = next(it for it in town.stage.taps if it.channel != channel)
    await outside.says(LOUD, QUIET)
    (said,) = await town.finals(key, 1)
    assert (said.leg, said.text) == (Leg.CALLER, "家里煤气泄漏。")
    await seat.says(LOUD, QUIET)
    _, answered = await town.finals(key, 2)
    assert answered.leg is Leg.OPERATOR
    await town.ends(channel)
    told = await town.until(key, lambda told: told[-1] == Standing(state=CaptionState.OVER))
    assert not [it for it in told if isinstance(it, Offer)], "it has a case, or wants none"


async def test_a_dialled_call_that_is_stored_is_looked_for_no_more(town: Town) -> None:
    _, channel = await town.dialled()
    await town.stage.tap(2)
    async with transaction(town.pool) as tx:
        over = replace(
            town.call(channel),
            direction=Direction.OUTGOING,
            caller_number=None,
            line="",
            ended_at=utc_now(),
            outcome=Outcome.ANSWERED,
        )
        await flow.call_changed(tx, CallEnded(call=over, at=utc_now()))
    town.stir()  # the exchange still shows its channels, as it does for a moment
    async with asyncio.timeout(PATIENCE):
        while town.figures.calls:  # noqa: ASYNC110 - a turn of the loop
            await asyncio.sleep(0.01)


async def test_what_the_caller_wants_is_offered_with_the_card_to_tell_him(
    town: Town, ear: Ear
) -> None:
    card = await published(town.pool, "social-card", text())
    await published(town.pool, "passport", text("护照办理", materials=("照片",)))
    ear.says = "家里煤气泄漏我闻到煤气味顺便问社会保障卡怎么补办"
    call, caller = await town.talk()
    await town.stage.tap(2)
    operator = next(it for it in town.stage.taps if it.channel != caller)
    tap = next(it for it in town.stage.taps if it.channel == caller)
    await operator.says(LOUD, QUIET)
    await town.finals(call, 1)
    await tap.says(LOUD, QUIET)
    told = await town.until(call, lambda told: isinstance(told[-1], Offer))
    assert len([it for it in told if isinstance(it, Offer)]) == 1, "the operator's words are none"
    offer = told[-1]
    assert isinstance(offer, Offer)
    assert [(it.card_id, it.title) for it in offer.cards] == [(card.card_id, "社会保障卡补办")]
    assert offer.suggestion.urgency is Urgency.EMERGENCY
    async with town.pool.acquire() as conn:
        assert await conn.fetchval("SELECT count(*) FROM cases WHERE urgency = 'emergency'") == 0


async def test_on_hold_the_utterance_ends_at_once_and_nobody_listens(town: Town) -> None:
    call, caller = await town.talk()
    await town.stage.tap(2)
    tap = next(it for it in town.stage.taps if it.channel == caller)
    await tap.says(LOUD)
    await town.until(call, lambda told: isinstance(told[-1], Caption))
    town.move(caller, "")
    await town.stands(call, CaptionState.WAITING)
    await tap.says(QUIET)
    assert len(await town.finals(call, 1)) == 1
    await tap.says(LOUD, QUIET)  # he curses the music: that is for nobody
    town.move(caller, "bridge-1")
    await town.stands(call, CaptionState.ON)
    async with asyncio.timeout(PATIENCE):
        while town.figures.segments < 2:
            await tap.says(LOUD, QUIET)
            await asyncio.sleep(0.02)
    _, after = await town.finals(call, 2)
    assert after.start >= 0.4, "the leg's own clock went on"
    assert len(town.stage.taps) == 2, "the taps stayed"


async def test_a_transfer_ends_the_tap_of_who_left_and_taps_who_came(town: Town) -> None:
    call, caller = await town.talk()
    await town.stage.tap(2)
    left = next(it for it in town.stage.taps if it.channel != caller)
    del town.stage.where[f"{caller}9"]
    town.stage.where["other.7"] = ("PJSIP/1007-00000007", caller, "bridge-1")
    town.stir()
    came = await town.stage.tap(3)
    assert came.channel == "other.7"
    assert await left.is_hung_up()
    await came.says(LOUD, QUIET)
    (said,) = await town.finals(call, 1)
    assert said.leg is Leg.OPERATOR
    assert town.figures.tap_restarts == 0


async def test_a_tap_that_drops_is_started_again_and_its_clock_goes_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captions, "AGAIN_AFTER", 0.05)
    call, caller = await town.talk()
    await town.stage.tap(2)
    tap = next(it for it in town.stage.taps if it.channel == caller)
    await tap.says(LOUD, QUIET)
    (before,) = await town.finals(call, 1)
    tap.writer.close()
    again = await town.stage.tap(3)
    assert again.channel == caller
    await again.says(LOUD, QUIET)
    _, after = await town.finals(call, 2)
    assert after.segment == 2
    assert after.start > before.start
    assert (after.at - before.at).total_seconds() == pytest.approx(
        after.start - before.start, abs=0.05
    )
    assert town.figures.tap_restarts == 1


async def test_when_it_is_full_new_calls_get_none_and_old_ones_keep_theirs(town: Town) -> None:
    first, one = await town.talk()
    second, _ = await town.talk()
    await town.stage.tap(4)
    third, _ = await town.talk()
    await town.stands(third, CaptionState.SHED, ShedReason.FULL)
    assert {town.board.standing(it).state for it in (first, second)} == {CaptionState.ON}
    await town.ends(one)
    await town.stands(first, CaptionState.OVER)
    fourth, _ = await town.talk()
    await town.stands(fourth, CaptionState.ON)
    assert town.board.standing(third).state is CaptionState.SHED
    assert town.figures.shed["full"] == 1


async def test_when_memory_is_short_nobody_new_is_heard(pool: Pool, ear: Ear) -> None:
    async with opened(pool, ear, memory_reserve_mebibytes=1_000_000) as town:
        call, _ = await town.talk()
        await town.stands(call, CaptionState.SHED, ShedReason.MEMORY)


async def test_when_words_come_too_late_the_youngest_call_loses_its_own(
    pool: Pool, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captions, "WATCH_EVERY", 0.02)
    async with opened(pool, ear, lag_seconds=1.0) as town:
        old, caller = await town.talk()
        await town.stands(old, CaptionState.ON)
        young, _ = await town.talk()
        await town.stage.tap(4)
        ear.going.clear()
        tap = next(it for it in town.stage.taps if it.channel == caller)
        await tap.says(*[LOUD] * 15)
        await town.stands(young, CaptionState.SHED, ShedReason.LAG)
        ear.going.set()
        await tap.says(QUIET)
        assert len(await town.finals(old, 1)) == 1
        assert town.figures.shed["lag"] == 1


async def test_an_exchange_that_gives_no_sound_is_not_asked_for_ever(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captions, "AGAIN_AFTER", 0.01)
    monkeypatch.setattr(taps, "EXPECTED_SECONDS", 0.05)
    town.stage.deaf = True
    call, _ = await town.talk()
    await town.stands(call, CaptionState.SHED, ShedReason.EXCHANGE)
    assert sum(peer.count("Originate") for peer in town.stage.peers) <= 2 * captions.TAPS_IN_VAIN


async def test_the_last_words_of_a_call_are_told_before_it_is_over(town: Town) -> None:
    call, caller = await town.talk()
    await town.stage.tap(2)
    tap = next(it for it in town.stage.taps if it.channel == caller)
    await tap.says(LOUD)
    await town.until(call, lambda told: isinstance(told[-1], Caption))
    tap.writer.close()
    await town.ends(caller)
    told = await town.until(call, lambda told: told[-1] == Standing(state=CaptionState.OVER))
    assert any(isinstance(it, Caption) and it.is_final for it in told)
    async with transaction(town.pool) as tx:
        now = utc_now()
        ended = CallEnded(call=replaced(town.call(caller), now), at=now)
        assert await flow.call_changed(tx, ended) == call


def replaced(call: Call, now: Any) -> Call:
    return Call(
        key=call.key,
        line=call.line,
        caller_number=call.caller_number,
        caller_name=None,
        started_at=call.started_at,
        ended_at=now,
        outcome=Outcome.ANSWERED,
    )


async def test_without_a_model_calls_go_on_without_captions(pool: Pool) -> None:
    ear = Ear(ill=DecoderNotStarted("The live decoder cannot start."))
    async with opened(pool, ear) as town:
        call, _ = await town.talk()
        await town.stands(call, CaptionState.SHED, ShedReason.ENGINE)
        with pytest.raises(CaptionsAwayError, match="Calls go on without captions"):
            await town.desk.ping()
