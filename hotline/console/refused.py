"""Looks that found nothing are written down too: who tried to see a case or call, and did not.

Where the case exists, the row belongs to it, and `/api/cases/{case_id}/seen` tells of it; where
there is none, the same row is written without one. So the time an answer takes does not tell the
one from the other either.
"""

import re
from typing import LiteralString

from hotline import journal
from hotline.console.desk import Desk, Request
from hotline.console.endpoint import Endpoint
from hotline.console.problems import Fault
from hotline.database import transaction
from hotline.journal import Event

_NOT_THERE = frozenset({Fault.NOT_FOUND, Fault.NO_SOUND})
_ABOUT = re.compile(r"\{(case|call)_id\}")
_MEANT: LiteralString = """
    SELECT (SELECT id FROM calls WHERE id = $2) AS call_id,
           (SELECT id FROM cases WHERE id = $1 OR call_id = $2) AS case_id"""


async def note_refusal(desk: Desk, endpoint: Endpoint, asked: Request, fault: Fault) -> None:
    """Write down that somebody asked for a case or call that is not there for them."""
    about = _ABOUT.search(endpoint.path)
    if fault not in _NOT_THERE or about is None or asked.person is None:
        return
    number = asked.path_id(f"{about[1]}_id")
    wanted = (number, None) if about[1] == "case" else (None, number)
    # Seen with the service's own eyes: what the asker cannot find is what the row is about.
    async with transaction(desk.services.pool) as tx:
        meant = await tx.fetchrow(_MEANT, *wanted)
        await journal.write(
            tx,
            at=desk.services.clock(),
            actor=asked.who.name,
            event=Event.SEEN_REFUSED,
            call_id=meant["call_id"] if meant else None,
            case_id=meant["case_id"] if meant else None,
            body={"what": endpoint.name, "asked": {f"{about[1]}_id": number}},
        )
