"""One-time notice cards (一次性告知): all a citizen must know of a matter, told at once; pure.

A card says which materials to bring, what the procedure is and how long it takes, and where to go,
how to get there and when. What was told can be looked up later, so a version never changes; what
changes makes a new version.
"""

import unicodedata
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

from pydantic import Field, StringConstraints

from routing.city_files import UNIT_ID
from routing.documents import Document

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Block(StrEnum):
    """The parts of a card that are read to a citizen."""

    MATERIALS = "materials"
    PROCEDURE = "procedure"
    LIMIT = "limit"
    ADDRESS = "address"
    TRANSPORT = "transport"
    HOURS = "hours"


MANDATORY = (Block.MATERIALS, Block.PROCEDURE, Block.LIMIT)
"""Without these three a citizen comes twice."""


class CardText(Document):
    """What one version of a card says; `review` is the day by which it must be looked at again."""

    title: Annotated[Line, StringConstraints(min_length=2, max_length=200)]
    unit: Annotated[str, StringConstraints(pattern=UNIT_ID, max_length=200)]
    category: Annotated[str, StringConstraints(pattern=r"^[^/]+(/[^/]+){0,2}$", max_length=200)]
    keywords: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    materials: Annotated[tuple[Line, ...], Field(min_length=1, max_length=50)]
    procedure: Annotated[tuple[Line, ...], Field(min_length=1, max_length=50)]
    limit: Line
    address: Line
    transport: Line
    hours: Line
    basis: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    review: date
    sample: bool = False


def stale(card: CardText, today: date) -> bool:
    """Whether the day has passed by which the card should have been looked at."""
    return card.review < today


def grams(*texts: str) -> frozenset[str]:
    """The characters and neighbouring pairs of texts: what the search's index holds.

    PostgreSQL's own trigrams are an extension that a city's server may lack, and three characters
    are too many for Chinese words of two.
    """
    return frozenset(gram for text in texts for gram in _grams(text))


def asked_grams(typed: str) -> frozenset[str]:
    """What is looked for when somebody has typed so much: pairs, or the one character there is."""
    found = grams(typed)
    return frozenset(gram for gram in found if len(gram) > 1) or found


def _grams(text: str) -> Iterable[str]:
    plain = unicodedata.normalize("NFKC", text).casefold()
    for run in "".join(char if char.isalnum() else " " for char in plain).split():
        yield from run
        yield from (a + b for a, b in pairwise(run))


def title_grams(card: CardText) -> frozenset[str]:
    """What counts more when it is found: the title and the keywords people gave."""
    return grams(card.title, *card.keywords)


def text_grams(card: CardText) -> frozenset[str]:
    """Everything of a card that can be found, its title too."""
    parts = (*card.materials, *card.procedure, card.limit, card.address, card.basis, card.category)
    return title_grams(card) | grams(*parts)
