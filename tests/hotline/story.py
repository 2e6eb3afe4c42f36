"""One answered call as values and files, and a way to live through its whole pass step by step.

Words come from a small scripted engine here; the real one is tested in tests/transcription and
in the acceptance tests. Database, files, classifier and queue rows are the real ones.
"""

import asyncio
import json
import wave
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hotline import flow
from hotline.casework import SHIPPED, load_casework
from hotline.config import Config
from hotline.database import Connection, Pool, transaction
from hotline.inspecting import InspectionDesk
from hotline.inspection_form import load_form
from hotline.jobs import JobName, Step
from hotline.sound_folder import SoundFolder
from hotline.sounds import SoundStore, SoundStores
from hotline.steps import Steps
from telephony.calls import (
    Call,
    CallAnswered,
    CallEnded,
    CallEvent,
    CallKey,
    CallRinging,
    CallStarted,
    Leg,
    Outcome,
    Recording,
    Side,
)
from telephony.events import LinkedId, System
from transcription.errors import SpeechError
from transcription.transcripts import Transcript, Word, transcript

SYSTEM = System("mianyang-1")
BEGAN = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NOW = BEGAN + timedelta(minutes=5)
CALLER_SAYS = ("我家", "停水", "三天", "了", "没有", "人", "管")
OPERATOR_SAYS = ("您好", "请讲")


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def call(number: int = 1, **given: object) -> Call:
    """An answered call on the mayor's line, as it stands after its end."""
    linked = LinkedId(f"{SYSTEM}-1795395600.{number}")
    ended = Call(
        key=CallKey(system=SYSTEM, linked_id=linked),
        line="mayor",
        caller_number=f"1381234{number:04d}",
        caller_name="张三",
        started_at=at(0),
        queued_at=at(2),
        ringing_at=at(3),
        answered_at=at(6),
        ended_at=at(36),
        operator="1001",
        outcome=Outcome.ANSWERED,
        hangup_by=Side.CALLER,
        recordings=tuple(
            Recording(leg=leg, path=f"/spool/{linked}-{leg}.wav", started_at=at(1)) for leg in Leg
        ),
    )
    return replace(ended, **given)  # type: ignore[arg-type]


def events(ended: Call) -> list[CallEvent]:
    """How the call is told while it happens."""
    open_still = replace(ended, ended_at=None, outcome=None, hangup_by=None)
    going = replace(open_still, answered_at=None, operator=None, ringing_at=None)
    told: list[CallEvent] = [CallStarted(call=going, at=ended.started_at)]
    if ended.ringing_at:
        ringing = replace(going, ringing_at=ended.ringing_at)
        told.append(CallRinging(call=ringing, at=ended.ringing_at))
    if ended.answered_at:
        told.append(CallAnswered(call=open_still, at=ended.answered_at))
    if ended.ended_at:
        told.append(CallEnded(call=ended, at=ended.ended_at))
    return told


def write_wav(path: Path, seconds: float = 1.0) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(int(8000 * seconds) * 2))
    return path


class ScriptedEngine:
    """Hears what it is told to hear."""

    name = "scripted"
    model = "none"

    def __init__(self) -> None:
        self.words: Mapping[Leg, tuple[str, ...]] = {
            Leg.CALLER: CALLER_SAYS,
            Leg.OPERATOR: OPERATOR_SAYS,
        }
        self.fault: SpeechError | None = None

    async def transcribe(self, wav: Path, leg: Leg) -> Transcript:
        if self.fault is not None:
            raise self.fault
        assert await asyncio.to_thread(wav.is_file)
        words = [
            Word(text=text, start=6 + n * 0.3, end=6.2 + n * 0.3, conf=0.9)
            for n, text in enumerate(self.words[leg])
        ]
        return transcript(
            leg=leg, engine=self.name, model=self.model, words=words, audio_seconds=1.0
        )

    async def ping(self) -> None: ...

    async def aclose(self) -> None: ...


class Died(BaseException):
    """The process was killed here."""


@dataclass(slots=True, kw_only=True)
class Death:
    """Kills the process at one of its transactions, once: before its commit or after it."""

    at: int
    after_commit: bool
    met: int = 0

    def strikes(self, *, after_commit: bool) -> bool:
        if after_commit is not self.after_commit:
            return False
        self.met += 1
        return self.met == self.at


class Life:
    """One process that lives through the pass: events in, then every job in the queue."""

    def __init__(self, pool: Pool, folder: Path, death: Death | None = None) -> None:
        self.pool = pool
        self.spool = folder / "spool"
        self.spool.mkdir(exist_ok=True)
        self.store = folder / "store"
        kept = SoundFolder(self.store)
        self.sounds = SoundStores(current=kept, folder=kept, work=folder / "incoming")
        self.now = NOW
        self.engine = ScriptedEngine()
        self.death = death
        self.transactions = 0
        life, casework = self, load_casework(Config())

        class MortalSteps(Steps):
            def _tx(self) -> AbstractAsyncContextManager[Connection]:
                return life.tx()

        self.steps = MortalSteps(
            pool=pool,
            clock=lambda: self.now,
            sounds=self.sounds,
            recordings_dirs={SYSTEM: self.spool},
            recording_grace=timedelta(seconds=120),
            transcriber=self.engine,
            classifier=casework.classifier,
            vocabulary=lambda: casework.city.vocabulary,
        )

        class MortalInspections(InspectionDesk):
            def _tx(self) -> AbstractAsyncContextManager[Connection]:
                return life.tx()

        self.inspections = MortalInspections(
            pool=pool,
            form=lambda: load_form(Config().city_dir, SHIPPED),
            badges={"1001": "1086"},
            clock=lambda: self.now,
        )

    @asynccontextmanager
    async def tx(self) -> AsyncIterator[Connection]:
        self.transactions += 1
        async with transaction(self.pool) as conn:
            yield conn
            if self.death is not None and self.death.strikes(after_commit=False):
                raise Died
        if self.death is not None and self.death.strikes(after_commit=True):
            raise Died

    def keep_in(self, store: SoundStore) -> None:
        """From now on recordings go to this store."""
        self.sounds = SoundStores(
            current=store, folder=SoundFolder(self.store), work=self.sounds.work
        )
        self.steps._sounds = self.sounds

    def record(self, ended: Call, seconds: float = 1.0) -> list[Path]:
        """What the exchange leaves in its spool for this call."""
        return [
            write_wav(self.spool / Path(recording.path).name, seconds)
            for recording in ended.recordings
        ]

    async def tell(self, ended: Call) -> None:
        for event in events(ended):
            async with self.tx() as conn:
                await flow.call_changed(conn, event)

    async def live(self, ended: Call) -> None:
        """The whole pass of one call."""
        await self.tell(ended)
        await self.work()

    @property
    def all_steps(self) -> dict[JobName, Step]:
        return {**self.steps.quick(), **self.steps.slow(), **self.inspections.steps()}

    async def work(self, wanted: Callable[[JobName], bool] = lambda _: True) -> list[JobName]:
        """Do every wanted job in the queue, oldest first, those that come up meanwhile too."""
        done: list[JobName] = []
        while True:
            rows = await self.pool.fetch("SELECT id, entrypoint, payload FROM pgqueuer ORDER BY id")
            row = next((row for row in rows if wanted(JobName(row["entrypoint"]))), None)
            if row is None:
                return done
            name = JobName(row["entrypoint"])
            await self.all_steps[name].do(json.loads(row["payload"]))
            await self.pool.execute("DELETE FROM pgqueuer WHERE id = $1", row["id"])
            done.append(name)


async def everything(pool: Pool) -> dict[str, list[tuple[object, ...]]]:
    """All that was stored, without ids that count attempts."""
    tables = {
        "calls": "SELECT * FROM calls ORDER BY id",
        "counter": "SELECT last FROM call_counter",
        "identities": "SELECT number, name FROM identities ORDER BY look_up",
        "recordings": "SELECT * FROM recordings ORDER BY call_id, leg",
        "transcripts": "SELECT * FROM transcripts ORDER BY call_id, leg",
        "cases": """SELECT call_id, line, state, kind, level1, urgency, area, unit, owner,
                    suggestion, drafted_at FROM cases ORDER BY call_id""",
        "journal": """SELECT at, actor, event, call_id, case_id IS NOT NULL,
                      body - 'number' FROM journal ORDER BY id""",
        "inspections": "SELECT call_id, form, heard, score, reason, current FROM inspections",
        "jobs": "SELECT entrypoint, payload FROM pgqueuer ORDER BY id",
    }
    return {name: [tuple(row)[:] for row in await pool.fetch(sql)] for name, sql in tables.items()}


def without_tokens(found: dict[str, list[tuple[object, ...]]]) -> dict[str, object]:
    """The same from another database: tokens are random, folders differ."""
    return {
        **found,
        "calls": [row[:4] + row[5:] for row in found["calls"]],
        "recordings": [
            tuple(Path(v).name if isinstance(v, str) and "/" in v else v for v in row)
            for row in found["recordings"]
        ],
    }
