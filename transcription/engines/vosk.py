"""Vosk, the default engine, as the service sees it.

Vosk decodes in processes of its own: several mistakes inside it abort the process, and no call
may end for that. Each process holds one model (about 120 MB) and one thread a core; a process
that dies is started again, and what it was decoding is decoded once more, alone.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from telephony.calls import Leg
from transcription import audio as sound
from transcription.audio import Audio
from transcription.engines.worker import Worker, WorkerDied, WorkerRefused
from transcription.errors import (
    DecoderDied,
    DecoderNotStarted,
    DecodingFailed,
    EngineClosed,
    ModelDamaged,
)
from transcription.models import check_model
from transcription.transcripts import Transcript, Word, transcript

_MODULE = "transcription.engines.vosk_decoder"
_PATIENCE = 120.0
"""Seconds any decoding may take, beside `_PER_SECOND` for each second of sound."""
_PER_SECOND = 5.0
"""A thread needs 0.1 to 0.4 s of CPU for a second of sound; a busy machine may take its time."""


class VoskTranscriber:
    """Transcribes legs with Vosk in processes apart; the model is loaded at the first leg.

    Args:
        model_path: the folder of the model; it may appear later, until then `ModelMissing`.
        processes: decoding processes, each with its own copy of the model.
        threads: threads in each; all usable cores shared out where None.
        nice: how much the processes stand back for calls.
        unload_after: seconds without work after which the processes are ended; None: never.
    """

    def __init__(
        self,
        model_path: Path,
        *,
        processes: int = 1,
        threads: int | None = None,
        nice: int = 5,
        unload_after: float | None = 900.0,
    ) -> None:
        self.model_path = model_path
        self._threads = threads or max(1, len(os.sched_getaffinity(0)) // processes)
        self._nice = nice
        self._desks = [_Desk(self._start) for _ in range(processes)]
        self._free: asyncio.LifoQueue[_Desk] = asyncio.LifoQueue()
        for _ in range(self._threads):
            for desk in self._desks:
                self._free.put_nowait(desk)
        self._alone = asyncio.Lock()
        self._unload_after = unload_after
        self._busy = 0
        self._unloading: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._checked = False
        self._closed = False
        self.restarts = 0
        """Decoding processes that died so far."""

    @property
    def name(self) -> str:
        """Vosk and its version."""
        return f"vosk-{version('vosk')}"

    @property
    def model(self) -> str:
        """The name of the model's folder."""
        return self.model_path.name

    @property
    def pids(self) -> tuple[int, ...]:
        """The decoding processes that live now."""
        return tuple(desk.worker.pid for desk in self._desks if desk.worker and desk.worker.alive)

    async def transcribe(self, wav: Path, leg: Leg) -> Transcript:
        """Transcribe one leg.

        Raises:
            AudioError: the file cannot be transcribed.
            ModelMissing, ModelDamaged: there is no usable model yet.
            DecoderDied, DecodingFailed: Vosk could not decode it.
            EngineClosed: the service stops.
        """
        audio = await asyncio.to_thread(sound.inspect, wav)
        async with self._at_work():
            answer = await self._decode(audio)
        if "error" in answer:
            raise DecodingFailed(
                f"Vosk could not decode the recording {wav.name} ({answer['error']}): "
                "listen to it, and check the model with `hotline model`."
            )
        return transcript(
            leg=leg,
            engine=self.name,
            model=self.model,
            words=(Word(text=w, start=s, end=e, conf=c) for w, s, e, c in answer["words"]),
            audio_seconds=audio.seconds,
        )

    async def _decode(self, audio: Audio) -> dict[str, Any]:
        """Decode at a shared process; where that dies, once more in a process of its own."""
        desk = await self._free.get()
        try:
            return await _ask(await self._seat(desk), audio)
        except WorkerDied:
            self.restarts += 1
        finally:
            self._free.put_nowait(desk)
        return await self._decode_alone(audio)

    async def _decode_alone(self, audio: Audio) -> dict[str, Any]:
        """Decode where no other recording can be to blame, or be hurt."""
        async with self._alone:
            self._open()
            worker = await self._start(1)
            try:
                return await _ask(worker, audio)
            except WorkerDied as died:
                self.restarts += 1
                raise DecoderDied(
                    f"The speech decoder died twice on the recording {audio.path.name} ({died}): "
                    "the recording is kept, listen to it.",
                    last_words=str(died),
                ) from died
            finally:
                await worker.close()

    async def _seat(self, desk: "_Desk") -> Worker:
        self._open()
        return await desk.seated(self._threads)

    def _open(self) -> None:
        if self._closed:
            raise EngineClosed("The speech engine is stopping: the transcript waits.")

    async def _start(self, threads: int) -> Worker:
        """Start a decoding process; the model is verified before the first."""
        await self._check()
        options = ("--threads", str(threads), "--nice", str(self._nice))
        try:
            return await Worker.start(_MODULE, str(self.model_path), *options)
        except WorkerRefused as refused:
            self._checked = False
            raise ModelDamaged(
                f"Vosk cannot load the speech model in {self.model_path} ({refused}): "
                "run `hotline model` to fetch a sound one.",
                path=self.model_path,
            ) from refused
        except WorkerDied as died:
            raise DecoderNotStarted(
                f"The speech decoder cannot start ({died}): check that memory is free "
                "and that the vosk package is installed; transcripts wait."
            ) from died

    async def _check(self) -> None:
        """Verify the model once, and again after it went away or failed to load."""
        if not (self._checked and self.model_path.is_dir()):
            await asyncio.to_thread(check_model, self.model_path)
            self._checked = True

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        self._open()
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
        """End the decoding processes that have no work; the next leg loads the model again."""
        if self._busy == 0:
            await asyncio.gather(*(desk.leave() for desk in self._desks))

    async def ping(self) -> None:
        """Check that the model stands where it should and living processes answer; loads nothing.

        Raises:
            SpeechError: the engine could not work now.
        """
        self._open()
        await self._check()
        for desk in self._desks:
            if desk.worker and desk.worker.alive:
                with contextlib.suppress(WorkerDied):  # the next leg starts another
                    await desk.worker.ask({"ping": True}, within=_PATIENCE)

    async def aclose(self) -> None:
        """Refuse new work and end the processes; work in hand fails as `EngineClosed`."""
        self._closed = True
        if self._unloading:
            self._unloading.cancel()
        await asyncio.gather(*(desk.leave() for desk in self._desks), *self._tasks)


class _Desk:
    """The place of one decoding process, whichever sits there at the moment."""

    def __init__(self, start: Callable[[int], Awaitable[Worker]]) -> None:
        self._start = start
        self._lock = asyncio.Lock()
        self.worker: Worker | None = None

    async def seated(self, threads: int) -> Worker:
        """The living process of this place, started now if there is none."""
        async with self._lock:
            if self.worker is None or not self.worker.alive:
                await self._leave()
                self.worker = await self._start(threads)
            return self.worker

    async def leave(self) -> None:
        """End the process of this place."""
        async with self._lock:
            await self._leave()

    async def _leave(self) -> None:
        worker, self.worker = self.worker, None
        if worker:
            await worker.close()


async def _ask(worker: Worker, audio: Audio) -> dict[str, Any]:
    job = {
        "path": str(audio.path),
        "offset": audio.data_offset,
        "bytes": audio.data_bytes,
        "rate": audio.rate,
    }
    return await worker.ask(job, within=_PATIENCE + _PER_SECOND * audio.seconds)
