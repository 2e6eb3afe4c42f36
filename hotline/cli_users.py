"""`hotline users`: the first administrator, and what else is done with accounts on the server.

Passwords are asked for or read from a file, never taken from the command line, where every process
of the machine could read them.
"""

import getpass
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from hotline import accounts, user_rows
from hotline.accounts import Places
from hotline.casework import load_casework
from hotline.catalogue import Language, messages, say
from hotline.cli_cases import at_work
from hotline.cli_config import configured
from hotline.config import Config
from hotline.database import Connection
from hotline.errors import UserUnknownError, UserWrongError
from hotline.masking import mask_name
from hotline.services import utc_now
from hotline.users import LOGIN_FORM, User, UserFacts
from routing.cases import Role

LONGEST_LIST = 1000
users_app = typer.Typer(
    name="users", no_args_is_help=True, help="Users: add, list, change, deactivate them."
)
LoginArgument = Annotated[str, typer.Argument(help="The user's login.")]
RoleOption = Annotated[list[Role] | None, typer.Option("--role", help="Once for each role.")]
UnitOption = Annotated[str | None, typer.Option("--unit", help="The unit of a handler.")]
SeatOption = Annotated[str | None, typer.Option("--extension", help="The person's own seat.")]
FileOption = Annotated[
    Path | None, typer.Option("--password-file", help="A file that holds the password.")
]


@users_app.command()
def add(  # noqa: PLR0917 - typer makes options of them
    login: LoginArgument,
    role: RoleOption = None,
    name: Annotated[str | None, typer.Option("--name", help="As colleagues see it.")] = None,
    unit: UnitOption = None,
    extension: SeatOption = None,
    head: Annotated[bool, typer.Option("--head", help="Leads the unit or the desk.")] = False,
    openid: Annotated[bool, typer.Option("--openid", help="No password: OpenID only.")] = False,
    password_file: FileOption = None,
) -> None:
    """Add a user; the first one must be an administrator, and ends the open console."""
    config = configured()
    facts = UserFacts(
        name=name or login,
        roles=frozenset(role or ()),
        unit=unit,
        extension=extension,
        is_head=head,
    )
    _places(config).check(facts)
    _check_login(login)
    password = None if openid else _password(config.language, password_file)

    async def work(conn: Connection) -> User:
        return await accounts.add(conn, login, facts, password=password, by=_me(), now=utc_now())

    at_work(config, work)
    typer.echo(say("users.added", config.language, login=login))


@users_app.command("list")
def list_users() -> None:
    """Every user with roles, unit and seat; names are masked."""
    config = configured()
    language = config.language
    found = at_work(config, lambda conn: user_rows.listed(conn, limit=LONGEST_LIST))
    if not found:
        typer.echo(say("users.none", language))
        return
    columns = ("login", "name", "roles", "unit", "extension", "state")
    table = Table(*(say(f"users.column.{one}", language) for one in columns), box=None)
    for user in found:
        roles = ", ".join(messages(language)[f"role.{role}"] for role in sorted(user.roles))
        state = say(f"users.{'active' if user.active else 'inactive'}", language)
        unit, name = escape(user.unit or ""), escape(mask_name(user.name))
        table.add_row(user.login, name, roles, unit, user.extension or "", state)
    Console().print(table)


@users_app.command()
def change(  # noqa: PLR0917 - typer makes options of them
    login: LoginArgument,
    role: RoleOption = None,
    name: Annotated[str | None, typer.Option("--name", help="As colleagues see it.")] = None,
    unit: UnitOption = None,
    extension: SeatOption = None,
    head: Annotated[bool | None, typer.Option("--head/--no-head", help="Leads it.")] = None,
) -> None:
    """Change what is given, leave the rest; an empty --unit or --extension takes it away."""
    config = configured()

    async def work(conn: Connection, user: User) -> None:
        facts = UserFacts(
            name=user.name if name is None else name,
            roles=frozenset(role) if role else user.roles,
            unit=user.unit if unit is None else unit or None,
            extension=user.extension if extension is None else extension or None,
            is_head=user.is_head if head is None else head,
        )
        _places(config).check(facts)
        await accounts.change(conn, user.id, facts, by=_me(), now=utc_now())

    _with(config, login, work)
    typer.echo(say("users.changed", config.language, login=login))


@users_app.command()
def deactivate(
    login: LoginArgument,
    again: Annotated[bool, typer.Option("--again", help="Let the user in again.")] = False,
) -> None:
    """Let a user in no more: sessions end and tokens are good for nothing."""
    config = configured()

    async def work(conn: Connection, user: User) -> None:
        await accounts.activate(conn, user.id, active=again, by=_me(), now=utc_now())

    _with(config, login, work)
    key = "users.activated" if again else "users.deactivated"
    typer.echo(say(key, config.language, login=login))


@users_app.command()
def reset(login: LoginArgument, password_file: FileOption = None) -> None:
    """Set a password that must be changed; ends sessions, and the wait after wrong passwords."""
    config = configured()
    password = _password(config.language, password_file)

    async def work(conn: Connection, user: User) -> None:
        await accounts.reset(conn, user.id, password, by=_me(), now=utc_now())

    _with(config, login, work)
    typer.echo(say("users.reset", config.language, login=login))


@users_app.command()
def token(
    login: LoginArgument,
    name: Annotated[str, typer.Option("--name", help="Which program it is for.")],
    role: RoleOption = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is good.")] = 90,
) -> None:
    """Make an API token for a program that acts for a user; it is printed this once."""
    config = configured()

    async def work(conn: Connection, user: User) -> None:
        made = await accounts.make_token(
            conn,
            user.id,
            name=name,
            roles=frozenset(role) if role else user.roles,
            lasts=timedelta(days=days),
            by=_me(),
            now=utc_now(),
        )
        typer.echo(made.text)

    _with(config, login, work)


def _with(config: Config, login: str, work: Callable[[Connection, User], Awaitable[None]]) -> None:
    async def found(conn: Connection) -> None:
        user = await user_rows.by_login(conn, login)
        if user is None:
            raise UserUnknownError(f"There is no user {login}.")
        await work(conn, user)

    at_work(config, found)


def _places(config: Config) -> Places:
    return Places(
        units={unit.name for unit in load_casework(config).city.units},
        seats={one.extension for one in config.operators},
    )


def _check_login(login: str) -> None:
    if not LOGIN_FORM.fullmatch(login):
        raise UserWrongError(
            "login: 2 to 40 small letters, digits, dots, hyphens, beginning with a letter."
        )


def _password(language: Language, file: Path | None) -> str:
    if file is None:
        asked: str = typer.prompt(
            say("users.password", language), hide_input=True, confirmation_prompt=True
        )
        return asked
    try:
        return file.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserWrongError(f"The password file {file} cannot be read.") from error


def _me() -> str:
    return getpass.getuser()
