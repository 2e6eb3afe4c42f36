"""Vosk hearing live, as the service sees it: lanes of its own, ahead of the pass over recordings.

One process loads the model and forks a lane a core; each leg stays with one lane, because its
recogniser is there. A lane hears its legs in turn, a quarter of a second at most each, so that
many legs stay fair. What a lane was hearing when it died is heard once more in a new one; its
other legs go on there with their next piece.
"""

import asyncio
import base64
import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from transcription.engines.worker import Worker, WorkerDied, WorkerRefused
from transcription.errors import (
    DecoderDied,
    DecoderNotStarted,
    DecodingFailed,
    EngineClosed,
    ModelDamaged,
)
from transcription.live import Guess, Heard, Measured
from transcription.models import check_model
from transcription.transcripts import Word, join

_MODULE = "transcription.engines.live_decoder"
_ATTEMPTS = 2
_PATIENCE = 15.0
"""Seconds after which a lane that hears a quarter of a second is taken for dead."""
_PIECE_SECONDS = 0.25
_SAMPLE_BYTES = 2


class VoskLive:
    """Hears legs while people speak: the port `transcription.live.LiveEngine`."""

    def __init__(self, model_path: Path, *, lanes: int | None = None) -> None:
        """Nothing is loaded before `start`."""
        self.model_path = model_path
        self._lanes = lanes or len(os.sched_getaffinity(0))
        self._deaths = 0
        self._numbers = count(1)
        self._legs: dict[str, int] = {}
        """The lane of each leg that is open."""
        self._starting = asyncio.Lock()
        self._worker: Worker | None = None
        self._asking: set[asyncio.Task[dict[str, Any]]] = set()
        self._closed = False

    @property
    def lanes(self) -> int:
        """One a usable core, unless told otherwise."""
        return self._lanes

    @property
    def deaths(self) -> int:
        """Lanes and processes that died at work so far."""
        return self._deaths

    @property
    def pid(self) -> int | None:
        """The process that holds the model; its children are the lanes."""
        return self._worker.pid if self._worker and self._worker.alive else None

    async def start(self) -> None:
        """Load the model.

        Raises:
            ModelMissing, ModelDamaged, DecoderNotStarted: it cannot be.
        """
        await asyncio.to_thread(check_model, self.model_path)
        await self._loaded()

    async def measure(self, pcm: bytes, rate: int) -> Measured:
        """What a second of sound costs here, from a clip of speech and as much silence; warms up.

        Every lane hears it at the same time, as under load, and with a new recogniser: one that has
        heard the clip before costs a fifth, and no caller says what was said before. Processor
        time counts, so that other work on the machine blurs it little.
        """
        silence = bytes(len(pcm))
        found = await asyncio.gather(
            *(self._measure(lane, pcm, silence, rate) for lane in range(self.lanes))
        )
        seconds = self.lanes * len(pcm) / (_SAMPLE_BYTES * rate)
        return Measured(
            speech=sum(one[0] for one in found) / seconds,
            silence=sum(one[1] for one in found) / seconds,
        )

    async def _measure(
        self, lane: int, pcm: bytes, silence: bytes, rate: int
    ) -> tuple[float, float]:
        return await self._hear_all(lane, pcm, rate), await self._hear_all(lane, silence, rate)

    async def _hear_all(self, lane: int, pcm: bytes, rate: int) -> float:
        leg = self.open(rate, lane=lane)
        step = int(rate * _PIECE_SECONDS) * _SAMPLE_BYTES
        spent = 0.0
        for at in range(0, len(pcm), step):
            heard = await leg.feed(pcm[at : at + step], at / (_SAMPLE_BYTES * rate))
            spent += heard.cpu_seconds
        spent += (await leg.finish()).cpu_seconds
        leg.leave()
        return spent

    def open(self, rate: int, *, lane: int | None = None) -> "VoskLeg":
        """A leg of this sample rate, on the lane that has the fewest unless named."""
        busy = list(self._legs.values())
        chosen = min(range(self.lanes), key=busy.count) if lane is None else lane
        name = str(next(self._numbers))
        self._legs[name] = chosen
        return VoskLeg(self, name, chosen, rate)

    def forget(self, name: str) -> None:
        """A leg is not fed again."""
        self._legs.pop(name, None)

    async def ask(self, job: dict[str, Any]) -> dict[str, Any]:
        """Have a lane do a job; where it dies meanwhile, once more. A caller may be cancelled.

        Raises:
            DecoderDied, DecodingFailed, DecoderNotStarted, EngineClosed: it cannot be done.
        """
        # A job that is given up would end its lane, and with it the legs of other calls.
        return await asyncio.shield(self.ask_later(job))

    def ask_later(self, job: dict[str, Any]) -> "asyncio.Task[dict[str, Any]]":
        """Have a lane do a job that nobody has to wait for."""
        task = asyncio.create_task(self._ask(job))
        self._asking.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[dict[str, Any]]") -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()

    async def _ask(self, job: dict[str, Any]) -> dict[str, Any]:
        why = ""
        for _ in range(_ATTEMPTS):
            worker = await self._loaded()
            try:
                answer = await worker.ask(job, within=_PATIENCE)
            except WorkerDied as died:
                self._refuse_if_closed()
                self._deaths += 1
                why = str(died)
                continue
            if "error" in answer:
                raise DecodingFailed(f"Vosk could not hear a leg live ({answer['error']}).")
            return answer
        raise DecoderDied(f"The live decoder died twice on one leg ({why}).", last_words=why)

    async def _loaded(self) -> Worker:
        async with self._starting:
            self._refuse_if_closed()
            if self._worker is None or not self._worker.alive:
                if self._worker is not None:
                    await self._worker.close()
                self._worker = await self._start()
            return self._worker

    async def _start(self) -> Worker:
        options = ("--lanes", str(self.lanes), "--nice", "0", "--rest-after", "300")
        try:
            return await Worker.start(_MODULE, str(self.model_path), *options)
        except WorkerRefused as refused:
            raise ModelDamaged(
                f"Vosk cannot load the speech model in {self.model_path} ({refused}): "
                "run `hotline model fetch`, or name a sound folder in the configuration.",
                path=self.model_path,
            ) from refused
        except WorkerDied as died:
            raise DecoderNotStarted(
                f"The live decoder cannot start ({died}): check that memory is free; "
                "calls go on without captions."
            ) from died

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise EngineClosed("The live decoder is stopping.")

    async def aclose(self) -> None:
        """End the processes; who still asks is told `EngineClosed`."""
        self._closed = True
        async with self._starting:
            worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()
        await asyncio.gather(*self._asking, return_exceptions=True)


class VoskLeg:
    """One leg being heard: the port `transcription.live.LiveLeg`."""

    def __init__(self, live: VoskLive, name: str, lane: int, rate: int) -> None:
        self._live, self._name, self._lane, self._rate = live, name, lane, rate
        self._fed = False

    async def feed(self, pcm: bytes, at: float) -> Heard:
        """Hear a piece that begins `at` seconds after the leg's start; raises SpeechError."""
        job = {
            "do": "feed",
            "leg": self._name,
            "lane": self._lane,
            "rate": self._rate,
            "at": at,
            "pcm": base64.b64encode(pcm).decode(),
        }
        self._fed = True
        return _heard(await self._live.ask(job))

    async def finish(self) -> Heard:
        """End the utterance now."""
        self._fed = False
        return _heard(await self._live.ask(self._end()))

    def leave(self) -> None:
        """It is not fed again; where it was not finished its recogniser is given back."""
        self._live.forget(self._name)
        if self._fed:
            self._live.ask_later(self._end())

    def _end(self) -> dict[str, Any]:
        return {"do": "finish", "leg": self._name, "lane": self._lane}


def _heard(answer: dict[str, Any]) -> Heard:
    guess = _words(answer.get("guess", ()))
    return Heard(
        utterances=tuple(_words(one) for one in answer["utterances"]),
        guess=Guess(text=join(it.text for it in guess), start=guess[0].start) if guess else None,
        cpu_seconds=answer["cpu_seconds"],
    )


def _words(rows: Sequence[Sequence[Any]]) -> tuple[Word, ...]:
    return tuple(Word(text=w, start=s, end=e, conf=c) for w, s, e, c in rows)
