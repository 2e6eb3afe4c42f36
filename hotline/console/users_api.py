"""Users for administrators: who there is, what each may do, and letting people in and out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from hotline import accounts, user_rows
from hotline.accounts import Places
from hotline.console.desk import Request
from hotline.console.endpoint import get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Size, Told
from hotline.console.who import ADMINISTRATORS
from hotline.database import borrowed, transaction
from hotline.errors import (
    PasswordWeakError,
    UserForbiddenError,
    UserUnknownError,
    UserWrongError,
)
from hotline.services import Services
from hotline.users import LOGIN, User, UserFacts
from routing.cases import Role

Login = Annotated[str, StringConstraints(pattern=LOGIN)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Extension = Annotated[str, Field(pattern=r"^[0-9]{2,8}$")]
Roles = Annotated[frozenset[Role], Field(min_length=1)]


class UserQuery(Asked):
    """Which users, in the order of adding; `after` is the `next` of the page before."""

    active: bool | None = None
    unit: Name | None = None
    q: Name | None = Field(default=None, description="A part of the login or the name.")
    role: Role | None = None
    after: Id | None = None
    limit: Size = 100


class UserChanged(Asked):
    """The facts of a user, all of them."""

    name: Name
    roles: Roles
    unit: Name | None = Field(default=None, description="Goes with the role unit.")
    extension: Extension | None = Field(default=None, description="The person's own seat.")
    is_head: bool = Field(default=False, description="Leads the unit, or without one the desk.")

    def facts(self) -> UserFacts:
        """As the steps take it."""
        return UserFacts(
            name=self.name,
            roles=self.roles,
            unit=self.unit,
            extension=self.extension,
            is_head=self.is_head,
        )


class UserAsked(UserChanged):
    """A new user; without a password one who comes in by OpenID Connect."""

    login: Login
    password: Password | None = Field(default=None, description="Changed at the first sign-in.")


class PasswordSet(Asked):
    """A password that the user changes at the next sign-in."""

    password: Password


class Nothing(Asked):
    """An order that needs no more words."""


class UserView(Told):
    """One user."""

    id: Id
    login: str
    name: str
    roles: tuple[Role, ...]
    unit: str | None
    extension: str | None
    is_head: bool
    has_password: bool
    must_change: bool
    active: bool
    failures: int = Field(description="Wrong passwords in a row.")
    waits_until: datetime | None = Field(
        description="No password is looked at before, from places the user never came from."
    )
    added_at: datetime
    added_by: str


class Users(Told):
    """One page of users."""

    users: tuple[UserView, ...]
    next: Id | None


async def list_users(asked: Request) -> Users:
    """Who has an account."""
    query = asked.asked(UserQuery)
    async with borrowed(asked.services.pool) as conn:
        found = await user_rows.listed(
            conn,
            after=query.after,
            active=query.active,
            unit=query.unit,
            q=query.q,
            role=query.role,
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    more = shown[-1].id if len(found) > query.limit else None
    return Users(users=tuple(_view(asked, one) for one in shown), next=more)


async def one_user(asked: Request) -> UserView:
    """One user."""
    with account_refusals():
        async with borrowed(asked.services.pool) as conn:
            return _view(asked, await accounts.found(conn, asked.path_id("user_id")))


async def add_user(asked: Request) -> UserView:
    """Add a user; the first one is an administrator, and from then on everybody signs in."""
    given = asked.asked(UserAsked)
    with account_refusals():
        places(asked.services).check(given.facts())
        async with transaction(asked.services.pool) as tx:
            return _view(
                asked,
                await accounts.add(
                    tx,
                    given.login,
                    given.facts(),
                    password=given.password,
                    must_change=given.password is not None,
                    by=asked.who.name,
                    now=asked.services.clock(),
                ),
            )


async def change_user(asked: Request) -> UserView:
    """Change a user's facts; roles count from the next request on."""
    facts = asked.asked(UserChanged).facts()
    with account_refusals():
        places(asked.services).check(facts)
        async with transaction(asked.services.pool) as tx:
            return _view(
                asked,
                await accounts.change(
                    tx,
                    asked.path_id("user_id"),
                    facts,
                    by=asked.who.name,
                    now=asked.services.clock(),
                ),
            )


async def deactivate_user(asked: Request) -> UserView:
    """Let a user in no more: open sessions end and tokens are good for nothing."""
    return await _activate(asked, active=False)


async def activate_user(asked: Request) -> UserView:
    """Let a user in again."""
    return await _activate(asked, active=True)


async def _activate(asked: Request, *, active: bool) -> UserView:
    with account_refusals():
        async with transaction(asked.services.pool) as tx:
            return _view(
                asked,
                await accounts.activate(
                    tx,
                    asked.path_id("user_id"),
                    active=active,
                    by=asked.who.name,
                    now=asked.services.clock(),
                ),
            )


async def reset_password(asked: Request) -> UserView:
    """Set a password for somebody, who must change it; sessions end, and waits are over."""
    with account_refusals():
        async with transaction(asked.services.pool) as tx:
            return _view(
                asked,
                await accounts.reset(
                    tx,
                    asked.path_id("user_id"),
                    asked.asked(PasswordSet).password,
                    by=asked.who.name,
                    now=asked.services.clock(),
                ),
            )


async def sign_user_out(asked: Request) -> UserView:
    """End every session of a user."""
    user_id = asked.path_id("user_id")
    with account_refusals():
        async with transaction(asked.services.pool) as tx:
            await accounts.sign_out_everywhere(
                tx, user_id, by=asked.who.name, now=asked.services.clock()
            )
            return _view(asked, await accounts.found(tx, user_id))


def places(services: Services) -> Places:
    """What a user's unit and seat are held against."""
    return Places(
        units={unit.name for unit in services.city.units},
        seats={one.extension for one in services.config.operators},
    )


@contextmanager
def account_refusals() -> Iterator[None]:
    """What the accounts refuse, in the words of the API."""
    try:
        yield
    except UserUnknownError as error:
        raise ProblemError(Fault.NOT_FOUND, str(error)) from error
    except UserForbiddenError as error:
        raise ProblemError(Fault.NOT_POSSIBLE, str(error)) from error
    except UserWrongError as error:
        raise ProblemError(Fault.INVALID, str(error)) from error
    except PasswordWeakError as error:
        raise ProblemError(Fault.INVALID, f"password: {error}") from error


def _view(asked: Request, user: User) -> UserView:
    now = asked.services.clock()
    wait = user.wait(now)
    return UserView(
        id=user.id,
        login=user.login,
        name=user.name,
        roles=tuple(sorted(user.roles)),
        unit=user.unit,
        extension=user.extension,
        is_head=user.is_head,
        has_password=user.has_password,
        must_change=user.must_change,
        active=user.active,
        failures=user.failures,
        waits_until=now + wait if wait else None,
        added_at=user.added_at,
        added_by=user.added_by,
    )


_ONE = "/api/users/{user_id}"
_MORE = {"faults": (Fault.NOT_FOUND, Fault.NOT_POSSIBLE), "roles": ADMINISTRATORS}

ENDPOINTS = (
    get("/api/users", list_users, Users, query=UserQuery, roles=ADMINISTRATORS),
    post(
        "/api/users",
        add_user,
        UserAsked,
        UserView,
        faults=(Fault.NOT_POSSIBLE,),
        roles=ADMINISTRATORS,
    ),
    get(_ONE, one_user, UserView, faults=(Fault.NOT_FOUND,), roles=ADMINISTRATORS),
    post(f"{_ONE}/change", change_user, UserChanged, UserView, **_MORE),
    post(f"{_ONE}/deactivate", deactivate_user, Nothing, UserView, **_MORE),
    post(f"{_ONE}/activate", activate_user, Nothing, UserView, **_MORE),
    post(f"{_ONE}/reset-password", reset_password, PasswordSet, UserView, **_MORE),
    post(f"{_ONE}/sign-out", sign_user_out, Nothing, UserView, **_MORE),
)
