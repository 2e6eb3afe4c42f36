"""An engine that decodes in processes apart from the service, whichever library it is.

Native libraries can abort their process, and no call may end for that. One process loads the model
and forks a lane a core, which share it; what a lane was decoding when it died is decoded once more
in a new one. `vosk.py` and `sherpa.py` say what is different with each.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from telephony.calls import Leg
from transcription import audio as sound
from transcription.again import believed, stretches
from transcription.audio import Audio
from transcription.engines.worker import Worker, WorkerDied, WorkerRefused
from transcription.errors import (
    DecoderDied,
    DecoderNotStarted,
    DecodingFailed,
    EngineClosed,
    ModelDamaged,
)
from transcription.transcripts import HeardAgain, Transcript, Word, transcript

_ATTEMPTS = 2
_PATIENCE = 120.0
"""Seconds any decoding may take, beside `_PER_SECOND` for each second of sound."""
_PER_SECOND = 5.0
"""A lane needs 0.1 to 0.4 s of CPU for a second of sound; a busy machine may take its time."""


class ApartTranscriber:
    """Transcribes legs in processes apart; the model is loaded at the first leg.

    Args:
        model_path: the folder of the model; it may appear later, until then `ModelMissing`.
        lanes: legs decoded at the same time; None: one a usable core.
        nice: how much the decoding stands back for calls.
        rest_after: seconds without work after which a lane gives back its recogniser's memory
            (up to 250 MB); the next leg then costs it twice the CPU, once.
        unload_after: seconds without work after which the processes are ended; None: never.
    """

    library: ClassVar[str]
    """The name of the library's distribution, stored with each transcript."""
    title: ClassVar[str]
    """The library's name in sentences."""
    module: ClassVar[str]
    """What runs in the decoding process."""
    hears_digits: ClassVar[bool] = False
    """Whether it can hear with nothing but digits to choose from."""

    def __init__(
        self,
        model_path: Path,
        *,
        lanes: int | None = None,
        nice: int = 5,
        rest_after: float = 300.0,
        unload_after: float | None = 900.0,
    ) -> None:
        self.model_path = model_path
        self.lanes = lanes or len(os.sched_getaffinity(0))
        self.deaths = 0
        """Decoding processes that died so far with work in hand."""
        self._options = ("--nice", str(nice), "--rest-after", str(rest_after))
        self._free = asyncio.Semaphore(self.lanes)
        self._starting = asyncio.Lock()
        self._worker: Worker | None = None
        self._busy = 0
        self._unload_after = unload_after
        self._unloading: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._checked = False
        self._closed = False

    @property
    def name(self) -> str:
        """The library and its version."""
        return f"{self.library}-{version(self.library)}"

    @property
    def model(self) -> str:
        """The name of the model's folder."""
        return self.model_path.name

    @property
    def pid(self) -> int | None:
        """The process that holds the model, where it is loaded; its children are the lanes."""
        return self._worker.pid if self._worker and self._worker.alive else None

    async def transcribe(self, wav: Path, leg: Leg) -> Transcript:
        """Transcribe one leg.

        Raises:
            AudioError: the file cannot be transcribed.
            ModelMissing, ModelDamaged, DecoderNotStarted: not now; the job should wait.
            DecoderDied, DecodingFailed: the library could not decode it.
            EngineClosed: the service stops.
        """
        audio = await asyncio.to_thread(sound.inspect, wav)
        async with self._at_work(), self._free:
            words = await self._words(audio)
            again: tuple[HeardAgain, ...] = ()
            if self.hears_digits and (spots := stretches(words)):
                more = {"grammar": "digits", "stretches": spots}
                again = believed(await self._words(audio, more), words)
        return transcript(
            leg=leg,
            engine=self.name,
            model=self.model,
            words=words,
            audio_seconds=audio.seconds,
            again=again,
        )

    async def _words(self, audio: Audio, more: Mapping[str, Any] | None = None) -> tuple[Word, ...]:
        answer = await self._decode(audio, more or {})
        if "error" in answer:
            raise DecodingFailed(
                f"{self.title} could not decode the recording {audio.path.name} "
                f"({answer['error']}): listen to it, and check the model with `hotline model`."
            )
        return tuple(Word(text=w, start=s, end=e, conf=c) for w, s, e, c in answer["words"])

    async def _decode(self, audio: Audio, more: Mapping[str, Any]) -> dict[str, Any]:
        """Ask for the words; where the process dies meanwhile, ask once more."""
        job = {
            "path": str(audio.path),
            "offset": audio.data_offset,
            "bytes": audio.data_bytes,
            "rate": audio.rate,
            **more,
        }
        why = ""
        for _ in range(_ATTEMPTS):
            worker = await self._loaded()
            try:
                return await worker.ask(job, within=_PATIENCE + _PER_SECOND * audio.seconds)
            except WorkerDied as died:
                self._refuse_if_closed()
                self.deaths += 1
                why = str(died)
        raise DecoderDied(
            f"The speech decoder died twice on the recording {audio.path.name} ({why}): "
            "the recording is kept, listen to it.",
            last_words=why,
        )

    async def _loaded(self) -> Worker:
        """The living process that holds the model, started now if there is none."""
        async with self._starting:
            self._refuse_if_closed()
            if self._worker is None or not self._worker.alive:
                await self._end()
                self._worker = await self._start()
            return self._worker

    async def _start(self) -> Worker:
        await self._check()
        options = ("--lanes", str(self.lanes), *self._options)
        try:
            return await Worker.start(self.module, str(self.model_path), *options)
        except WorkerRefused as refused:
            self._checked = False
            raise ModelDamaged(
                f"{self.title} cannot load the speech model in {self.model_path} ({refused}): "
                "run `hotline model fetch`, or name a sound folder in the configuration.",
                path=self.model_path,
            ) from refused
        except WorkerDied as died:
            raise DecoderNotStarted(
                f"The speech decoder cannot start ({died}): check that memory is free "
                f"and that the {self.library} package is installed; transcripts wait."
            ) from died

    async def _check(self) -> None:
        """Verify the model once, and again after it went away or failed to load."""
        if not (self._checked and self.model_path.is_dir()):
            await asyncio.to_thread(self.verify, self.model_path)
            self._checked = True

    def verify(self, model: Path) -> None:
        """Check the folder of the model; raises `ModelMissing` or `ModelDamaged`."""
        raise NotImplementedError

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise EngineClosed("The speech engine is stopping: the transcript waits.")

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        """Count who works, so that the model is unloaded only after a while without work."""
        self._refuse_if_closed()
        self._busy += 1
        if self._unloading:
            self._unloading.cancel()
        try:
            yield
        finally:
            self._busy -= 1
            if self._busy == 0 and self._unload_after is not None and not self._closed:
                loop = asyncio.get_running_loop()
                self._unloading = loop.call_later(self._unload_after, self._unload_soon)

    def _unload_soon(self) -> None:
        task = asyncio.create_task(self.unload(), name="unload-speech-model")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def unload(self) -> None:
        """End the processes where they have no work; the next leg loads the model again."""
        async with self._starting:
            if self._busy == 0:
                await self._end()

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker:
            await worker.close()

    async def ping(self) -> None:
        """Check that the model stands where it should and a loaded one answers; loads nothing.

        Raises:
            SpeechError: the engine could not work now.
        """
        self._refuse_if_closed()
        await self._check()
        if self._worker and self._worker.alive:
            await self._worker.ping()

    async def aclose(self) -> None:
        """Refuse new work and end the processes; work in hand fails as `EngineClosed`."""
        self._closed = True
        if self._unloading:
            self._unloading.cancel()
        await asyncio.gather(*self._tasks)
        await self._end()
