"""The form of inspection: what is looked at, what it weighs, which phrases count; a value. Pure.

A form is data of the city (`deploy/inspection/default.yaml`, or `inspection.yaml` in its folder).
`name` ends in a version: another weight, threshold or phrase is another version, and every result
keeps the version and the hash it was made by.
"""

import hashlib
from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Phrase = Annotated[str, StringConstraints(pattern=r"^[^\W_]{1,30}$")]
"""Letters, characters and digits: what is spoken, without marks or spaces."""
Phrases = Annotated[tuple[Phrase, ...], Field(min_length=1, max_length=200)]
Points = Annotated[int, Field(ge=1, le=100)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A part of the form; an unknown key is a typing error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(Part):
    """What people call an item."""

    zh: Annotated[str, Field(min_length=1, max_length=60)]
    en: Annotated[str, Field(min_length=1, max_length=60)]


class Item(Part):
    """What all items have: `points` lost each time, `most` at most, which is what it weighs."""

    key: Key
    name: Name
    points: Points
    most: Points
    lines: tuple[str, ...] = ()
    """The lines it is asked for on; empty: on all."""
    unless: tuple[Phrase, ...] = ()
    """Words of either side that let it off: somebody smells gas, the call is passed on."""
    serious: bool = False
    """A person should listen in any case."""


class Said(Item):
    """The operator should say one phrase of each group, in the opening, the closing or anywhere."""

    check: Literal["said"]
    when: Literal["opening", "closing", "anywhere"]
    seconds: Seconds = 15
    groups: Annotated[tuple[Phrases, ...], Field(min_length=1, max_length=10)]
    caller_hung_up: bool = False
    """It is let off where the caller hung up first: nobody could say it."""


class Badge(Item):
    """The operator should name his badge in the opening, unless the exchange told it."""

    check: Literal["badge"]
    seconds: Seconds = 15
    words: Phrases


class ReadBack(Item):
    """The operator should repeat the matter: by a phrase of it, or in the caller's own words."""

    check: Literal["read_back"]
    phrases: Phrases
    echo: Annotated[int, Field(ge=4, le=40)]
    """Syllables of the caller's that one turn of the operator's repeats, in runs of three."""
    after: Annotated[int, Field(ge=1, le=500)]
    """Characters that a caller must have said to have a matter."""


class Never(Item):
    """The operator should say none of these; `unless_in` are harmless words around them."""

    check: Literal["never"]
    phrases: Phrases
    unless_in: tuple[Phrase, ...] = ()


class Pace(Item):
    """The operator should speak slower than `fastest` characters a minute."""

    check: Literal["pace"]
    fastest: Annotated[float, Field(ge=60, le=1000)]


class Silence(Item):
    """Nobody should be left in silence for `longest` seconds."""

    check: Literal["silence"]
    longest: Seconds


class Interruptions(Item):
    """The operator should not break in on the caller more than `allowed` times."""

    check: Literal["interruptions"]
    allowed: Annotated[int, Field(ge=0, le=100)]


class Overlap(Item):
    """Both should speak at once for at most this share of the talk."""

    check: Literal["overlap"]
    share: Share


class TalkShare(Item):
    """The operator should have at most this share of all speech."""

    check: Literal["talk_share"]
    share: Share


class Hold(Item):
    """No hold should last longer than `longest` seconds, nor should there be more than `times`."""

    check: Literal["hold"]
    longest: Seconds
    times: Annotated[int, Field(ge=0, le=100)]


class Answer(Item):
    """The operator should pick up within so many seconds of ringing."""

    check: Literal["answer"]
    seconds: Seconds


AnyItem = Annotated[
    Said
    | Badge
    | ReadBack
    | Never
    | Pace
    | Silence
    | Interruptions
    | Overlap
    | TalkShare
    | Hold
    | Answer,
    Field(discriminator="check"),
]


class Sound(Part):
    """How alike, 0 to 1, a phrase must sound that the recogniser wrote otherwise."""

    wanted: Annotated[float, Field(ge=0.5, le=1.01)]
    """Of a phrase that should be said: generous, since it is looked for where it belongs."""
    forbidden: Annotated[float, Field(ge=0.5, le=1.01)]
    """Of one that should not: strict."""
    surest: Share
    """And only where the recogniser was at most this sure of the words it wrote instead."""


class Least(Part):
    """What there must be to judge anything; below it an item, or the call, is not judged."""

    seconds: Seconds
    """Of the talk."""
    characters: Annotated[int, Field(ge=1, le=1000)]
    """That the operator said."""
    sure: Share
    """Confidence below which a word may be another: a phrase missing there is not judged."""
    confidence: Share
    """Mean confidence of the operator's words below which no phrase is judged."""
    judged: Share
    """Share of the weight of the items asked for that must be judged for a score."""


class People(Part):
    """How much people listen to, and how long an appeal may take."""

    share: Share
    """Of each operator's calls in a week that are drawn."""
    least: Annotated[int, Field(ge=1, le=1000)]
    """Calls of an operator that are drawn in any case, if there are so many."""
    newcomer_days: Annotated[int, Field(ge=0, le=365)]
    """Days from an operator's first call in which he is new."""
    newcomer_share: Share
    double: Share
    """Of the calls chosen that two people score, each without knowing of the other."""
    appeal_days: Annotated[int, Field(ge=1, le=60)]
    """Working days in which an operator may appeal."""
    decide_days: Annotated[int, Field(ge=1, le=60)]
    """Working days in which another person decides."""
    coached: Annotated[int, Field(ge=1, le=100)]
    """Times an item must be lost before it is a matter for coaching."""


class Form(Part):
    """One version of the form."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*/[1-9][0-9]*$")]
    basis: Annotated[str, Field(min_length=4)]
    low: Annotated[float, Field(ge=0, le=100)]
    """A score below it asks for a person."""
    least: Least
    sound: Sound
    people: People
    items: Annotated[tuple[AnyItem, ...], Field(min_length=1, max_length=60)]

    @model_validator(mode="after")
    def _once(self) -> Self:
        keys = Counter(item.key for item in self.items)
        if doubled := sorted(key for key, times in keys.items() if times > 1):
            raise ValueError(f"items: {doubled[0]} stands twice")
        for item in self.items:
            if item.most < item.points:
                raise ValueError(
                    f"items: {item.key} takes {item.points} points and {item.most} at most"
                )
        return self

    def fingerprint(self) -> str:
        """The hash of what it says: a form changed under the same name is another form."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def item(self, key: str) -> AnyItem | None:
        """The item of a key."""
        return next((one for one in self.items if one.key == key), None)
