"""The duty log: no call without its entry, nothing overwritten, nobody who reported given away."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from aiohttp import ClientSession

from hotline import duty_log_rows, sealed
from hotline.database import Pool, borrowed
from hotline.services import Services
from telephony.calls import Leg, Outcome
from telephony.sealing import KeyFile, write_keys
from tests.hotline.console.conftest import NOW, Clock, Site, services_on
from tests.hotline.console.duty_desk import ask, at_duty_seats, staffed
from tests.hotline.console.filled import Said, Town
from tests.hotline.console.staff import Staff

SAID = (Said(leg=Leg.CALLER, start=1.0, text="涪江三桥桥面积水"),)
PHONE, NAME = "13990112233", "陈建国"
TEXT = {
    "happened_at": (NOW - timedelta(minutes=20)).isoformat(),
    "place": "涪江三桥",
    "cause": "短时强降雨",
    "course": f"桥面积水约半米，报告人电话 {PHONE}",
    "measures": "已通知交警封闭",
    "told": [{"whom": "市应急局", "at": (NOW - timedelta(minutes=10)).isoformat()}],
}
REPORTER = {"unit": "涪城区政府办", "name": NAME, "post": "值班员", "phone": PHONE}
FAX = {"kind": "fax", "came_at": NOW.isoformat(), "text": TEXT, "reporter": REPORTER}
# Of every citizen's call of the line and every entry of a call: those that stand alone.
ALONE = """
    SELECT c.id, e.id FROM (SELECT id FROM calls WHERE line = $1 AND kind = 'citizen') c
      FULL JOIN (SELECT id, call_id FROM duty_log WHERE kind = 'call' AND line = $1) e
        ON e.call_id = c.id
     WHERE c.id IS NULL OR e.id IS NULL"""


@pytest.fixture
def services(tmp_path: Path, pool: Pool, database: str, clock: Clock) -> Services:
    return services_on(at_duty_seats(tmp_path), pool, database, clock)


@pytest.fixture
async def staff(site: Site, services: Services) -> Staff:
    return await staffed(site, services)


@pytest.fixture
async def officer(staff: Staff) -> ClientSession:
    return await staff.visitor("li")


async def test_every_call_of_the_duty_line_has_exactly_one_entry_by_itself(
    town: Town, pool: Pool
) -> None:
    outcomes = [Outcome.ABANDONED, Outcome.UNANSWERED, Outcome.VOICEMAIL, Outcome.FAILED]
    for n in range(12):
        at = NOW - timedelta(hours=3, minutes=-10 * n)
        line = "duty" if n % 3 else "mayor"
        if n % 2:
            await town.is_talked(at, SAID, line=line, number=f"138901{n:05d}")
        else:
            await town.is_lost(at, line=line, wait=20.0 + n, outcome=outcomes[n % 4])
    _, ringing = await town.starts(town.call(NOW, line="duty"))
    await town.starts(ringing)  # told twice
    assert await pool.fetchval("SELECT count(*) FROM duty_log") == 9
    assert await pool.fetch(ALONE, "duty") == []
    # A call that another program stores has its entry, too, and a test call of our own has none.
    for number, kind in ((901, "citizen"), (902, "probe")):
        await pool.execute(
            """INSERT INTO calls (id, system, linked_id, line, started_at, kind)
               VALUES ($1, 'other', $3, 'duty', $2, $3)""",
            number,
            NOW,
            kind,
        )
    assert await pool.fetch(ALONE, "duty") == []
    # A line that becomes a duty line brings its calls with it, once.
    async with borrowed(pool) as conn:
        for _ in range(2):
            await duty_log_rows.begin_line(conn, "mayor")
    assert await pool.fetch(ALONE, "mayor") == []
    assert await pool.fetchval("SELECT count(*) FROM duty_log WHERE line = 'mayor'") == 4
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await pool.execute("DELETE FROM calls WHERE line = 'duty'")


async def test_a_call_is_written_on_in_versions_and_nothing_is_overwritten(
    officer: ClientSession, town: Town, pool: Pool
) -> None:
    call_id = await town.is_talked(NOW - timedelta(minutes=9), SAID, line="duty")
    await town.is_lost(NOW, line="duty", outcome=Outcome.ABANDONED)
    _, page = await ask(officer, "GET", "/api/duty/log?unfinished=true")
    (entry,) = page["entries"]
    assert (entry["call_id"], entry["newest"]) == (call_id, None)
    path = f"/api/duty/log/{entry['id']}"
    first = {"seen": 0, "text": {**TEXT, "course": ""}, "reporter": REPORTER, "done": True}
    status, problem = await ask(officer, "POST", path + "/versions", first)
    assert (status, problem["missing"]) == (422, ["course"])
    status, told = await ask(officer, "POST", path + "/versions", {**first, "text": TEXT})
    assert (status, told["done"], told["newest"]["by"]) == (200, True, "li")
    assert "13990112233" not in str(told)
    assert told["newest"]["reporter"] == {
        "unit": "涪城区政府办",
        "name": "陈**",
        "post": "值班员",
        "phone": "139****2233",
    }
    assert (await ask(officer, "GET", "/api/duty/log?unfinished=true"))[1]["entries"] == []
    second = {"seen": 1, "text": {**TEXT, "trend": "水位回落"}, "reporter": REPORTER}
    status, told = await ask(officer, "POST", path + "/versions", second)
    assert [one["version"] for one in told["versions"]] == [2, 1]
    assert told["versions"][1]["text"]["trend"] == ""
    assert not told["done"]
    with pytest.raises(asyncpg.RaiseError, match="stay as they are"):
        await pool.execute("UPDATE duty_log_versions SET content = '{}'")
    rows = await pool.fetch("SELECT actor, call_id, body FROM journal WHERE event LIKE 'duty.%'")
    assert [(row["actor"], row["call_id"]) for row in rows] == [("li", call_id)] * 2
    assert all("涪江" not in row["body"] and PHONE not in row["body"] for row in rows)


async def test_of_two_who_write_at_the_same_moment_one_is_told_so(
    staff: Staff, town: Town, pool: Pool
) -> None:
    await town.is_talked(NOW - timedelta(minutes=9), SAID, line="duty")
    entry = await pool.fetchval("SELECT id FROM duty_log")
    written = {"seen": 0, "text": TEXT}
    visitors = [await staff.visitor(one) for one in ("li", "wang")]
    answers = await asyncio.gather(
        *(ask(one, "POST", f"/api/duty/log/{entry}/versions", written) for one in visitors)
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    assert await pool.fetchval("SELECT count(*) FROM duty_log_versions") == 1


async def test_a_fax_is_entered_once_however_often_the_key_comes(
    officer: ClientSession, pool: Pool
) -> None:
    answers = await asyncio.gather(
        *(ask(officer, "POST", "/api/duty/log", FAX, key="k-1") for _ in range(3))
    )
    assert {status for status, _ in answers} == {200}
    assert len({told["id"] for _, told in answers}) == 1
    assert await pool.fetchval("SELECT count(*) FROM duty_log") == 1
    other = {**FAX, "kind": "visit"}
    assert (await ask(officer, "POST", "/api/duty/log", other, key="k-1"))[0] == 409
    _, page = await ask(officer, "GET", "/api/duty/log?kind=fax&limit=1")
    assert (len(page["entries"]), page["next"]) == (1, None)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"kind": "call"}, 422),
        ({"line": "none"}, 422),
        ({"came_at": (NOW + timedelta(hours=1)).isoformat()}, 422),
        ({"text": {"happened_at": (NOW + timedelta(hours=1)).isoformat()}}, 422),
        ({"text": {"secret": "x"}}, 422),
        ({"reporter": {"phone": "call me"}}, 422),
        ({"case_id": 99}, 404),
    ],
)
async def test_what_does_not_fit_is_refused_and_leaves_nothing(
    officer: ClientSession, pool: Pool, wrong: dict[str, object], status: int
) -> None:
    assert (await ask(officer, "POST", "/api/duty/log", FAX | wrong))[0] == status
    assert await pool.fetchval("SELECT count(*) FROM duty_log") == 0
    assert await pool.fetchval("SELECT count(*) FROM duty_reporters") == 0


async def test_who_reported_is_sealed_and_told_for_a_reason_only(
    officer: ClientSession, staff: Staff, pool: Pool, keys: KeyFile
) -> None:
    _, entered = await ask(officer, "POST", "/api/duty/log", FAX)
    path = f"/api/duty/log/{entered['id']}/reveal"
    assert (await ask(officer, "POST", path, {"reason": "x"}))[0] == 422
    status, told = await ask(officer, "POST", path, {"reason": "核实现场情况"})
    assert (status, told) == (200, REPORTER)
    agent = await staff.visitor("agent")
    assert (await ask(agent, "POST", path, {"reason": "核实现场情况"}))[0] == 403
    row = await pool.fetchrow("SELECT actor, body FROM journal WHERE event = 'seen.identity'")
    assert row is not None
    assert row["actor"] == "li"
    assert "核实" in row["body"]
    assert PHONE not in row["body"]
    # In the database it is unreadable, and a new key reaches it.
    raw = await pool.fetchval(
        "SELECT string_agg(t::text, '') FROM (SELECT r::text AS t FROM duty_reporters r) AS x"
    )
    assert NAME not in raw
    assert PHONE not in raw
    write_keys(keys.path, keys.ring.with_new_key())
    async with borrowed(pool) as conn:
        assert await sealed.renew(conn, keys.ring) == 1
        assert await sealed.renew(conn, keys.ring) == 0
    write_keys(keys.path, keys.ring.without_old_keys())
    _, told = await ask(officer, "POST", path, {"reason": "核实现场情况"})
    assert told == REPORTER


async def test_what_comes_back_as_it_was_shown_is_not_written_over(
    officer: ClientSession, pool: Pool
) -> None:
    text = {"place": "涪江三桥", "course": "请联系司机13990112233"}
    came = {"kind": "phone", "came_at": NOW.isoformat(), "text": text, "reporter": REPORTER}
    _, told = await ask(officer, "POST", "/api/duty/log", came)
    path, shown = f"/api/duty/log/{told['id']}", told["newest"]["text"]
    assert "13990112233" not in shown["course"]
    again = {"seen": 1, "text": {**shown, "place": "涪江二桥"}}
    status, told = await ask(officer, "POST", path + "/versions", again)
    assert (status, told["newest"]["text"]["place"]) == (200, "涪江二桥")
    _, reporter = await ask(officer, "POST", path + "/reveal", {"reason": "核实情况"})
    assert reporter["phone"] == REPORTER["phone"]
    async with borrowed(pool) as conn:
        entry = await duty_log_rows.get(conn, told["id"])
    assert entry.newest is not None
    assert (entry.newest.version, entry.newest.text.course) == (2, text["course"])
