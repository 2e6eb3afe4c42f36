"""The commands as an operator types them; whatever goes wrong is one sentence."""

import asyncio
import io
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hotline import cli
from hotline.checks import Checks
from hotline.config import Config
from hotline.config_captions import Captions
from hotline.database import Pool
from hotline.errors import ConfigError
from hotline.jobs import JobName
from telephony.calls import Leg
from telephony.errors import TapPortTaken
from tests.hotline import city
from tests.hotline.command_line import typist
from tests.hotline.story import Life, call
from tests.telephony.exchange import ScriptedExchange
from transcription.models import SMALL_CN

REPO = Path(__file__).resolve().parents[2]
Run = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Type a command; the status and everything that was printed come back."""
    monkeypatch.setenv("COLUMNS", "240")
    typed = typist(monkeypatch, capfd, tmp_path / "hotline.toml")

    async def typed_beside(*words: str) -> tuple[int, str]:
        return await asyncio.to_thread(typed, *words)

    return typed_beside


async def test_check_says_of_every_part_whether_it_works(
    run: Run, tmp_path: Path, database: str
) -> None:
    async with ScriptedExchange() as exchange:
        city.build(tmp_path, dsn=database, ami_port=exchange.port)
        status, said = await run("check")
    marks = {line[2:].split("  ")[0]: line[0] for line in said.splitlines() if "  " in line}
    assert marks.pop("Working-day calendar") in "✓!"  # as the day is; the clock is set below
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
        "Identity keys": "✓",
        "Routing rules": "✓",
        "Inspection form": "✓",
        "Store for recordings": "✓",
        "Speech model": "✗",
        "Live captions": "✓",
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


async def test_check_says_whether_captions_could_work(
    run: Run, tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTLINE_CAPTIONS__ENABLED", "true")
    async with ScriptedExchange() as exchange:
        city.build(tmp_path, dsn=database, ami_port=exchange.port)
        _, deaf = await run("check")
    assert "Captions need an actor_secret for: mianyang-1." in deaf
    monkeypatch.delenv("HOTLINE_CAPTIONS__ENABLED")
    able = Config(captions=Captions(enabled=True))
    assert (await Checks(able, "en")._check_captions()).well
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = Config(captions=Captions(enabled=True, port=port), http_port=1)
        with pytest.raises(TapPortTaken, match=f"127.0.0.1:{port}"):
            await Checks(taken, "en")._check_captions()


@pytest.mark.parametrize(
    ("today", "well", "soon", "says"),
    [
        (datetime(2026, 11, 26, 15, 59, tzinfo=UTC), True, False, "in 25 working days|25 working"),
        (datetime(2026, 11, 26, 16, 0, tzinfo=UTC), True, True, "ends on 2026-12-31, in 24 work"),
        (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), True, True, "in 0 working days"),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), False, False, "lacks today"),
    ],
)
async def test_check_warns_while_the_next_calendar_can_still_be_loaded(
    *, today: datetime, well: bool, soon: bool, says: str
) -> None:
    found = await Checks(Config(), "en", clock=lambda: today)._check_calendar()
    assert (found.well, found.soon) == (well, soon)
    assert re.search(says, found.sentence)


async def test_check_says_each_kind_of_trouble_in_one_sentence(
    run: Run, tmp_path: Path, database: str
) -> None:
    town = city.build(tmp_path, dsn=database, ami_port=city.free_port())
    model = tmp_path / "models" / SMALL_CN.name
    for name in SMALL_CN.files:
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(b"not what it was")
    with socket.socket() as other:
        other.bind(("127.0.0.1", town.http_port))
        other.listen()
        status, said = await run("check")
    wrong = [line for line in said.splitlines() if line.startswith("✗")]
    assert status == 1
    assert [line.split("  ")[0] for line in wrong] == [
        "✗ Login at exchange mianyang-1",
        "✗ Speech model",
        "✗ Console port",
    ]
    assert "cannot be reached" in wrong[0]
    assert "has the wrong checksum" in wrong[1]
    assert f"127.0.0.1:{town.http_port} is taken: stop the program" in wrong[2]
    town.toml.write_text("http_port = 'many'\n", encoding="utf-8")
    broken = "Configuration: http_port must be a whole number.\n"
    assert await run("check") == (1, broken)


async def test_check_goes_on_where_the_database_is_away_and_the_disk_is_full(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.build(tmp_path, dsn=f"postgresql://hotline:geheim@/none?host={tmp_path}", ami_port=1)
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr("hotline.checks.LEAST_FREE", free * 2)
    status, said = await run("check")
    wrong = {line[2:].split("  ")[0]: line for line in said.splitlines() if line.startswith("✗")}
    assert status == 1
    assert "PostgreSQL does not answer" in wrong["Database"]
    assert "recordings will find no room, so clear some." in wrong["Disk space"]
    assert "✓ Routing rules" in said
    assert "geheim" not in said


async def test_the_damaged_model_is_named_by_its_own_command(run: Run, tmp_path: Path) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    status, said = await run("model")
    assert (status, said.count("\n")) == (1, 1)
    assert "There is no speech model" in said
    model = tmp_path / "models" / SMALL_CN.name
    for name in SMALL_CN.files:
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_bytes(b"not what it was")
    status, said = await run("model")
    assert (status, said.count("\n")) == (1, 1)
    assert "has the wrong checksum" in said


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
    assert (await run("cases", "sign", number, "--as", "1002"))[0] == 0
    reply = "已恢复供水，有问题请拨0816-2345678"
    answer = ("--reply", reply, "--public", "已恢复供水", "--as", "1002")
    form = ("--truth", "partly", "--withheld", "政府信息公开条例第十五条")
    assert (await run("cases", "answer", number, *answer, *form))[0] == 0
    _, shown = await run("cases", "show", number)
    assert re.search(rf"Answers and reasons\n  [-0-9: ]{{19}}  1002 +{reply}\n", shown)
    filled = await pool.fetchval("SELECT (truth, beyond_duty, publish) FROM cases")
    assert filled == ("partly", False, False)
    assert "政府信息公开条例第十五条" in shown
    assert (await run("cases", "approve", number))[0] == 0
    said = ("--solved", "yes", "--satisfied", "basically")
    assert (await run("cases", "close", number, *said))[0] == 0
    actor = await pool.fetchval("SELECT actor FROM journal WHERE event = 'case.opened'")
    assert actor == "1001"
    assert await pool.fetchval("SELECT state FROM cases") == "closed"


async def test_the_audit_says_whether_the_journal_holds_and_writes_its_head_down(
    run: Run, tmp_path: Path, database: str, pool: Pool
) -> None:
    city.build(tmp_path, dsn=database, ami_port=1)
    life = Life(pool, tmp_path)
    life.record(call())
    await life.live(call())
    heads = tmp_path / "elsewhere" / "heads"
    status, line = await run("audit", "head", "--to", str(heads))
    assert (status, line) == (0, heads.read_text())
    status, said = await run("audit", "verify", "--heads", str(heads))
    assert status == 0
    assert "1 cases are what it made them" in said
    assert "1 heads from outside met" in said
    await pool.execute("ALTER TABLE journal DISABLE TRIGGER USER")
    await pool.execute("DELETE FROM journal WHERE id = 4")
    status, said = await run("audit", "verify")
    assert status == 1
    assert "between row 3 and row 5 a row was removed" in said
    assert len(said.splitlines()) == 1
    status, said = await run("audit", "verify", "--heads", str(tmp_path / "none"))
    assert (status, len(said.splitlines())) == (1, 1)


async def test_an_illegal_move_is_one_sentence(
    run: Run, tmp_path: Path, database: str, pool: Pool
) -> None:
    city.build(tmp_path, dsn=database, ami_port=1)
    await Life(pool, tmp_path).tell(call())
    status, said = await run("cases", "approve", "1")
    assert status == 1
    assert "is draft: 'approve' is not possible now" in said
    assert len(said.splitlines()) == 1
    status, said = await run("cases", "show", "no-such-number")
    assert (status, len(said.splitlines())) == (1, 1)


async def test_classify_shows_a_suggestion_with_its_reasons(run: Run, tmp_path: Path) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    status, said = await run("classify", "救命啊楼上着火了有人被困", "--line", "mayor")
    assert status == 0
    assert "Urgency: emergency" in said
    assert "Confidence: 0." in said
    assert "Reasons" in said


def _fed(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sent)))


async def test_texts_of_standard_input_become_one_json_object_a_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    texts = "涪城区临园路的路灯坏了\r\n\n老板拖欠工资\n".encode() + b"\xff\xfe\n"
    _fed(monkeypatch, b"\xef\xbb\xbf" + texts)
    status, said = await run("classify")
    found = [json.loads(line) for line in said.splitlines()]
    assert (status, len(found)) == (0, 4)
    assert (found[0]["level1"], found[0]["area"]) == ("城乡建设", "涪城区")
    assert 0 < found[0]["confidence"] < 1
    assert found[0]["alternatives"] == []
    assert any(reason["text"] == "路灯" for reason in found[0]["reasons"])
    assert found[1]["level1"] is None
    assert found[2]["level1"] == "劳动和社会保障"
    status, said = await run("classify", "--json", "老板拖欠工资")
    assert (status, json.loads(said)) == (0, found[2])
    both = "老板拖欠工资，公交车也太少"
    (other,) = json.loads((await run("classify", "--json", both))[1])["alternatives"]
    assert other.keys() == {"level1", "confidence"}
    assert f"Else possible: {other['level1']}" in (await run("classify", both))[1]


async def test_with_nothing_to_classify_a_terminal_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    ours, terminal = os.openpty()
    with os.fdopen(terminal) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        status, said = await run("classify")
    os.close(ours)
    assert status == 2
    assert "Give a text" in said


async def test_a_model_trained_on_ones_own_messages_is_used(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.build(tmp_path, dsn=None, ami_port=1)
    own = tmp_path / "own.csv"
    rows = [
        f"{place}{matter},{label}"
        for place in ("小区门口", "学校旁边", "我们村里", "工地上", "医院对面", "市场里")
        for label, matters in {
            "卫生计生": ("唧唧复唧唧木兰当户织", "唯闻女叹息不闻机杼声"),
            "商贸旅游": ("床前明月光疑是地上霜", "举头望明月低头思故乡"),
        }.items()
        for matter in matters
    ]
    own.write_text("\n".join(["text,label", *rows, ",missing"]) + "\n", encoding="utf-8")
    out = tmp_path / "own.npz"
    status, said = await run("train", str(own), "--out", str(out))
    assert status == 0, said
    assert "Trained on 24 examples (1 skipped)" in said
    _fed(monkeypatch, "木兰当户织\n低头思故乡\n".encode())
    _, said = await run("classify", "--model", str(out))
    found = [json.loads(line) for line in said.splitlines()]
    assert [it["level1"] for it in found] == ["卫生计生", "商贸旅游"]
    assert all(it["model_version"] for it in found)
    assert "model" in {reason["by"] for reason in found[0]["reasons"]}
    own.write_text("words,label\nx,y\n", encoding="utf-8")
    status, said = await run("train", str(own), "--out", str(out))
    assert (status, said.count("\n")) == (1, 1)
    assert "needs the columns text and label" in said
    status, said = await run("classify", "木兰", "--model", str(own))
    assert (status, said.count("\n")) == (1, 1)


INTERRUPTED_WHILE_LOADING = """
import os, signal, sys
# A shell that runs the tests in its background has told them to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
class Impatient:
    def find_spec(self, name, *rest):
        if name == "asyncpg":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Impatient())
from hotline.__main__ import main
main()
"""


async def test_ctrl_c_while_it_still_loads_prints_nothing(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", INTERRUPTED_WHILE_LOADING, "check"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[1])},
        cwd=tmp_path,
    )
    said, _ = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, said) == (130, b"")


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


async def test_calls_are_inspected_anew_where_the_form_has_changed(
    run: Run, tmp_path: Path, pool: Pool, database: str
) -> None:
    city.build(tmp_path, dsn=database, ami_port=1)
    life = Life(pool, tmp_path)
    life.record(call())
    await life.live(call())
    told, other = [await run("inspect", "--since", "2026-11-01") for _ in "12"]
    assert told == other
    assert told[0] == 0
    assert "0 calls" in told[1]
    own = tmp_path / "own"
    shutil.copytree(REPO / "deploy" / "cities" / "mianyang", own)
    shipped = (REPO / "deploy" / "inspection" / "default.yaml").read_text("utf-8")
    (own / "inspection.yaml").write_text(shipped.replace("default/1", "mianyang/1"), "utf-8")
    city.build(tmp_path, dsn=database, ami_port=1, extra=f"city_dir = {json.dumps(str(own))}")
    status, said = await run("inspect", "--since", "2026-11-01")
    assert (status, "1 calls" in said, "mianyang/1" in said) == (0, True, True)
    assert await pool.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'inspect'") == 1
    status, said = await run("inspect", "--since", "yesterday")
    assert (status, "is no time" in said) == (1, True)
