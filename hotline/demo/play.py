"""The demo in the order it happens: set up, place calls, watch, act, report, keep serving."""

import asyncio
import fcntl
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape

from deploy.asterisk.process import Asterisk
from deploy.demo.phones import PlacedCall, Telephones
from deploy.demo.scenarios import Caller, Reply
from deploy.demo.script import Fate, Hangup, ScriptedCall, load
from deploy.portable import Tool, cache_root, ensure
from hotline.demo import settings
from hotline.demo.api import Api
from hotline.demo.people import People
from hotline.demo.report import print_report
from hotline.demo.rows import Placed, lacking, match
from hotline.demo.screen import table
from hotline.demo.service import Service, end_left_over
from hotline.demo.words import both, plain
from hotline.errors import HotlineError
from transcription.errors import ModelNotFetched
from transcription.models import ensure_model

LOOK_SECONDS = 0.5
INTERRUPTED = 130
STOP_WITHIN = "stop_within_seconds = 5.0"  # what is left then is done at the next start
PATIENCE_SECONDS = 240.0  # without any progress: a busy machine is slow, not broken
REDRAWS_PER_SECOND = 4
Look = Callable[[], Awaitable[list[Placed]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that runs: where calls go in and where what became of them is told."""

    telephones: Telephones
    sip_port: int
    numbers: dict[str, str]
    service: Service


def main(*, leave: bool) -> int:
    """Run the demo; `leave` ends it after the report. Return the exit status.

    Raises:
        HotlineError, DeployError: one sentence, as from any other command.
    """
    return asyncio.run(_until_interrupted(Console(highlight=False), leave=leave))


async def _until_interrupted(console: Console, *, leave: bool) -> int:
    """Let the first Ctrl-C (or SIGTERM) end everything in order, and further ones wait for it."""
    whole = asyncio.current_task()
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping and whole is not None:
            stopping = True
            console.print(both("stopping"))
            whole.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    verdict: list[int] = []
    try:
        await _demo(console, verdict, leave=leave)
    except asyncio.CancelledError:
        if not stopping:
            raise
        console.print(both("stopped"))
    return verdict[0] if verdict else INTERRUPTED


async def _demo(console: Console, verdict: list[int], *, leave: bool) -> None:
    """Everything, with each part stopped in reverse; `verdict` takes the exit status."""
    began = time.monotonic()
    folder = cache_root() / "demo"
    plan = load()
    async with AsyncExitStack() as stack:
        stack.enter_context(only_one(folder))
        scene = await _set_up(console, stack, folder, plan)
        ready = time.monotonic()
        seats = len(settings.MAYOR_OPERATORS + settings.DUTY_OPERATORS)
        console.print(both("started", setup=ready - began, seats=seats))
        console.print(both("watch", url=scene.service.url))
        verdict.append(await _run(console, stack, scene, plan))
        console.print(both("took", setup=ready - began, run=time.monotonic() - ready))
        if not leave:
            console.print(both("addresses", url=scene.service.url))
            console.print(both("serving"))
            await asyncio.Event().wait()


class DemoRunsError(HotlineError):
    """Another demo runs in the same cache."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the demo's folder: a second demo would end the first one's exchange."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoRunsError(plain("taken", folder=folder)) from error
        yield


async def _set_up(
    console: Console, stack: AsyncExitStack, folder: Path, plan: Sequence[ScriptedCall]
) -> Scene:
    """Fetch what is missing and start everything; each part stops when the stack unwinds."""
    console.print(both("tools"))
    asterisk_tool = await _tool(console, "asterisk")
    sipp = await _tool(console, "sipp")
    await _model(console)
    telephones = await stack.enter_async_context(
        Telephones(folder=folder / "telephones", sipp=sipp)
    )
    seats = await telephones.seat([reply_of(call) for call in plan])
    exchange = settings.demo_exchange(folder / "asterisk", seats)
    asterisk = await stack.enter_async_context(Asterisk(exchange, asterisk_tool))
    config = folder / "hotline.toml"
    await end_left_over(config)  # it may hold the port
    http_port = settings.free_tcp_port(settings.PREFERRED_HTTP_PORT)
    text = settings.service_toml(
        exchange,
        asterisk.secrets,
        data_dir=folder / "data",
        http_port=http_port,
        extra=STOP_WITHIN,
    )
    settings.write_private(config, text)
    service = Service(
        config=config, url=f"http://127.0.0.1:{http_port}", log=folder / "service.log"
    )
    await stack.enter_async_context(service)
    return Scene(
        telephones=telephones,
        sip_port=exchange.sip_port,
        numbers={line.name: line.number for line in exchange.lines},
        service=service,
    )


async def _tool(console: Console, name: str) -> Tool:
    def say(text: str) -> None:
        console.print(f"  [dim]{escape(text)}[/dim]")

    tool = await asyncio.to_thread(ensure, "asterisk" if name == "asterisk" else "sipp", say)
    console.print("  " + both("tool", name=name, version=escape(tool.version)))
    return tool


async def _model(console: Console) -> None:
    """Fetch the speech model into the cache, where the service looks for it."""

    def say(text: str) -> None:
        console.print(f"  [dim]{escape(text)}[/dim]")

    try:
        path = await asyncio.to_thread(ensure_model, cache_root() / "models", say)
    except ModelNotFetched as error:
        console.print("  " + both("no_model", why=escape(str(error))))
    else:
        console.print("  " + both("model", name=path.name))


def reply_of(call: ScriptedCall) -> Reply:
    """What the operators do when this caller rings."""
    return Reply(
        caller=call.caller,
        audio=call.operator_audio if call.fate is Fate.ANSWERED else None,
        rings_ms=round(call.rings * 1000) if call.fate is Fate.ANSWERED else None,
        talks_ms=round(call.seconds * 1000) if call.hangup is Hangup.OPERATOR else None,
    )


def caller_of(call: ScriptedCall, number: str) -> Caller:
    """What this caller does."""
    hangs_up = call.fate is Fate.ANSWERED and call.hangup is Hangup.CALLER
    return Caller(
        number=number,
        caller=call.caller,
        audio=call.caller_audio,
        gives_up_ms=round(call.patience * 1000) if call.fate is Fate.ABANDONED else None,
        talks_ms=round(call.seconds * 1000) if hangs_up else None,
        refused=call.fate is Fate.UNANSWERED,
    )


async def _run(
    console: Console, stack: AsyncExitStack, scene: Scene, plan: Sequence[ScriptedCall]
) -> int:
    """Place the calls, watch what becomes of them, report; return the exit status."""
    api = await stack.enter_async_context(Api(scene.service.url))
    people = await stack.enter_async_context(People(scene.service.url, console.print))
    before = max((call.id for call in (await api.calls(1)).calls), default=0)
    console.print(both("placing", count=len(plan)))
    dialled: list[ScriptedCall] = []
    async with asyncio.TaskGroup() as group:
        placing = [group.create_task(_place(scene, call, dialled)) for call in plan]
        look = partial(_look, api, plan, before, dialled)
        calls = await _watch(console, people, look, placing)
    await print_report(console, api, calls)
    stored = [call for call in (await api.calls()).calls if call.id > before]
    return _verdict(console, calls, [task.result() for task in placing], len(stored))


async def _place(scene: Scene, call: ScriptedCall, dialled: list[ScriptedCall]) -> PlacedCall:
    await asyncio.sleep(call.starts)
    dialled.append(call)
    return await scene.telephones.call(caller_of(call, scene.numbers[call.line]), scene.sip_port)


async def _watch(
    console: Console, people: People, look: Look, placing: Sequence[asyncio.Task[PlacedCall]]
) -> list[Placed]:
    """Redraw the table and let the operators act until every call is settled, or time is up."""
    seen: list[Placed] = []
    progress = time.monotonic()
    with Live(console=console, refresh_per_second=REDRAWS_PER_SECOND) as live:
        while True:
            calls = await look()
            live.update(table(calls, datetime.now(UTC), console.width))
            acted = [await people.act(placed) for placed in calls]
            if calls != seen:
                seen, progress = calls, time.monotonic()
            stuck = time.monotonic() - progress > PATIENCE_SECONDS
            done = all(placed.settled for placed in calls) and not any(acted)
            if all(task.done() for task in placing) and (done or stuck):
                return calls
            await asyncio.sleep(LOOK_SECONDS)


async def _look(
    api: Api, plan: Sequence[ScriptedCall], before: int, dialled: Sequence[ScriptedCall]
) -> list[Placed]:
    calls = [call for call in (await api.calls()).calls if call.id > before]
    return match(plan, calls, (await api.cases()).cases, dialled)


def _verdict(
    console: Console, calls: Sequence[Placed], placed: Sequence[PlacedCall], stored: int
) -> int:
    """Say what is missing; return 0 when nothing is."""
    missing = [
        both("incomplete", call=call.plan.name, what="; ".join(lacks))
        for call in calls
        if (lacks := lacking(call))
    ]
    missing += [
        both("refused", call=call.plan.name, why=escape(done.trouble))
        for call, done in zip(calls, placed, strict=True)
        if done.status != 0
    ]
    found = sum(call.call is not None for call in calls)
    if stored > found:
        missing.append(both("extra", count=stored - found))
    for line in missing:
        console.print(f"[red]{line}[/red]")
    if not missing:
        console.print(f"[green]{both('complete', placed=len(calls), stored=stored)}[/green]")
    return 1 if missing else 0
