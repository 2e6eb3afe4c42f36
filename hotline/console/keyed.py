"""Requests with the header Idempotency-Key: what they made is made once, and found again.

`made_before` comes first in the transaction of the deed and `made` last; between a crash and the
same request again nothing is doubled.
"""

from pydantic import BaseModel

from hotline import once
from hotline.console.desk import Request
from hotline.console.problems import Fault, ProblemError
from hotline.database import Connection
from hotline.errors import KeyReusedError

KEY = "Idempotency-Key"
LONGEST_KEY = 200


def key_of(asked: Request) -> str | None:
    """The key a request came with."""
    key = asked.http.headers.get(KEY)
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        raise ProblemError(Fault.INVALID, f"{KEY} has 1 to {LONGEST_KEY} printable characters.")
    return key


async def made_before(asked: Request, tx: Connection, given: BaseModel) -> int | None:
    """What this very request made before; None where it is to be done now."""
    if (key := key_of(asked)) is None:
        return None
    request = once.request_of(asked.http.path, given.model_dump(exclude_none=True))
    try:
        if await once.is_first(tx, asked.who.name, key, request, asked.services.clock()):
            return None
    except KeyReusedError as error:
        raise ProblemError(Fault.CONFLICT, str(error)) from error
    return int(await once.answer_to(tx, asked.who.name, key))


async def made(asked: Request, tx: Connection, number: int) -> None:
    """Keep what the request made."""
    if (key := key_of(asked)) is not None:
        await once.answered(tx, asked.who.name, key, str(number))
