"""Has what was heard finished and kept: at once where a call is routed, later where that was left.

    words of a leg -> a look (migration 0220) -> finished in a thread -> finished_texts

The desk makes up for what an earlier version left, for words heard after their call was routed, and
has everything finished again when the city's names change. A draft whose suggestion came from the
words as they were before is routed once more. Doing it twice changes nothing.
"""

import asyncio
import logging
from collections.abc import Callable

from hotline import finished_rows as rows
from hotline.database import PASSING, Connection, Pool, transaction
from hotline.errors import DatabaseUnavailableError
from hotline.jobs import JobName, enqueue
from routing.said import Said, said_of
from transcription import store as words
from transcription.sentences import RULES, Sentence, sentences
from transcription.transcripts import Transcript
from transcription.vocabulary import Vocabulary

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Legs finished in one transaction of the desk: about a second."""
EVERY = 5.0
"""Seconds between two looks of the desk."""
Vocabularies = Callable[[], Vocabulary]


async def finish_call(tx: Connection, call_id: int, vocabulary: Vocabulary) -> int:
    """Finish the legs of a call that wait for it; returns how many there were."""
    looks = await rows.of_call(tx, call_id)
    for look in looks:
        await _finish(tx, look, vocabulary)
    return len(looks)


async def _finish(tx: Connection, look: rows.Look, vocabulary: Vocabulary) -> None:
    heard = (await words.transcripts(tx, look.call_id)).get(look.leg)
    if heard is not None and heard.words:
        found, said = await asyncio.to_thread(_finished, heard, vocabulary)
        await rows.keep(tx, look, found, said, rules_of(vocabulary))
    await rows.done(tx, look)


def _finished(heard: Transcript, vocabulary: Vocabulary) -> tuple[tuple[Sentence, ...], Said]:
    found = sentences(heard, vocabulary)
    return found, said_of(found)


def rules_of(vocabulary: Vocabulary) -> str:
    """What says whether a text would be finished the same way today."""
    return f"{RULES}:{vocabulary.fingerprint}"


class FinishingDesk:
    """Finishes what waits, the newest calls first."""

    def __init__(self, *, pool: Pool, vocabulary: Vocabularies, every: float = EVERY) -> None:
        """`vocabulary` gives the city's names as they are now."""
        self._pool, self._vocabulary, self._every = pool, vocabulary, every

    async def run(self) -> None:
        """Look every few seconds; returns only when cancelled."""
        while True:
            try:
                while await self.look():
                    pass
            except (DatabaseUnavailableError, *PASSING) as error:
                log.warning("Texts are finished when the database is back (%s).", error)
            await asyncio.sleep(self._every)

    async def look(self) -> int:
        """Finish some; returns how many."""
        vocabulary = self._vocabulary()
        async with transaction(self._pool) as tx:
            if await rows.take_over(tx, rules_of(vocabulary)):
                log.info("The city's names are others now: %d legs wait.", await rows.left(tx))
            looks = await rows.waiting(tx, AT_ONCE)
            for look in looks:
                await _finish(tx, look, vocabulary)
            for call_id in await rows.suggested(tx, {look.call_id for look in looks}):
                await enqueue(tx, JobName.ROUTE, {"call_id": call_id})
        return len(looks)
