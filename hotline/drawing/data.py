"""A report as JSON, and the schema that says what each part means."""

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from metrics.indicators.definitions import Words
from metrics.reports.document import Bars, Cell, Form, Kind, Report, Table


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BothLanguages(_Part):
    """One text in both languages."""

    zh: str
    en: str


class CellView(_Part):
    """A value and how it is written; a share lies between 0 and 1."""

    form: Form
    value: str | int | float | None = Field(description="Null: nothing to divide by.")
    text: BothLanguages | None = Field(description="Of a text: both languages.")
    low: bool = Field(description="Below what was promised.")


class TableView(_Part):
    """A table; each row has a cell for each column."""

    key: str
    title: BothLanguages
    columns: tuple[BothLanguages, ...]
    rows: tuple[tuple[CellView, ...], ...]
    notes: tuple[BothLanguages, ...]


class BarView(_Part):
    """One bar of a picture."""

    label: BothLanguages
    value: float
    cell: CellView


class BarsView(_Part):
    """A picture: bars from 0 to `most`, with a line at `promise`."""

    key: str
    title: BothLanguages
    bars: tuple[BarView, ...]
    most: float
    promise: float | None


class BulletinView(_Part):
    """A report: whole days from `first` to `last`, both included."""

    kind: Kind
    first: date
    last: date
    city: str
    title: BothLanguages
    tables: tuple[TableView, ...]
    pictures: tuple[BarsView, ...]
    notes: tuple[BothLanguages, ...]


def view(report: Report) -> BulletinView:
    """The report as its JSON has it."""
    return BulletinView(
        kind=report.period.kind,
        first=report.period.first,
        last=report.period.last,
        city=report.city,
        title=_both(report.title),
        tables=tuple(map(_table, report.tables)),
        pictures=tuple(map(_bars, report.pictures)),
        notes=tuple(map(_both, report.notes)),
    )


def data(report: Report) -> bytes:
    """The JSON, as people can read it, too."""
    return view(report).model_dump_json(indent=1).encode()


def schema() -> dict[str, Any]:
    """The JSON schema of every report."""
    return BulletinView.model_json_schema()


def _both(words: Words) -> BothLanguages:
    return BothLanguages(zh=words.zh, en=words.en)


def _cell(cell: Cell) -> CellView:
    text = None if cell.words is None else _both(cell.words)
    return CellView(form=cell.form, value=cell.value, text=text, low=cell.low)


def _table(table: Table) -> TableView:
    return TableView(
        key=table.key,
        title=_both(table.title),
        columns=tuple(map(_both, table.columns)),
        rows=tuple(tuple(map(_cell, row)) for row in table.rows),
        notes=tuple(map(_both, table.notes)),
    )


def _bars(bars: Bars) -> BarsView:
    return BarsView(
        key=bars.key,
        title=_both(bars.title),
        bars=tuple(
            BarView(label=_both(one.label), value=one.value, cell=_cell(one.cell))
            for one in bars.bars
        ),
        most=bars.most,
        promise=bars.promise,
    )
