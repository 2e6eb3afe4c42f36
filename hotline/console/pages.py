"""The pages and their parts: a fixed set of files, read once, with the messages of both languages.

`/app/` is the console, which set-up built of `web/src/`, each file but the first named by its hash,
so that a browser keeps it; `/` leads there. Nothing comes from elsewhere. Words that the
command line also uses (states, kinds, outcomes) come from the service's own catalogue: there is one
wording of each.
"""

import gzip
import hashlib
import html
import json
from collections.abc import Awaitable, Callable
from functools import cache
from http import HTTPStatus
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import ETag, web

from hotline.catalogue import LANGUAGES, Language, messages

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHARED: Final = (
    *("state.", "kind.", "urgency.", "outcome.", "line.", "side.", "direction.", "role."),
    "channel.",
)
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK: Final = "no-cache"
_PLACES: Final = {"docs.html": "/api/docs"}
FILES: Final = ("docs.html", "docs.css", "docs.js", "icon.svg")
_TYPES: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def page_messages(language: Language) -> dict[str, str]:
    """Every word of the page in one language by key."""
    own = resources.files("hotline.console") / "web" / "messages" / f"{language}.json"
    found: dict[str, str] = json.loads(own.read_text(encoding="utf-8"))
    shared = {key: text for key, text in messages(language).items() if key.startswith(SHARED)}
    return shared | found


def add_pages(app: web.Application) -> None:
    """Serve `/api/docs` and `/web/...`; a browser asks each time: 304 where nothing changed.

    Only a file that is named here is served: the folder holds what the console is built of, too.
    """
    for name in FILES:
        file = resources.files("hotline.console") / "web" / name
        path = _PLACES.get(name, f"/web/{name}")
        app.router.add_get(
            path, served_file(file.read_bytes(), _TYPES["." + name.rpartition(".")[2]])
        )
    for language in LANGUAGES:
        text = json.dumps(page_messages(language), ensure_ascii=False).encode()
        app.router.add_get(f"/web/messages/{language}.json", served_file(text, "application/json"))


def add_app(app: web.Application, built: Traversable | None = None) -> None:
    """Serve what set-up built under `/app/`; where it did not, say there what to do."""
    built = built or resources.files("hotline.console") / "web" / "dist"
    first = built / "index.html"

    async def to_app(http: web.Request) -> web.Response:
        # With what was asked: a language, or why the identity provider sent somebody back.
        raise web.HTTPTemporaryRedirect(http.rel_url.with_path("/app/", keep_query=True))

    app.router.add_get("/", to_app)
    app.router.add_get("/app", to_app)
    if not first.is_file():
        app.router.add_get("/app/", _not_built)
        return
    app.router.add_get("/app/", served_file(first.read_bytes(), "text/html"))
    for file in (built / "assets").iterdir():
        kind = _TYPES.get("." + file.name.rpartition(".")[2])
        if kind is not None:
            served = served_file(file.read_bytes(), kind, _FOR_EVER)
            app.router.add_get(f"/app/assets/{file.name}", served)


async def _not_built(_: web.Request) -> web.Response:
    sentences = (page_messages(language)["app.not_built"] for language in LANGUAGES)
    body = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences)
    page = f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>/app/</title>{body}'
    return web.Response(text=page, content_type="text/html", status=HTTPStatus.SERVICE_UNAVAILABLE)


@cache
def served_file(body: bytes, content_type: str, cached: str = _ASK) -> Serve:
    """A handler that serves a file, packed where the reader unpacks it; 304 where it is known."""
    etag = ETag(value=hashlib.sha256(body).hexdigest()[:32])
    packed = gzip.compress(body, mtime=0)  # once, at the start; the same bytes each time

    async def serve(http: web.Request) -> web.Response:
        known = http.if_none_match or ()
        packs = _takes_gzip(http)
        if any(one.value == etag.value for one in known):
            response = web.Response(status=304)
        else:
            response = web.Response(body=packed if packs else body)
            if packs:
                response.headers["Content-Encoding"] = "gzip"
        response.content_type = content_type
        if content_type != "image/svg+xml":
            response.charset = "utf-8"
        # Weak: both encodings are the same thing.
        response.etag = ETag(value=etag.value, is_weak=True)
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = cached
        return response

    return serve


def _takes_gzip(http: web.Request) -> bool:
    """Whether the reader wrote that it unpacks gzip, and did not refuse it by `q=0`."""
    for told in http.headers.get("Accept-Encoding", "").split(","):
        coding, _, quality = told.strip().partition(";")
        if coding.strip().lower() == "gzip":
            return quality.replace(" ", "").lower() not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
