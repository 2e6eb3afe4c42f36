"""What people confirmed or corrected, as labelled messages that `hotline train` takes.

The case itself is the row: its suggestion beside what a person said it is about, each journalled.
Nothing is copied before it is asked for, so words that were erased are taught to nobody. Numbers
are masked, and the caller's name where it is said; cases that somebody is kept from are never told.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import LiteralString

from hotline.database import Connection
from hotline.masking import mask_name, mask_text

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """One case's words, what was suggested, and what a person said."""

    text: str
    label: str
    suggested: str | None
    unit: str | None
    suggested_unit: str | None


_NEXT: LiteralString = """
    SELECT c.id, words_of_case(c.id) AS words, c.level1, c.unit,
           c.suggestion ->> 'level1' AS suggested, c.suggestion ->> 'unit' AS suggested_unit,
           i.name
      FROM cases c LEFT JOIN calls k ON k.id = c.call_id
      LEFT JOIN identities i ON i.token = coalesce(c.caller, k.caller)
     WHERE c.id > $1 AND c.opened_at IS NOT NULL AND c.level1 IS NOT NULL
       AND c.explanation IS DISTINCT FROM 'secret'
       AND c.id <> ALL (ARRAY(SELECT withheld_cases()))
       AND (NOT $2 OR c.suggestion ->> 'level1' IS DISTINCT FROM c.level1
            OR c.suggestion ->> 'unit' IS DISTINCT FROM c.unit)
     ORDER BY c.id LIMIT $3"""


async def corrections(conn: Connection, *, changed: bool) -> AsyncIterator[Correction]:
    """Every case with words that a person confirmed, oldest first; or only those `changed`."""
    last = 0
    while rows := await conn.fetch(_NEXT, last, changed, AT_ONCE):
        for row in rows:
            if words := (row["words"] or "").strip():
                yield Correction(
                    text=_masked(words, row["name"]),
                    label=row["level1"],
                    suggested=row["suggested"],
                    unit=row["unit"],
                    suggested_unit=row["suggested_unit"],
                )
        last = rows[-1]["id"]


def _masked(words: str, name: str | None) -> str:
    told = mask_text(words)
    return told.replace(name, mask_name(name)) if name and len(name) > 1 else told
