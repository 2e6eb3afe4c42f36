"""A report drawn as each format, read back by somebody else's reader."""

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO

import jsonschema_rs
import openpyxl
import pypdf
import pytest

from hotline.drawing.data import schema
from hotline.drawing.files import Format, drawn
from tests.metrics.made_report import FORMULA, made

NOW = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
MARK = "王 于 2026-11-02 09:30:00 导出"


def content(shape: Format) -> bytes:
    return drawn(made(), shape, NOW, MARK).content


def test_json_is_what_its_schema_says_and_keeps_both_numbers() -> None:
    told = json.loads(content(Format.JSON))
    jsonschema_rs.validate(schema(), told)
    (first, *_) = told["tables"][0]["rows"]
    assert [cell["value"] for cell in first[1:4]] == [0.93, 93, 100]
    assert first[1]["low"] is True  # 93 % where 95 % are promised


def test_no_cell_of_the_workbook_is_a_formula_and_numbers_are_numbers() -> None:
    book = openpyxl.load_workbook(BytesIO(content(Format.XLSX)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert any(cell.value == FORMULA and cell.data_type == "s" for cell in cells)
    league = book["月度考核排名"]
    scores = [row[3].value for row in league.iter_rows(min_row=4, max_row=6)]
    assert all(isinstance(score, float) for score in scores)
    assert len(book["图表"]._charts) == 3
    assert any(cell.value == MARK for cell in cells)


def test_the_pdf_carries_its_chinese_font_and_its_watermark_on_every_page() -> None:
    pdf = pypdf.PdfReader(BytesIO(content(Format.PDF)))
    for page in pdf.pages:
        assert MARK.replace(" ", "") in read(page)
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            below = font.get_object()["/DescendantFonts"][0].get_object()
            assert below["/FontDescriptor"].get_object()["/FontFile3"].get_object().get_data()
    words = "".join(map(read, pdf.pages))
    for word in ("绵阳市12345热线月报", "办理率", "市水务局", "月度考核排名", "热点诉求"):
        assert word in words


def read(page: pypdf.PageObject) -> str:
    """The text without the blanks that this reader puts between characters."""
    return re.sub(r"[\s\0]", "", page.extract_text())


class Tags(HTMLParser):
    """Notes which tags and attributes a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def test_the_page_loads_nothing_runs_nothing_and_shows_names_as_text() -> None:
    page = content(Format.HTML).decode()
    tags = Tags()
    tags.feed(page)
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in tags.seen}
    for _, attributes in tags.seen:
        assert not {"style", "href", "src", "onload", "onclick"} & set(attributes)
    assert "&lt;script&gt;" in page
    assert MARK in page
    assert len(re.findall("<svg ", page)) == 3


@pytest.mark.parametrize("shape", list(Format))
def test_the_same_report_gives_the_same_file(shape: Format) -> None:
    assert content(shape) == content(shape)
