"""A report as a PDF that shows the same everywhere: the Chinese font goes into the file.

The font is Noto Sans CJK SC (SIL Open Font Licence); only the characters used are embedded.
"""

from datetime import datetime
from importlib import resources
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableCellFillMode
from fpdf.fonts import FontFace

from metrics.reports.document import Bars, Form, Report, Table, written

FONT = "NotoSansCJK-Regular.ttc"
SIMPLIFIED = 2
"""The face of the collection for simplified Chinese; 0 to 4: JP, KR, SC, TC, HK."""
INK, GREY, RED, BLUE, PALE = (
    (29, 39, 51),
    (91, 104, 117),
    (179, 38, 30),
    (31, 111, 235),
    (238, 242, 246),
)
_FAMILY = "Noto"


class Paper(FPDF):
    """Pages with their number and, where somebody took them away, who did."""

    def __init__(self, watermark: str | None) -> None:
        super().__init__(orientation="landscape", format="A4")
        self._watermark = watermark
        self.add_font(
            _FAMILY,
            fname=Path(str(resources.files("noto_cjk_sans_otc") / FONT)),
            collection_font_number=SIMPLIFIED,
        )
        self.set_auto_page_break(auto=True, margin=16)

    def footer(self) -> None:
        """The page's number, and the watermark."""
        self.set_y(-12)
        self.set_font(_FAMILY, size=8)
        self.set_text_color(*GREY)
        self.cell(w=0, h=6, text=f"{self._watermark or ''}   {self.page_no()}/{{nb}}", align="R")


def paper(report: Report, made_at: datetime, watermark: str | None = None) -> bytes:
    """The whole file."""
    pdf = Paper(watermark)
    pdf.set_creation_date(made_at)
    pdf.set_title(report.title.zh)
    pdf.set_lang("zh-CN")
    pdf.add_page()
    _line(pdf, report.title.zh, 20)
    _line(pdf, report.title.en, 11, GREY)
    _line(pdf, f"{report.period.first} – {report.period.last}", 11, GREY)
    for bars in report.pictures:
        _bars(pdf, bars)
    for table in report.tables:
        pdf.add_page()
        _table(pdf, table)
    for note in report.notes:
        pdf.ln(3)
        _line(pdf, f"{note.zh} {note.en}", 9, GREY)
    return bytes(pdf.output())


def _line(pdf: Paper, text: str, size: int, colour: tuple[int, int, int] = INK) -> None:
    pdf.set_font(_FAMILY, size=size)
    pdf.set_text_color(*colour)
    pdf.multi_cell(w=0, h=size * 0.55, text=text, align="L", new_x="LMARGIN", new_y="NEXT")


def _bars(pdf: Paper, bars: Bars) -> None:
    row, left, wide = 6.2, 55.0, 150.0
    if pdf.will_page_break(row * len(bars.bars) + 14):
        pdf.add_page()
    pdf.ln(4)
    _line(pdf, f"{bars.title.zh}  {bars.title.en}", 12)
    pdf.set_font(_FAMILY, size=9)
    top = pdf.get_y()
    for bar in bars.bars:
        at = pdf.get_y()
        long = max(0.0, min(1.0, bar.value / bars.most)) * wide
        pdf.set_text_color(*INK)
        pdf.cell(w=left - 12, h=row, text=bar.label.zh, align="R")
        pdf.set_fill_color(*(RED if bar.cell.low else BLUE))
        pdf.rect(left, at + 1, max(long, 0.2), row - 2, style="F")
        pdf.set_xy(left + long + 2, at)
        pdf.cell(w=30, h=row, text=written(bar.cell, "zh"), new_x="LMARGIN", new_y="NEXT")
    if bars.promise is not None:
        at = left + bars.promise / bars.most * wide
        pdf.set_draw_color(*GREY)
        pdf.line(at, top, at, pdf.get_y())


def _table(pdf: Paper, table: Table) -> None:
    _line(pdf, f"{table.title.zh}  {table.title.en}", 14)
    pdf.ln(2)
    pdf.set_font(_FAMILY, size=8)
    pdf.set_text_color(*INK)
    pdf.set_draw_color(*PALE)
    pdf.set_fill_color(255)
    with pdf.table(
        headings_style=FontFace(fill_color=PALE, color=INK),
        cell_fill_mode=TableCellFillMode.NONE,
        text_align=_aligned(table),
        col_widths=tuple(3 if one == "LEFT" else 2 for one in _aligned(table)),
        line_height=4.6,
    ) as drawn:
        drawn.row([_head(one.zh, one.en) for one in table.columns])
        for row in table.rows:
            line = drawn.row()
            for cell in row:
                line.cell(written(cell, "zh"), style=FontFace(color=RED) if cell.low else None)
    for note in table.notes:
        _line(pdf, f"{note.zh} {note.en}", 8, GREY)


def _head(chinese: str, english: str) -> str:
    return chinese if chinese == english else f"{chinese}\n{english}"


def _aligned(table: Table) -> tuple[str, ...]:
    if not table.rows:
        return ("LEFT",) * len(table.columns)
    return tuple("LEFT" if cell.form is Form.TEXT else "RIGHT" for cell in table.rows[0])
