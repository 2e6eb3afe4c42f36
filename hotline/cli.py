"""The command line: `hotline serve | demo | migrate | check | reconcile | replay | calls ...`.

Whatever goes wrong comes out as one sentence and a non-zero status; `--debug` adds the traceback.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from deploy.errors import DeployError
from hotline import (
    cli_audit,
    cli_bench,
    cli_cases,
    cli_city,
    cli_corrections,
    cli_dashboards,
    cli_disclose,
    cli_indicators,
    cli_inspect,
    cli_jobs,
    cli_keys,
    cli_notices,
    cli_phones,
    cli_policy,
    cli_reconcile,
    cli_report,
    cli_retention,
    cli_speech,
    cli_staffing,
    cli_store,
    cli_users,
    database,
    sealed,
)
from hotline.catalogue import say
from hotline.cli_config import configured, debugging
from hotline.errors import HotlineError
from hotline.masking import mask_text
from metrics.errors import MetricsError
from routing.errors import RoutingError
from telephony.errors import TelephonyError
from telephony.sealing import KeyFile
from transcription.errors import SpeechError

SENTENCES = (HotlineError, TelephonyError, SpeechError, RoutingError, MetricsError, DeployError)
"""The roots of our error trees: their text is a sentence for an operator."""
INTERRUPTED = 130

app = typer.Typer(
    name="hotline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="A city's mayor's line and duty line: 市长公开电话与值班电话。",
)
app.add_typer(cli_audit.audit_app, name="audit")
app.add_typer(cli_bench.bench_app, name="bench")
app.add_typer(cli_cases.cases, name="cases")
cli_cases.cases.command("corrections")(cli_corrections.write)
app.add_typer(cli_city.city_app, name="city")
app.add_typer(cli_indicators.indicators_app, name="indicators")
app.add_typer(cli_jobs.jobs_app, name="jobs")
app.add_typer(cli_keys.keys_app, name="keys")
app.add_typer(cli_notices.notices_app, name="notices")
app.add_typer(cli_users.users_app, name="users")
app.add_typer(cli_phones.phones_app, name="phones")
app.add_typer(cli_speech.model, name="model")
app.add_typer(cli_policy.policy_app, name="policy")
app.add_typer(cli_policy.calendar_app, name="calendar")
app.add_typer(cli_report.report_app, name="report")
app.add_typer(cli_retention.retention_app, name="retention")
app.add_typer(cli_store.store_app, name="store")
app.command("calls")(cli_cases.calls)
app.command("inspect")(cli_inspect.inspect)
app.command("reconcile")(cli_reconcile.reconcile)
app.command("dashboards")(cli_dashboards.write)
app.command("disclose")(cli_disclose.disclose)
app.command("staffing")(cli_staffing.show)
app.command("train")(cli_speech.train)
app.command("classify")(cli_speech.classify)

ConfigOption = Annotated[
    Path | None, typer.Option("--config", "-c", help="The TOML file (else HOTLINE_CONFIG).")
]


@app.callback()
def options(
    config: ConfigOption = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and all logs.")] = False,
) -> None:
    """Options that stand before every command."""
    if config is not None:
        os.environ["HOTLINE_CONFIG"] = str(config)
    if debug:
        os.environ["HOTLINE_DEBUG"] = "1"


@app.command()
def serve() -> None:
    """Run the service: listen to the exchanges, transcribe, route, show, count."""
    from hotline import app as service  # noqa: PLC0415 - other commands start without all of it

    config = configured(quiet=False)

    def ready(running: service.Running) -> None:
        typer.echo(say("serve.ready", config.language, url=running.url))

    async def run() -> None:
        stop = asyncio.Event()
        service.stop_on_signals(stop)
        await service.serve(config, stop=stop, ready=ready)

    asyncio.run(run())
    typer.echo(say("serve.stopped", config.language))


@app.command()
def worker() -> None:
    """Hear recordings for the service, here or on another machine; as many as there are cores."""
    from hotline import app as service  # noqa: PLC0415 - as above
    from hotline import worker as hearing  # noqa: PLC0415 - as above

    config = configured(quiet=False)

    async def run() -> None:
        stop = asyncio.Event()
        service.stop_on_signals(stop)
        await hearing.work(
            config,
            stop=stop,
            ready=lambda: typer.echo(say("worker.ready", config.language)),
        )

    asyncio.run(run())
    typer.echo(say("serve.stopped", config.language))


@app.command()
def migrate(
    phase: Annotated[
        str, typer.Option(help="pre: before the new version starts; post: after the last old one.")
    ] = "all",
) -> None:
    """Bring the database's schema up to date."""
    config = configured()
    phases: dict[str, tuple[database.Phase, ...]] = {
        "all": ("pre", "post"),
        "pre": ("pre",),
        "post": ("post",),
    }
    if phase not in phases:
        raise typer.BadParameter("--phase is pre, post or all.")

    async def run() -> list[database.Migration]:
        async with (
            database.opened(config.dsn, config.data_dir) as dsn,
            database.connected(dsn) as conn,
        ):
            done = await database.migrate(conn, phases=phases[phase])
            async with database.connected(dsn, KeyFile(config.keys_path)) as sealing:
                await sealed.seal_old(sealing)
                await sealed.mark_tails(sealing)
            return done

    names = ", ".join(f"{one.number:04d}_{one.name}.{one.phase}" for one in asyncio.run(run()))
    key = "migrate.done" if names else "migrate.nothing"
    typer.echo(say(key, config.language, **({"names": names} if names else {})))


@app.command()
def check() -> None:
    """Say of every part whether it works; the status is 1 if one does not, `!` is in time."""
    from hotline.checks import Checks  # noqa: PLC0415 - as above

    config = configured()

    async def run() -> tuple[int, int]:
        failed = soon = 0
        async for line in Checks(config, config.language).run():
            mark = "✗" if not line.found.well else "!" if line.found.soon else "✓"
            typer.echo(f"{mark} {line.label}  {line.found.sentence}")
            failed += not line.found.well
            soon += line.found.soon
        return failed, soon

    failed, soon = asyncio.run(run())
    key = "check.some_failed" if failed else "check.some_soon" if soon else "check.all_ok"
    count = {"count": failed or soon} if failed or soon else {}
    typer.echo(say(key, config.language, **count))
    raise typer.Exit(1 if failed else 0)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A captured AMI stream, a CEL file or a queue_log.")],
    store: Annotated[bool, typer.Option("--store", help="Also store the calls.")] = False,
    system: Annotated[str, typer.Option(help="The exchange it comes from.")] = "replayed",
) -> None:
    """Run a captured stream through the parser and the tracker, and show the calls in it."""
    from hotline import replaying  # noqa: PLC0415 - as above

    config = configured()
    told = asyncio.run(replaying.replay(config, file, system=system, store=store))
    for event in told.events:
        typer.echo(replaying.describe(event, config.language))
    facts, calls = told.facts, told.calls
    typer.echo(
        say("replay.done", config.language, facts=facts, calls=calls, events=len(told.events))
    )


@app.command()
def demo(
    leave: Annotated[bool, typer.Option("--exit", help="End after the report, for CI.")] = False,
) -> None:
    """Place twelve real calls and watch them become cases."""
    from hotline.demo import main as run_demo  # noqa: PLC0415 - as above

    raise typer.Exit(run_demo(leave=leave))


def main() -> None:
    """Run a command; whatever goes wrong is one sentence and a status that is not zero."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        if debugging():
            raise
        sentence = sentence_of(error)
        typer.echo(sentence, err=True)
        sys.exit(1)


def sentence_of(error: BaseException) -> str:
    """What to tell the operator: our own sentence, else one that admits the surprise."""
    for one in _leaves(error):
        if isinstance(one, SENTENCES):
            return mask_text(str(one))
    first = next(_leaves(error))
    if isinstance(first, asyncpg.PostgresError):
        return mask_text(f"PostgreSQL refuses: {first}.")
    what = mask_text(f"{type(first).__name__}: {first}")
    return f"Something unexpected went wrong ({what}): run it again with --debug and report it."


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside groups, in order."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
