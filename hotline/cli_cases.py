"""`hotline calls` and `hotline cases ...`: what there is, and the moves a person makes.

The moves go through the same step of the flow as the console's, journal row included. Whoever may
run this on the server may make every move; the journal says by whom (`--as`, else the login name).
"""

import asyncio
import getpass
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hotline import case_rows, database, flow, journal, store
from hotline.casework import Casework, load_casework
from hotline.catalogue import Language, messages, say
from hotline.cli_config import configured
from hotline.config import Config
from hotline.masking import mask_name, mask_number, mask_text
from hotline.services import utc_now
from routing import store as case_store
from routing import text_store
from routing.cases import (
    Actor,
    Case,
    CaseState,
    Kind,
    Move,
    MoveData,
    Reached,
    Role,
    Satisfied,
    Solved,
    Truth,
    Urgency,
)
from routing.errors import CaseUnknown
from telephony.sealing import KeyFile
from transcription import store as words

T = TypeVar("T")
HERE = ZoneInfo("Asia/Shanghai")
CALL_COLUMNS = (
    *("id", "line", "started", "caller", "outcome", "wait", "talk", "operator"),
    *("recordings", "transcripts", "case"),
)
cases = typer.Typer(name="cases", no_args_is_help=True, help="Cases: list, show and move them.")

Number = Annotated[str, typer.Argument(help="The case's number, or its id.")]
AsOption = Annotated[str | None, typer.Option("--as", help="Who makes the move.")]


def at_work(config: Config, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Run one command's work on one connection, in one transaction."""

    @asynccontextmanager
    async def connection() -> AsyncIterator[asyncpg.Connection]:
        async with (
            database.opened(config.dsn, config.data_dir) as dsn,
            database.connected(dsn, KeyFile(config.keys_path)) as conn,
            conn.transaction(),
        ):
            yield conn

    async def run() -> T:
        async with connection() as conn:
            return await work(conn)

    return asyncio.run(run())


def _term(prefix: str, value: str | None, language: Language) -> str:
    """A word of ours in the reader's language; one without an entry as it is."""
    return messages(language).get(f"{prefix}.{value}", value) if value else ""


def _shown(at: datetime | None) -> str:
    return at.astimezone(HERE).strftime("%Y-%m-%d %H:%M:%S") if at else ""


def _print(headings: list[str], rows: list[list[str]]) -> None:
    table = Table(*headings, box=None)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def calls(limit: Annotated[int, typer.Option(min=1, max=1000)] = 20) -> None:
    """The last calls, newest first; callers are masked."""
    config = configured()
    language = config.language
    rows = at_work(config, lambda conn: store.last_calls(conn, limit))
    if not rows:
        typer.echo(say("calls.none", language))
        return
    columns = [
        "id",
        "line",
        "started",
        "caller",
        "outcome",
        "wait",
        "talk",
        "operator",
        "recordings",
        "transcripts",
        "case",
    ]
    _print(
        [say(f"calls.column.{name}", language) for name in columns],
        [
            [
                str(row["id"]),
                _term("line", row["line"], language)
                or _term("direction", row["direction"], language),
                _shown(row["started_at"]),
                f"{mask_name(row['name'])} {mask_number(row['number'])}".strip(),
                _term("outcome", row["outcome"] or "open", language),
                _seconds(row["wait"]),
                _seconds(row["talk"]),
                row["operator"] or "",
                row["recordings"] or "",
                row["transcripts"] or "",
                row["case_number"] or "",
            ]
            for row in rows
        ],
    )


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


@cases.command("list")
def list_cases(
    state: Annotated[CaseState | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
) -> None:
    """The last cases, newest first."""
    config = configured()
    language, casework = config.language, load_casework(config)
    wanted = case_rows.Filter(state=state)
    found = at_work(config, lambda conn: case_rows.page(conn, wanted, limit=limit))
    if not found.cases:
        typer.echo(say("cases.none", language))
        return
    columns = ["number", "state", "kind", "urgency", "level1", "area", "unit", "owner", "due"]
    _print(
        [say(f"cases.column.{name}", language) for name in columns],
        [list(_facts(case, casework, language).values()) for case in found.cases],
    )


def _facts(case: Case, casework: Casework, language: Language) -> dict[str, str]:
    due_at = case.due_at or casework.limits.due_at(case)
    return {
        "number": case.number,
        "state": _term("state", case.state, language),
        "kind": _term("kind", case.kind, language),
        "urgency": _term("urgency", case.urgency, language),
        "level1": case.level1 or "",
        "area": case.area or "",
        "unit": case.unit or "",
        "owner": case.owner,
        "due": _shown(due_at),
    }


async def _find(conn: asyncpg.Connection, number: str) -> Case:
    """A case by its number, else by its id."""
    try:
        return await case_store.get_by_number(conn, number)
    except CaseUnknown:
        if number.isascii() and number.isdigit() and len(number) < 10:  # noqa: PLR2004 - an id
            return await case_store.get(conn, int(number))
        raise


@cases.command()
def show(number: Number) -> None:
    """One case: its facts, what was said, and everything that happened to it."""
    config = configured()
    language, casework = config.language, load_casework(config)

    async def read(conn: asyncpg.Connection) -> None:
        case = await _find(conn, number)
        for name, value in _facts(case, casework, language).items():
            typer.echo(f"{say(f'cases.column.{name}', language)}: {value}")
        turns = await words.dialogue(conn, case.call_id) if case.call_id else ()
        typer.echo(f"\n{say('cases.dialogue', language)}")
        for turn in turns:
            side = say(f"side.{turn.leg}", language)
            typer.echo(f"  {turn.start:6.1f}s {side}: {mask_text(turn.text)}")
        if not turns:
            typer.echo(f"  {say('cases.no_dialogue', language)}")
        typer.echo(f"\n{say('cases.history', language)}")
        for entry in await journal.of_case(conn, case.id):
            typer.echo(f"  {_shown(entry.at)}  {entry.actor:<22} {entry.event}")
        if texts := await text_store.texts_of(conn, case.id):
            typer.echo(f"\n{say('cases.texts', language)}")
        for text in texts:
            said = say("cases.erased", language) if text.text is None else text.text
            typer.echo(f"  {_shown(text.at)}  {text.actor:<22} {said}")

    at_work(config, read)


def _move(number: str, move: Move, who: str | None, data: MoveData) -> None:
    config = configured()
    casework = load_casework(config)
    actor = Actor(name=who or getpass.getuser(), roles=frozenset(Role) - {Role.SYSTEM})

    async def make(conn: asyncpg.Connection) -> case_store.Moved:
        case = await _find(conn, number)
        return await flow.case_moved(
            conn,
            case.id,
            move=move,
            actor=actor,
            now=utc_now(),
            data=data,
            limits=casework.limits,
        )

    moved = at_work(config, make)
    typer.echo(
        say(
            "cases.moved",
            config.language,
            number=moved.after.number,
            before=_term("state", moved.before.state, config.language),
            after=_term("state", moved.after.state, config.language),
        )
    )


@cases.command("open")
def open_case(  # noqa: PLR0917 - typer makes options of them
    number: Number,
    kind: Annotated[Kind | None, typer.Option()] = None,
    urgency: Annotated[Urgency | None, typer.Option()] = None,
    level1: Annotated[str | None, typer.Option()] = None,
    area: Annotated[str | None, typer.Option()] = None,
    unit: Annotated[str | None, typer.Option()] = None,
    summary: Annotated[str | None, typer.Option()] = None,
    who: AsOption = None,
) -> None:
    """Confirm a draft, as suggested or corrected."""
    data = MoveData(
        kind=kind, urgency=urgency, level1=level1, area=area, unit=unit, summary=summary
    )
    _move(number, Move.OPEN, who, data)


@cases.command()
def dispatch(
    number: Number, unit: Annotated[str | None, typer.Option()] = None, who: AsOption = None
) -> None:
    """Send an open case to the unit that handles it."""
    _move(number, Move.DISPATCH, who, MoveData(unit=unit))


@cases.command()
def sign(number: Number, who: AsOption = None) -> None:
    """Sign for a case in the unit's name; who signs answers for it."""
    _move(number, Move.SIGN, who, MoveData())


@cases.command()
def answer(  # noqa: PLR0917 - typer makes options of them
    number: Number,
    reply: Annotated[str, typer.Option(help="What was done, for the office.")],
    public: Annotated[str, typer.Option(help="What the caller and the public are told.")],
    truth: Annotated[Truth, typer.Option(help="Whether what was said is so.")],
    beyond_duty: Annotated[str | None, typer.Option(help="Why it is not the unit's to do.")] = None,
    withheld: Annotated[str | None, typer.Option(help="The law that keeps it unpublished.")] = None,
    unsolved: Annotated[str | None, typer.Option(help="Why it is not solved.")] = None,
    not_contacted: Annotated[str | None, typer.Option(help="Why nobody was called.")] = None,
    who: AsOption = None,
) -> None:
    """Record the unit's answer; the caller was contacted just now."""
    data = MoveData(
        reply=reply,
        public_reply=public,
        truth=truth,
        beyond_duty=beyond_duty is not None,
        beyond_duty_reason=beyond_duty,
        publish=withheld is None,
        withheld_reason=withheld,
        solved=Solved.NO if unsolved else Solved.YES,
        unsolved_reason=unsolved,
        not_contacted=not_contacted,
        contacted_at=None if not_contacted else utc_now(),
    )
    _move(number, Move.ANSWER, who, data)


@cases.command()
def approve(number: Number, who: AsOption = None) -> None:
    """Accept the answer in the audit; the caller is called back next."""
    _move(number, Move.APPROVE, who, MoveData())


@cases.command()
def close(
    number: Number,
    solved: Annotated[Solved, typer.Option(help="What the caller said.")],
    satisfied: Annotated[Satisfied, typer.Option(help="What the caller said.")],
    who: AsOption = None,
) -> None:
    """Close a case with what the caller said when called back."""
    data = MoveData(result=Reached.REACHED, solved=solved, satisfied=satisfied)
    _move(number, Move.CLOSE, who, data)
