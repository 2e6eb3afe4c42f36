"""`hotline users` as somebody at the server types it."""

import json
from pathlib import Path

import pytest

from hotline import passwords
from hotline.database import Pool
from tests.hotline import city
from tests.hotline.test_cli import Run, run

__all__ = ["run"]
SECRET = "铁塔-river-47"


@pytest.fixture
def at_home(tmp_path: Path, database: str) -> Path:
    seat = '[[operators]]\nextension = "1001"\nbadge = "1086"\n'
    city.build(tmp_path, dsn=database, ami_port=1, extra=seat)
    file = tmp_path / "password"
    file.write_text(SECRET + "\n", encoding="utf-8")
    return file


async def test_users_are_added_listed_changed_reset_and_deactivated(
    run: Run, at_home: Path, pool: Pool
) -> None:
    secret = ("--password-file", str(at_home))
    assert await run("users", "list") == (0, "There is no user yet.\n")
    status, said = await run("users", "add", "li", "--role", "operator", *secret)
    assert (status, said) == (1, "The first user must be an administrator.\n")
    boss = ("users", "add", "boss", "--role", "administrator", "--extension", "1001")
    assert await run(*boss, *secret) == (0, "User boss was added.\n")
    unit = ("--role", "unit", "--unit", "市水务（集团）有限公司", "--name", "张三丰", "--head")
    assert (await run("users", "add", "zhang", *unit, *secret))[0] == 0
    status, said = await run("users", "list")
    assert status == 0
    assert "boss" in said
    assert "张**" in said
    assert "三丰" not in said
    assert (await run("users", "change", "zhang", "--role", "auditor", "--unit", ""))[0] == 0
    assert (await run("users", "reset", "zhang", *secret))[0] == 0
    assert (await run("users", "deactivate", "zhang"))[0] == 0
    row = await pool.fetchrow("SELECT * FROM users WHERE login = 'zhang'")
    assert row is not None
    assert (row["roles"], row["unit"], row["active"]) == (["auditor"], None, False)
    assert row["must_change"] is True
    assert row["is_head"] is True
    assert await passwords.fits(SECRET, row["password"])
    assert (await run("users", "deactivate", "zhang", "--again"))[0] == 0
    status, said = await run("users", "deactivate", "boss")
    assert (status, said) == (1, "boss is the last administrator: make another one first.\n")
    rows = await pool.fetch("SELECT event, body FROM journal ORDER BY id")
    assert [row["event"] for row in rows] == [
        "user.added",
        "user.added",
        "user.changed",
        "user.password_reset",
        "user.deactivated",
        "user.activated",
    ]
    told = json.dumps([row["body"] for row in rows], ensure_ascii=False)
    assert SECRET not in told
    assert "三丰" not in told


async def test_a_token_is_printed_once_and_kept_as_a_hash(
    run: Run, at_home: Path, pool: Pool
) -> None:
    boss = ("users", "add", "boss", "--role", "administrator", "--role", "leader")
    await run(*boss, "--password-file", str(at_home))
    status, said = await run("users", "token", "boss", "--name", "wall", "--role", "leader")
    assert status == 0
    token = said.strip()
    assert token.startswith("hotline_1_")
    row = await pool.fetchrow("SELECT * FROM api_tokens")
    assert row is not None
    assert row["roles"] == ["leader"]
    assert token.rpartition("_")[2].encode() not in row["secret"]
    status, said = await run("users", "token", "boss", "--name", "x", "--role", "operator")
    assert (status, said) == (1, "roles: boss holds only administrator, leader.\n")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "Boss", "--role", "administrator"), "login: 2 to 40 small letters"),
        (("add", "boss"), "roles: a user needs one"),
        (("add", "boss", "--role", "administrator", "--extension", "77"), "extension: the"),
        (("add", "boss", "--role", "unit", "--unit", "没有"), "unit: the city's directory"),
        (("change", "nobody", "--role", "leader"), "There is no user nobody."),
        (("deactivate", "nobody"), "There is no user nobody."),
    ],
)
async def test_what_does_not_fit_is_one_sentence(
    run: Run, at_home: Path, words: tuple[str, ...], sentence: str
) -> None:
    more = ("--password-file", str(at_home)) if words[0] == "add" else ()
    status, said = await run("users", *words, *more)
    assert status == 1
    assert said.startswith(sentence)
    assert said.count("\n") == 1


@pytest.mark.usefixtures("at_home")
async def test_no_command_takes_a_password_from_the_command_line(run: Run) -> None:
    status, _ = await run("users", "add", "boss", "--role", "administrator", "--password", SECRET)
    assert status == 2


async def test_a_password_file_that_cannot_be_read_is_said(run: Run, at_home: Path) -> None:
    gone = str(at_home) + ".gone"
    words = ("users", "add", "boss", "--role", "administrator", "--password-file", gone)
    assert await run(*words) == (1, f"The password file {gone} cannot be read.\n")
