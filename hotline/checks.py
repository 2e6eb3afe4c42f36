"""`hotline check`: every part looked at before the night begins, each answered by one sentence.

A check is an async function that returns `Found`; it changes nothing, but for a small file that is
put into the store and taken out again. What it opens it closes.
"""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg

from hotline import database, jobs
from hotline.casework import SHIPPED, load_casework
from hotline.catalogue import Language, say
from hotline.config import Config, Exchange, unknown_variables
from hotline.errors import HotlineError
from hotline.exchange import log_in_once
from hotline.inspection_form import load_form
from hotline.keeping import sounds_of
from hotline.services import Clock, utc_now
from hotline.sounds import try_out
from hotline.speech import transcriber_of
from routing.errors import RoutingError
from routing.numbers import SHANGHAI
from telephony.errors import TelephonyError
from telephony.sealing import read_keys
from telephony.taps import TapServer
from transcription.errors import SpeechError

LEAST_FREE = 2 * 1024**3
"""Bytes: about 35 hours of both legs of one call; below it recordings are in danger."""
CALENDAR_NOTICE = 25
"""Working days: the longest limit is 15, and somebody needs days to load the next year."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a check has to say."""

    well: bool
    sentence: str
    soon: bool = False
    """It works today, and will not for long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the report."""

    label: str
    found: Found


class Checks:
    """All checks of one configuration, in the order in which an operator would go."""

    def __init__(self, config: Config, language: Language, *, clock: Clock = utc_now) -> None:
        """Texts come in `language`; errors of the parts are in English."""
        self._clock = clock
        self._config = config
        self._language = language

    def _say(self, key: str, **facts: object) -> str:
        return say(key, self._language, **facts)

    def _well(self, key: str, **facts: object) -> Found:
        return Found(well=True, sentence=self._say(key, **facts))

    def _ill(self, key: str, **facts: object) -> Found:
        return Found(well=False, sentence=self._say(key, **facts))

    async def run(self) -> AsyncIterator[Line]:
        """Every line as soon as it is known."""
        yield await self._line("check.config", self._check_config)
        try:
            async with (
                database.opened(self._config.dsn, self._config.data_dir) as dsn,
                database.connected(dsn) as conn,
            ):
                async for line in self._of_database(conn):
                    yield line
        except HotlineError as error:
            yield Line(
                label=self._say("check.database"), found=Found(well=False, sentence=str(error))
            )
        if not self._config.exchanges:
            yield Line(label=self._say("check.exchanges"), found=self._ill("check.exchanges.none"))
        for exchange in self._config.exchanges:
            async for line in self._of_exchange(exchange):
                yield line
        yield await self._line("check.keys", self._check_keys)
        yield await self._line("check.routing", self._check_routing)
        yield await self._line("check.calendar", self._check_calendar)
        yield await self._line("check.inspection", self._check_inspection)
        yield await self._line("check.model", self._check_model)
        yield await self._line("check.captions", self._check_captions)
        yield await self._line("check.store", self._check_store)
        yield await self._line("check.disk", self._check_disk)
        yield await self._line("check.port", self._check_port)

    async def _line(self, key: str, check: Callable[[], Awaitable[Found]], **facts: object) -> Line:
        try:
            found = await check()
        except (HotlineError, TelephonyError, SpeechError, RoutingError) as error:
            found = Found(well=False, sentence=str(error))
        except asyncpg.PostgresError as error:
            found = Found(well=False, sentence=f"PostgreSQL refuses: {error}.")
        return Line(label=self._say(key, **facts), found=found)

    async def _check_config(self) -> Found:
        if unknown := unknown_variables(os.environ):
            return self._ill("check.config.unknown", names=", ".join(unknown))
        config = self._config
        return self._well(
            "check.config.ok",
            lines=len(config.lines),
            exchanges=len(config.exchanges),
            operators=len(config.operators),
        )

    async def _check_keys(self) -> Found:
        path = self._config.keys_path
        if not path.exists():
            return self._well("check.keys.first", path=path)
        ring = read_keys(path)
        if path.stat().st_mode & 0o077:
            return self._ill("check.keys.open", path=path)
        return self._well("check.keys.ok", path=path, count=len(ring.keys))

    async def _of_database(self, conn: asyncpg.Connection) -> AsyncIterator[Line]:
        async def answers() -> Found:
            kind = "dsn" if self._config.dsn else "embedded"
            version = await conn.fetchval("SHOW server_version")
            return self._well(
                "check.database.ok", kind=self._say(f"check.database.{kind}"), version=version
            )

        async def migrated() -> Found:
            missing = await database.pending(conn)
            if missing and self._config.dsn:
                return self._ill("check.migrations.pending", count=len(missing))
            if missing:
                return self._well("check.migrations.later", count=len(missing))
            done = len(database.migrations())
            return self._well("check.migrations.ok", count=done)

        async def as_made() -> Found:
            if differences := await database.drift(conn):
                return self._ill(
                    "check.schema.differs", count=len(differences), example=differences[0]
                )
            return self._well("check.schema.ok")

        async def jobs_done() -> Found:
            if not await conn.fetchval("SELECT to_regclass('pgqueuer') IS NOT NULL"):
                return self._well("check.jobs.ok", waiting=0)
            if parked := await jobs.parked(conn):
                first = parked[0]
                return self._ill(
                    "check.jobs.parked", count=len(parked), name=first.name, reason=first.reason
                )
            return self._well("check.jobs.ok", waiting=await jobs.waiting(conn))

        yield await self._line("check.database", answers)
        yield await self._line("check.migrations", migrated)
        yield await self._line("check.schema", as_made)
        yield await self._line("check.jobs", jobs_done)

    async def _of_exchange(self, exchange: Exchange) -> AsyncIterator[Line]:
        name = exchange.system

        async def lets_us_in() -> Found:
            await log_in_once(exchange)
            return self._well("check.ami.ok", system=name)

        async def cel() -> Found:
            return await asyncio.to_thread(self._check_file, exchange.cel_file)

        async def queue_log() -> Found:
            return await asyncio.to_thread(self._check_file, exchange.queue_log_file)

        async def recordings() -> Found:
            return await asyncio.to_thread(self._check_folder, exchange.recordings_dir)

        yield await self._line("check.ami", lets_us_in, system=name)
        yield await self._line("check.cel", cel, system=name)
        yield await self._line("check.queue_log", queue_log, system=name)
        yield await self._line("check.recordings", recordings, system=name)

    def _check_file(self, path: Path) -> Found:
        try:
            with path.open("rb"):
                return self._well("check.file.ok", path=path)
        except FileNotFoundError:
            return self._ill("check.file.missing", path=path)
        except OSError:
            return self._ill("check.file.unreadable", path=path)

    def _check_folder(self, path: Path) -> Found:
        if not path.is_dir():
            return self._ill("check.recordings.missing", path=path)
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            return self._ill("check.recordings.unreadable", path=path)
        return self._well("check.recordings.ok", path=path)

    async def _check_routing(self) -> Found:
        casework = await asyncio.to_thread(load_casework, self._config)
        return self._well(
            "check.routing.ok", rules=casework.city.rules.version, policy=casework.policy.name
        )

    async def _check_calendar(self) -> Found:
        calendar = (await asyncio.to_thread(load_casework, self._config)).calendar
        today = self._clock().astimezone(SHANGHAI).date()
        if not calendar.first <= today <= calendar.last:
            return self._ill("check.calendar.over", last=calendar.last)
        days = calendar.working_days_between(today, calendar.last)
        if days < CALENDAR_NOTICE:
            ends = self._say("check.calendar.ends", last=calendar.last, days=days)
            return Found(well=True, soon=True, sentence=ends)
        return self._well("check.calendar.ok", last=calendar.last, days=days)

    async def _check_inspection(self) -> Found:
        form = await asyncio.to_thread(load_form, self._config.city_dir, SHIPPED)
        return self._well("check.inspection.ok", form=form.name, items=len(form.items))

    async def _check_model(self) -> Found:
        if not self._config.speech.in_service:
            return self._well("check.model.elsewhere")
        engine = transcriber_of(self._config)
        await asyncio.to_thread(engine.verify, engine.model_path)
        return self._well("check.model.ok", model=engine.model)

    async def _check_captions(self) -> Found:
        wanted = self._config.captions
        if not wanted.enabled:
            return self._well("check.captions.off")
        deaf = [one.system for one in self._config.exchanges if one.actor_secret is None]
        if deaf:
            return self._ill("check.captions.no_orders", systems=", ".join(deaf))
        if wanted.port and await _is_ours(self._config.http_host, self._config.http_port):
            return self._well("check.captions.ours", host=wanted.host, port=wanted.port)
        taps = TapServer(wanted.host, wanted.port)
        await taps.start()
        address = taps.address
        await taps.close()
        return self._well("check.captions.ok", address=address)

    async def _check_store(self) -> Found:
        sounds = sounds_of(self._config)
        store = sounds.current
        try:
            await asyncio.to_thread(try_out, store, sounds.work)
        except OSError as error:
            return self._ill("check.store.fails", where=store.where, reason=error.strerror or error)
        return self._well("check.store.ok", where=store.where)

    async def _check_disk(self) -> Found:
        folder = self._config.store_dir.absolute()
        while not folder.exists():
            folder = folder.parent
        free = shutil.disk_usage(folder).free
        facts = {"path": folder, "free": f"{free / 1024**3:.1f}", "least": LEAST_FREE // 1024**3}
        if free < LEAST_FREE:
            return self._ill("check.disk.low", **facts)
        return self._well("check.disk.ok", **facts)

    async def _check_port(self) -> Found:
        host, port = self._config.http_host, self._config.http_port
        if await _is_ours(host, port):
            return self._well("check.port.ours", host=host, port=port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return self._ill("check.port.taken", host=host, port=port)
        return self._well("check.port.ok", host=host, port=port)


async def _is_ours(host: str, port: int) -> bool:
    """Whether this very service answers there: its console names itself."""
    name = f"[{host}]" if ":" in host else host
    patience = aiohttp.ClientTimeout(total=3)
    try:
        async with (
            aiohttp.ClientSession(timeout=patience) as session,
            session.get(f"http://{name}:{port}/healthz") as answer,
        ):
            return answer.headers.get("Server") == "hotline"
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return False
