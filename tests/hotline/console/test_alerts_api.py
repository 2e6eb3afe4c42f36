"""A real Alertmanager delivers to the console, and whoever is on duty is told."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientSession

from deploy.asterisk.ports import free_port
from deploy.portable import Tool, ToolMissing, ensure
from hotline import accounts, notice_rows, roster_rows
from hotline.config import Config
from hotline.database import Pool, connected, transaction
from hotline.feed import Feed
from hotline.notice_rows import Channel
from hotline.notices import NoticeDesk
from hotline.roster import Role as Part
from hotline.roster import Shift
from hotline.services import Services
from routing.cases import Role
from tests.hotline.console.conftest import Clock, Site
from tests.hotline.console.staff import hire

CONFIG = Path(__file__).resolve().parents[3] / "deploy" / "prometheus" / "alertmanager.yml"
SUMMARY = "mayor: nobody sits at the line; callers reach nobody."
ALERT = {
    "labels": {"alertname": "HotlineLineWithoutOperator", "severity": "page", "line": "mayor"},
    "annotations": {"summary": SUMMARY, "summary_zh": "mayor：线路无人值守，来电无人接听。"},
}


def tool(name: str) -> Tool:
    try:
        return ensure("amtool" if name == "amtool" else "alertmanager")
    except ToolMissing as error:
        pytest.skip(str(error))


def test_amtool_finds_no_fault_in_the_configuration() -> None:
    amtool = tool("amtool")
    done = subprocess.run(  # noqa: S603 - a tool of our own set-up
        [*amtool.argv, "check-config", str(CONFIG)],
        env=dict(amtool.env) or None,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def token(services: Services) -> str:
    """Of a user who looks after the service, for a program."""
    user = await hire(services, "monitor", Role.ADMINISTRATOR)
    async with transaction(services.pool) as tx:
        made = await accounts.make_token(
            *(tx, user.id),
            name="alertmanager",
            roles=frozenset({Role.ADMINISTRATOR}),
            lasts=timedelta(days=30),
            by="test",
            now=services.clock(),
        )
    return made.text


SHARE, HERE = b"/usr/share/prometheus/alertmanager", b"/proc/self/cwd/alertmanager-assets"


def started_from(folder: Path, binary: Tool) -> tuple[str, ...]:
    """The command, for a process whose working directory is the folder.

    Debian's build has its templates at one fixed place; unpacked elsewhere, it is told another that
    is as long.
    """
    if binary.prefix is None:
        return binary.argv
    assets = binary.prefix / SHARE.decode().removeprefix("/")
    (folder / "alertmanager-assets").symlink_to(assets.absolute())
    moved = folder / "alertmanager"
    moved.write_bytes(Path(binary.argv[-1]).read_bytes().replace(SHARE, HERE))
    moved.chmod(0o700)
    return (*binary.argv[:-1], str(moved))


@asynccontextmanager
async def alertmanager(folder: Path, url: str, secret: str) -> AsyncIterator[str]:
    """A real one with the shipped configuration: only where it sends, and how soon, is ours."""
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    (folder / "token").write_text(secret)
    hook = config["receivers"][0]["webhook_configs"][0]
    hook["url"] = f"{url.rstrip('/')}/api/alerts"
    hook["http_config"]["authorization"]["credentials_file"] = str(folder / "token")
    config["route"] |= {"group_wait": "10ms", "group_interval": "10ms"}
    (folder / "alertmanager.yml").write_text(json.dumps(config))
    binary, port = tool("alertmanager"), free_port()
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *started_from(folder, binary),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            cwd=folder,
            env=dict(binary.env) or None,
            stdout=log,
            stderr=log,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            await process.wait()


async def raised(address: str, **more: Any) -> None:
    """Tell Alertmanager of the alert, as Prometheus does; it may only just be starting."""
    async with ClientSession() as session, asyncio.timeout(30):
        while True:
            try:
                async with session.post(f"{address}/api/v2/alerts", json=[{**ALERT, **more}]) as it:
                    assert it.status == HTTPStatus.OK, await it.text()
                    return
            except OSError:
                await asyncio.sleep(0.05)  # nothing tells when its port is open


async def told(pool: Pool, event: str) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        while not (rows := await pool.fetch("SELECT body FROM journal WHERE event = $1", event)):
            pass  # each look is a round trip to the database
    return [json.loads(row["body"]) for row in rows]


async def test_an_alert_comes_from_a_real_alertmanager_to_those_on_duty(
    services: Services, site: Site, clock: Clock, database: str, tmp_path: Path
) -> None:
    pool, now = services.pool, clock()
    secret = await token(services)
    await hire(services, "zhang", Role.DUTY_OFFICER, extension="1001")
    rule = {"events": ["alert.*"], "by": ["sms"], "to": "on_duty"}
    way = {"kind": "sms", "name": "sms", "url": "http://127.0.0.1:9", "body": '{"to": "{to}"}'}
    config = Config(data_dir=tmp_path, destinations=[way], notices=[rule])  # type: ignore[arg-type]
    desk = NoticeDesk(
        config=config,
        pool=pool,
        feed=Feed(pool=pool, connect=lambda: connected(database)),
        clock=clock,
    )
    async with transaction(pool) as tx:
        for seat in ("1001", "1002"):
            shift = Shift(
                line="duty",
                role=Part.OFFICER,
                operator=seat,
                starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(hours=1 if seat == "1001" else -0.5),
            )
            await roster_rows.enter(tx, shift, "test", now)
        await notice_rows.keep_address(
            tx, holder="zhang", channel=Channel.SMS, address="13890115678", by="test", at=now
        )
    await desk.read()
    async with alertmanager(tmp_path, site.url, secret) as address:
        await raised(address)
        (fired,) = await told(pool, "alert.firing")
        await raised(address, endsAt=datetime.now(UTC).isoformat())
        (over,) = await told(pool, "alert.over")
    assert (fired["name"], fired["severity"], fired["line"], fired["summary"]) == (
        *("HotlineLineWithoutOperator", "page", "mayor", SUMMARY),
    )
    assert over["fingerprint"] == fired["fingerprint"]
    await desk.read()
    async with transaction(pool) as conn:
        notices = await notice_rows.listed(conn, limit=10)
    assert {(it.event, it.holder) for it in notices} == {
        ("alert.firing", "zhang"),
        ("alert.over", "zhang"),
    }


async def test_what_comes_twice_is_told_once_until_it_is_to_be_told_again(
    services: Services, site: Site, clock: Clock
) -> None:
    visitor = site.visitor()
    visitor.headers["Authorization"] = f"Bearer {await token(services)}"
    one = {**ALERT, "status": "firing", "fingerprint": "ab12", "startsAt": clock().isoformat()}
    body = {"version": "4", "alerts": [one], "groupKey": "x", "truncatedAlerts": 0}

    async def sent() -> int:
        async with visitor.post("/api/alerts", json=body) as answer:
            assert answer.status == HTTPStatus.OK, await answer.text()
            return int((await answer.json())["told"])

    assert [await sent(), await sent()] == [1, 0]
    clock.forward(minutes=30)
    assert [await sent(), await sent()] == [1, 0]
    one["status"] = "resolved"
    assert [await sent(), await sent()] == [1, 0]
    clock.forward(minutes=30)
    assert await sent() == 0
