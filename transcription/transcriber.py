"""The port every speech engine fits; what the service knows of an engine is this and no more."""

from pathlib import Path
from typing import Protocol

from telephony.calls import Leg
from transcription.transcripts import Transcript


class Transcriber(Protocol):
    """Turns the recording of one leg into words, off the event loop."""

    @property
    def name(self) -> str:
        """The engine and its version, as stored with each transcript."""
        ...

    @property
    def model(self) -> str:
        """The model the engine hears with, as stored with each transcript."""
        ...

    async def transcribe(self, wav: Path, leg: Leg) -> Transcript:
        """Transcribe one leg; safe to call many times at once, the engine keeps its own limits.

        Raises:
            SpeechError: one sentence; where its `passing` is true the job should wait or be
                tried again (no model yet, the service stops), else the transcript has failed.
        """
        ...

    async def ping(self) -> None:
        """Return where the engine could work now; raise a `SpeechError` where it could not."""
        ...

    async def aclose(self) -> None:
        """End the engine's processes and give back its memory."""
        ...
