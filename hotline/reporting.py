"""A report in writing becomes a draft, with its words kept and what they suggest beside them.

No machine decides anything here: the draft waits for a person, as one that a call left does.
"""

from collections.abc import Mapping
from datetime import datetime

from hotline import flow, journal, telling
from hotline.database import Connection
from hotline.journal import Event
from routing import store, text_store
from routing.cases import Actor, Channel, Urgency
from routing.suggestions import Suggestion

DEED = "report"
"""The deed whose words are kept (routing/text_store.py)."""


async def reported(
    tx: Connection,
    *,
    channel: Channel,
    line: str,
    owner: str,
    said: Mapping[str, str],
    suggestion: Suggestion,
    now: datetime,
) -> int:
    """Somebody reported a matter in writing; returns its draft, with the words and their advice.

    `said` are the words by their sort; the `summary` is what the matter is until a person says so
    in other words. An emergency is escalated in the same transaction, as by telephone.
    """
    case_id = await flow.case_begun(tx, channel=channel, line=line, owner=owner, now=now)
    await store.summarise(tx, case_id, said["summary"])
    actor = Actor(name=owner, roles=frozenset())
    texts = await text_store.keep(tx, case_id, move=DEED, actor=actor, now=now, texts=said)
    applied = await store.apply_suggestion(tx, case_id, suggestion)
    case = applied.case
    body = {"number": case.number, "owner": case.owner, **telling.suggestion_body(suggestion)}
    told = body | {"changes": applied.changes, "texts": texts}
    rows = [(Event.CASE_SUGGESTED, case_id, told)]
    if suggestion.urgency is Urgency.EMERGENCY:
        rows.append((Event.CASE_ESCALATED, case_id, body))
    await journal.write_many(tx, at=now, actor=owner, call_id=None, rows=rows)
    return case_id
