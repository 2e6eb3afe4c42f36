"""The composition root: everything is opened here, in reading order, and closed in reverse.

`serving` opens the parts on one exit stack and yields `Services`; `serve` runs the long tasks in
one group until it is told to stop, then lets the work in hand finish. A signal only sets the
event; a part that fails ends all of them, because half a service is worse than a restart.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from hotline import archiving, blocks, city_desk, database, duty_log_rows, sealed
from hotline.archiving import ArchiveDesk
from hotline.browser_phones import BrowserPhones
from hotline.callout import CalloutDesk
from hotline.caption_board import CaptionBoard
from hotline.captions import CaptionDesk
from hotline.casework import SHIPPED, SHIPPED_REPORTING, Casework
from hotline.city_desk import CityDesk
from hotline.coming_desk import ComingDesk
from hotline.config import Config
from hotline.console.server import build
from hotline.control import ControlDesk
from hotline.database import Pool
from hotline.duty import DutyDesk
from hotline.errors import DatabaseUnavailableError, MigrationRefusedError, PortTakenError
from hotline.exchange import RunningExchange
from hotline.feed import Feed
from hotline.finishing import FinishingDesk
from hotline.following import FollowDesk
from hotline.inspecting import InspectionDesk
from hotline.inspection_form import load_form
from hotline.jobs import Workers
from hotline.keeping import sounds_of
from hotline.likeness import LikenessDesk
from hotline.monthly import MonthDesk
from hotline.notices import NoticeDesk
from hotline.operators import OperatorDesk
from hotline.probe import ProbeDesk
from hotline.reminders import ReminderDesk
from hotline.reports import lines_of
from hotline.retaining import RetentionDesk, Stores
from hotline.services import Ping, Services, utc_now
from hotline.speech import live_engine_of, transcriber_of, workers_of
from hotline.steps import Steps
from hotline.supervision import SupervisionDesk
from metrics.reports.league import load_league
from routing.duty_policy import read_reporting_policy
from routing.retention import load_retention
from telephony.sealing import KeyFile

log = logging.getLogger(__name__)

SPARE_CONNECTIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The open parts and who has to be started."""

    services: Services
    workers: Sequence[Workers]
    notices: NoticeDesk
    reminders: ReminderDesk
    archive: ArchiveDesk
    comings: ComingDesk
    supervision: SupervisionDesk
    retention: Sequence[RetentionDesk]
    months: Sequence[MonthDesk]
    finishing: FinishingDesk
    likeness: LikenessDesk
    captions: CaptionDesk
    url: str


async def serve(
    config: Config, *, stop: asyncio.Event, ready: Callable[[Running], None] = lambda _: None
) -> None:
    """Run the service until `stop` is set, then finish what is in hand and close everything."""
    async with serving(config) as running, asyncio.TaskGroup() as tasks:
        services = running.services
        listening = [
            tasks.create_task(services.feed.run(), name="feed"),
            tasks.create_task(services.operators.run(), name="operators"),
            tasks.create_task(services.callouts.run(), name="callouts"),
            tasks.create_task(services.duty.run(), name="duty"),
            tasks.create_task(services.city_desk.run(), name="city"),
            tasks.create_task(running.notices.run(), name="notices"),
            tasks.create_task(running.reminders.run(), name="reminders"),
            tasks.create_task(running.archive.run(), name="archive"),
            tasks.create_task(running.comings.run(), name="comings"),
            tasks.create_task(running.supervision.run(), name="supervision"),
            tasks.create_task(running.finishing.run(), name="finishing"),
            tasks.create_task(running.likeness.run(), name="likeness"),
            tasks.create_task(running.captions.run(), name="captions"),
            *(tasks.create_task(one.run(), name="retention") for one in running.retention),
            *(tasks.create_task(one.run(), name="months") for one in running.months),
            tasks.create_task(services.probes.run(), name="probes"),
            *(
                tasks.create_task(exchange.run(), name=f"exchange {name}")
                for name, exchange in services.exchanges.items()
            ),
        ]
        working = [tasks.create_task(workers.run(), name="jobs") for workers in running.workers]
        ready(running)
        await stop.wait()
        log.info("Stopping: the work in hand is finished first.")
        for exchange in services.exchanges.values():
            await exchange.drain()
        for workers in running.workers:
            workers.stop()
        await asyncio.wait(working, timeout=config.stop_within_seconds)
        services.feed.close()
        services.captions.close()
        for task in (*listening, *working):
            task.cancel()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGTERM and SIGINT ask for the end; a second one changes nothing."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


@asynccontextmanager
async def serving(config: Config) -> AsyncIterator[Running]:
    """Open everything the service is made of; nothing runs yet."""
    async with AsyncExitStack() as stack:
        keys = KeyFile(config.keys_path)
        dsn = await stack.enter_async_context(database.opened(config.dsn, config.data_dir))
        casework, number = await _prepare(dsn, keys, config)
        size = SPARE_CONNECTIONS + 2 * len(config.exchanges)
        pool = await stack.enter_async_context(database.pooled(dsn, size=size, keys=keys))
        async with database.borrowed(pool) as conn:
            folders = [one.blocked_dir for one in config.exchanges if one.blocked_dir]
            await blocks.write_lists(conn, folders, utc_now())
        feed = Feed(pool=pool, connect=lambda: database.connected(dsn))
        cities = CityDesk(casework, number, config=config, pool=pool, feed=feed)
        sounds = sounds_of(config)
        await asyncio.to_thread(sounds.clear)
        transcriber = transcriber_of(config)
        stack.push_async_callback(transcriber.aclose)
        exchanges = {
            exchange.system: RunningExchange(exchange, config=config, pool=pool, clock=utc_now)
            for exchange in config.exchanges
        }
        steps = Steps(
            pool=pool,
            clock=utc_now,
            sounds=sounds,
            recordings_dirs={one.system: one.recordings_dir for one in config.exchanges},
            recording_grace=timedelta(seconds=config.recording_grace_seconds),
            transcriber=transcriber,
            classifier=cities,
            vocabulary=lambda: cities.city.vocabulary,
        )
        notices = NoticeDesk(config=config, pool=pool, feed=feed, clock=utc_now)
        reminders = ReminderDesk(
            pool=pool,
            policies=casework.policies,
            policy=casework.policy,
            calendar=casework.calendar,
            clock=utc_now,
            every=timedelta(seconds=config.reminders_every_seconds),
        )
        archive = ArchiveDesk(
            pool=pool,
            limits=lambda: cities.casework.limits,
            clock=utc_now,
            every=archiving.EVERY,
        )
        supervision = SupervisionDesk(
            pool=pool,
            limits=lambda: cities.casework.limits,
            city=lambda: cities.city,
            clock=utc_now,
            every=timedelta(seconds=config.supervision_every_seconds),
        )
        retention = RetentionDesk(
            pool=pool,
            stores=Stores(sounds=sounds, evidence=config.evidence_dir),
            periods=load_retention(config.city_dir, SHIPPED),
            clock=utc_now,
        )
        months = MonthDesk(
            pool=pool,
            city=lambda: cities.city,
            lines=lines_of(config),
            rules=lambda: load_league(config.city_dir, SHIPPED),
            folder=config.open_dir,
            clock=utc_now,
        )
        following = FollowDesk(pool=pool, limits=lambda: cities.casework.limits, clock=utc_now)
        finishing = FinishingDesk(pool=pool, vocabulary=lambda: cities.city.vocabulary)
        load_form(config.city_dir, SHIPPED)  # a wrong form is told now, not by waiting jobs
        inspections = InspectionDesk(
            pool=pool,
            form=lambda: load_form(config.city_dir, SHIPPED),
            badges={one.extension: one.badge for one in config.operators},
            clock=utc_now,
        )
        likeness = LikenessDesk(pool=pool, clock=utc_now, every=config.likeness_every_seconds)
        workers = [
            Workers(
                connect=lambda: database.connected(dsn),
                steps={
                    **steps.quick(),
                    **notices.steps(),
                    **following.steps(),
                    **inspections.steps(),
                },
                at_once=8,
            ),
        ]
        if config.speech.in_service:
            hearing = Workers(
                connect=lambda: database.connected(dsn),
                steps=steps.slow(),
                at_once=2 * workers_of(config),
            )
            workers.append(hearing)
        probes = ProbeDesk(
            config=config, pool=pool, exchanges=exchanges, sounds=sounds, clock=utc_now
        )
        callouts = CalloutDesk(config=config, pool=pool, exchanges=exchanges, clock=utc_now)
        operators = OperatorDesk(config=config, pool=pool, exchanges=exchanges, clock=utc_now)
        board = CaptionBoard(enabled=config.captions.enabled)
        live = live_engine_of(config)
        stack.push_async_callback(live.aclose)
        captions = CaptionDesk(
            config=config,
            pool=pool,
            exchanges=exchanges,
            board=board,
            suggests=cities,
            vocabulary=lambda: cities.city.vocabulary,
            engine=live,
        )
        services = Services(
            config=config,
            pool=pool,
            feed=feed,
            exchanges=exchanges,
            policies=casework.policies,
            calendar=casework.calendar,
            city_desk=cities,
            captions=board,
            caption_figures=captions.figures,
            transcriber=transcriber,
            sounds=sounds,
            control=ControlDesk(
                config=config,
                pool=pool,
                exchanges=exchanges,
                city=lambda: cities.city,
                clock=utc_now,
            ),
            callouts=callouts,
            duty=DutyDesk(
                config=config,
                pool=pool,
                callouts=callouts,
                policy=read_reporting_policy(config.duty.reporting or SHIPPED_REPORTING),
                clock=utc_now,
            ),
            operators=operators,
            browsers=BrowserPhones(
                config=config, pool=pool, exchanges=exchanges, operators=operators
            ),
            probes=probes,
            pings={
                "database": _ping_database(pool),
                "feed": feed.ping,
                **({"speech": transcriber.ping} if config.speech.in_service else {}),
                "store": lambda: asyncio.to_thread(sounds.current.ping),
                "test calls": probes.ping,
                "captions": captions.ping,
                **{f"exchange {name}": one.ping for name, one in exchanges.items()},
                **{f"orders {name}": one.ping_orders for name, one in exchanges.items()},
            },
        )
        url = await stack.enter_async_context(_site(services))
        yield Running(
            services=services,
            workers=workers,
            notices=notices,
            reminders=reminders,
            archive=archive,
            comings=ComingDesk(pool=pool, clock=utc_now),
            supervision=supervision,
            retention=[retention] if config.retention_nightly else [],
            months=[months] if config.month_end else [],
            finishing=finishing,
            likeness=likeness,
            captions=captions,
            url=url,
        )


async def _prepare(dsn: str, keys: KeyFile, config: Config) -> tuple[Casework, int | None]:
    """The city to begin with, and its version; the schema must be this program's.

    An embedded database is migrated at the start and given the configured city at the first; a
    city's own is changed only by `hotline migrate` and `hotline city load`. What an earlier version
    left unsealed is sealed, and everything sealed must be readable.
    """
    ours = config.dsn is None
    async with database.connected(dsn) as conn:
        missing = [one for one in await database.pending(conn) if one.phase == "pre"]
        if ours:
            await database.migrate(conn)
    async with database.connected(dsn, keys) as conn:
        if ours or not missing:
            await sealed.seal_old(conn)
            await sealed.check_keys(conn, keys.ring)
            await sealed.mark_tails(conn)
            await duty_log_rows.begin_line(conn, config.duty.line)
            if ours:
                await city_desk.first_load(conn, config, utc_now())
            return await city_desk.opened(conn, config)
    raise MigrationRefusedError(
        f"The database lacks {len(missing)} migrations of this version: "
        "run `hotline migrate` first."
    )


def _ping_database(pool: Pool) -> Ping:
    async def ping() -> None:
        try:
            await pool.execute("SELECT 1")
        except OSError as error:
            raise DatabaseUnavailableError("PostgreSQL does not answer.") from error

    return ping


@asynccontextmanager
async def _site(services: Services) -> AsyncIterator[str]:
    """The console and its API on the configured address."""
    config = services.config
    runner = web.AppRunner(build(services), access_log=None, shutdown_timeout=5)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, config.http_host, config.http_port).start()
        except OSError as error:
            raise PortTakenError(
                f"The console cannot listen on {config.http_host}:{config.http_port} "
                f"({error.strerror}): stop the program that has the port, or change http_port."
            ) from error
        host = f"[{config.http_host}]" if ":" in config.http_host else config.http_host
        yield f"http://{host}:{config.http_port}/"
    finally:
        await runner.cleanup()
