"""The job that has a recorded leg heard, done by the service or by `hotline worker` elsewhere."""

from contextlib import AbstractAsyncContextManager

from hotline import flow, store
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.errors import StoreAwayError
from hotline.jobs import JobName, LaterError, Payload, Step
from hotline.services import Clock
from hotline.sounds import SoundStores
from telephony.calls import Leg
from transcription import store as words
from transcription.errors import SpeechError
from transcription.transcriber import Transcriber


class Hearing:
    """Fetches the sound of a leg from the store, has it heard, and stores the words."""

    def __init__(
        self, *, pool: Pool, clock: Clock, sounds: SoundStores, transcriber: Transcriber
    ) -> None:
        """Needs no identity keys: nothing it reads or writes is sealed."""
        self._pool = pool
        self._clock = clock
        self._sounds = sounds
        self._transcriber = transcriber

    def slow(self) -> dict[JobName, Step]:
        """The job that takes as long as a fraction of the call; kept apart from the quick ones."""
        return {JobName.TRANSCRIBE: Step(do=self.transcribe, give_up=self.give_up_transcript)}

    def _tx(self) -> AbstractAsyncContextManager[Connection]:
        return transaction(self._pool)

    async def transcribe(self, job: Payload) -> None:
        """Have one leg heard.

        Raises:
            LaterError: the engine cannot work now (no model yet, or the service stops), or the
                store is away.
        """
        call_id, leg = int(job["call_id"]), Leg(job["leg"])
        async with borrowed(self._pool) as conn:
            sound = await store.sound_to_hear(conn, call_id, leg)
        if sound is None:
            return
        try:
            async with self._sounds.lent(sound) as wav:
                heard = await self._transcriber.transcribe(wav, leg)
        except (StoreAwayError, OSError) as error:
            raise LaterError(f"The sound of call {call_id} cannot be heard now: {error}") from error
        except SpeechError as error:
            await self._not_heard(call_id, leg, sound.sha256, error)
        else:
            async with self._tx() as tx:
                await flow.leg_heard(tx, call_id, heard, sound.sha256, self._clock())

    async def _not_heard(self, call_id: int, leg: Leg, recording: str, error: SpeechError) -> None:
        if not error.passing:
            await self._failed(call_id, leg, recording, str(error))
            return
        async with self._tx() as tx:
            await words.wait(tx, call_id, leg, recording, str(error))
        raise LaterError(str(error)) from error

    async def _failed(self, call_id: int, leg: Leg, recording: str, reason: str) -> None:
        async with self._tx() as tx:
            await flow.leg_failed(
                tx, call_id, leg, recording=recording, reason=reason, now=self._clock()
            )

    async def give_up_transcript(self, job: Payload, reason: str) -> None:
        """The engine failed on one leg again and again: routing goes on without it."""
        call_id, leg = int(job["call_id"]), Leg(job["leg"])
        async with borrowed(self._pool) as conn:
            sound = await store.sound_to_hear(conn, call_id, leg)
        if sound is not None:
            await self._failed(call_id, leg, sound.sha256, reason)
