"""The data of each event of a call's captions, and how it is made of what the board tells."""

from datetime import datetime
from typing import TypedDict

from pydantic import BaseModel, Field

from hotline.caption_board import CaptionState, Item, Offer, ShedReason, Standing
from hotline.console.case_shapes import AlternativeView, LeafView, ReasonView, SuggestionView
from hotline.console.shapes import Told
from routing.directory import City
from routing.suggestions import Suggestion
from telephony.calls import Leg
from transcription.captions import Caption


class CaptionStateView(Told):
    """How the captions of a call stand: the first event, and another at each change."""

    call_id: int | None = Field(description="None of a call that was dialled from here.")
    dial_id: int | None = Field(description="Its order, of a call that was dialled from here.")
    state: CaptionState


class CaptionShedView(Told):
    """Captions are given up for this call; its recording and its transcript are untouched."""

    call_id: int | None = Field(description="None of a call that was dialled from here.")
    dial_id: int | None = Field(description="Its order, of a call that was dialled from here.")
    reason: ShedReason


class CaptionPartialView(Told):
    """A guess at what is being said; the next event of this leg and segment replaces it."""

    call_id: int | None = Field(description="None of a call that was dialled from here.")
    dial_id: int | None = Field(description="Its order, of a call that was dialled from here.")
    leg: Leg
    segment: int = Field(description="Counts from 1 within the leg.")
    start: float = Field(description="Seconds from the start of the leg.")
    at: datetime = Field(description="When it was said, by the clock of the service.")
    text: str


class CaptionWordView(Told):
    """One word, in seconds from the start of the leg."""

    text: str
    start: float
    end: float
    confidence: float | None


class CaptionFinalView(Told):
    """What was said, and stands; it replaces the partial of this leg and segment."""

    call_id: int | None = Field(description="None of a call that was dialled from here.")
    dial_id: int | None = Field(description="Its order, of a call that was dialled from here.")
    leg: Leg
    segment: int
    start: float
    end: float
    at: datetime
    text: str
    confidence: float | None = Field(description="0 to 1; below 0.75 listen to the recording.")
    words: tuple[CaptionWordView, ...]


class CaptionCardView(Told):
    """A knowledge card that fits what the caller says, best first."""

    card_id: int
    version: int
    title: str
    unit: str
    unit_name: str
    score: int


class CaptionOfferView(Told):
    """What the caller's words suggest so far; it is offered, and a person fills in the form.

    It replaces the offer before it. `suggestion.reasons[].turn` counts the caller's finals from 0.
    """

    call_id: int | None = Field(description="None of a call that was dialled from here.")
    dial_id: int | None = Field(description="Its order, of a call that was dialled from here.")
    segment: int = Field(description="The caller's final with which this is suggested.")
    suggestion: SuggestionView
    cards: tuple[CaptionCardView, ...]


EVENTS: dict[str, type[BaseModel]] = {
    "caption.state": CaptionStateView,
    "caption.partial": CaptionPartialView,
    "caption.final": CaptionFinalView,
    "caption.offer": CaptionOfferView,
    "caption.shed": CaptionShedView,
}


class Whose(TypedDict):
    """Of which call the captions are: one of the two."""

    call_id: int | None
    dial_id: int | None


def shown(whose: Whose, item: Item, city: City) -> tuple[str, Told]:
    """The name and the data of the event that tells this; units by their names in the city."""
    match item:
        case Standing(state=CaptionState.SHED, reason=ShedReason() as reason):
            return "caption.shed", CaptionShedView(**whose, reason=reason)
        case Standing():
            return "caption.state", CaptionStateView(**whose, state=item.state)
        case Offer():
            return "caption.offer", _offer(whose, item, city)
        case Caption():
            return _caption(whose, item)


def _caption(whose: Whose, said: Caption) -> tuple[str, Told]:
    if said.end is None:
        return "caption.partial", CaptionPartialView(
            **whose,
            leg=said.leg,
            segment=said.segment,
            start=said.start,
            at=said.at,
            text=said.text,
        )
    return "caption.final", CaptionFinalView(
        **whose,
        leg=said.leg,
        segment=said.segment,
        start=said.start,
        end=said.end,
        at=said.at,
        text=said.text,
        confidence=said.confidence,
        words=tuple(
            CaptionWordView(text=it.text, start=it.start, end=it.end, confidence=it.conf)
            for it in said.words
        ),
    )


def _offer(whose: Whose, offer: Offer, city: City) -> CaptionOfferView:
    return CaptionOfferView(
        **whose,
        segment=offer.segment,
        suggestion=_suggestion(offer.suggestion),
        cards=tuple(
            CaptionCardView(
                card_id=it.card_id,
                version=it.version,
                title=it.title,
                unit=it.unit,
                unit_name=unit.name if (unit := city.unit(it.unit)) else it.unit,
                score=it.score,
            )
            for it in offer.cards
        ),
    )


def _suggestion(found: Suggestion) -> SuggestionView:
    return SuggestionView(
        level1=found.level1,
        confidence=found.confidence,
        kind=found.kind,
        urgency=found.urgency,
        area=found.area,
        unit=found.unit,
        reasons=tuple(
            ReasonView(
                sort=it.sort,
                value=it.value,
                by=it.by,
                text=it.text,
                weight=it.weight,
                turn=it.turn,
                at=it.at,
            )
            for it in found.reasons
        ),
        alternatives=tuple(
            AlternativeView(level1=it.level1, confidence=it.confidence) for it in found.alternatives
        ),
        leaves=tuple(LeafView(path=it.path, score=it.score) for it in found.leaves),
        rules_version=found.rules_version,
        model_version=found.model_version,
    )
