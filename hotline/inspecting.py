"""The job that inspects a finished call, and the command that asks for it anew.

It comes when both legs of a call are through. What it reads (words, times, holds, badge) has a
hash; an inspection is kept once for a call, a form and that hash, so the job may run as often as it
likes. The score goes to nobody from here: the journal tells that a call was inspected, not how.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from datetime import datetime, timedelta

from hotline import flow, inspection_rows
from hotline.database import Connection, Pool, borrowed, transaction
from hotline.inspection_rows import Inspected
from hotline.jobs import JobName, LaterError, Payload, Step
from hotline.services import Clock
from routing.errors import RoutingError
from telephony.calls import Leg
from transcription import store as words
from transcription.inspection.form import Form
from transcription.inspection.inspecting import inspect
from transcription.inspection.spans import Span
from transcription.inspection.talk import Talk
from transcription.transcripts import Transcript, words_to_rows

LEAST_HOLD = timedelta(seconds=2)
"""Shorter gaps between two bridges are the exchange at work, not somebody waiting."""


class InspectionDesk:
    """Inspects calls by the form in force."""

    def __init__(
        self, *, pool: Pool, form: Callable[[], Form], badges: Mapping[str, str], clock: Clock
    ) -> None:
        """`form` reads the form in force; `badges` are those of the configured seats."""
        self._pool, self._form, self._badges, self._clock = pool, form, badges, clock

    def steps(self) -> dict[JobName, Step]:
        """The job it does."""
        return {JobName.INSPECT: Step(do=self.inspect)}

    def _tx(self) -> AbstractAsyncContextManager[Connection]:
        return transaction(self._pool)

    async def inspect(self, job: Payload) -> None:
        """Inspect one call; one that is none of a citizen's, or was never answered, is left.

        Raises:
            LaterError: the form cannot be read now; calls wait until it is right.
        """
        call_id = int(job["call_id"])
        async with borrowed(self._pool) as conn:
            about = await inspection_rows.call(conn, call_id)
            if about is None:
                return
            legs = await words.transcripts(conn, call_id)
            bridges = await inspection_rows.bridges(conn, call_id)
        talk = talk_of(about, legs, bridges, self._badges)
        try:
            form = await asyncio.to_thread(self._form)
        except RoutingError as error:
            raise LaterError(f"Call {call_id} is not inspected yet: {error}") from error
        found = await asyncio.to_thread(inspect, talk, form)
        async with self._tx() as tx:
            await flow.call_inspected(
                tx,
                about,
                found,
                fingerprint_of(talk),
                form=form,
                now=self._clock(),
            )


def talk_of(
    about: Inspected,
    legs: Mapping[Leg, Transcript],
    bridges: Sequence[tuple[datetime, bool]],
    badges: Mapping[str, str],
) -> Talk:
    """A call as inspection sees it: moments become seconds of the recordings."""
    began = about.began or about.answered_at
    since = _since(began)
    ended = about.talk_ended_at
    return Talk(
        line=about.line,
        caller=legs.get(Leg.CALLER),
        operator=legs.get(Leg.OPERATOR),
        answered=since(about.answered_at),
        ended=None if ended is None else since(ended),
        holds=holds(bridges, about.answered_at, ended, since),
        hung_up_by=about.hangup_by,
        wait=_between(about.queued_at, about.answered_at),
        rang=_between(about.ringing_at, about.answered_at),
        badge=badges.get(about.operator or ""),
        told=about.badge is not None,
    )


def _since(began: datetime) -> Callable[[datetime], float]:
    return lambda at: round((at - began).total_seconds(), 3)


def _between(begin: datetime | None, end: datetime) -> float | None:
    return None if begin is None else max(0.0, round((end - begin).total_seconds(), 3))


def holds(
    bridges: Sequence[tuple[datetime, bool]],
    answered: datetime,
    ended: datetime | None,
    since: Callable[[datetime], float],
) -> tuple[Span, ...] | None:
    """When the caller waited during the talk, with nobody to hear; None where nothing is told."""
    if not bridges or ended is None:
        return None
    found: list[Span] = []
    left: datetime | None = None
    for at, entered in bridges:
        if not entered:
            left = at if left is None else left
        elif left is not None:
            if left >= answered and at <= ended and at - left >= LEAST_HOLD:
                found.append(Span(start=since(left), end=since(at)))
            left = None
    return tuple(found)


def fingerprint_of(talk: Talk) -> str:
    """The hash of everything an inspection was made from."""
    legs = {
        leg.value: None
        if heard is None
        else [heard.engine, heard.model, words_to_rows(heard.words)]
        for leg, heard in ((Leg.CALLER, talk.caller), (Leg.OPERATOR, talk.operator))
    }
    facts = [
        talk.line,
        talk.answered,
        talk.ended,
        None if talk.holds is None else [asdict(one) for one in talk.holds],
        talk.hung_up_by,
        talk.wait,
        talk.rang,
        talk.badge,
        talk.told,
    ]
    text = json.dumps([legs, facts], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
