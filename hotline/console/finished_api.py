"""The finished text of a call: what stands for what, what is offered for the form, what to mute."""

from collections.abc import Sequence

from pydantic import Field

from hotline.console.desk import Request
from hotline.console.endpoint import get
from hotline.console.problems import Fault, ProblemError
from hotline.console.seen_api import note
from hotline.console.shapes import Told
from hotline.console.who import OFFICE
from hotline.database import borrowed
from hotline.journal import Event
from telephony.calls import Leg
from transcription import store as words
from transcription.facts import Fact, FactSort, facts
from transcription.finishing import Correction, Finished, finish
from transcription.personal import Muted, PersonalSort, muted


class CorrectionView(Told):
    """What stands in the text instead of what the engine wrote."""

    by: str = Field(description="vocabulary: by sound; digits: heard again with digits alone.")
    sort: str
    original: str
    text: str
    score: float = Field(description="Likeness of sound, or confidence of the digits; 0 to 1.")
    start: float
    end: float


class FinishedView(Told):
    """One segment: `raw` as the engine wrote it, `text` for reading; seconds of the leg."""

    leg: Leg
    segment: int = Field(description="Counts from 0 within the leg.")
    start: float
    end: float
    text: str
    raw: str
    corrections: tuple[CorrectionView, ...]


class FactView(Told):
    """Something found in the caller's words; it is offered, and a person fills in the form."""

    sort: FactSort
    value: str
    text: str
    segment: int
    first: int = Field(description="Character of the segment's text, counted from 0.")
    last: int = Field(description="The character after it.")
    start: float
    end: float
    sure: float | None


class MutedView(Told):
    """Personal data: characters of a segment's text, and the seconds to be silent in."""

    leg: Leg
    sort: PersonalSort
    segment: int
    first: int
    last: int
    start: float
    end: float


class CallText(Told):
    """The finished words of a call; legs that are not heard yet are missing."""

    segments: tuple[FinishedView, ...]
    facts: tuple[FactView, ...]
    personal: tuple[MutedView, ...]


async def call_text(asked: Request) -> CallText:
    """The finished words of a call, in order of time, with offers for the form."""
    call_id = asked.path_id("call_id")
    async with borrowed(asked.services.pool) as conn:
        if not await conn.fetchval("SELECT true FROM calls WHERE id = $1", call_id):
            raise ProblemError(Fault.NOT_FOUND, f"There is no call {call_id}.")
        legs = await words.transcripts(conn, call_id)
    await note(asked, Event.SEEN_CALL, call_id=call_id, what="text")
    vocabulary = asked.services.city.vocabulary
    found = {leg: finish(leg, heard.words, vocabulary, heard.again) for leg, heard in legs.items()}
    caller = found.get(Leg.CALLER, ())
    shown = [_segment(at, one) for said in found.values() for at, one in enumerate(said)]
    return CallText(
        segments=tuple(sorted(shown, key=lambda one: (one.start, one.leg))),
        facts=tuple(_fact(one) for one in facts(caller, vocabulary)),
        personal=tuple(_muted(leg, one) for leg, said in found.items() for one in muted(said)),
    )


def _segment(at: int, one: Finished) -> FinishedView:
    return FinishedView(
        leg=one.leg,
        segment=at,
        start=one.start,
        end=one.end,
        text=one.text,
        raw=one.raw,
        corrections=_corrections(one.corrections),
    )


def _corrections(found: Sequence[Correction]) -> tuple[CorrectionView, ...]:
    return tuple(
        CorrectionView(
            by=it.by,
            sort=it.sort,
            original=it.original,
            text=it.text,
            score=it.score,
            start=it.start,
            end=it.end,
        )
        for it in found
    )


def _fact(one: Fact) -> FactView:
    return FactView(
        sort=one.sort,
        value=one.value,
        text=one.text,
        segment=one.segment,
        first=one.first,
        last=one.last,
        start=one.start,
        end=one.end,
        sure=one.sure,
    )


def _muted(leg: Leg, one: Muted) -> MutedView:
    return MutedView(
        leg=leg,
        sort=one.sort,
        segment=one.segment,
        first=one.first,
        last=one.last,
        start=one.start,
        end=one.end,
    )


ENDPOINTS = (
    get(
        "/api/calls/{call_id}/text",
        call_text,
        CallText,
        faults=(Fault.NOT_FOUND,),
        roles=OFFICE,
    ),
)
