"""What an operator should know while the telephone rings: this caller's history, without a name.

It becomes a row of the journal, which many read: a case that anybody is kept apart from, and its
call, are no part of it.
One query over indexed columns: it runs in the transaction that stores the ring, and the screen pop
must be with the operator within a fifth of a second.
"""

import json
from typing import Any, LiteralString

from hotline.database import Connection

SHOWN_CASES = 5

_HISTORY: LiteralString = """
    WITH withheld AS (
        SELECT id, call_id FROM cases WHERE id = ANY (ARRAY(SELECT withheld_cases()))),
    earlier AS (
        SELECT c.id, c.started_at, c.outcome FROM calls c JOIN calls now USING (caller)
         WHERE now.id = $1 AND c.id <> $1 AND c.started_at <= now.started_at
           AND NOT EXISTS (SELECT FROM withheld w WHERE w.call_id = c.id)),
    open_cases AS (
        SELECT k.id, k.number, k.state, k.urgency, k.unit, k.drafted_at
          FROM cases k JOIN earlier e ON e.id = k.call_id
         WHERE k.state <> ALL ('{closed,archived}')
        UNION ALL
        SELECT k.id, k.number, k.state, k.urgency, k.unit, k.drafted_at
          FROM cases k JOIN calls now ON now.id = $1 AND now.caller = k.caller
         WHERE k.state <> ALL ('{closed,archived}')
           AND NOT EXISTS (SELECT FROM withheld w WHERE w.id = k.id))
    SELECT (SELECT count(*) FROM earlier) AS calls,
           (SELECT count(*) FROM earlier WHERE outcome <> 'answered') AS not_answered,
           (SELECT max(started_at) FROM earlier) AS last_call_at,
           (SELECT count(*) FROM open_cases) AS open,
           (SELECT coalesce(jsonb_agg(jsonb_build_object('id', id, 'number', number,
                        'state', state, 'urgency', urgency, 'unit', unit)
                        ORDER BY drafted_at DESC), '[]')
              FROM (SELECT * FROM open_cases ORDER BY drafted_at DESC LIMIT $2) AS newest)
               AS open_cases"""


async def history(conn: Connection, call_id: int) -> dict[str, Any]:
    """Earlier calls and open cases of whoever makes this call; nothing of who hides the number."""
    row = await conn.fetchrow(_HISTORY, call_id, SHOWN_CASES)
    if row is None:  # a query of aggregates has one row
        return {}
    return {**dict(row), "open_cases": json.loads(row["open_cases"])}
