"""Setting up a softphone: what is given in whose words, to whom, how often, and what is kept."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from hotline import phones, provisioning
from hotline.config import Config, Operator, Phones
from hotline.database import Connection
from hotline.errors import PhoneLinkGoneError, PhoneUnknownError
from hotline.phones import Telephone
from tests.phones.provisioned import by_linphone, by_microsip, read_linphone

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
SECRET = "p<a&s\"s;w'ord=1"
PHONE = Telephone(
    operator="1001",
    label="1086",
    server="10.0.0.5",
    port=5070,
    transport="tls",
    secret=SECRET,
    codecs=("PCMA", "PCMU"),
    srtp=True,
)


def configured(folder: Path, **more: object) -> Config:
    file = folder / "secrets.json"
    file.write_text(json.dumps({"reader": "r", "actor": "a", "operators": {"1001": SECRET}}))
    given = {"server": "10.0.0.5", "port": 5070, "secrets_file": file, "link_seconds": 60, **more}
    return Config(
        operators=tuple(Operator(extension=one, badge=one) for one in ("1001", "1002")),
        phones=Phones.model_validate(given),
    )


def test_each_make_reads_the_same_account(tmp_path: Path) -> None:
    for account in (by_linphone(PHONE), by_microsip(PHONE, tmp_path / "microsip.ini")):
        assert (account.user, account.server, account.transport, account.secret) == (
            *("1001", "10.0.0.5:5070", "tls", SECRET),
        )
    told = read_linphone(phones.linphone(PHONE))
    assert told["sip"]["media_encryption"] == "srtp"
    assert [told[f"audio_codec_{n}"]["mime"] for n in (0, 1)] == ["PCMA", "PCMU"]
    assert "audioCodecs=PCMA/8000/1 PCMU/8000/1" in phones.microsip(PHONE)
    assert "SRTP=mandatory" in phones.microsip(PHONE)
    for text in (phones.zoiper(PHONE), phones.anyphone(PHONE)):
        assert SECRET in text
        assert "10.0.0.5" in text
        assert "TLS" in text
    assert SECRET not in repr(PHONE)


def test_an_address_of_version_six_is_bracketed() -> None:
    phone = Telephone(
        operator="1001",
        label="",
        server="fd00::5",
        port=5060,
        transport="udp",
        secret="longenough",
        codecs=("PCMA",),
        srtp=False,
    )
    assert by_linphone(phone).server == "[fd00::5]:5060"


async def test_a_link_gives_the_settings_once_and_each_look_is_told_without_the_secret(
    conn: Connection, tmp_path: Path
) -> None:
    config = configured(tmp_path, public_url="https://hotline.example/x/")
    found = await provisioning.show(conn, config, "1001", by="1009", now=NOW)
    assert found.link.startswith("https://hotline.example/x/phones/")
    assert found.expires_at == NOW + timedelta(seconds=60)
    token = found.link.rpartition("/")[2]
    assert token not in repr(found)
    phone = await provisioning.fetch(conn, config, token, now=NOW + timedelta(seconds=59))
    assert (phone.secret, phone) == (SECRET, found.telephone)
    with pytest.raises(PhoneLinkGoneError):
        await provisioning.fetch(conn, config, token, now=NOW + timedelta(seconds=59))
    rows = await conn.fetch("SELECT actor, event, body FROM journal ORDER BY id")
    assert [(row["actor"], row["event"], json.loads(row["body"])) for row in rows] == [
        ("1009", "phone.provisioned", {"operator": "1001", "way": "shown"}),
        ("1009", "phone.provisioned", {"operator": "1001", "way": "link"}),
    ]
    kept = str([dict(row) for row in await conn.fetch("SELECT * FROM phone_links")])
    assert SECRET not in kept
    assert token not in kept


async def test_a_link_that_is_too_old_or_made_up_gives_nothing(
    conn: Connection, tmp_path: Path
) -> None:
    config = configured(tmp_path)
    found = await provisioning.show(conn, config, "1001", by="1001", now=NOW)
    token = found.link.rpartition("/")[2]
    for given, at in ((token, NOW + timedelta(seconds=60)), ("A" * 43, NOW)):
        with pytest.raises(PhoneLinkGoneError):
            await provisioning.fetch(conn, config, given, now=at)
    await provisioning.show(conn, config, "1001", by="1001", now=NOW + timedelta(days=2))
    assert await conn.fetchval("SELECT count(*) FROM phone_links") == 1


async def test_what_is_not_known_is_said_in_one_sentence_and_nothing_is_told(
    conn: Connection, tmp_path: Path
) -> None:
    torn = tmp_path / "torn.json"
    torn.write_text("{")
    for config, operator, sentence in (
        (configured(tmp_path), "1009", "no operator 1009"),
        (configured(tmp_path), "1002", "telephone 1002 is not known"),
        (configured(tmp_path, server=None), "1001", "where telephones register"),
        (configured(tmp_path, secrets_file=tmp_path / "none"), "1001", "No such file"),
        (configured(tmp_path, secrets_file=torn), "1001", "it is not such a file"),
    ):
        with pytest.raises(PhoneUnknownError, match=sentence):
            await provisioning.show(conn, config, operator, by="1001", now=NOW)
    assert await conn.fetchval("SELECT count(*) FROM journal") == 0
    assert await conn.fetchval("SELECT count(*) FROM phone_links") == 0


def test_a_password_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "1001"
    file.write_text("of-its-own\n")
    person = Operator.model_validate({"extension": "1001", "badge": "1", "secret_file": file})
    config = Config(operators=(person,), phones=Phones(server="10.0.0.5"))
    assert provisioning.telephone_of(config, "1001").secret == "of-its-own"
    assert "of-its-own" not in repr(config)
    with pytest.raises(ValidationError):
        Phones(public_url="javascript:alert(1)")
