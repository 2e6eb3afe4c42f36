"""A long list as a file that is written row by row: CSV, or an Excel workbook of one sheet.

Nothing is kept: what `begin`, `rows` and `end` return goes out at once, so a list of any length
costs the memory of a few rows. The first line says who took the list, when, and to what it was
narrowed; the second names the columns. A text stays a text in both: no cell becomes a formula.
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from xml.sax.saxutils import escape

Cell = str | int | float | None
Row = Sequence[Cell]


class ListFormat(StrEnum):
    """How a list is written."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA = {
    ListFormat.CSV: "text/csv",
    ListFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class Writer(Protocol):
    """Writes one list; each call returns the bytes that are ready."""

    def begin(self, mark: str, columns: Sequence[str]) -> bytes:
        """The watermark and the names of the columns."""

    def rows(self, rows: Sequence[Row]) -> bytes:
        """The next rows."""

    def end(self) -> bytes:
        """What closes the file."""


def writer(shape: ListFormat, made_at: datetime) -> Writer:
    """A writer for one list."""
    return Book(made_at) if shape is ListFormat.XLSX else Lines()


class Lines:
    """CSV by RFC 4180, in UTF-8 with the mark by which Excel knows it."""

    def begin(self, mark: str, columns: Sequence[str]) -> bytes:
        """The watermark in a line of its own, then the header."""
        return b"\xef\xbb\xbf" + self.rows([(mark,), tuple(columns)])

    def rows(self, rows: Sequence[Row]) -> bytes:
        """One line for each row."""
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows(
            [plain(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        )
        return out.getvalue().encode()

    def end(self) -> bytes:
        """Nothing: the last line is a row."""
        return b""


def plain(text: str) -> str:
    """A text that a spreadsheet does not take for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST_CELL = 32_767
_LONGEST_FOOTER = 240
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels"'
    ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_SPREADSHEET}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_SPREADSHEET}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_SPREADSHEET}.worksheet+xml"/>'
    "</Types>",
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>",
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="2">'
    '<font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf/><xf fontId="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>",
}


class _Outlet:
    """Takes what the archive writes until somebody takes it away; nothing can be sought in it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """Nothing is behind it."""

    def close(self) -> None:
        """Likewise."""

    def take(self) -> bytes:
        taken = bytes(self._held)
        self._held.clear()
        return taken


class Book:
    """An Excel workbook (ECMA-376) whose texts stand in their cells, so that it can be streamed.

    The watermark is the first line, and the foot of every printed page.
    """

    def __init__(self, made_at: datetime) -> None:
        """`made_at` is what the parts of the archive are dated."""
        self._outlet = _Outlet()
        self._archive = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_DEFLATED)
        self._date = made_at.timetuple()[:6]
        self._mark = ""

    def _part(self, name: str) -> zipfile.ZipInfo:
        part = zipfile.ZipInfo(name, self._date)
        part.compress_type = zipfile.ZIP_DEFLATED
        return part

    def begin(self, mark: str, columns: Sequence[str]) -> bytes:
        """Everything before the first row; the two lines of the head stay in sight."""
        for name, text in _PARTS.items():
            self._archive.writestr(self._part(name), _HEAD + text)
        self._mark = mark
        self._sheet = self._archive.open(self._part("xl/worksheets/sheet1.xml"), "w")
        head = (
            f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="2" topLeftCell="A3" activePane="bottomLeft" state="frozen"/>'
            f'</sheetView></sheetViews><cols><col min="1" max="{len(columns)}" width="18"'
            ' customWidth="1"/></cols><sheetData>'
        )
        self._sheet.write(head.encode())
        self._sheet.write((_row((mark,), style=1) + _row(tuple(columns), style=1)).encode())
        return self._outlet.take()

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Some rows; the compression may hold the last of them back."""
        self._sheet.write("".join(map(_row, rows)).encode())
        return self._outlet.take()

    def end(self) -> bytes:
        """The foot of the pages, and the list of the archive's parts."""
        foot = _NOT_XML.sub("", self._mark)[:_LONGEST_FOOTER].replace("&", "&&")
        tail = (
            f"</sheetData><headerFooter><oddFooter>{escape(f'&L{foot}')}</oddFooter></headerFooter>"
        )
        self._sheet.write(f"{tail}</worksheet>".encode())
        self._sheet.close()
        self._archive.close()
        return self._outlet.take()


def _row(row: Row, style: int = 0) -> str:
    return f"<row>{''.join(_cell(cell, style) for cell in row)}</row>"


def _cell(cell: Cell, style: int) -> str:
    if cell is None or cell == "":
        return "<c/>"
    if isinstance(cell, str):
        text = escape(_NOT_XML.sub("", cell)[:_LONGEST_CELL])
        return f'<c t="inlineStr" s="{style}"><is><t xml:space="preserve">{text}</t></is></c>'
    return f'<c s="{style}"><v>{cell!r}</v></c>'
