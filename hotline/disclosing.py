"""The public page: the month's figures and published replies, as pages and open data in a folder.

Everything in the folder may be copied to any web server. It is written beside and then put in
place file by file, so that a reader never meets half a month. Figures are those of the report of
the month; nothing that is in a protected case is in them.
"""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from html import escape
from io import StringIO
from pathlib import Path

from hotline import publications, reports
from hotline.database import Connection
from hotline.drawing.data import data, schema
from hotline.drawing.page import STYLE, page
from hotline.publications import PublicReply
from metrics.collect import Line
from metrics.indicators.definitions import Words
from metrics.reports.document import (
    Kind,
    Period,
    Report,
    Table,
    count,
    period_of,
    text,
    written,
)
from metrics.reports.league import LeagueRules
from routing.directory import City
from routing.disclosing import Withheld
from routing.numbers import SHANGHAI

PUBLIC = ("indicators", "units", "topics", "areas")
"""The tables of the monthly report that the public reads; the league table is the city's own."""
ARTICLES = {
    Withheld.ARTICLE_14: Words(
        zh="政府信息公开条例第十四条（国家秘密、法律禁止公开）",
        en="Regulation on open government information, art. 14 (secrets, forbidden by law)",
    ),
    Withheld.ARTICLE_15: Words(
        zh="政府信息公开条例第十五条（商业秘密、个人隐私）",
        en="Likewise, art. 15 (commercial secrets, privacy)",
    ),
    Withheld.ARTICLE_16: Words(
        zh="政府信息公开条例第十六条（内部事务、过程性信息）",
        en="Likewise, art. 16 (internal affairs, papers of the handling)",
    ),
    Withheld.OTHER_LAW: Words(zh="其他法律法规", en="Another law"),
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


async def disclosed(
    conn: Connection,
    month: date,
    *,
    city: City,
    lines: tuple[Line, ...],
    rules: LeagueRules,
) -> dict[str, bytes]:
    """The files of a month by name.

    Raises:
        NoSuchReport: the month is not over yet.
    """
    period = period_of(Kind.MONTHLY, month)
    since = datetime.combine(period.first, time(), SHANGHAI)
    until = datetime.combine(period.last + timedelta(days=1), time(), SHANGHAI)
    report, _ = await reports.gathered(conn, period, city=city, lines=lines, rules=rules)
    replies = await publications.public(conn, since, until)
    kept_back = await publications.kept_back(conn, since, until)
    known = [table for table in report.tables if table.key in PUBLIC]
    shown = Report(
        period=period,
        city=report.city,
        title=Words(
            zh=f"{report.city}12345热线公开数据",
            en=f"Open figures of the 12345 line, {report.city}",
        ),
        tables=(*known, _withheld(kept_back), *_replies(replies)),
        pictures=report.pictures,
        notes=report.notes,
    )
    return _files(shown, replies)


def _files(report: Report, replies: Sequence[PublicReply]) -> dict[str, bytes]:
    told = {
        "index.html": page(report, style="../style.css", home="../index.html"),
        "figures.json": data(report),
        "schema.json": json.dumps(schema(), ensure_ascii=False, indent=1).encode(),
        "replies.json": json.dumps(
            [asdict(one) for one in replies], ensure_ascii=False, indent=1, default=str
        ).encode(),
    }
    return told | {f"{table.key}.csv": comma_separated(table) for table in report.tables}


def _withheld(kept_back: dict[Withheld, int]) -> Table:
    return Table(
        key="withheld",
        title=Words(zh="不予公开的答复", en="Replies kept back"),
        columns=(Words(zh="依据", en="By which law"), Words(zh="件数", en="Cases")),
        rows=tuple(
            (text(ARTICLES[one].zh, ARTICLES[one].en), count(found))
            for one, found in kept_back.items()
        ),
    )


def _replies(replies: Sequence[PublicReply]) -> tuple[Table, ...]:
    if not replies:
        return ()
    return (
        Table(
            key="replies",
            title=Words(zh="公开答复", en="Published replies"),
            columns=(
                Words(zh="工单编号", en="Case"),
                Words(zh="类别", en="Category"),
                Words(zh="承办单位", en="Unit"),
                Words(zh="诉求", en="Question"),
                Words(zh="答复", en="Reply"),
            ),
            rows=tuple(
                (
                    text(one.number),
                    text(one.level1 or ""),
                    text(one.unit or ""),
                    text(one.question),
                    text(one.reply),
                )
                for one in replies
            ),
        ),
    )


def comma_separated(table: Table) -> bytes:
    """A table as CSV in UTF-8 that spreadsheets know as such; no cell begins a formula."""
    file = StringIO()
    rows = csv.writer(file, lineterminator="\r\n")
    rows.writerow([f"{one.zh} / {one.en}" for one in table.columns])
    for row in table.rows:
        plain = [written(cell, "zh") if cell.words is not None else cell.value for cell in row]
        rows.writerow([_harmless(one) for one in plain])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value


def put(folder: Path, month: Period, files: dict[str, bytes]) -> Path:
    """Put a month in place, and list every month that is there."""
    name = f"{month.first:%Y-%m}"
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        _replace(target / file, content)
    for stale in target.iterdir():
        if stale.name not in files:
            stale.unlink()
    months = sorted(
        (it.name for it in folder.iterdir() if (it / "figures.json").is_file()), reverse=True
    )
    _replace(folder / "style.css", STYLE.encode())
    _replace(folder / "index.html", _list(months))
    _replace(
        folder / "months.json",
        json.dumps([{"month": it, "figures": f"{it}/figures.json"} for it in months]).encode(),
    )
    return target / "index.html"


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def _list(months: Sequence[str]) -> bytes:
    items = "".join(f'<li><a href="{escape(it)}/index.html">{escape(it)}</a></li>' for it in months)
    return (
        '<!doctype html>\n<html lang="zh"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<title>12345热线公开数据</title><link rel="stylesheet" href="style.css"></head><body>'
        f"<h1>12345热线公开数据 <small>Open figures of the 12345 line</small></h1><ul>{items}</ul>"
        "</body></html>\n"
    ).encode()
