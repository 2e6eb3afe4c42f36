"""The models of the API's cards, units, catalogue and city versions."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from hotline.card_rows import CardState, Verdict
from hotline.console.shapes import Asked, Id, Name, Size, Told, Words
from routing.cards import Block, CardText

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,79}$")]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class CardQuery(Asked):
    """Which cards; `q` may be the beginning of a question, the best card comes first."""

    q: Name | None = None
    unit: Name | None = None
    category: Name | None = None
    state: CardState = CardState.PUBLISHED
    stale: bool = Field(default=False, description="Only those whose review date has passed.")
    reported: bool = Field(default=False, description="Only those somebody calls wrong.")
    limit: Size = 20


class CardSummary(Told):
    """A card in a list."""

    id: int
    key: str
    version: int
    state: CardState
    title: str
    unit: str = Field(description="The id of the owner unit.")
    unit_name: str
    category: str
    review: date
    stale: bool
    sample: bool = Field(description="Made up: the owner unit has not checked it.")
    reported: int = Field(description="How many people call this version wrong or outdated.")


class Cards(Told):
    """Cards that fit, best first."""

    cards: tuple[CardSummary, ...]


class FeedbackView(Told):
    """What somebody said of a version."""

    id: int
    version: int
    at: datetime
    by: str
    verdict: Verdict
    remark: str
    answered: bool = Field(description="A newer version of the card is there.")


class CardVersionView(Told):
    """One version in a card's history."""

    version: int
    state: CardState
    at: datetime
    by: str
    reason: str | None


class CardDetail(CardSummary):
    """A card as it is told: its newest version, or the one asked for."""

    materials: tuple[str, ...]
    procedure: tuple[str, ...]
    limit: str
    address: str
    transport: str
    hours: str
    basis: str
    keywords: tuple[str, ...]
    mandatory: tuple[Block, ...] = Field(description="The blocks that are all told at once.")
    versions: tuple[CardVersionView, ...]
    feedback: tuple[FeedbackView, ...]


class NewCard(Asked):
    """A new card."""

    key: Key
    text: CardText


class NewVersion(Asked):
    """The next version of a card, by somebody who has seen `seen`."""

    seen: VersionNumber
    text: CardText
    reason: Words | None = None


class Retirement(Asked):
    """A card that is told no longer."""

    seen: VersionNumber
    reason: Words


class Doubt(Asked):
    """What is wrong with a version of a card."""

    version: VersionNumber
    verdict: Verdict
    remark: Words


class Telling(Asked):
    """A card that was told; the mandatory blocks must all be among the blocks ticked."""

    card: Id
    version: VersionNumber
    blocks: Annotated[tuple[Block, ...], Field(max_length=len(Block))]


class ToldCard(Told):
    """A card that was told."""

    id: int
    card: int
    version: int
    title: str
    call_id: int | None
    case_id: int | None
    at: datetime
    by: str
    blocks: tuple[Block, ...]


class ToldCards(Told):
    """What was told, oldest first."""

    told: tuple[ToldCard, ...]


class EffectQuery(Asked):
    """Cards told in the last `days`, and callers who rang again within `within_days`."""

    days: Annotated[int, Field(ge=1, le=400)] = 30
    within_days: Annotated[int, Field(ge=1, le=90)] = 14
    card: Id | None = None
    limit: Size = 100


class EffectView(Told):
    """How often a card was told to known callers, and how often they rang again about it."""

    card: int
    title: str
    told: int
    repeats: int


class RepeatView(Told):
    """One caller who rang again on the same matter after a card was told to him."""

    told: ToldCard
    again_call_id: int
    again_at: datetime
    told_again: bool


class Effects(Told):
    """Where telling did not help; each figure can be counted from the listed calls."""

    since: datetime
    within_days: int
    cards: tuple[EffectView, ...]
    repeats: tuple[RepeatView, ...]


class UnitQuery(Asked):
    """Which units; `q` looks in names, duties and matters."""

    q: Name | None = None
    area: Name | None = None
    stale: bool = False


class ContactView(Told):
    """Whom to ask for."""

    post: str
    phone: str


class UnitCard(Told):
    """A unit as a citizen must be told it: what it is for, where it is and how one gets there."""

    id: str
    name: str
    area: str | None
    duties: str
    level1: tuple[str, ...]
    address: str
    route: str
    hours: str
    phone: str
    contacts: tuple[ContactView, ...]
    review: date
    stale: bool
    protected: bool
    sample: bool


class Units(Told):
    """The directory of units."""

    city: str
    version: int | None = Field(description="The loaded version; null where it is the folder's.")
    units: tuple[UnitCard, ...]


class Cell(Asked):
    """A category in an area of the catalogue."""

    level1: Name
    level2: Name | None = None
    level3: Name | None = None
    area: Name | None = None


class Resolved(Told):
    """Who leads and who helps; or that nobody is decided, and why."""

    lead: UnitCard | None
    helpers: tuple[UnitCard, ...]
    undecided: str | None
    by_category: str = Field(description="The category of the row that decided.")


class CityVersion(Told):
    """One version of the city's data; `report` is what the load changed."""

    number: int
    loaded_at: datetime
    loaded_by: str
    city: str
    fingerprint: str
    in_force: bool
    report: dict[str, Any]


class CityVersions(Told):
    """The versions, newest first."""

    versions: tuple[CityVersion, ...]
