"""`hotline replay`: a captured stream through the same parser and tracker as a live exchange.

The kind of file is seen from its first bytes: the AMI greeting or a header line, a quoted CEL row,
or a queue_log row with its bars. Times are those of the stream; an AMI event without a Timestamp
takes the file's own time.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asterisk.ami.event import Event

from hotline import database, flow
from hotline.catalogue import Language, messages
from hotline.config import Config
from hotline.errors import HotlineError
from hotline.exchange import rules_of
from hotline.masking import mask_number
from telephony import cel, queue_log
from telephony.ami import Decoder
from telephony.calls import CallEvent, CallTracker
from telephony.events import Fact, System
from telephony.rows import BadRow, Parser
from telephony.sealing import KeyFile
from telephony.translation import translate

AFTERWARDS = timedelta(hours=1)


class ReplayError(HotlineError):
    """A captured file cannot be replayed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a stream told."""

    facts: int
    calls: int
    events: Sequence[CallEvent]


async def replay(config: Config, file: Path, *, system: str, store: bool) -> Told:
    """Track a captured stream; with `store` its calls go into the database like live ones.

    Raises:
        ReplayError: the file cannot be read or is none of the three kinds.
    """
    facts = await asyncio.to_thread(lambda: list(facts_in(file, System(system))))
    tracker = CallTracker(rules_of(config))
    events = [event for fact in facts for event in tracker.observe(fact)]
    if facts:
        events += tracker.settle(max(fact.at for fact in facts) + AFTERWARDS)
    if store:
        await _store(config, events)
    return Told(facts=len(facts), calls=len({event.call.key for event in events}), events=events)


async def _store(config: Config, events: Sequence[CallEvent]) -> None:
    async with (
        database.opened(config.dsn, config.data_dir) as dsn,
        database.connected(dsn, KeyFile(config.keys_path)) as conn,
    ):
        for event in events:
            async with conn.transaction():
                await flow.call_changed(conn, event)


def facts_in(file: Path, system: System) -> Iterator[Fact]:
    """The facts of a captured file, in its order; rows that cannot be read are left out."""
    try:
        data = file.read_bytes()
        received_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    except OSError as error:
        raise ReplayError(f"The stream {file} cannot be read ({error.strerror}).") from error
    if data.startswith((b"Asterisk Call Manager/", b"Event: ", b"Response: ")):
        yield from _from_ami(data, system, received_at)
    elif data.startswith(b'"'):
        yield from _from_rows(data, cel.parse, system)
    elif data.split(b"\n", 1)[0].count(b"|") >= _BARS:
        yield from _from_rows(data, queue_log.parse, system)
    else:
        raise ReplayError(
            f"The stream {file} is neither AMI, nor a CEL file, nor a queue_log: "
            "capture it with its first line."
        )


_BARS = 4


def _from_ami(data: bytes, system: System, received_at: datetime) -> Iterator[Fact]:
    # A capture may begin in the middle of a session, where no greeting comes.
    greeting = b"" if data.startswith(b"Asterisk Call Manager/") else b"Asterisk Call Manager/0\r\n"
    for message in Decoder().feed(greeting + data):
        if isinstance(message, Event):
            fact = translate(message, system=system, received_at=received_at)
            if fact is not None:
                yield fact


def _from_rows(data: bytes, parse: Parser, system: System) -> Iterator[Fact]:
    for line in data.split(b"\n"):
        try:
            fact = parse(line, system) if line else None
        except BadRow:
            continue
        if fact is not None:
            yield fact


def describe(event: CallEvent, language: Language) -> str:
    """One event as a line: when, what, which line, the caller masked, the outcome."""
    words = messages(language)
    call = event.call
    outcome = words.get(f"outcome.{call.outcome}", "") if call.outcome else ""
    from_here = words[f"direction.{call.direction}"]
    line = words.get(f"line.{call.line}", call.line or from_here)
    kind = type(event).__name__
    when = event.at.isoformat(timespec="milliseconds")
    other = mask_number(call.caller_number or call.callee_number)
    return f"{when}  {kind:<13} {line} {other} {outcome}".rstrip()
