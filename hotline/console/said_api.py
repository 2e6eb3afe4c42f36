"""What was said, searched: in which calls some words stand, and from which second to hear them.

A sentence is shown with the personal data in it hidden; whoever speaks with citizens reads it in
full, and hears it, for a reason that the journal keeps (`spoken_api.py`). Calls of hidden cases are
not found by whoever must not find them: the pool shows that person's world alone.
"""

import asyncio
import base64
import json
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from hotline import journal, said_rows
from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.who import OFFICE
from hotline.database import Connection, borrowed, transaction
from hotline.journal import Event
from hotline.masking import mask_text
from hotline.said_rows import Narrowed, Place
from routing import said
from routing.said import Wanted
from telephony.calls import Leg
from transcription.sentences import Sentence, from_rows

HITS = 5
"""Places shown of one leg; `times` counts all."""
RANKED = 300
"""The newest legs found that are put in the order of likeness."""
LEAD_IN = 1.0
"""Seconds before the word from which it is played, so that an ear is ready."""
Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,200}={0,2}$")]


class SaidQuery(Asked):
    """What is looked for, and in which calls; `until` is not included."""

    words: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="One word or more, divided by spaces; all of them must be said by one side."
    )
    by_sound: bool = Field(
        default=False, description="Also what sounds like it: 临园路 finds 林园路."
    )
    leg: Leg | None = None
    line: Name | None = None
    operator: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,8}$")] | None = None
    level1: Name | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    order: Literal["time", "likeness"] = Field(
        default="time", description=f"`likeness` puts the newest {RANKED} that were found in order."
    )
    after: Cursor | None = Field(default=None, description="The `next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=50)] = 20


class HitView(Told):
    """One place where a word is said; seconds of the recording."""

    word: str = Field(description="That was asked for.")
    said: str = Field(description="That stands there; another writing where it sounds alike.")
    by: Literal["text", "raw"] = Field(description="`raw`: only as the engine wrote it.")
    score: float = Field(description="1: the very characters; less the less it sounds like them.")
    start: float
    end: float
    sentence: str = Field(description="Around it; personal data is hidden.")
    first: int = Field(description="Character of the sentence, counted from 0.")
    last: int = Field(description="The character after it.")
    hides: bool = Field(description="The sentence has personal data in it.")
    url: str | None = Field(description="Plays from a moment before the word.")


class FoundView(Told):
    """One side of a call that says all the words."""

    call_id: Id
    leg: Leg
    at: datetime = Field(description="When the call began.")
    line: str
    operator: str | None
    badge: str | None
    level1: str | None
    case_id: Id | None
    case_number: str | None
    score: float = Field(description="How alike, 0 to 1: the mean over the words.")
    times: int = Field(description="How often the words are said.")
    hits: tuple[HitView, ...] = Field(description=f"The first {HITS} places.")


class FoundSaid(Told):
    """One page; legs of one call may stand on two."""

    found: tuple[FoundView, ...]
    next: str | None


async def search_said(asked: Request) -> FoundSaid:
    """Calls in which words were said, with the second of each and the sentence around it."""
    query = asked.asked(SaidQuery)
    wanted = said.wanted(query.words, by_sound=query.by_sound)
    if wanted is None:
        raise ProblemError(Fault.INVALID, "words: give at least one letter, digit or character.")
    async with borrowed(asked.services.pool) as conn:
        ranks, more = await _ranked(conn, query, wanted)
        rows = await said_rows.shown(conn, [place for *_, place in ranks])
    known = {place: (score, times) for score, times, place in ranks}
    views = await asyncio.to_thread(_views, rows, known, wanted)
    await _note(asked, query, views)
    return FoundSaid(found=views, next=_cursor(query, ranks[-1]) if more else None)


_Rank = tuple[float, int, Place]


async def _ranked(conn: Connection, query: SaidQuery, wanted: Wanted) -> tuple[list[_Rank], bool]:
    """The legs of a page in its order, and whether there are more."""
    within = Narrowed(
        leg=query.leg,
        line=query.line,
        operator=query.operator,
        level1=query.level1,
        since=query.since,
        until=query.until,
    )
    after = _after(query)
    by_time = query.order == "time"
    found = await said_rows.newest(
        conn,
        wanted,
        within,
        after=after[2] if after and by_time else None,
        limit=query.limit + 1 if by_time else RANKED,
    )
    ranks = await asyncio.to_thread(_likeness, found, wanted)
    if not by_time:
        ranks = [it for it in sorted(ranks, reverse=True) if after is None or it < after]
    return ranks[: query.limit], len(ranks) > query.limit


def _likeness(found: Sequence[said_rows.Found], wanted: Wanted) -> list[_Rank]:
    return [(*said.likeness(one.text, wanted), one.place) for one in found]


def _cursor(query: SaidQuery, last: _Rank) -> str:
    score, times, place = last
    told = [query.order, score, times, place.at.isoformat(), place.call_id, place.leg]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _after(query: SaidQuery) -> _Rank | None:
    if query.after is None:
        return None
    try:
        order, score, times, at, call_id, leg = json.loads(base64.urlsafe_b64decode(query.after))
        place = Place(at=datetime.fromisoformat(at), call_id=int(call_id), leg=Leg(leg))
        if order == query.order and place.at.tzinfo is not None and abs(place.call_id) < 2**63:
            return float(score), int(times), place
    except (ValueError, TypeError):
        pass
    raise ProblemError(Fault.INVALID, "after: this is no `next` of a page of this search.")


def _views(
    rows: Sequence[said_rows.Shown], known: dict[Place, tuple[float, int]], wanted: Wanted
) -> tuple[FoundView, ...]:
    return tuple(_view(row, *known[row.place], wanted) for row in rows)


def _view(row: said_rows.Shown, score: float, times: int, wanted: Wanted) -> FoundView:
    place = row.place
    sound = f"/api/calls/{place.call_id}/sound/{place.leg}" if row.stored else None
    hits = (
        _hit(sentence, it, sound)
        for sentence in from_rows(place.leg, json.loads(row.sentences))
        for it in said.places(sentence, wanted)
    )
    return FoundView(
        call_id=place.call_id,
        leg=place.leg,
        at=place.at,
        line=row.line,
        operator=row.operator,
        badge=row.badge,
        level1=row.level1,
        case_id=row.case_id,
        case_number=row.case_number,
        score=score,
        times=times,
        hits=tuple(islice(hits, HITS)),
    )


def _hit(sentence: Sentence, it: said.Place, sound: str | None) -> HitView:
    start, end = sentence.second(it.line, it.first, it.last)
    return HitView(
        word=it.word,
        said=it.line.text[it.first : it.last],
        by="text" if it.line is sentence.text else "raw",
        score=it.score,
        start=round(start, 2),
        end=round(end, 2),
        sentence=sentence.shown(it.line),
        first=it.first,
        last=it.last,
        hides=bool(sentence.muted),
        url=sound and f"{sound}#t={max(0.0, start - LEAD_IN):.2f}",
    )


async def _note(asked: Request, query: SaidQuery, found: Sequence[FoundView]) -> None:
    """Keep who searched for what, and each call that was shown to him."""
    at, actor = asked.services.clock(), asked.who.name
    async with transaction(asked.services.pool) as tx:
        body = {"what": mask_text(query.words)}
        await journal.write(tx, at=at, actor=actor, event=Event.SEEN_SEARCH, body=body)
        await journal.write_found(
            tx,
            at=at,
            actor=actor,
            calls={one.call_id: one.case_id for one in found},
            body={"what": "found"},
        )


ENDPOINTS = (
    get(
        "/api/transcripts/search",
        search_said,
        FoundSaid,
        query=SaidQuery,
        faults=(Fault.INVALID,),
        roles=OFFICE,
    ),
)
