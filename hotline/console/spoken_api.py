"""The sound and the words of a call: silent and hidden where personal data was said.

Whoever may learn who called hears and reads all of it for a reason, which the journal keeps before
anything is told. The row of the journal is what opens the sound, for half an hour and for that
person alone. Where the words of a leg are not known yet, nothing can be silent in it.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import LiteralString

from aiohttp import web

from hotline import muting
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.playing import played
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import RevealAsked, note, note_reveal
from hotline.console.shapes import Asked, Id, Told, TurnView
from hotline.console.who import CALLERS, DISCIPLINE, OFFICE
from hotline.database import Connection, borrowed, transaction
from hotline.errors import SoundGoneError
from hotline.journal import Event
from hotline.store import kept_at
from telephony.calls import Leg
from transcription import store as words
from transcription.sentences import SaidTurn

log = logging.getLogger(__name__)

OPEN_FOR = timedelta(minutes=30)
_PATH: LiteralString = """
    SELECT kept_in, path, sha256 FROM recordings
     WHERE call_id = $1 AND leg = $2 AND state = 'stored'"""
_CASE_OF: LiteralString = """
    SELECT c.id AS call_id, k.id AS case_id FROM calls c LEFT JOIN cases k ON k.call_id = c.id
     WHERE c.id = $1"""
_OPENED: LiteralString = """
    SELECT EXISTS (SELECT FROM journal WHERE call_id = $1 AND actor = $2 AND event = $3
                      AND body ->> 'what' = $4 AND at > $5)"""


class SoundQuery(Asked):
    """How a recording is played."""

    whole: bool = False
    """With the personal data in it, after `reveal`."""


class SoundOpened(Told):
    """Where the whole sound is played, and until when."""

    url: str
    until: datetime


class Spoken(Told):
    """All that was said in a call, nothing hidden."""

    call_id: Id
    dialogue: tuple[TurnView, ...]


async def muted_seconds(conn: Connection, call_id: int) -> Mapping[Leg, float]:
    """How long each leg whose words are known is silent for personal data."""
    return {
        leg: round(sum(end - start for start, end in muting.spans(said)), 2)
        for leg, said in (await words.finished(conn, call_id)).items()
    }


def turn_view(one: SaidTurn, *, whole: bool = False) -> TurnView:
    """What one side said, with its personal data hidden unless `whole`."""
    said = one.sentences
    return TurnView(
        leg=one.leg,
        start=one.start,
        end=one.end,
        text="".join(it.text.text if whole else it.shown(it.text) for it in said),
        raw=" ".join(it.raw.text if whole else it.shown(it.raw) for it in said),
        hides=any(it.muted for it in said),
    )


async def play(asked: Request) -> web.StreamResponse:
    """The sound of one stored leg, silent for personal data; any part of it may be asked for."""
    call_id, leg = asked.path_id("call_id"), Leg(asked.http.match_info["leg"])
    whole = asked.asked(SoundQuery).whole
    async with borrowed(asked.services.pool) as conn:
        if whole and not await _is_open(conn, asked, call_id, leg):
            raise ProblemError(Fault.FORBIDDEN, "Give a reason first: the address ends in /reveal.")
        row = await conn.fetchrow(_PATH, call_id, leg)
        said = {} if whole else await words.finished(conn, call_id)
    try:
        if row is not None:
            if _from_the_start(asked.http):
                what = f"{leg}, whole" if whole else leg
                await note(asked, Event.SEEN_SOUND, call_id=call_id, what=what)
            silent = muting.spans(said.get(leg, ()))
            return await played(asked.http, asked.services.sounds, kept_at(row), silent)
    except SoundGoneError as error:
        log.error("Call %d cannot be played: %s", call_id, error)  # noqa: TRY400 - no surprise
    raise ProblemError(Fault.NO_SOUND, f"Call {call_id} has no stored sound of this side.")


def _from_the_start(http: web.Request) -> bool:
    """Whether this is a first request for a sound; a player asks for the rest in pieces."""
    return http.headers.get("Range", "bytes=0-").replace(" ", "").startswith("bytes=0-")


async def _is_open(conn: Connection, asked: Request, call_id: int, leg: Leg) -> bool:
    since = asked.services.clock() - OPEN_FOR
    given = (call_id, asked.who.name, Event.SEEN_IDENTITY, _sound(leg), since)
    return bool(await conn.fetchval(_OPENED, *given))


def _sound(leg: Leg) -> str:
    return f"sound {leg}"


async def reveal_sound(asked: Request) -> SoundOpened:
    """Open the whole sound of a leg for half an hour, for a reason that is kept."""
    call_id, leg = asked.path_id("call_id"), Leg(asked.http.match_info["leg"])
    await _reveal(asked, call_id, _sound(leg))
    return SoundOpened(
        url=f"/api/calls/{call_id}/sound/{leg}?whole=true", until=asked.services.clock() + OPEN_FOR
    )


async def reveal_words(asked: Request) -> Spoken:
    """Tell all that was said in a call, for a reason that is kept."""
    call_id = asked.path_id("call_id")
    await _reveal(asked, call_id, "words")
    async with borrowed(asked.services.pool) as conn:
        said = await words.said_turns(conn, call_id)
    return Spoken(call_id=call_id, dialogue=tuple(turn_view(one, whole=True) for one in said))


async def _reveal(asked: Request, call_id: int, what: str) -> None:
    given = asked.asked(RevealAsked)
    async with transaction(asked.services.pool) as tx:
        row = await tx.fetchrow(_CASE_OF, call_id)
        if row is None:
            raise ProblemError(Fault.NOT_FOUND, f"There is no call {call_id}.")
        await note_reveal(tx, asked, given, call_id=call_id, case_id=row["case_id"], what=what)


_REVEALS = {"faults": (Fault.NOT_FOUND, Fault.FORBIDDEN), "roles": CALLERS | DISCIPLINE}
ENDPOINTS = (
    get(
        "/api/calls/{call_id}/sound/{leg}",
        play,
        None,
        media="audio/wav",
        query=SoundQuery,
        faults=(Fault.NO_SOUND, Fault.STORE_AWAY, Fault.FORBIDDEN),
        also=(HTTPStatus.PARTIAL_CONTENT,),
        roles=OFFICE,
    ),
    post(
        "/api/calls/{call_id}/sound/{leg}/reveal",
        reveal_sound,
        RevealAsked,
        SoundOpened,
        **_REVEALS,
    ),
    post("/api/calls/{call_id}/words/reveal", reveal_words, RevealAsked, Spoken, **_REVEALS),
)
