"""A citizen's call rings in the page, is answered there by a click, and both hear each other."""

import asyncio
import hashlib
import os
import re
import signal
import socket
import time

import pytest
import pytest_asyncio

from deploy.asterisk.browser_plan import BACK_SECONDS, LOST_SECONDS
from telephony.seating import LOGGED_OUT_REASON, seated
from tests.acceptance.browser_desk import CITIZEN_HZ, OPERATOR_HZ, SEAT, BrowserDesk
from tests.hotline.console.app.seats import shows
from tests.phones.softphones import HEARD, SILENT

DRAFT = "写到一半的诉求"
WRITTEN = f"document.getElementById('move-summary')?.value === '{DRAFT}'"

pytestmark = [pytest.mark.acceptance, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def _quiet(desk: BrowserDesk) -> None:
    await desk.begin()


async def test_a_call_rings_in_the_page_and_both_hear_each_other(desk: BrowserDesk) -> None:
    call = await desk.answered_call()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,), no=(700,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert await desk.hears(700) < SILENT
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)
    await desk.until("registered")


async def test_a_reload_in_the_middle_of_a_call_brings_the_citizen_back(desk: BrowserDesk) -> None:
    call, returns = await desk.answered_call(), desk.returns()
    await desk.page.write("#move-summary", DRAFT)
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.tab.reload(wait_until="commit")
    began = time.monotonic()
    await desk.until("talking")
    took = time.monotonic() - began
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert not desk.citizen.has("gone", call=call)
    assert desk.returns() == returns + 1
    assert took < LOST_SECONDS, "the page itself said that it was loaded anew"
    await desk.page.until(WRITTEN)
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)
    stored = await desk.stored()
    assert (stored["outcome"], stored["operator"], stored["hangup_by"]) == (
        "answered",
        SEAT,
        "operator",
    )
    talk = (stored["talk_ended_at"] - stored["answered_at"]).total_seconds()
    assert min(stored["recorded"]) > talk - 1.0  # while he was brought back nobody spoke
    assert await desk.differences() == []


async def test_the_service_starts_anew_and_the_call_goes_on(desk: BrowserDesk) -> None:
    call, returns = await desk.answered_call(), desk.returns()
    await desk.page.write("#move-summary", DRAFT)
    await desk.service.kill()
    await desk.page.until("document.querySelector('.phone').dataset.linked === 'false'")
    assert await desk.state() == "talking"
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    await desk.service.start()
    await desk.page.until("document.querySelector('.phone').dataset.linked === 'true'")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert await desk.state() == "talking"
    assert desk.returns() == returns
    assert await desk.page.run(WRITTEN)
    await desk.citizen.order("hang_up", call=call)  # the page hears of it: its way is known again
    await desk.until("ended")
    await desk.page.until(shows("没有通话"))  # by the feed, which came again by itself
    assert await desk.page.run(WRITTEN)


async def test_an_exchange_not_heard_for_a_moment_ends_no_call(desk: BrowserDesk) -> None:
    call, returns = await desk.answered_call(), desk.returns()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    pid = desk.asterisk.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # as a network that is away: neither sound nor SIP, either way
    try:
        async with asyncio.timeout(LOST_SECONDS - 1):
            while await desk.hears(CITIZEN_HZ) > SILENT:
                pass  # each look lasts a second
    finally:
        os.kill(pid, signal.SIGCONT)
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    assert (await desk.state(), desk.returns()) == ("talking", returns)
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)


async def test_a_citizen_whose_operator_is_gone_for_good_is_first_in_the_queue(
    desk: BrowserDesk,
) -> None:
    """The page is closed and does not come back soon: found by its silence, kept for the next."""
    call, returns = await desk.answered_call(), desk.returns()
    await desk.page.open("about:blank")
    async with asyncio.timeout(LOST_SECONDS + 10):
        while desk.returns() == returns:  # noqa: ASYNC110 - Asterisk's own record rings no bell
            await asyncio.sleep(0.1)
    await desk.citizen.hears(call, no=(OPERATOR_HZ,))
    queued = desk.queue_log("ENTERQUEUE")
    async with asyncio.timeout(BACK_SECONDS + 10):
        while desk.queue_log("ENTERQUEUE") == queued:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
    assert not desk.citizen.has("gone", call=call)
    await desk.go("/seat")
    await desk.until("ringing")
    await desk.page.click(".phone .answer")
    await desk.until("talking")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)


async def test_hold_mute_and_keys(desk: BrowserDesk) -> None:
    call = await desk.answered_call()
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.click(".phone .mute")
    await desk.citizen.hears(call, no=(OPERATOR_HZ,))
    await desk.page.click(".phone .mute")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    await desk.page.click(".phone .hold")
    await desk.until("held")
    await desk.citizen.hears(call, no=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) < SILENT
    await desk.page.click(".phone .resume")
    await desk.until("talking")
    await desk.citizen.hears(call, yes=(OPERATOR_HZ,))
    assert await desk.hears(CITIZEN_HZ) > HEARD
    await desk.page.click(".phone .hang-up")
    await desk.citizen.until("gone", call=call)
    assert desk.page.wrong == []


async def test_the_desk_telephone_rings_where_it_is_chosen(desk: BrowserDesk) -> None:
    await desk.until("registered")
    told = await desk.post("/api/phone", {"chosen": "desk"})
    assert told["account"] is None
    members = {(one.interface, one.pause) for one in await seated(desk.reader)}
    assert members == {(f"PJSIP/{SEAT}", None)}
    told = await desk.post("/api/phone", {"chosen": "browser"})
    assert told["account"] is not None
    members = {(one.interface, one.pause) for one in await seated(desk.reader)}
    assert members == {(f"PJSIP/{SEAT}", LOGGED_OUT_REASON), (f"PJSIP/{SEAT}-web", None)}


async def test_a_browsers_password_serves_nobody_who_comes_another_way(desk: BrowserDesk) -> None:
    """Over UDP, where telephones stand, it is as wrong as any other; the desk's own is right."""
    secrets = desk.asterisk.secrets
    known = {SEAT: secrets.operators[SEAT], f"{SEAT}-web": secrets.browsers[SEAT]}
    statuses = {user: await _registering(desk, user, secret) for user, secret in known.items()}
    assert statuses[f"{SEAT}-web"] == 401
    assert statuses[SEAT] != 401


async def _registering(desk: BrowserDesk, user: str, secret: str) -> int:
    """What the exchange answers to a REGISTER over UDP with the right password."""
    port = desk.asterisk.exchange.sip_port
    loop, uri = asyncio.get_running_loop(), f"sip:127.0.0.1:{port}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.setblocking(False)
        own.bind(("127.0.0.2", 0))
        at = f"127.0.0.2:{own.getsockname()[1]}"
        proof, status = list[str](), 0
        for number in (1, 2):
            lines = (
                f"REGISTER {uri} SIP/2.0",
                f"Via: SIP/2.0/UDP {at};branch=z9hG4bK{user}{number};rport",
                f"From: <sip:{user}@127.0.0.1>;tag={user}",
                f"To: <sip:{user}@127.0.0.1>",
                f"Contact: <sip:{user}@{at}>",
                f"Call-ID: {user}-{at}",
                f"CSeq: {number} REGISTER",
                *(*proof, "Max-Forwards: 70", "Expires: 60", "Content-Length: 0", "", ""),
            )
            await loop.sock_sendto(own, "\r\n".join(lines).encode(), ("127.0.0.1", port))
            async with asyncio.timeout(10):
                answer = (await loop.sock_recv(own, 4096)).decode()
            status = int(answer.split()[1])
            if status != 401:
                break
            proof = [_digest(answer, user, secret, uri)]
    return status


def _digest(challenge: str, user: str, secret: str, uri: str) -> str:
    """The answer to a challenge (RFC 2617, with qop=auth)."""

    def md5(*parts: str) -> str:
        return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

    told = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.partition("WWW-Authenticate: ")[2]))
    realm, nonce = told["realm"], told["nonce"]
    proof = md5(md5(user, realm, secret), nonce, "00000001", "one", "auth", md5("REGISTER", uri))
    return (
        f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", '
        f'response="{proof}", algorithm=MD5, cnonce="one", opaque="{told["opaque"]}", '
        "qop=auth, nc=00000001"
    )
