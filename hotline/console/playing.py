"""Recorded sound to a browser, whole or in the part it asks for, from whatever store has it."""

import asyncio
from http import HTTPStatus

from aiohttp import web

from hotline.console.problems import Fault, ProblemError
from hotline.errors import SoundGoneError, StoreAwayError
from hotline.sounds import Kept, SoundStore, SoundStores, parts

_HEADERS = {"Content-Type": "audio/wav", "Cache-Control": "private, no-store"}


async def played(request: web.Request, sounds: SoundStores, kept: Kept) -> web.StreamResponse:
    """The answer with the sound, or the part of it that `Range` names; never held whole.

    Raises:
        SoundGoneError: it is not in its store.
        ProblemError: the store is away; nothing was sent yet.
    """
    try:
        store = sounds.of(kept.store)
        if (path_of := getattr(store, "path_of", None)) is not None:
            path = path_of(kept.key)
            if not path.is_file():
                raise SoundGoneError(f"The recording {kept.key} is not in {store.where}.")
            return web.FileResponse(path, headers=_HEADERS)
        return await _streamed(request, store, kept)
    except (StoreAwayError, OSError) as error:
        raise ProblemError(Fault.STORE_AWAY, str(error)) from error


async def _streamed(request: web.Request, store: SoundStore, kept: Kept) -> web.StreamResponse:
    length = await asyncio.to_thread(store.size, kept.key)
    if length is None:
        raise SoundGoneError(f"The recording {kept.key} is not in {store.where}.")
    wanted = _wanted(request, kept, length)
    start, stop = wanted or (0, length)
    headers = {
        **_HEADERS,
        "Accept-Ranges": "bytes",
        "Content-Length": str(stop - start),
        "ETag": f'"{kept.sha256}"',
    }
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
    pieces = parts(store, kept.key, start, stop)
    first = await anext(pieces, b"")  # the store is asked before anything is promised
    answer = web.StreamResponse(status=status, headers=headers)
    await answer.prepare(request)
    if request.method != "HEAD":
        await answer.write(first)
        async for piece in pieces:
            await answer.write(piece)
    await answer.write_eof()
    return answer


def _wanted(request: web.Request, kept: Kept, length: int) -> tuple[int, int] | None:
    """The part asked for; None for all of it, also where the part was meant of other bytes."""
    if request.headers.get("If-Range", f'"{kept.sha256}"') != f'"{kept.sha256}"':
        return None
    try:
        asked = request.http_range
    except ValueError:
        asked = slice(length, None)  # as good as beyond the end
    if asked.start is None and asked.stop is None:
        return None
    start, stop, _ = asked.indices(length)
    if start >= stop:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{length}"})
    return start, stop
