"""Recorded sound to a browser, whole or in the part it asks for, from whatever store has it.

Where personal data was said it is silent: the bytes there are zeros, everything else is as it was
recorded, and so is the length.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from contextlib import aclosing
from http import HTTPStatus

from aiohttp import web

from hotline.console.problems import Fault, ProblemError
from hotline.errors import SoundGoneError, StoreAwayError
from hotline.muting import HEAD, Silence, silenced, silences
from hotline.sounds import Kept, SoundStore, SoundStores, parts
from transcription.errors import AudioError

Seconds = Sequence[tuple[float, float]]
_HEADERS = {"Content-Type": "audio/wav", "Cache-Control": "private, no-store"}


async def played(
    request: web.Request, sounds: SoundStores, kept: Kept, silent: Seconds = ()
) -> web.StreamResponse:
    """The answer with the sound, or the part of it that `Range` names; never held whole.

    `silent` are the seconds in which nothing is heard.

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
            if not silent:
                return web.FileResponse(path, headers=_HEADERS)
        return await _streamed(request, store, kept, silent)
    except (StoreAwayError, OSError) as error:
        raise ProblemError(Fault.STORE_AWAY, str(error)) from error


async def _streamed(
    request: web.Request, store: SoundStore, kept: Kept, seconds: Seconds
) -> web.StreamResponse:
    length = await asyncio.to_thread(store.size, kept.key)
    if length is None:
        raise SoundGoneError(f"The recording {kept.key} is not in {store.where}.")
    silent = await _silences(store, kept, length, seconds) if seconds else []
    tag = _tag(kept, seconds)
    wanted = _wanted(request, tag, length)
    start, stop = wanted or (0, length)
    headers = {
        **_HEADERS,
        "Accept-Ranges": "bytes",
        "Content-Length": str(stop - start),
        "ETag": tag,
    }
    if wanted is not None:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{length}"
    status = HTTPStatus.OK if wanted is None else HTTPStatus.PARTIAL_CONTENT
    async with aclosing(parts(store, kept.key, start, stop)) as pieces:  # a browser may leave
        first = await anext(pieces, b"")  # the store is asked before anything is promised
        answer = web.StreamResponse(status=status, headers=headers)
        await answer.prepare(request)
        if request.method != "HEAD":
            await answer.write(silenced(first, start, silent))
            start += len(first)
            async for piece in pieces:
                await answer.write(silenced(piece, start, silent))
                start += len(piece)
        await answer.write_eof()
    return answer


async def _silences(store: SoundStore, kept: Kept, length: int, seconds: Seconds) -> list[Silence]:
    head = b"".join([it async for it in parts(store, kept.key, 0, min(HEAD, length))])
    try:
        return silences(head, length, seconds)
    except AudioError as error:  # what cannot be silenced is not played
        raise SoundGoneError(str(error)) from error


def _tag(kept: Kept, seconds: Seconds) -> str:
    """Other bytes have another name: a player never joins a silent part to one that is not."""
    if not seconds:
        return f'"{kept.sha256}"'
    told = f"{kept.sha256} {seconds}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()}"'


def _wanted(request: web.Request, tag: str, length: int) -> tuple[int, int] | None:
    """The part asked for; None for all of it, also where the part was meant of other bytes."""
    if request.headers.get("If-Range", tag) != tag:
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
