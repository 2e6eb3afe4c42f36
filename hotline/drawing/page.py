"""A report as one HTML file that loads nothing: tables, and pictures drawn as SVG.

It runs no script, and its own policy says so. Colours and sizes of pictures are attributes of their
shapes, which no policy of a server forbids.
"""

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from string import Template

from metrics.indicators.definitions import Words
from metrics.reports.document import Bars, Cell, Form, Report, Table, written

STYLE = (
    ":root{color-scheme:light dark;--ink:#1d2733;--soft:#55616d;--sheet:#fff;--edge:#d5dce3;"
    "--low:#b3261e;--link:#0b5cad}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#aab2bc;--sheet:#14181d;"
    "--edge:#37404a;--low:#ff9d96;--link:#7db9ff}}"
    "body{font:16px/1.5 'Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif;"
    "color:var(--ink);background:var(--sheet);max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.7rem}h2{font-size:1.2rem;margin-top:2.2rem}small{color:var(--soft)}"
    "a{color:var(--link)}:focus-visible{outline:3px solid var(--link);outline-offset:2px}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}"
    "th,td{border-bottom:1px solid var(--edge);padding:.35rem .5rem;text-align:left;"
    "vertical-align:top}td.n{text-align:right;white-space:nowrap;font-variant-numeric:"
    "tabular-nums}td.low{color:var(--low);font-weight:600}.wide{overflow-x:auto}"
    "figure{margin:1.5rem 0}figcaption{font-weight:600}svg{max-width:100%;height:auto}"
    ".mark{color:var(--soft);border-top:1px solid var(--edge);margin-top:2rem;padding-top:.5rem}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
_PAGE = Template(
    "<!doctype html>\n"
    '<html lang="zh"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" content="$policy">'
    "<title>$title</title>$style</head>\n<body>\n$body\n</body></html>\n"
)
_ROW, _BAR, _LEFT, _WIDE = 26, 16, 190, 420


def page(
    report: Report,
    watermark: str | None = None,
    *,
    style: str | None = None,
    home: str | None = None,
) -> bytes:
    """The whole file; `style` is the address of a style sheet, else it holds its own.

    `home` is the address of the page that leads to it.
    """
    policy = POLICY if style is None else "default-src 'none'; style-src 'self'"
    inside = f"<style>{STYLE}</style>"
    beside = f'<link rel="stylesheet" href="{escape(style or "")}">'
    return _PAGE.substitute(
        policy=escape(policy),
        title=escape(f"{report.title.zh} {report.period.first}"),
        style=inside if style is None else beside,
        body="\n".join(("" if home is None else _back(home), *_body(report, watermark))),
    ).encode()


def _back(home: str) -> str:
    return f'<p><a href="{escape(home)}">← 首页 <small lang="en">Home</small></a></p>'


def _body(report: Report, watermark: str | None) -> Iterator[str]:
    period = report.period
    yield f"<h1>{_both(report.title)}</h1>"
    yield f"<p>{period.first} – {period.last}</p>"
    for bars in report.pictures:
        yield f"<figure><figcaption>{_both(bars.title)}</figcaption>{svg(bars)}</figure>"
    for table in report.tables:
        yield from _table(table)
    yield from (f"<p>{_both(note)}</p>" for note in report.notes)
    if watermark is not None:
        yield f'<p class="mark">{escape(watermark)}</p>'


def _both(words: Words) -> str:
    """Chinese, and English beside it where it says something else."""
    if words.en == words.zh:
        return escape(words.zh)
    return f'{escape(words.zh)} <small lang="en">{escape(words.en)}</small>'


def _table(table: Table) -> Iterator[str]:
    yield f'<section id="{escape(table.key)}"><h2>{_both(table.title)}</h2>'
    named = f'role="region" aria-label="{escape(table.title.zh)}"'
    yield f'<div class="wide" tabindex="0" {named}><table>'
    heads = "".join(f'<th scope="col">{_both(column)}</th>' for column in table.columns)
    yield f"<thead><tr>{heads}</tr></thead><tbody>"
    for row in table.rows:
        yield "<tr>" + "".join(map(_cell, row)) + "</tr>"
    yield "</tbody></table></div>"
    yield from (f"<p><small>{_both(note)}</small></p>" for note in table.notes)
    yield "</section>"


def _cell(cell: Cell) -> str:
    if cell.words is not None:
        return f"<td>{_both(cell.words)}</td>"
    names = [
        name for name, is_so in (("n", cell.form is not Form.TEXT), ("low", cell.low)) if is_so
    ]
    return f'<td class="{" ".join(names)}">{escape(written(cell, "zh"))}</td>'


def svg(bars: Bars) -> str:
    """The picture; each bar's value stands beside it, so that no colour alone tells anything."""
    height = _ROW * len(bars.bars) + 8
    width = _LEFT + _WIDE + 90
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    known = f'{size} role="img" aria-label="{escape(bars.title.zh)}" font-size="13"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {known}>']
    for place, bar in enumerate(bars.bars):
        top = place * _ROW + 4
        long = max(0.0, min(1.0, bar.value / bars.most)) * _WIDE
        colour = "#b3261e" if bar.cell.low else "#1f6feb"
        parts.append(
            f'<text x="{_LEFT - 8}" y="{top + 13}" text-anchor="end" fill="currentColor">'
            f"{escape(bar.label.zh)}</text>"
            f'<rect x="{_LEFT}" y="{top}" width="{long:.1f}" height="{_BAR}" fill="{colour}"/>'
            f'<text x="{_LEFT + long + 6:.1f}" y="{top + 13}" fill="currentColor">'
            f"{escape(written(bar.cell, 'zh'))}</text>"
        )
    if bars.promise is not None:
        at = _LEFT + bars.promise / bars.most * _WIDE
        parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{height}" stroke="#5b6875" '
            f'stroke-dasharray="4 3"><title>{bars.promise:.0%}</title></line>'
        )
    return "".join([*parts, "</svg>"])
