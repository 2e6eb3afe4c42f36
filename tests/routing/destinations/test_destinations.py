"""Each way out against a real receiver; the webhook also against a library that reads it."""

import base64
import email
import json
from datetime import UTC, datetime
from email.policy import default
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Reader
from standardwebhooks.webhooks import WebhookVerificationError

from deploy.asterisk.ports import free_port
from routing.destinations.mail import Mail, MailServer, Security
from routing.destinations.notice import DeliveryError, Notice
from routing.destinations.sms import Form, Gateway, Sms
from routing.destinations.webhook import Webhook
from tests.routing.destinations.receivers import mail_box, program

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def notice(**more: Any) -> Notice:
    values: dict[str, Any] = {
        "id": "6f6c2f66-3bc0-4d34-92c1-000000000001",
        "at": datetime(2026, 11, 25, 2, 0, tzinfo=UTC),
        "event": "case.dispatched",
        "to": "13800000000",
        "subject": "新工单",
        "text": '请"签收"\n工单 & 办理',
        "facts": {"number": "20261125-0007", "unit": "市水务（集团）有限公司", "empty": None},
    }
    return Notice(**{**values, **more})


async def test_a_webhook_is_signed_as_the_specification_says() -> None:
    async with program() as told:
        await Webhook(url=told.url, secret=SECRET).send(notice())
    (heard,) = told.heard
    read = Reader(SECRET).verify(heard.body, heard.headers)
    assert read["type"] == "case.dispatched"
    assert read["data"]["number"] == "20261125-0007"
    assert heard.headers["webhook-id"] == notice().id
    with pytest.raises(WebhookVerificationError):
        Reader(SECRET).verify(heard.body.replace(b"0007", b"0008"), heard.headers)


@pytest.mark.parametrize(
    ("status", "final"), [(404, True), (410, True), (429, False), (500, False), (302, False)]
)
async def test_a_refused_webhook_says_whether_to_try_again(status: int, final: bool) -> None:  # noqa: FBT001
    async with program() as told:
        told.status = status
        with pytest.raises(DeliveryError) as refused:
            await Webhook(url=told.url, secret=SECRET).send(notice())
    assert refused.value.final is final
    assert str(status) in str(refused.value)


async def test_nobody_there_is_tried_again() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    for way in (
        Webhook(url=nowhere, secret=SECRET),
        Sms(Gateway(url=nowhere, body="{}")),
        Mail(_server(free_port())),
    ):
        with pytest.raises(DeliveryError, match="cannot be reached") as refused:
            await way.send(notice(to="a@example.org"))
        assert not refused.value.final


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "no base64!"])
def test_a_weak_or_wrong_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret"):
        Webhook(url="http://127.0.0.1/", secret=secret)


def _server(port: int) -> MailServer:
    return MailServer(
        host="127.0.0.1", port=port, security=Security.NONE, sender="hotline@example.org"
    )


async def test_a_mail_arrives_whole() -> None:
    async with mail_box() as box:
        await Mail(_server(box.port)).send(
            notice(to="unit@example.org", subject="新工单\r\nBcc: x@y")
        )
    (letter,) = box.letters
    assert letter.rcpt_tos == ["unit@example.org"]
    content = letter.content
    assert isinstance(content, bytes)
    read = email.message_from_bytes(content, policy=default)
    assert read["subject"] == "新工单 Bcc: x@y"
    assert read["bcc"] is None
    assert read["message-id"] == f"<{notice().id}@example.org>"
    body = read.get_body()
    assert body is not None
    assert '请"签收"' in body.get_content()


@pytest.mark.parametrize(("reply", "final"), [("550 unknown", True), ("450 busy", False)])
async def test_a_refused_recipient_says_whether_to_try_again(reply: str, final: bool) -> None:  # noqa: FBT001
    async with mail_box() as box:
        box.refuses["unit@example.org"] = reply
        with pytest.raises(DeliveryError) as refused:
            await Mail(_server(box.port)).send(notice(to="unit@example.org"))
    assert refused.value.final is final
    assert "unit@" not in str(refused.value)


async def test_what_is_no_address_is_not_tried_again() -> None:
    async with mail_box() as box:
        with pytest.raises(DeliveryError) as refused:
            await Mail(_server(box.port)).send(notice(to="no address\r\nRCPT TO:<x@y>"))
    assert refused.value.final
    assert not box.letters


async def test_a_gateway_gets_its_own_form_in_json() -> None:
    params = '["{number}", "{unit}", "{empty}", "{unknown}"]'
    body = f'{{"mobile": "{{to}}", "params": {params}, "t": "{{text}}"}}'
    async with program() as told:
        told.says = '{"code": 0}'
        gateway = Gateway(
            url=told.url + "?key={id}",
            body=body,
            headers={"Authorization": "k1"},
            accepted=r'"code":\s*0',
        )
        await Sms(gateway).send(notice())
    (heard,) = told.heard
    sent = json.loads(heard.body)
    assert sent["mobile"] == "13800000000"
    assert sent["params"] == ["20261125-0007", "市水务（集团）有限公司", "", ""]
    assert sent["t"] == '请"签收"\n工单 & 办理'
    assert heard.headers["authorization"] == "k1"
    assert heard.path.endswith(f"?key={notice().id}")


async def test_a_gateway_gets_its_own_form_as_a_form() -> None:
    async with program() as told:
        await Sms(Gateway(url=told.url, body="to={to}&msg={text}", form=Form.FORM)).send(notice())
    assert told.heard[0].body.decode().endswith("%26%20%E5%8A%9E%E7%90%86")
    assert told.heard[0].body.count(b"&") == 1


async def test_a_gateway_that_does_not_say_yes_is_asked_again() -> None:
    async with program() as told:
        told.says = '{"code": 17, "mobile": "13800000000"}'
        with pytest.raises(DeliveryError) as refused:
            await Sms(Gateway(url=told.url, body="{}", accepted=r'"code":\s*0\b')).send(notice())
    assert not refused.value.final
    assert "1380" not in str(refused.value)


def test_a_template_that_is_no_json_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        Sms(Gateway(url="http://127.0.0.1/", body='{"mobile": {to}'))
