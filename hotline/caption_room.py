"""How many calls can be heard at once on this machine: measured at the start, never assumed."""

from pathlib import Path

import deploy
from deploy.demo import alaw
from hotline.caption_board import ShedReason
from hotline.config_captions import Captions
from transcription.errors import SpeechError
from transcription.live import LiveEngine, Measured, calls_by_cpu, fits_memory

AGAIN_AFTER = 30.0
"""Seconds until the engine is tried again that could not start."""
# Somebody reports a street lamp: four seconds of telephone speech, nine seconds into the call.
_CLIP = Path(next(iter(deploy.__path__))) / "demo" / "calls" / "01-streetlight-caller.al"
_CLIP_FROM, _CLIP_SECONDS = 9, 4
_MEMINFO = Path("/proc/meminfo")


class Room:
    """Admits calls by processor and memory; `calls` is None until it was measured."""

    def __init__(self, wanted: Captions, engine: LiveEngine) -> None:
        """Nothing is loaded before `measure`."""
        self._wanted, self._engine = wanted, engine
        self.calls: int | None = None
        self.measured: Measured | None = None
        self.failed = False
        """Whether the engine could not start when it was last tried."""

    @property
    def cost(self) -> float:
        """Processor seconds for a second of one call, both its legs; 0 before it was measured."""
        return self.measured.speech + self.measured.silence if self.measured else 0.0

    async def measure(self) -> None:
        """Start the engine and let it hear a clip.

        Raises:
            SpeechError: it cannot work.
        """
        try:
            await self._engine.start()
            self.measured = await self._engine.measure(clip(), alaw.RATE)
        except SpeechError:
            self.failed = True
            raise
        self.calls = calls_by_cpu(
            self.measured, cores=self._engine.lanes, share=self._wanted.cpu_share
        )
        self.failed = False

    def refuses(self, active: int) -> ShedReason | None:
        """Why one more call beside so many gets no captions; None where it does."""
        if self.calls is None:
            return ShedReason.ENGINE
        if active >= self.calls:
            return ShedReason.FULL
        reserve = self._wanted.memory_reserve_mebibytes * 2**20
        fits = fits_memory(available=available_bytes(), reserve=reserve)
        return None if fits else ShedReason.MEMORY


def clip() -> bytes:
    """A piece of telephone speech as 16-bit samples."""
    start = _CLIP_FROM * alaw.RATE
    return alaw.decode(_CLIP.read_bytes()[start : start + _CLIP_SECONDS * alaw.RATE])


def available_bytes() -> int:
    """What the kernel says can be used without swapping."""
    for line in _MEMINFO.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
