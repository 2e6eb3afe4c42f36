"""The jobs of the pass: the slow part first, outside any transaction, then one step of `flow`."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from hotline import flow, recordings, store
from hotline.database import Pool, borrowed
from hotline.errors import StoreAwayError
from hotline.finishing import Vocabularies, finish_call
from hotline.hearing import Hearing
from hotline.jobs import JobName, LaterError, Payload, Step
from hotline.recordings import Found
from hotline.services import Clock
from hotline.sounds import Kept, Place, SoundStores
from routing.suggestions import Suggestion
from telephony.calls import Leg
from transcription import store as words
from transcription.transcriber import Transcriber
from transcription.transcripts import Turn


class Suggests(Protocol):
    """Whoever suggests from words where a case belongs; may be asked from any thread."""

    def suggest(self, said: str | Sequence[Turn], line: str | None = None) -> Suggestion:
        """Return what a message or a dialogue suggests."""
        ...


class Steps(Hearing):
    """Collects recordings, has them heard, and routes what was said."""

    def __init__(
        self,
        *,
        pool: Pool,
        clock: Clock,
        sounds: SoundStores,
        recordings_dirs: Mapping[str, Path],
        recording_grace: timedelta,
        transcriber: Transcriber,
        classifier: Suggests,
        vocabulary: Vocabularies,
    ) -> None:
        """`recordings_dirs` names each exchange's spool by its system name.

        `vocabulary` gives the city's names as they are now.
        """
        super().__init__(pool=pool, clock=clock, sounds=sounds, transcriber=transcriber)
        self._recordings_dirs = recordings_dirs
        self._grace = recording_grace
        self._classifier = classifier
        self._vocabulary = vocabulary

    def quick(self) -> dict[JobName, Step]:
        """The jobs that take moments."""
        return {
            JobName.COLLECT_RECORDINGS: Step(do=self.collect_recordings),
            JobName.ROUTE: Step(do=self.route),
        }

    async def collect_recordings(self, job: Payload) -> None:
        """Take an ended call's recordings into the store, then out of the exchange's spool.

        Raises:
            LaterError: one of them is not ready or has no room yet; the others are done.
        """
        call_id = int(job["call_id"])
        async with borrowed(self._pool) as conn:
            call = await store.get_call(conn, call_id)
            expected = await store.expected_recordings(conn, call_id)
        found: dict[Leg, Found] = {}
        later: LaterError | None = None
        for one in expected:
            try:
                found[one.leg] = await asyncio.to_thread(self._take_in, call, one)
            except LaterError as error:
                later = error
        async with self._tx() as tx:
            await flow.recordings_collected(tx, call_id, found, self._clock())
            sources = await store.stored_sources(tx, call_id)
        for named, kept in sources:
            await asyncio.to_thread(self._take_away, self._source(call.system, named), kept)
        if later is not None:
            raise later

    def _take_in(self, call: store.StoredCall, expected: store.Expected) -> Found:
        ended_at = call.ended_at or call.started_at
        found = recordings.take_in(
            self._source(call.system, expected.source_path),
            Place(call_id=call.id, leg=expected.leg, started_at=call.started_at),
            self._sounds,
            now=self._clock(),
            missing_after=ended_at + self._grace,
        )
        talk = (call.talk_ended_at or ended_at) - (call.answered_at or ended_at)
        return recordings.held_against(found, talk)

    def _take_away(self, source: Path, kept: Kept) -> None:
        """Out of the exchange, if the store still has it: what lies there may be the last copy."""
        if not source.exists():
            return
        try:
            held = self._sounds.of(kept.store).size(kept.key) is not None
        except (StoreAwayError, OSError) as error:
            raise LaterError(f"{source.name} stays at the exchange: {error}") from error
        if held:
            recordings.remove_source(source)

    def _source(self, system: str, named: str) -> Path:
        if (folder := self._recordings_dirs.get(system)) is None:
            raise LaterError(
                f"The exchange {system} is not in the configuration: its recording "
                f"{Path(named).name} waits until it is."
            )
        return recordings.source_path(folder, named)

    async def route(self, job: Payload) -> None:
        """Finish what both sides said, and suggest from it where the case of a call belongs."""
        call_id = int(job["call_id"])
        async with self._tx() as tx:
            await finish_call(tx, call_id, self._vocabulary())
        async with borrowed(self._pool) as conn:
            call = await store.get_call(conn, call_id)
            turns = await words.dialogue(conn, call_id)
        suggestion = await asyncio.to_thread(self._classifier.suggest, turns, call.line)
        async with self._tx() as tx:
            await flow.words_routed(tx, call_id, suggestion, self._clock())
