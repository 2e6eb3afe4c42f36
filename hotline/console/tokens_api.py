"""API tokens: what lets a program act for a user, shown once, good for some roles and some days."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from hotline import accounts, session_rows
from hotline.console.desk import Request
from hotline.console.endpoint import Endpoint, get, post
from hotline.console.problems import Fault, ProblemError
from hotline.console.shapes import Asked, Id, Name, Told
from hotline.console.users_api import Roles, account_refusals
from hotline.console.who import ADMINISTRATORS
from hotline.database import borrowed, transaction
from hotline.users import Token
from routing.cases import Role


class TokenAsked(Asked):
    """A token for a program: its name, which of the user's roles it needs, how long it is good."""

    name: Name
    roles: Roles
    days: Annotated[int, Field(ge=1, le=366)] = 90


class TokenView(Told):
    """A token as it is listed."""

    id: Id
    user_id: Id
    login: str
    name: str
    roles: tuple[Role, ...]
    made_at: datetime
    made_by: str
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenView):
    """A new token with its text, which nobody can read again."""

    text: str = Field(description="Sent as `Authorization: Bearer ...`; shown this once.")


class Tokens(Told):
    """Every token a user ever had."""

    tokens: tuple[TokenView, ...]


async def own_tokens(asked: Request) -> Tokens:
    """One's own tokens."""
    return await _listed(asked, asked.user_id)


async def tokens_of_user(asked: Request) -> Tokens:
    """A user's tokens, for an administrator."""
    return await _listed(asked, asked.path_id("user_id"))


async def _listed(asked: Request, user_id: int) -> Tokens:
    with account_refusals():
        async with borrowed(asked.services.pool) as conn:
            await accounts.found(conn, user_id)
            found = await session_rows.tokens(conn, user_id)
    return Tokens(tokens=tuple(_view(one) for one in found))


async def make_token(asked: Request) -> TokenMade:
    """Make a token for oneself; its text is shown this once."""
    return await _make(asked, asked.user_id)


async def make_token_of_user(asked: Request) -> TokenMade:
    """Make a token for a user, as an administrator; its text is shown this once."""
    return await _make(asked, asked.path_id("user_id"))


async def _make(asked: Request, user_id: int) -> TokenMade:
    if asked.who.token_id is not None:
        raise ProblemError(Fault.FORBIDDEN, "A token cannot make another one: sign in.")
    given = asked.asked(TokenAsked)
    with account_refusals():
        async with transaction(asked.services.pool) as tx:
            made = await accounts.make_token(
                tx,
                user_id,
                name=given.name,
                roles=given.roles,
                lasts=timedelta(days=given.days),
                by=asked.who.name,
                now=asked.services.clock(),
            )
    return TokenMade(**_view(made.token).model_dump(), text=made.text)


async def revoke_token(asked: Request) -> TokenView:
    """Let a token be good for nothing from now on; an administrator, anybody's."""
    of = None if asked.who.roles & ADMINISTRATORS else asked.user_id
    with account_refusals():
        async with transaction(asked.services.pool) as tx:
            return _view(
                await accounts.revoke_token(
                    tx,
                    asked.path_id("token_id"),
                    of=of,
                    by=asked.who.name,
                    now=asked.services.clock(),
                )
            )


def _view(token: Token) -> TokenView:
    return TokenView(
        id=token.id,
        user_id=token.user_id,
        login=token.login,
        name=token.name,
        roles=tuple(sorted(token.roles)),
        made_at=token.made_at,
        made_by=token.made_by,
        expires_at=token.expires_at,
        used_at=token.used_at,
        revoked_at=token.revoked_at,
    )


_FAULTS = (Fault.NOT_FOUND, Fault.NOT_POSSIBLE, Fault.FORBIDDEN)

ENDPOINTS = (
    get("/api/tokens", own_tokens, Tokens, faults=(Fault.NOT_POSSIBLE, Fault.NOT_FOUND)),
    post("/api/tokens", make_token, TokenAsked, TokenMade, faults=_FAULTS),
    Endpoint(
        method="DELETE",
        path="/api/tokens/{token_id}",
        handler=revoke_token,
        answers=TokenView,
        faults=_FAULTS,
    ),
    get(
        "/api/users/{user_id}/tokens",
        tokens_of_user,
        Tokens,
        faults=(Fault.NOT_FOUND,),
        roles=ADMINISTRATORS,
    ),
    post(
        "/api/users/{user_id}/tokens",
        make_token_of_user,
        TokenAsked,
        TokenMade,
        faults=_FAULTS,
        roles=ADMINISTRATORS,
    ),
)
