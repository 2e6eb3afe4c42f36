"""The pages anybody may read, as HTML that loads one style sheet and runs no script; pure.

    shell       the frame of every page: name, menu, the other language
    home        what the line is, its numbers and promises, the newest month's figures
    progress    the form by which a caller asks how his matter stands, and the answer
    replies     published replies, a page of them

The promise with its limits is drawn in promised.py. Words come from the catalogue (`open.*`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from urllib.parse import urlencode

from hotline.catalogue import Language, say
from metrics.reports.document import Cell, written
from routing.cases import CaseState
from routing.numbers import SHANGHAI

PLACES = ("home", "promise", "progress", "replies")
PROMISES = ("first", "once", "limits", "deputy", "supervised", "open")
PER_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """Whose pages they are, and in which language they are read."""

    city: str
    numbers: tuple[tuple[str, str], ...]
    """Each line's name and the number to dial."""
    language: Language

    def say(self, key: str, **facts: object) -> str:
        """A message of the catalogue, ready for HTML."""
        return escape(say(f"open.{key}", self.language, **facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One indicator of a month with its two numbers and what is promised of it."""

    name: str
    now: Cell
    numerator: Cell
    denominator: Cell
    promise: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a matter stands, for whoever brought it."""

    number: str
    state: CaseState
    accepted_at: datetime
    promised_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    unit: str | None
    reply: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A published question and its reply."""

    number: str
    question: str
    reply: str
    unit: str | None
    level1: str | None
    day: str


def shell(front: Front, here: str, body: str) -> bytes:
    """A whole page; `here` is one of `PLACES`."""
    other: Language = "en" if front.language == "zh" else "zh"
    title = front.say(f"{here}.title")
    menu = "".join(
        f'<li><a href="{_address(place, front.language)}"{" aria-current=page" * (place == here)}>'
        f"{front.say(f'{place}.menu')}</a></li>"
        for place in PLACES
    )
    tongue = "zh-CN" if front.language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{tongue}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Without a referrer a browser hides where a form comes from, and it would be refused.
        '<meta name="referrer" content="same-origin">'
        f"<title>{title} · {front.say('name', city=front.city)}</title>"
        '<link rel="stylesheet" href="/open/site.css"></head><body>'
        f'<a class="skip" href="#page">{front.say("skip")}</a>'
        f'<header class="top"><div><a class="brand" href="{_address("home", front.language)}">'
        f"{front.say('name', city=front.city)}</a>"
        f'<nav aria-label="{front.say("menu")}"><ul>{menu}</ul></nav>'
        f'<a class="tongue" lang="{other}" hreflang="{other}" href="{_address(here, other)}">'
        f"{escape(say('open.tongue', other))}</a></div></header>"
        f'<main id="page">{body}</main>'
        f'<footer class="foot">{front.say("foot")}</footer></body></html>\n'
    ).encode()


def _address(place: str, language: Language) -> str:
    return f"/open/{'' if place == 'home' else place}?lang={language}"


def home(front: Front, months: Sequence[str], rates: Sequence[Rate]) -> bytes:
    """The first page; without a month that is disclosed it says so."""
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(number)}</dd></div>"
        for name, number in front.numbers
    )
    promises = "".join(
        f"<li><h3>{front.say(f'vow.{one}')}</h3><p>{front.say(f'vow.{one}.says')}</p></li>"
        for one in PROMISES
    )
    return shell(
        front,
        "home",
        f'<div class="hero"><h1>{front.say("home.head", city=front.city)}</h1>'
        f"<p>{front.say('home.says')}</p>"
        f'<dl class="numbers">{numbers}</dl></div>'
        f"<h2>{front.say('home.promises')}</h2><ul class='tiles'>{promises}</ul>"
        f'<p><a href="{_address("promise", front.language)}">{front.say("home.limits")}</a> · '
        f'<a href="{_address("progress", front.language)}">{front.say("home.ask")}</a></p>'
        + "".join(_months(front, months, rates)),
    )


def _months(front: Front, months: Sequence[str], rates: Sequence[Rate]) -> Iterator[str]:
    yield f"<h2>{front.say('home.figures')}</h2>"
    if not months:
        yield f'<p class="sheet">{front.say("home.no_month")}</p>'
        return
    if rates:
        yield f'<p class="soft">{front.say("home.of_month", month=months[0])}</p>'
        yield f"<ul class='tiles'>{''.join(_tile(front, one) for one in rates)}</ul>"
    yield f"<h3>{front.say('home.months')}</h3><ul class='months'>"
    yield from (f'<li><a href="/open/{one}/index.html">{one}</a></li>' for one in months)
    yield "</ul>"


def _tile(front: Front, one: Rate) -> str:
    tone = "low" if one.now.low else "good"
    promise = front.say("home.promised", share=written(one.promise, front.language))
    of = front.say(
        "home.of",
        numerator=written(one.numerator, front.language),
        denominator=written(one.denominator, front.language),
    )
    return (
        f"<li><h3>{escape(one.name)}</h3>"
        f'<strong class="{tone}">{escape(written(one.now, front.language))}</strong>'
        f'<p class="soft">{of}</p><p>{promise}</p></li>'
    )


def progress(
    front: Front,
    *,
    number: str = "",
    found: Standing | None = None,
    trouble: str | None = None,
) -> bytes:
    """The form, the answer, or what stands in its way (a key below `open.progress`)."""
    told = "" if found is None else _standing(front, found)
    alert = (
        f'<p class="alert" role="alert" id="trouble">{front.say(f"progress.{trouble}")}</p>'
        if trouble
        else ""
    )
    wrong = ' aria-describedby="trouble"' if trouble else ""
    return shell(
        front,
        "progress",
        f"<h1>{front.say('progress.title')}</h1><p>{front.say('progress.says')}</p>{alert}{told}"
        f'<form class="sheet" method="post" action="{_address("progress", front.language)}">'
        f"<label>{front.say('progress.number')}"
        f'<input name="number" required maxlength="40" autocomplete="off" inputmode="numeric"'
        f' pattern="[0-9\\-]{{8,40}}" value="{escape(number)}"{wrong}></label>'
        f"<label>{front.say('progress.tail')}"
        f'<input name="tail" required maxlength="4" autocomplete="off" inputmode="numeric"'
        f' pattern="[0-9]{{4}}"{wrong}></label>'
        f"<button>{front.say('progress.ask')}</button></form>"
        f'<p class="soft">{front.say("progress.privacy")}</p>',
    )


def _standing(front: Front, one: Standing) -> str:
    facts: Mapping[str, str | None] = {
        "number_is": one.number,
        "state": say(f"state.{one.state}", front.language),
        "accepted": _when(one.accepted_at),
        "unit": one.unit,
        "promised": _when(one.promised_at),
        "answered": _when(one.answered_at),
        "kept": _kept(front, one),
        "closed": _when(one.closed_at),
        "reply": one.reply,
    }
    rows = "".join(
        f"<dt>{front.say(f'progress.{key}')}</dt><dd>{escape(value)}</dd>"
        for key, value in facts.items()
        if value
    )
    return (
        f'<section class="sheet told" aria-label="{front.say("progress.answer")}">'
        f"<dl>{rows}</dl></section>"
    )


def _kept(front: Front, one: Standing) -> str | None:
    if one.promised_at is None or one.answered_at is None:
        return None
    was = "kept_yes" if one.answered_at <= one.promised_at else "kept_no"
    return say(f"open.progress.{was}", front.language)


def _when(at: datetime | None) -> str | None:
    return None if at is None else f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def replies(
    front: Front, shown: Sequence[Reply], *, words: str, page: int, pages: int, count: int
) -> bytes:
    """A page of published replies, newest first; `page` counts from one."""
    items = "".join(_reply(front, one) for one in shown)
    nothing = f'<p class="sheet">{front.say("replies.none")}</p>'
    return shell(
        front,
        "replies",
        f"<h1>{front.say('replies.title')}</h1><p>{front.say('replies.says')}</p>"
        f'<form class="line" role="search" action="/open/replies">'
        f'<input type="hidden" name="lang" value="{front.language}">'
        f"<label>{front.say('replies.words')}"
        f'<input name="words" maxlength="40" value="{escape(words)}"></label>'
        f"<button>{front.say('replies.find')}</button></form>"
        f'<p class="soft">{front.say("replies.count", count=count)}</p>'
        + (f'<ul class="replies">{items}</ul>' if items else nothing)
        + _turning(front, words, page, pages),
    )


def _reply(front: Front, one: Reply) -> str:
    about = " · ".join(escape(it) for it in (one.number, one.level1, one.unit, one.day) if it)
    return (
        f'<li class="sheet"><small>{about}</small><h2>{escape(one.question)}</h2>'
        f"<p><b>{front.say('replies.reply')}</b>{escape(one.reply)}</p></li>"
    )


def _turning(front: Front, words: str, page: int, pages: int) -> str:
    if pages <= 1:
        return ""

    def link(to: int, key: str) -> str:
        asked = urlencode({"lang": front.language, "words": words, "page": to})
        return f'<a href="/open/replies?{escape(asked)}">{front.say(f"replies.{key}")}</a>'

    return (
        f'<nav class="pages" aria-label="{front.say("replies.pages")}">'
        + (link(page - 1, "before") if page > 1 else "")
        + f"<span>{page} / {pages}</span>"
        + (link(page + 1, "next") if page < pages else "")
        + "</nav>"
    )
