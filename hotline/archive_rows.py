"""Closed cases in PostgreSQL, as they wait for the archive."""

from collections.abc import Sequence
from typing import LiteralString

from hotline.database import Connection
from routing.cases import Case
from routing.store import case_in

_POLICIES: LiteralString = """
    SELECT DISTINCT coalesce(policy, '') AS policy FROM cases WHERE state = 'closed' ORDER BY 1"""
_CLOSED: LiteralString = """
    SELECT * FROM cases WHERE state = 'closed' AND coalesce(policy, '') = $1
     ORDER BY closed_at, id LIMIT $2"""


async def policies(conn: Connection) -> Sequence[str]:
    """The packs that closed cases follow; an empty name for cases that never had one."""
    return [row["policy"] for row in await conn.fetch(_POLICIES)]


async def closed(conn: Connection, policy: str, limit: int) -> Sequence[Case]:
    """The closed cases of one pack, those closed first first of all."""
    return [case_in(row) for row in await conn.fetch(_CLOSED, policy, limit)]
