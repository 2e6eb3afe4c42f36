"""The commands as an operator types them; whatever goes wrong is one sentence."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from hotline import cli
from hotline.database import Pool
from hotline.errors import ConfigError
from hotline.jobs import JobName
from telephony.calls import Leg
from tests.hotline import city
from tests.hotline.story import Life, call
from tests.telephony.exchange import ScriptedExchange

Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Type a command; the status and everything that was printed come back."""
    for name in [name for name in os.environ if name.startswith("HOTLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOTLINE_CONFIG", str(tmp_path / "hotline.toml"))
    monkeypatch.setenv("COLUMNS", "240")

    async def typed(*words: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["hotline", *words])

        def main() -> int:
            with pytest.raises(SystemExit) as ended:
                cli.main()
            return int(ended.value.code or 0)

        status = await asyncio.to_thread(main)
        said = capfd.readouterr()
        return status, said.out + said.err

    return typed


async def test_check_says_of_every_part_whether_it_works(
    run: Run, tmp_path: Path, database: str
) -> None:
    async with ScriptedExchange() as exchange:
        city.build(tmp_path, dsn=database, ami_port=exchange.port)
        status, said = await run("check")
    marks = {line[2:].split("  ")[0]: line[0] for line in said.splitlines() if "  " in line}
    assert marks == {
        "Configuration": "✓",
        "Database": "✓",
        "Migrations": "✓",
        "Schema": "✓",
        "Jobs": "✓",
        "Login at exchange mianyang-1": "✓",
        "CEL file of exchange mianyang-1": "✓",
        "queue_log file of exchange mianyang-1": "✓",
        "Recordings folder of exchange mianyang-1": "✓",
        "Routing rules": "✓",
        "Speech model": "✗",
        "Disk space": "✓",
        "Console port": "✓",
    }
    assert status == 1
    assert said.rstrip().endswith("1 things do not work, see above.")


async def test_check_names_what_is_wrong_with_an_exchange(
    run: Run, tmp_path: Path, database: str
) -> None:
    async with ScriptedExchange() as exchange:
        town = city.build(tmp_path, dsn=database, ami_port=exchange.port, secret="falsch")
        town.cel.unlink()
        town.spool.rmdir()
        status, said = await run("check")
    assert status == 1
    assert "✗ Login at exchange mianyang-1  The exchange mianyang-1 does not let us in." in said
    assert f"✗ CEL file of exchange mianyang-1  The file {town.cel} does not exist yet" in said
    assert f"The folder {town.spool} does not exist" in said
    assert "falsch" not in said


async def test_check_finds_a_schema_changed_by_hand_and_a_parked_job(
    run: Run, tmp_path: Path, database: str, pool: Pool
) -> None:
    city.build(tmp_path, dsn=database, ami_port=city.free_port())
    await pool.execute("ALTER TABLE cases ALTER COLUMN owner DROP NOT NULL")
    await pool.execute(
        """INSERT INTO pgqueuer (priority, status, entrypoint, payload)
           VALUES (0, 'failed', 'route', '{"call_id": 1}')"""
    )
    _, said = await run("check")
    assert "✗ Schema  The schema was changed by hand in 2 places" in said
    assert "✗ Jobs  1 jobs are parked, the oldest is route" in said


async def test_parked_jobs_are_listed_and_taken_up_again(
    run: Run, tmp_path: Path, database: str, pool: Pool
) -> None:
    city.build(tmp_path, dsn=database, ami_port=1)
    assert await run("jobs", "list") == (0, "No job is parked.\n")
    assert await run("jobs", "retry", "all") == (0, "No job is parked.\n")
    life = Life(pool, tmp_path)
    life.record(call())
    await life.tell(call())
    await life.work(lambda name: name is JobName.COLLECT_RECORDINGS)
    for leg in Leg:
        await life.steps.give_up_transcript({"call_id": 1, "leg": leg}, "It broke five times.")
    await pool.execute("UPDATE pgqueuer SET status = 'failed' WHERE entrypoint = 'transcribe'")
    await pool.execute(
        """INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)
           SELECT id, 'failed', 0, entrypoint,
                  '{"exception_message": "Rings back at 13812345678."}' FROM pgqueuer
            WHERE status = 'failed'"""
    )
    _, listed = await run("jobs", "list")
    assert "call_id=1 leg=caller" in listed
    assert "Rings back at 138****5678." in listed
    first = await pool.fetchval("SELECT min(id) FROM pgqueuer WHERE status = 'failed'")
    told = "1 jobs are back in the queue, the service tries them again.\n"
    assert await run("jobs", "retry", str(first)) == (0, told)
    assert await run("jobs", "retry", "all") == (0, told)
    states = await pool.fetch("SELECT DISTINCT state, reason, done_at FROM transcripts")
    assert [tuple(row) for row in states] == [("pending", None, None)]
    await life.work()
    assert await pool.fetchval("SELECT count(*) FROM transcripts WHERE state = 'done'") == 2
    assert await pool.fetchval("SELECT suggestion IS NOT NULL FROM cases")
    status, said = await run("jobs", "retry", str(first))
    assert (status, said.count("\n")) == (1, 1)
    assert f"No job with the number {first} is parked" in said
    assert (await run("jobs", "retry", "some"))[0] == 2


async def test_migrate_says_what_it_did(run: Run, tmp_path: Path, empty_database: str) -> None:
    city.build(tmp_path, dsn=empty_database, ami_port=1)
    first = await run("migrate")
    again = await run("migrate", "--phase", "pre")
    assert first[0] == 0
    assert first[1].startswith("Applied the migrations 0001_first_light.pre, 0002_job_queue.pre")
    assert again == (0, "The schema is already up to date.\n")


async def test_calls_and_cases_are_shown_and_moved(
    run: Run, tmp_path: Path, database: str, pool: Pool
) -> None:
    city.build(tmp_path, dsn=database, ami_port=1)
    assert await run("calls") == (0, "There is no call yet.\n")
    assert await run("cases", "list") == (0, "No case fits.\n")
    life = Life(pool, tmp_path)
    life.record(call())
    await life.live(call())
    _, calls = await run("calls")
    assert "138****0001" in calls
    assert "13812340001" not in calls
    assert "caller stored, operator stored" in calls
    number = await pool.fetchval("SELECT number FROM cases")
    _, listed = await run("cases", "list", "--state", "draft")
    assert number in listed
    _, shown = await run("cases", "show", "1")
    assert "我家停水三天了没有人管" in shown
    assert "case.suggested" in shown
    words = ("--kind", "help", "--level1", "城乡建设", "--as", "1001")
    assert await run("cases", "open", number, *words) == (
        0,
        f"Case {number}: draft → open.\n",
    )
    assert (await run("cases", "dispatch", number, "--unit", "市水务集团"))[0] == 0
    assert (await run("cases", "answer", number, "--reply", "已恢复供水"))[0] == 0
    assert (await run("cases", "close", number))[0] == 0
    actor = await pool.fetchval("SELECT actor FROM journal WHERE event = 'case.opened'")
    assert actor == "1001"
    assert await pool.fetchval("SELECT state FROM cases") == "closed"


async def test_an_illegal_move_is_one_sentence(
    run: Run, tmp_path: Path, database: str, pool: Pool
) -> None:
    city.build(tmp_path, dsn=database, ami_port=1)
    await Life(pool, tmp_path).tell(call())
    status, said = await run("cases", "close", "1")
    assert status == 1
    assert "is draft: 'close' is not possible now" in said
    assert len(said.splitlines()) == 1
    status, said = await run("cases", "show", "no-such-number")
    assert (status, len(said.splitlines())) == (1, 1)


async def test_classify_shows_a_suggestion_with_its_reasons(run: Run, tmp_path: Path) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    status, said = await run("classify", "救命啊楼上着火了有人被困", "--line", "mayor")
    assert status == 0
    assert "Urgency: emergency" in said
    assert "Reasons" in said


async def test_a_captured_log_is_replayed_and_stored_like_a_live_one(
    run: Run, tmp_path: Path, database: str, pool: Pool
) -> None:
    city.build(tmp_path, dsn=database, ami_port=1)
    captured = tmp_path / "captured.csv"
    captured.write_text(city.cel_rows(call(1)) + city.cel_rows(call(2)), encoding="utf-8")
    status, said = await run("replay", str(captured), "--system", "mianyang-1")
    assert status == 0
    assert said.splitlines()[-1] == "28 facts, 2 calls, 8 events."
    assert "138****0001" in said
    assert await pool.fetchval("SELECT count(*) FROM calls") == 0
    for _ in range(2):
        await run("replay", str(captured), "--store", "--system", "mianyang-1")
    rows = await pool.fetch("SELECT outcome, operator FROM calls")
    assert [tuple(row) for row in rows] == [("answered", "1001")] * 2


async def test_a_captured_ami_stream_is_replayed_from_its_middle(run: Run, tmp_path: Path) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    captured = tmp_path / "captured.ami"
    captured.write_bytes(
        b"Event: Newchannel\r\nTimestamp: 1795395600.0\r\nChannel: PJSIP/trunk-00000001\r\n"
        b"CallerIDNum: 13812345678\r\nContext: from-trunk\r\nExten: 12345\r\n"
        b"Uniqueid: m-1.1\r\nLinkedid: m-1.1\r\n\r\n"
        b"Event: Hangup\r\nTimestamp: 1795395609.0\r\nChannel: PJSIP/trunk-00000001\r\n"
        b"Cause: 16\r\nUniqueid: m-1.1\r\nLinkedid: m-1.1\r\n\r\n"
    )
    status, said = await run("replay", str(captured))
    assert status == 0
    assert "CallStarted" in said
    assert "CallEnded" in said
    assert said.splitlines()[-1] == "2 facts, 1 calls, 2 events."


@pytest.mark.parametrize(("content", "what"), [(b"hello", "neither AMI"), (None, "cannot be read")])
async def test_what_is_no_stream_is_said(
    run: Run, tmp_path: Path, content: bytes | None, what: str
) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    file = tmp_path / "stream"
    if content is not None:
        file.write_bytes(content)
    status, said = await run("replay", str(file))
    assert status == 1
    assert what in said
    assert len(said.splitlines()) == 1


def test_errors_in_groups_are_told_by_our_own_sentence() -> None:
    group = ExceptionGroup("g", [KeyError("x"), ExceptionGroup("h", [ConfigError("Say this.")])])
    assert cli.sentence_of(group) == "Say this."


def test_a_surprise_is_admitted_in_one_sentence_without_numbers() -> None:
    said = cli.sentence_of(RuntimeError("bad caller 13812345678"))
    assert said == (
        "Something unexpected went wrong (RuntimeError: bad caller 138****5678): "
        "run it again with --debug and report it."
    )


def test_every_user_of_the_json_extra_is_json() -> None:
    for row in city.cel_rows(call()).splitlines():
        extra = row.rsplit(',"', 1)[1].rstrip('"').replace('""', '"')
        assert not extra or json.loads(extra)
