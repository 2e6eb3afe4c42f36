"""The page and its parts: a fixed set of files, read once, with the messages of both languages.

Nothing is built, and nothing comes from elsewhere. Words the command line also uses (states, kinds,
outcomes) come from the service's own catalogue, so that there is one wording of each.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Final

from aiohttp import ETag, web

from hotline.catalogue import LANGUAGES, Language, messages

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
SHARED: Final = ("state.", "kind.", "urgency.", "outcome.", "line.", "side.", "direction.")
_PLACES: Final = {"index.html": "/", "docs.html": "/api/docs"}
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
    """Serve `/` and `/web/...`; a browser asks each time and gets 304 where nothing changed."""
    for file in (resources.files("hotline.console") / "web").iterdir():
        suffix = "." + file.name.rpartition(".")[2]
        if file.is_file() and suffix in _TYPES:
            path = _PLACES.get(file.name, f"/web/{file.name}")
            app.router.add_get(path, _file(file.read_bytes(), _TYPES[suffix]))
    for language in LANGUAGES:
        text = json.dumps(page_messages(language), ensure_ascii=False).encode()
        app.router.add_get(f"/web/messages/{language}.json", _file(text, "application/json"))


def _file(body: bytes, content_type: str) -> Serve:
    etag = ETag(value=hashlib.sha256(body).hexdigest()[:32])

    async def serve(http: web.Request) -> web.Response:
        known = http.if_none_match or ()
        response = web.Response(status=304) if etag in known else web.Response(body=body)
        response.content_type = content_type
        if content_type != "image/svg+xml":
            response.charset = "utf-8"
        response.etag = etag
        response.headers["Cache-Control"] = "no-cache"
        return response

    return serve
