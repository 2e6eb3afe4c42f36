"""A request that came with a key is done once: the same one again finds it done.

The key is kept for a day with what was asked and what it led to, for each person, in the very
transaction of the deed: a crash keeps both or neither.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, LiteralString

from hotline.database import Connection
from hotline.errors import KeyReusedError

LASTS = timedelta(hours=24)

_FORGET: LiteralString = """
    DELETE FROM requests_made WHERE (person, key) IN (
        SELECT person, key FROM requests_made WHERE made_at <= $1
         ORDER BY made_at LIMIT 1000 FOR UPDATE SKIP LOCKED)"""
_FIRST: LiteralString = """
    INSERT INTO requests_made (person, key, request, answer, made_at) VALUES ($1, $2, $3, '', $4)
    ON CONFLICT (person, key) DO NOTHING RETURNING key"""
_BEFORE: LiteralString = "SELECT request FROM requests_made WHERE person = $1 AND key = $2"
_ANSWER: LiteralString = "SELECT answer FROM requests_made WHERE person = $1 AND key = $2"
_ANSWERED: LiteralString = """
    UPDATE requests_made SET answer = $3 WHERE person = $1 AND key = $2"""


def request_of(path: str, body: Mapping[str, Any]) -> str:
    """What is remembered of a request: its address and a digest of what it asked."""
    asked = json.dumps(body, sort_keys=True, ensure_ascii=False, default=str)
    return f"{path} {hashlib.sha256(asked.encode()).hexdigest()}"


async def is_first(tx: Connection, person: str, key: str, request: str, now: datetime) -> bool:
    """Whether this is to be done; false where it was done before.

    Of two at the same moment the second waits for the first.

    Raises:
        KeyReusedError: the key came before with another request.
    """
    await tx.execute(_FORGET, now - LASTS)
    if await tx.fetchval(_FIRST, person, key, request, now) is not None:
        return True
    if await tx.fetchval(_BEFORE, person, key) != request:
        raise KeyReusedError(
            "This Idempotency-Key came before with another request: use a new one."
        )
    return False


async def answered(tx: Connection, person: str, key: str, answer: str) -> None:
    """Keep what the request led to."""
    await tx.execute(_ANSWERED, person, key, answer)


async def answer_to(tx: Connection, person: str, key: str) -> str:
    """What a request that was done before led to."""
    return str(await tx.fetchval(_ANSWER, person, key))
