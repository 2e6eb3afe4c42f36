"""A process that dies at any statement of what the duty desk does: it is done exactly once."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import asyncpg

from hotline import duty_handover, duty_handover_rows, duty_incidents, duty_log, once
from hotline.callout import CalloutDesk
from hotline.casework import SHIPPED_REPORTING
from hotline.config import Config, Line, Operator
from hotline.database import Connection, Pool, borrowed
from hotline.duty import DutyDesk
from hotline.duty_handover import Signer
from hotline.duty_incidents import Assessment, By, Raised
from hotline.duty_log_rows import Reporter
from hotline.roster import Role, Shift
from hotline.roster_rows import enter
from routing.duty_incidents import IncidentType, ReportKind, ReportText
from routing.duty_log import EntryKind, LogText
from routing.duty_policy import Level, read_reporting_policy
from tests.hotline.story import Died
from tests.hotline.test_case_crashes import Mortal

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
LI, BOSS = By(name="li", at=NOW), By(name="boss", at=NOW)
TEXT = ReportText(happened_at=NOW, place="涪江三桥", course="积水", measures="封闭", source="来电")
Work = Callable[[Connection], Awaitable[object]]


async def survives(conn: asyncpg.Connection, key: str, work: Work) -> int:
    """Ask with one key until it is done, dying one statement later each time; returns how often."""
    for dies in range(1, 60):
        tx = cast("Connection", Mortal(conn, dies))
        try:
            async with conn.transaction():
                if await once.is_first(tx, "li", key, key, NOW):
                    await work(tx)
                    await once.answered(tx, "li", key, "1")
        except Died:
            continue
        async with conn.transaction():  # and once more: the answer was lost on its way
            assert not await once.is_first(conn, "li", key, key, NOW)
        return dies
    raise AssertionError(f"{key} never ends")


class Numbered:
    """What was made before: a number that a rolled-back attempt took is not given out again."""

    def __init__(self, newest: str) -> None:
        self._newest = newest

    def does(self, step: Callable[..., Awaitable[object]], *given: object) -> Work:
        async def work(tx: Connection) -> None:
            await step(tx, await tx.fetchval(self._newest), *given)

        return work


def desk_of(pool: Pool, folder: Path) -> tuple[Config, DutyDesk]:
    config = Config(
        data_dir=folder,
        lines=(Line(name="duty", number="2222"),),
        operators=tuple(Operator(extension=f"200{n}", badge=f"{n}") for n in (1, 2)),
    )
    callouts = CalloutDesk(config=config, pool=pool, exchanges={}, clock=lambda: NOW)
    policy = read_reporting_policy(SHIPPED_REPORTING)
    desk = DutyDesk(config=config, pool=pool, callouts=callouts, policy=policy, clock=lambda: NOW)
    return config, desk


async def test_an_incident_from_the_key_to_the_final_report(pool: Pool, tmp_path: Path) -> None:
    _, desk = desk_of(pool, tmp_path)
    told = Assessment(name="积水事件", level=Level.II, type=IncidentType.NATURAL)
    raised = Raised(
        line="duty", summary="积水", reporter=Reporter(name="陈建国", phone="13990112233")
    )
    only = Numbered("SELECT max(id) FROM duty_incidents")
    steps: list[tuple[str, Work]] = [
        ("raise", lambda tx: desk.raise_alarm(tx, raised, LI, "2001")),
        ("acknowledge", only.does(desk.acknowledge, LI)),
        ("assess", only.does(duty_incidents.assess, told, LI)),
        ("phone", only.does(duty_incidents.phoned, "市应急局", LI)),
        ("draft", only.does(duty_incidents.draft, ReportKind.FIRST, TEXT, LI)),
        ("sign", only.does(duty_incidents.sign, 1, 1, BOSS)),
        ("send", only.does(duty_incidents.send, 1, "市应急局", LI)),
        ("draft 2", only.does(duty_incidents.draft, ReportKind.FINAL, TEXT, LI)),
        ("sign 2", only.does(duty_incidents.sign, 2, 1, BOSS)),
        ("send 2", only.does(duty_incidents.send, 2, "市应急局", LI)),
    ]
    async with borrowed(pool) as conn:
        deaths = [await survives(conn, key, work) for key, work in steps]
        assert min(deaths) > 4
        rows = await conn.fetch("SELECT event FROM journal ORDER BY id")
        assert [row["event"].removeprefix("duty.incident_") for row in rows] == [
            *("raised", "acknowledged", "levelled", "phoned"),
            *("drafted", "signed", "sent", "drafted", "signed", "sent"),
        ]
        assert await conn.fetchval("SELECT count(*) FROM duty_reporters") == 1
        row = await conn.fetchrow("SELECT count(*) AS n, min(state) AS s FROM duty_incidents")
        assert row is not None
        assert tuple(row) == (1, "closed")


async def test_a_log_entry_and_a_handover(pool: Pool, tmp_path: Path) -> None:
    config, _ = desk_of(pool, tmp_path)
    hours = timedelta(hours=8)
    li = Signer(name="li", names=frozenset({"li", "2001"}), at=NOW)
    wang = Signer(name="wang", names=frozenset({"wang", "2002"}), at=NOW)
    version = duty_log.version_of(
        LogText(course="积水"), Reporter(name="陈"), done=False, case_id=None, by="li", at=NOW
    )

    entry = Numbered("SELECT max(id) FROM duty_log")

    async def takes(tx: Connection) -> None:
        number = await tx.fetchval("SELECT max(id) FROM duty_handovers")
        left = await duty_handover_rows.get(tx, number)
        await duty_handover.take(tx, config, number, left.digest, wang)

    async with borrowed(pool) as conn:
        for seat, starts in (("2001", NOW - hours), ("2002", NOW)):
            shift = Shift(
                line="duty",
                role=Role.OFFICER,
                operator=seat,
                starts_at=starts,
                ends_at=starts + hours,
            )
            await enter(conn, shift, "test", NOW)
        await survives(
            conn, "log", lambda tx: duty_log.enter(tx, "duty", EntryKind.FAX, NOW, version)
        )
        await survives(conn, "write", entry.does(duty_log.write, 1, version))
        await survives(conn, "leave", lambda tx: duty_handover.leave(tx, config, "duty", li, ""))
        await survives(conn, "take", takes)
        counted = await conn.fetchrow(
            """SELECT (SELECT count(*) FROM duty_log) AS log,
                      (SELECT count(*) FROM duty_log_versions) AS versions,
                      (SELECT count(*) FROM duty_handovers) AS lists,
                      (SELECT count(*) FROM duty_reliefs) AS taken,
                      (SELECT count(*) FROM journal) AS told"""
        )
        assert counted is not None
        assert tuple(counted) == (1, 2, 1, 1, 4)
