"""Cases of one matter in PostgreSQL: what a move asks of the cases that go together.

Both rows of a case and its lead are locked in the order of their ids, so that two people cannot let
each go with the other, and nobody joins a lead in the moment in which it is answered.
"""

from typing import LiteralString

from routing.cases import Case, CaseState, Explanation, Move, MoveData
from routing.connection import Connection
from routing.errors import IllegalMove
from routing.moves import LED

HOLD: LiteralString = """
    SELECT id, number, state, lead FROM cases WHERE id = ANY ($1::bigint[])
     ORDER BY id FOR NO KEY UPDATE"""
HAS_MEMBERS: LiteralString = """
    SELECT EXISTS (SELECT FROM cases
                    WHERE lead = $1 AND state NOT IN ('closed', 'archived', 'calling_back'))"""


async def check(conn: Connection, case: Case, step: Move, data: MoveData) -> None:
    """Refuse what would leave a member without a lead.

    Raises:
        IllegalMove: the lead is none or cannot be one, or others go with a case that would be none.
    """
    if step is Move.JOIN and data.lead is not None:
        await _check_lead(conn, case, data.lead)
    vanishes = step in {Move.JOIN, Move.WITHDRAW} or data.explanation is Explanation.SAME_MATTER
    if vanishes and await has_members(conn, case.id):
        raise IllegalMove(
            f"Case {case.number}: other cases go with it, take them out first.", case_id=case.id
        )


async def _check_lead(conn: Connection, case: Case, lead_id: int) -> None:
    rows = {row["id"]: row for row in await conn.fetch(HOLD, [case.id, lead_id])}
    lead = rows.get(lead_id)
    if lead is None:
        raise IllegalMove(
            f"Case {case.number}: there is no case with the id {lead_id}.", case_id=case.id
        )
    if lead["lead"] is not None:
        raise IllegalMove(
            f"Case {case.number}: case {lead['number']} itself goes with another.", case_id=case.id
        )
    if CaseState(lead["state"]) not in LED:
        raise IllegalMove(
            f"Case {case.number}: nothing can go with case {lead['number']}, which is"
            f" {lead['state']}.",
            case_id=case.id,
        )


async def has_members(conn: Connection, case_id: int) -> bool:
    """Whether cases go with this one whose callers do not know yet what came of it."""
    return bool(await conn.fetchval(HAS_MEMBERS, case_id))
