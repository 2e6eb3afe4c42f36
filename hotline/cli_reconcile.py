"""`hotline reconcile --since WHEN`: the exchanges' own files against what is stored."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from hotline import database, flow
from hotline.catalogue import say
from hotline.cli_config import configured
from hotline.config import Config, Exchange
from hotline.database import Pool, transaction
from hotline.errors import ConfigError
from hotline.keeping import sounds_of
from hotline.spool import sweep
from telephony.calls import CallEvent, CallTracker
from telephony.events import System
from telephony.reconcile import Difference
from telephony.recovery import ExchangeFiles, Reconciled, Recovery
from telephony.sealing import KeyFile

_AGO = re.compile(r"(\d{1,5})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def since_when(text: str, now: datetime) -> datetime:
    """`90m`, `24h`, `7d` ago, or a date or time as `2026-11-23` or `2026-11-23T08:00+08:00`.

    A time without a zone is the machine's own.

    Raises:
        ConfigError: it is none of these.
    """
    if (ago := _AGO.fullmatch(text)) is not None:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"--since {text!r} is no time: write 24h, 7d, 2026-11-23 or 2026-11-23T08:00."
        ) from error


def reconcile(
    since: Annotated[
        str, typer.Option(help="24h, 7d, 2026-11-23 or 2026-11-23T08:00; how far to go back.")
    ] = "24h",
) -> None:
    """Compare every call since then with the exchanges' own files; repair and show what differs.

    The service may run meanwhile. The status is 1 if something could not be put right.
    """
    config = configured()
    now = datetime.now(UTC)
    began = since_when(since, now)
    if not config.exchanges:
        raise ConfigError("Configuration: exchanges is empty, so there are no files to compare.")
    done = asyncio.run(_reconcile(config, began, now))
    found = [difference for one in done for difference in one.differences]
    for line in table(found):
        typer.echo(line)
    left = sum(not difference.repaired for difference in found)
    typer.echo(
        say(
            "reconcile.done",
            config.language,
            compared=sum(one.compared for one in done),
            found=len(found),
            repaired=len(found) - left,
        )
    )
    raise typer.Exit(1 if left else 0)


def table(found: Sequence[Difference]) -> list[str]:
    """Every difference as a row, and below how many there are of each kind."""
    if not found:
        return []
    rows = [("exchange", "call", "what", "stored", "files", "put right")]
    rows += [
        (
            difference.key.system,
            difference.key.linked_id,
            str(difference.kind),
            str(difference.detail.get("stored") or "-"),
            str(difference.detail.get("files") or "-"),
            "yes" if difference.repaired else "NO",
        )
        for difference in found
    ]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    kinds = Counter(str(difference.kind) for difference in found)
    return [*lines, "", *(f"{kind}: {count}" for kind, count in sorted(kinds.items()))]


async def _reconcile(config: Config, since: datetime, now: datetime) -> list[Reconciled]:
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.pooled(dsn, size=4, keys=KeyFile(config.keys_path)) as pool,
    ):
        return [await _one(exchange, config, pool, since, now) for exchange in config.exchanges]


async def _one(
    exchange: Exchange, config: Config, pool: Pool, since: datetime, now: datetime
) -> Reconciled:
    from hotline.exchange import rules_of  # noqa: PLC0415 - brings the whole service with it

    async def tell_call(events: Sequence[CallEvent]) -> None:
        async with transaction(pool) as tx:
            await flow.call_told(tx, events)

    async def tell(event: CallEvent) -> None:
        await tell_call((event,))

    rules = rules_of(config)
    system = System(exchange.system)
    recovery = Recovery(
        system=system,
        files=ExchangeFiles(cel=exchange.cel_file, queue_log=exchange.queue_log_file),
        rules=rules,
        tracker=CallTracker(rules),
        transaction=lambda: transaction(pool),
        tell=tell,
        tell_call=tell_call,
    )
    done = await recovery.reconcile(since, now)
    swept = await sweep(
        pool,
        system=system,
        spool=exchange.recordings_dir,
        sounds=sounds_of(config),
        since=since,
        now=now,
    )
    return Reconciled(compared=done.compared, differences=(*done.differences, *swept))
