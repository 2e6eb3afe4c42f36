"""The public figures, for everybody and without signing in: files that `hotline disclose` wrote.

Only names of that folder's own shape are looked up, so no path leads out of it. Nothing here reads
the database: what is not disclosed is not within reach.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

_NAME = re.compile(r"(?:[0-9]{4}-[0-9]{2}/)?[a-z_]{1,40}\.(?:html|css|csv|json)")
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


def add_open_pages(app: web.Application, folder: Path) -> None:
    """Serve `/open/...` from a folder; what is not there is a plain 404."""
    app.router.add_get("/open", _moved)
    app.router.add_get("/open/{name:.+}", _file(folder))


async def _moved(_: web.Request) -> web.StreamResponse:
    return web.Response(status=308, headers={"Location": "/open/"})


def _file(folder: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(http: web.Request) -> web.StreamResponse:
        name = http.match_info["name"]
        path = folder / name
        if not _NAME.fullmatch(name) or not path.is_file():
            raise web.HTTPNotFound
        headers = {
            "Content-Type": _TYPES[path.suffix.removeprefix(".")],
            "Cache-Control": "no-cache",
        }
        return web.FileResponse(path, headers=headers)

    return serve
