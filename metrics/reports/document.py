"""What a report is: tables of figures with their two numbers, and bars to look at; pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from metrics.indicators.definitions import Figure, Measure, Words

DAY = timedelta(days=1)
NOTHING = "—"
"""Where there is nothing to divide by; never a zero or a hundred per cent."""


class Kind(StrEnum):
    """Of which time a report tells."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Form(StrEnum):
    """How a cell is written."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    """Between 0 and 1; written as a percentage."""
    SECONDS = "seconds"
    HOURS = "hours"
    SCORE = "score"
    """Between 0 and 100, two places."""
    CHANGE = "change"
    """A count more or less than before."""


FORMS = {Measure.RATIO: Form.SHARE, Measure.SECONDS: Form.SECONDS, Measure.HOURS: Form.HOURS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value and how it is written; `words` where a text has two languages."""

    form: Form
    value: str | int | float | None = None
    words: Words | None = None
    low: bool = False
    """Below what was promised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; each row has a cell for each column."""

    key: str
    title: Words
    columns: tuple[Words, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar to look at: `mark` is where the promise stands."""

    label: Words
    value: float
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars from 0 to `most`, with a line at `promise`."""

    key: str
    title: Words
    bars: tuple[Bar, ...]
    most: float
    promise: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Whole days of the city: `first` to `last`, both included."""

    kind: Kind
    first: date
    last: date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1

    @property
    def before(self) -> "Period":
        """The one before it: of a month the month before, whatever its length."""
        return period_of(self.kind, self.first - DAY)


def period_of(kind: Kind, day: date) -> Period:
    """The day, week (from Monday) or month in which a day lies."""
    match kind:
        case Kind.DAILY:
            return Period(kind=kind, first=day, last=day)
        case Kind.WEEKLY:
            first = day - day.weekday() * DAY
            return Period(kind=kind, first=first, last=first + 6 * DAY)
        case Kind.MONTHLY:
            first = day.replace(day=1)
            following = (first + 31 * DAY).replace(day=1)
            return Period(kind=kind, first=first, last=following - DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole report."""

    period: Period
    city: str
    title: Words
    tables: tuple[Table, ...]
    pictures: tuple[Bars, ...] = ()
    notes: tuple[Words, ...] = ()


def text(zh: str, en: str | None = None) -> Cell:
    """A cell of words; of one text for both languages where it is a name."""
    return Cell(form=Form.TEXT, value=zh, words=Words(zh=zh, en=en if en is not None else zh))


def count(value: float) -> Cell:
    """A cell of a number of things."""
    return Cell(form=Form.COUNT, value=value)


def of_figure(figure: Figure) -> Cell:
    """A cell of a figure's value, told as low where it is below the promise."""
    promise = figure.indicator.promise
    return Cell(
        form=FORMS[figure.indicator.measure],
        value=figure.value,
        low=figure.value is not None and promise is not None and figure.value < promise,
    )


def written(cell: Cell, language: str) -> str:
    """A cell as people read it."""
    if cell.words is not None:
        return cell.words.zh if language == "zh" else cell.words.en
    if cell.value is None or isinstance(cell.value, str):
        return cell.value or NOTHING
    return _number(cell.form, cell.value)


def _number(form: Form, value: float) -> str:
    patterns = {
        Form.SHARE: "{:.2%}",
        Form.SECONDS: "{:.1f} s",
        Form.HOURS: "{:.1f} h",
        Form.SCORE: "{:.2f}",
        Form.CHANGE: "{:+,}",
    }
    return patterns.get(form, "{:,}").format(value)
