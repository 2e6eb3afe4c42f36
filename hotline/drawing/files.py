"""The formats a report comes in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hotline.drawing.data import data
from hotline.drawing.page import page
from hotline.drawing.paper import paper
from hotline.drawing.workbook import workbook
from metrics.reports.document import Report


class Format(StrEnum):
    """How a report is drawn."""

    HTML = "html"
    XLSX = "xlsx"
    PDF = "pdf"
    JSON = "json"


MEDIA = {
    Format.HTML: "text/html",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PDF: "application/pdf",
    Format.JSON: "application/json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """One file: its name, its media type, its bytes."""

    name: str
    media: str
    content: bytes


def drawn(report: Report, shape: Format, made_at: datetime, watermark: str | None = None) -> Drawn:
    """The report in one format; takes a moment of the processor, so not on the event loop."""
    name = f"{report.period.kind}-{report.period.first}.{shape}"
    content = _content(report, shape, made_at, watermark)
    return Drawn(name=name, media=MEDIA[shape], content=content)


def _content(report: Report, shape: Format, made_at: datetime, watermark: str | None) -> bytes:
    match shape:
        case Format.HTML:
            return page(report, watermark)
        case Format.XLSX:
            return workbook(report, made_at, watermark)
        case Format.PDF:
            return paper(report, made_at, watermark)
        case Format.JSON:
            return data(report)
