"""The stage of the acceptance tests: real Asterisk, real SIP telephones, the real service.

`Stage.dial` places a call and returns what SIPp saw; `Stage.stored` returns what the service
wrote. How a call goes is told by the caller's number, so that any number of tests share a stage.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import LiteralString

import asyncpg

from deploy.asterisk.process import Asterisk
from deploy.demo.phones import PlacedCall, SipMessage, Telephones
from deploy.demo.scenarios import Caller, Reply
from deploy.demo.script import ScriptedCall
from hotline.database import connected
from hotline.demo.service import Service
from telephony.sealing import KeyFile
from tests.acceptance.proxy import Cable

PICKED_UP = "1381"  # operators answer and leave the hanging up to the caller
OPERATOR_ENDS = "1382"  # operators answer and hang up after OPERATOR_TALKS_MS
NOBODY = "1383"  # operators let it ring
OPERATOR_TALKS_MS = 3000
RINGS_MS = 1000
PATIENCE = 40.0
LOOK_SECONDS = 0.05
JUDGED: LiteralString = """
    SELECT EXISTS (SELECT FROM exchange_facts f
                     JOIN tail_positions p ON p.system = f.system AND p.source = 'judged'
                    WHERE f.linked_id = $1 AND f.kind = 'linked_id_ended' AND p."offset" >= f.id)"""
FROM_NUMBER: LiteralString = (
    "FROM calls c JOIN identities i ON i.token = c.caller WHERE i.look_up = $1::fingerprint"
)


def replies(audio: Path | None, scripted: Sequence[ScriptedCall] = ()) -> list[Reply]:
    """What the stage's operators do for each kind of number, and for the demo's own callers."""
    rest = "[0-9]*"
    return [
        Reply(caller=PICKED_UP + rest, audio=audio, rings_ms=RINGS_MS),
        Reply(
            caller=OPERATOR_ENDS + rest, audio=audio, rings_ms=RINGS_MS, talks_ms=OPERATOR_TALKS_MS
        ),
        Reply(caller=NOBODY + rest, audio=None, rings_ms=None),
        *(
            Reply(caller=call.caller, audio=call.operator_audio, rings_ms=RINGS_MS)
            for call in scripted
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A call as the service stored it, with what hangs on it."""

    call: asyncpg.Record
    recordings: Sequence[asyncpg.Record]
    cases: int
    journal: Sequence[str]


@dataclass(slots=True, kw_only=True)
class Stage:
    """Everything running; one per test session."""

    asterisk: Asterisk
    telephones: Telephones
    service: Service
    cable: Cable
    dsn: str
    keys: KeyFile
    speech: Path | None
    numbers: "count[int]"

    def number(self, kind: str) -> str:
        """Return a caller's number of this kind that no other call uses."""
        return f"{kind}{next(self.numbers):07d}"

    def caller(
        self,
        line: str,
        kind: str,
        *,
        gives_up: float | None = None,
        talks: float | None = None,
        refused: bool = False,
    ) -> Caller:
        """Return a caller of a line; times are seconds."""
        dialled = {described.name: described.number for described in self.asterisk.exchange.lines}
        return Caller(
            number=dialled[line],
            caller=self.number(kind),
            audio=self.speech,
            gives_up_ms=None if gives_up is None else round(gives_up * 1000),
            talks_ms=None if talks is None else round(talks * 1000),
            refused=refused,
        )

    def scripted(self, call: ScriptedCall) -> Caller:
        """Return the caller of one of the demo's calls; operators answer with its other leg."""
        dialled = {described.name: described.number for described in self.asterisk.exchange.lines}
        return Caller(
            number=dialled[call.line],
            caller=call.caller,
            audio=call.caller_audio,
            talks_ms=round(call.seconds * 1000),
        )

    async def dial(self, caller: Caller) -> PlacedCall:
        """Place the call and return when SIPp says it is over, as scripted."""
        placed = await self.telephones.call(caller, self.asterisk.exchange.sip_port)
        assert placed.status == 0, (placed.trouble, [m.start_line for m in placed.messages])
        return placed

    def operator_leg(self, number: str) -> list[SipMessage]:
        """What the operators' telephones saw of this caller's call."""
        everything = self.telephones.operator_messages()
        ids = {m.call_id for m in everything if m.caller == number}
        return [m for m in everything if m.call_id in ids]

    async def count(self, number: str) -> int:
        async with connected(self.dsn, self.keys) as conn:
            return int(await conn.fetchval(f"SELECT count(*) {FROM_NUMBER}", number))

    async def stored(
        self,
        number: str,
        *,
        until: LiteralString = "c.ended_at IS NOT NULL",
        patience: float = PATIENCE,
    ) -> Stored:
        """Return the one call of this number once it has ended (or `until` holds)."""
        async with connected(self.dsn, self.keys) as conn:
            async with asyncio.timeout(patience):
                query = f"SELECT c.* {FROM_NUMBER} AND {until}"
                # The database is asked again and again: the fact waited for rings no bell.
                while not (rows := await conn.fetch(query, number)):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_SECONDS)
            assert len(rows) == 1, f"{len(rows)} calls of {number}"
            call = rows[0]
            return Stored(
                call=call,
                recordings=await conn.fetch(
                    "SELECT * FROM recordings WHERE call_id = $1 ORDER BY leg", call["id"]
                ),
                cases=await conn.fetchval(
                    "SELECT count(*) FROM cases WHERE call_id = $1", call["id"]
                ),
                journal=[
                    row["event"]
                    for row in await conn.fetch(
                        "SELECT event FROM journal WHERE call_id = $1 ORDER BY id", call["id"]
                    )
                ],
            )

    async def recorded(self, number: str) -> Stored:
        """Return the call once both of its legs are in the store."""
        both = (
            "(SELECT count(*) FROM recordings r WHERE r.call_id = c.id AND r.state = 'stored') = 2"
        )
        return await self.stored(number, until=both)

    async def differences(self, linked_id: str) -> list[str]:
        """What the exchange's files told otherwise of this call, once they have been compared."""
        async with connected(self.dsn, self.keys) as conn:
            async with asyncio.timeout(PATIENCE):
                while not await conn.fetchval(JUDGED, linked_id):  # noqa: ASYNC110 - as above
                    await asyncio.sleep(LOOK_SECONDS)
            rows = await conn.fetch(
                "SELECT kind || ' ' || detail::text AS told FROM differences WHERE linked_id = $1",
                linked_id,
            )
        return [row["told"] for row in rows]
