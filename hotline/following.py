"""Members of a lead case: once its result is known, each of them is to be told to its own caller.

    a lead is answered and approved, or ends -> job follow (flow.py, in that very transaction)
    job follow, each member by itself        -> case_moved: the member waits to be called back

A member that somebody moved meanwhile is passed by. A crash repeats the job: who was told of the
result already is no longer found.
"""

import logging
from collections.abc import Callable, Iterable

from hotline import flow
from hotline.database import Pool, borrowed, transaction
from hotline.jobs import JobName, LaterError, Payload, Step
from hotline.repeats import untold_members
from hotline.services import Clock
from routing import store, text_store
from routing.cases import Actor, Case, Move, MoveData, Outcome, Role
from routing.errors import CaseConflict, IllegalMove
from routing.in_force import InForce
from routing.text_store import Text

log = logging.getLogger(__name__)

SERVICE = Actor(name="service", roles=frozenset({Role.SYSTEM}))
LONGEST = 4000


class FollowDesk:
    """Lets members follow their lead."""

    def __init__(self, *, pool: Pool, limits: Callable[[], InForce], clock: Clock) -> None:
        self._pool, self._limits, self._clock = pool, limits, clock

    def steps(self) -> dict[JobName, Step]:
        """The job that brings the members of one lead to the call-back desk."""
        return {JobName.FOLLOW: Step(do=self.follow)}

    async def follow(self, job: Payload) -> None:
        """Bring every member of a lead whose result is known to be called back with it."""
        async with borrowed(self._pool) as conn:
            lead = await store.get(conn, int(job["lead"]))
            reply = told_of(lead, await text_store.texts_of(conn, lead.id))
            members = await untold_members(conn, lead.id)
        if reply is None:
            log.warning("Case %s has no words that its members could be told.", lead.number)
            return
        for member in members:
            await self._follow(member, lead, reply)

    async def _follow(self, member: int, lead: Case, reply: str) -> None:
        data = MoveData(public_reply=reply[:LONGEST], unit=lead.unit)
        try:
            async with transaction(self._pool) as tx:
                await flow.case_moved(
                    tx,
                    member,
                    move=Move.FOLLOW,
                    actor=SERVICE,
                    now=self._clock(),
                    data=data,
                    limits=self._limits(),
                )
        except IllegalMove as error:
            log.info("Not told with its lead: %s", error)
        except CaseConflict as error:
            raise LaterError(str(error)) from error


def told_of(lead: Case, texts: Iterable[Text]) -> str | None:
    """What a lead's callers are told, in its own newest words; None where nothing is known."""
    newest = {text.sort: text.text for text in texts if text.text is not None}
    match lead.outcome:
        case Outcome.TERMINATED:
            return newest.get("told")
        case Outcome.EXPLAINED:
            said = (newest.get("reason"), newest.get("channel"))
            return "；".join(word for word in said if word) or None
        case _:
            return newest.get("public_reply") or newest.get("reply")
