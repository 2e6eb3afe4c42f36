"""One leg of a talk as it is heard: sound from a tap in, captions to the board out.

A piece is taken as soon as a tenth of a second is there, never dropped and never waited for by the
exchange. While the two are apart (on hold, in a transfer) the utterance is ended and what comes is
not heard at all. The leg's own clock begins with its first sound and goes on over a tap that was
started again.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from telephony.calls import Leg
from telephony.taps import Tap
from transcription.captions import Caption, Throttle
from transcription.finishing import Finished, finish
from transcription.live import Heard, LiveLeg
from transcription.transcripts import Word, join, mean_confidence
from transcription.vocabulary import Vocabulary

LEAST = 0.1
"""Seconds of sound worth a turn of the decoder: five packets of the telephone."""
MOST = 0.25
_SAMPLE_BYTES = 2
_ONE_SOUND = 0.7
"""A single character less sure than this is noise: hold music and breath sound like 饭 and 法."""
Tell = Callable[[Caption], None]
OpenLeg = Callable[[int], LiveLeg]


@dataclass(slots=True)
class Line:
    """What goes on through all the taps of one leg of a call."""

    leg: Leg
    began: datetime | None = None
    segment: int = 1
    """The one that is being said."""
    channel: str = ""
    """The id of the exchange's channel that is tapped, or was last."""


class Hearing:
    """Hears one tap to its end."""

    def __init__(
        self,
        line: Line,
        tap: Tap,
        *,
        open_leg: OpenLeg,
        vocabulary: Callable[[], Vocabulary],
        tell: Tell,
    ) -> None:
        """`vocabulary` gives the city's names; `tell` takes each caption as it comes."""
        self.line, self.tap = line, tap
        self.speaking = True
        """Whether caller and operator hear each other now."""
        self._lag = 0.0
        self._begun: float | None = None
        """Since when the decoder has had a piece in hand."""
        self.heard_seconds = self.cpu_seconds = 0.0
        self._open_leg, self._vocabulary, self._tell = open_leg, vocabulary, tell
        self._engine: LiveLeg | None = None
        self._throttle = Throttle()
        self._at = 0.0
        """Seconds of sound taken from this tap."""

    @property
    def lag(self) -> float:
        """How many seconds its words come after the sound."""
        if self._begun is None:
            return self._lag
        return time.monotonic() - self._begun + self.tap.waiting_seconds

    async def run(self) -> None:
        """Hear until the tap ends.

        Raises:
            SpeechError: the engine gives up.
        """
        try:
            while pcm := await self.tap.read(least=LEAST, most=MOST):
                await self._hear(pcm)
            await self._end_utterance()
        finally:
            if self._engine is not None:
                self._engine.leave()
            self.tap.close()

    async def _hear(self, pcm: bytes) -> None:
        rate = self.tap.rate or 0
        seconds = len(pcm) / (_SAMPLE_BYTES * rate)
        at, self._at = self._at, self._at + seconds
        if self.line.began is None:
            self.line.began = self.tap.came
        if not self.speaking:
            await self._end_utterance()
            return
        if self._engine is None:
            self._engine = self._open_leg(rate)
        self._begun = begun = time.monotonic()
        heard = await self._engine.feed(pcm, at)
        self._begun = None
        self._lag = time.monotonic() - begun + self.tap.waiting_seconds
        self.heard_seconds += seconds
        await self._take(heard)

    async def _end_utterance(self) -> None:
        """What was said so far stands at once: nobody waits for the silence after it."""
        if self._engine is not None:
            engine, self._engine = self._engine, None
            try:
                await self._take(await engine.finish())
            finally:
                engine.leave()

    async def _take(self, heard: Heard) -> None:
        self.cpu_seconds += heard.cpu_seconds
        for words in heard.utterances:
            self._throttle.settled()
            if not _is_noise(words):
                # Names are sought for some milliseconds; nobody else's words wait for that.
                found = await asyncio.to_thread(finish, self.line.leg, words, self._vocabulary())
                self._say(words[0].start, words[-1].end, found, words)
                self.line.segment += 1
        guess = heard.guess
        if guess is not None and self._throttle.passes(guess.text, time.monotonic()):
            self._say(guess.start, None, (), (), guess.text)

    def _say(
        self,
        start: float,
        end: float | None,
        found: Sequence[Finished],
        words: tuple[Word, ...],
        guess: str = "",
    ) -> None:
        began, came = self.line.began, self.tap.came
        if began is None or came is None:  # pragma: no cover - there was sound
            return
        earlier = (came - began).total_seconds()
        self._tell(
            Caption(
                leg=self.line.leg,
                segment=self.line.segment,
                start=round(start + earlier, 2),
                end=None if end is None else round(end + earlier, 2),
                at=came + timedelta(seconds=start),
                text="".join(one.text for one in found) or guess,
                spoken="".join(one.spoken for one in found),
                words=tuple(_later(word, earlier) for word in words),
            )
        )


def _later(word: Word, seconds: float) -> Word:
    return Word(
        text=word.text,
        start=round(word.start + seconds, 2),
        end=round(word.end + seconds, 2),
        conf=word.conf,
    )


def _is_noise(words: tuple[Word, ...]) -> bool:
    sure = mean_confidence(words)
    return len(join(word.text for word in words)) == 1 and sure is not None and sure < _ONE_SOUND
