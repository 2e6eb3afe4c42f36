"""The public pages that the service draws: nobody signs in, and nothing needs a script.

    /open/            what the line promises, and the figures of the newest disclosed month
    /open/promise     the limits in force
    /open/progress    how a matter stands, by its number and the telephone's end
    /open/replies     the published replies of every disclosed month, searched

Months and replies are read from the files that `hotline disclose` wrote, so what is not disclosed
is not within reach; only `progress` asks the database, by the rules of progress_api.py.
"""

import asyncio
import json
from functools import lru_cache
from http import HTTPStatus
from importlib import resources
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from hotline.catalogue import Language, say
from hotline.console.counted import DATABASE_ERRORS
from hotline.console.desk import DESK, Desk, Request
from hotline.console.pages import served_file
from hotline.console.problems import Fault, ProblemError
from hotline.console.progress_api import ProgressAsked, progress_of
from hotline.drawing.data import BulletinView, CellView
from hotline.drawing.promised import promise
from hotline.drawing.public import PER_PAGE, Front, Rate, Reply, Standing, home, progress, replies
from metrics.indicators.definitions import Words
from metrics.reports.document import Cell

_LARGEST_FORM = 2048
_MOST_WORDS = 40
_TROUBLES = {
    Fault.NOT_FOUND: ("not_found", HTTPStatus.NOT_FOUND),
    Fault.TOO_MANY_ATTEMPTS: ("wait", HTTPStatus.TOO_MANY_REQUESTS),
}


def add_public_pages(app: web.Application, folder: Path) -> None:
    """Serve the drawn pages; before `add_open_pages`, which serves the files of the folder."""

    async def first(http: web.Request) -> web.Response:
        months = await asyncio.to_thread(_months, folder)
        rates = (
            await asyncio.to_thread(_rates, folder, months[0], _language(http)) if months else ()
        )
        return _page(home(_front(http), months, rates))

    async def replied(http: web.Request) -> web.Response:
        return _page(await asyncio.to_thread(_replies, folder, _front(http), dict(http.query)))

    sheet = (resources.files("hotline.drawing") / "public.css").read_bytes()
    icon = (resources.files("hotline.console") / "web" / "icon.svg").read_bytes()
    app.router.add_get("/open/site.css", served_file(sheet, "text/css"))
    app.router.add_get("/favicon.ico", served_file(icon, "image/svg+xml"))
    for path in ("/open/", "/open/index.html"):
        app.router.add_get(path, first)
    app.router.add_get("/open/promise", _promise)
    app.router.add_get("/open/progress", _ask)
    app.router.add_post("/open/progress", _answer)
    app.router.add_get("/open/replies", replied)


async def _promise(http: web.Request) -> web.Response:
    return _page(promise(_front(http), http.app[DESK].services.policy))


async def _ask(http: web.Request) -> web.Response:
    return _page(progress(_front(http)))


async def _answer(http: web.Request) -> web.Response:
    front = _front(http)
    if (http.content_length or 0) > _LARGEST_FORM:
        raise ProblemError(Fault.TOO_LARGE, "The form is larger than 2 KiB.")
    form = await http.post()
    number = str(form.get("number", ""))[:_MOST_WORDS].strip()
    try:
        given = ProgressAsked(number=number, tail=str(form.get("tail", "")))
    except ValidationError:
        page = progress(front, number=number, trouble="invalid")
        return _page(page, HTTPStatus.UNPROCESSABLE_ENTITY, kept=False)
    try:
        found = await progress_of(_asked(http), given)
    except ProblemError as error:
        if error.problem.type not in _TROUBLES:
            raise
        trouble, status = _TROUBLES[error.problem.type]
        refused = _page(progress(front, number=number, trouble=trouble), status, kept=False)
        if error.problem.retry_after is not None:
            refused.headers["Retry-After"] = str(error.problem.retry_after)
        return refused
    except DATABASE_ERRORS:
        page = progress(front, number=number, trouble="away")
        return _page(page, HTTPStatus.SERVICE_UNAVAILABLE, kept=False)
    return _page(progress(front, found=Standing(**found.model_dump())), kept=False)


def _asked(http: web.Request) -> Request:
    desk: Desk = http.app[DESK]
    return Request(desk=desk, services=desk.services, person=None, http=http, query=None, body=None)


def _page(body: bytes, status: HTTPStatus = HTTPStatus.OK, *, kept: bool = True) -> web.Response:
    """A page; what tells of a matter is kept by no browser and no proxy."""
    cached = "no-cache" if kept else "no-store"
    return web.Response(
        body=body,
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={"Cache-Control": cached, "Vary": "Accept-Language"},
    )


def _language(http: web.Request) -> Language:
    """The one asked for; else Chinese, but for whoever reads English and no Chinese."""
    wanted = http.query.get("lang")
    if wanted is None:
        read = [it.strip().lower() for it in http.headers.get("Accept-Language", "").split(",")]
        chinese = any(it.startswith("zh") for it in read)
        wanted = "en" if not chinese and any(it.startswith("en") for it in read) else "zh"
    return "en" if wanted == "en" else "zh"


def _front(http: web.Request) -> Front:
    services, language = http.app[DESK].services, _language(http)
    return Front(
        city=services.city.name,
        numbers=tuple(
            (
                say(f"line.{it.name}", language) if it.name in {"mayor", "duty"} else it.name,
                it.number,
            )
            for it in services.config.lines
        ),
        language=language,
    )


def _months(folder: Path) -> list[str]:
    """The disclosed months, newest first; none before the first disclosure."""
    try:
        told = json.loads((folder / "months.json").read_bytes())
    except FileNotFoundError:
        return []
    return [str(it["month"]) for it in told]


def _rates(folder: Path, month: str, language: Language) -> tuple[Rate, ...]:
    """The indicators of a month that have a promise; the month's own page has them all."""
    view = _bulletin(folder / month / "figures.json")
    table = next((it for it in view.tables if it.key == "indicators"), None)
    rows = table.rows if table else ()
    return tuple(
        Rate(
            name=(name.text.zh if language == "zh" else name.text.en) if name.text else "",
            now=_cell(now),
            numerator=_cell(numerator),
            denominator=_cell(denominator),
            promise=_cell(promised),
        )
        for name, now, numerator, denominator, promised, *_ in rows
        if promised.value is not None
    )


def _bulletin(path: Path) -> BulletinView:
    return _read_bulletin(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_bulletin(path: Path, _changed: int) -> BulletinView:
    return BulletinView.model_validate_json(path.read_bytes())


def _cell(one: CellView) -> Cell:
    words = None if one.text is None else Words(zh=one.text.zh, en=one.text.en)
    return Cell(form=one.form, value=one.value, words=words, low=one.low)


def _replies(folder: Path, front: Front, query: dict[str, str]) -> bytes:
    words = query.get("words", "").strip()[:_MOST_WORDS]
    found = [one for month in _months(folder) for one in _replies_of(folder / month, words)]
    pages = max(1, -(-len(found) // PER_PAGE))
    wanted = query.get("page", "1")
    page = min(pages, max(1, int(wanted))) if wanted.isascii() and wanted.isdigit() else 1
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    return replies(front, shown, words=words, page=page, pages=pages, count=len(found))


def _replies_of(month: Path, words: str) -> list[Reply]:
    path = month / "replies.json"
    told: tuple[Reply, ...] = _read_replies(path, path.stat().st_mtime_ns)
    return [one for one in reversed(told) if words in f"{one.number}{one.question}{one.reply}"]


@lru_cache(maxsize=36)
def _read_replies(path: Path, _changed: int) -> tuple[Reply, ...]:
    rows: list[dict[str, Any]] = json.loads(path.read_bytes())
    return tuple(
        Reply(
            number=row["number"],
            question=row["question"],
            reply=row["reply"],
            unit=row["unit"],
            level1=row["level1"],
            day=str(row["published_at"])[:10],
        )
        for row in rows
    )
