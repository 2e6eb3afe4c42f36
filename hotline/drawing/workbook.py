"""A report as an Excel workbook: a sheet for each table, and the pictures as charts.

A text is written as a text whatever it begins with, so that no cell becomes a formula.
"""

from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from metrics.reports.document import Bars, Cell, Form, Report, Table

_FORMATS = {
    Form.COUNT: "#,##0.##",
    Form.SHARE: "0.00%",
    Form.SECONDS: '0.0" s"',
    Form.HOURS: '0.0" h"',
    Form.SCORE: "0.00",
    Form.CHANGE: "+#,##0;-#,##0;0",
}
_SAFE = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
_WIDTH, _NAME = 18, 31


def workbook(report: Report, made_at: datetime, watermark: str | None = None) -> bytes:
    """The whole file."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, _SAFE) as book:
        book.set_properties(
            {
                "title": report.title.zh,
                "comments": watermark or "",
                "created": made_at.replace(tzinfo=None),
            }
        )
        formats = {
            (form, low): book.add_format(
                {"num_format": pattern} | ({"font_color": "#B3261E", "bold": True} if low else {})
            )
            for form, pattern in _FORMATS.items()
            for low in (False, True)
        }
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        for table in report.tables:
            _sheet(book, table, formats, bold, _head(report), watermark)
        if report.pictures:
            _charts(book, report.pictures)
    return file.getvalue()


def _head(report: Report) -> str:
    return f"{report.title.zh}  {report.title.en}  {report.period.first} – {report.period.last}"


def _sheet(  # noqa: PLR0917 - the book, what goes in, how it looks
    book: Any, table: Table, formats: Any, bold: Any, head: str, watermark: str | None
) -> None:
    sheet = book.add_worksheet(table.title.zh[:_NAME])
    sheet.set_column(0, len(table.columns) - 1, _WIDTH)
    sheet.write_string(0, 0, head, bold)
    for place, column in enumerate(table.columns):
        text = column.zh if column.zh == column.en else f"{column.zh}\n{column.en}"
        sheet.write_string(2, place, text, bold)
    sheet.freeze_panes(3, 1)
    last = 3
    for last, row in enumerate(table.rows, start=3):
        for place, cell in enumerate(row):
            _write(sheet, last, place, cell, formats)
    for note in table.notes:
        last += 1
        sheet.write_string(last + 1, 0, f"{note.zh}  {note.en}")
    if watermark is not None:
        sheet.write_string(last + 3, 0, watermark)
        sheet.set_footer(f"&L{watermark.replace('&', '&&')}")


def _write(sheet: Any, row: int, place: int, cell: Cell, formats: Any) -> None:
    if cell.words is not None:
        sheet.write_string(row, place, cell.words.zh)
    elif isinstance(cell.value, int | float):
        sheet.write_number(row, place, cell.value, formats[cell.form, cell.low])
    elif cell.value is not None:
        sheet.write_string(row, place, cell.value)


def _charts(book: Any, pictures: tuple[Bars, ...]) -> None:
    """A sheet of pictures, drawn from the numbers that stand beside them."""
    sheet = book.add_worksheet("图表")
    row = 0
    for bars in pictures:
        for place, bar in enumerate(bars.bars):
            sheet.write_string(row + place, 0, bar.label.zh)
            sheet.write_number(row + place, 1, bar.value)
        last = row + len(bars.bars) - 1
        chart = book.add_chart({"type": "bar"})
        chart.add_series(
            {
                "name": bars.title.zh,
                "categories": ["图表", row, 0, last, 0],
                "values": ["图表", row, 1, last, 1],
                "data_labels": {
                    "value": True,
                    "num_format": "0.00%" if bars.promise is not None else "#,##0",
                },
            }
        )
        chart.set_title({"name": f"{bars.title.zh} {bars.title.en}"})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True})
        sheet.insert_chart(row, 3, chart)
        row += max(len(bars.bars), 16) + 2
