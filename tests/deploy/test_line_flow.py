"""Both lines in full on the real exchange: who is rung when, what is asked, who is kept out."""

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.asterisk.config import AmiTls, Exchange, Line, Operator
from deploy.asterisk.ports import free_port, free_ports
from deploy.asterisk.process import Asterisk
from deploy.portable import Tool
from telephony import cel
from telephony.calls import CallEnded, CallTracker, Outcome
from telephony.events import System
from tests.calls.recorded import RULES
from tests.deploy.sip_calls import RATE, Caller, Sipp, Telephone, alaw, power, tone
from tests.deploy.sip_keys import Presser
from tests.deploy.test_asterisk_calls import cel_rows, closed, ended, event_types, notice

pytestmark = pytest.mark.acceptance

MAYOR = "12345"
CALLER = "13800001111"
NOTICE_SECONDS = 1.5


@dataclass(kw_only=True)
class Seats:
    """An exchange with seats whose telephones can be told what to do."""

    asterisk_tool: Tool
    sipp: Sipp
    folder: Path
    ports: dict[str, int] = field(default_factory=dict)

    def exchange(self, *lines: Line, **more: Any) -> Exchange:
        free = free_ports()
        seats = sorted({one for line in lines for group in line.groups for one in group})
        self.ports = {seat: free_port(socket.SOCK_DGRAM) for seat in seats}
        return Exchange(
            system="mianyang-1",
            run_dir=self.folder / "exchange",
            sip_port=free.sip,
            ami_port=free.ami,
            rtp_ports=free.rtp,
            lines=lines,
            operators=tuple(
                Operator(extension=seat, contact=f"sip:{seat}@127.0.0.1:{port}")
                for seat, port in self.ports.items()
            ),
            **more,
        )

    async def seat(self, extension: str, telephone: Telephone, calls: int = 20) -> None:
        await self.sipp.operator(telephone, self.ports[extension], calls=calls)

    async def press(self, presser: Presser, exchange: Exchange) -> int:
        patient = ("-default_behaviors", "all,-abortunexp")
        process = await self.sipp.start(presser.steps(), f"127.0.0.1:{exchange.sip_port}", *patient)
        return await process.wait()


@pytest.fixture
def seats(asterisk_tool: Tool, sipp: Sipp, tmp_path: Path) -> Seats:
    return Seats(asterisk_tool=asterisk_tool, sipp=sipp, folder=tmp_path)


def mayor(**words: Any) -> Line:
    return replace(
        Line(
            name="mayor",
            number=MAYOR,
            operators=("1001",),
            ring_seconds=3,
            max_wait_seconds=8,
            overflow_seconds=3,
        ),
        **words,
    )


def marks(exchange: Exchange, kind: str) -> list[str]:
    """What our dialplan wrote down under this word."""
    rows = [row for row in cel_rows(exchange) if row["eventtype"] == kind]
    return [row["extra"].removeprefix('{"extra":"').removesuffix('"}') for row in rows]


def rung(exchange: Exchange) -> dict[str, float]:
    """When each seat's telephone first rang, in seconds after the queue began."""
    rows = cel_rows(exchange)
    queued = next(
        float(row["eventtime"])
        for row in rows
        if (row["eventtype"], row["appname"]) == ("APP_START", "Queue")
    )
    first: dict[str, float] = {}
    for row in rows:
        if row["eventtype"] == "CHAN_START" and row["context"] == "from-operator":
            seat = row["channame"].removeprefix("PJSIP/").rpartition("-")[0]
            first.setdefault(seat, float(row["eventtime"]) - queued)
    return first


def queue_story(exchange: Exchange, event: str) -> list[str]:
    """Whom the queue names in its own log with this event."""
    rows = [line.split("|") for line in exchange.queue_log_file.read_text().splitlines()]
    return [row[3] for row in rows if row[4] == event]


def complaints(exchange: Exchange) -> list[str]:
    """What Asterisk's log says about sounds or about our dialplan."""
    text = (exchange.log_dir / "messages.log").read_text(errors="replace")
    words = ("does not exist", "Unable to open", "Improper", "ast_yyerror", "syntax error")
    return [line for line in text.splitlines() if any(word in line for word in words)]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - the files ring no bell
            await asyncio.sleep(0.05)


async def test_the_mayors_line_overflows_to_the_second_group_and_the_duty_officer(
    seats: Seats,
) -> None:
    exchange = seats.exchange(
        mayor(
            operators=("1001", "1004"),
            second_group=("1002",),
            duty_officers=("1003",),
            max_wait_seconds=20,
        )
    )
    async with Asterisk(exchange, seats.asterisk_tool):
        for seat in ("1001", "1004", "1002"):
            await seats.seat(seat, Telephone(answers=False))
        await seats.seat("1003", Telephone(rings_seconds=0.2))
        caller = Caller(number=MAYOR, talk_seconds=16)
        assert await seats.sipp.call(caller, exchange.sip_port) == 0
        await ended(exchange)
    first = rung(exchange)
    assert first["1001"] < 1
    assert 2.9 <= first["1002"] < 7
    assert 5.9 <= first["1003"] < 13
    assert queue_story(exchange, "CONNECT") == ["1003"]
    assert complaints(exchange) == []


async def test_the_duty_line_rings_two_together_then_the_leader_and_gives_up_never(
    seats: Seats,
) -> None:
    duty = Line(
        name="duty",
        number="2222345",
        operators=("1101", "1102"),
        second_group=("1103",),
        duty_officers=("1104",),
        rings="together",
        ring_seconds=2,
        overflow_seconds=2,
        max_wait_seconds=0,
    )
    exchange = seats.exchange(duty)
    async with Asterisk(exchange, seats.asterisk_tool):
        for seat in ("1101", "1102", "1103"):
            await seats.seat(seat, Telephone(answers=False))
        await seats.seat("1104", Telephone(rings_seconds=4.0))  # taken at the second ring only
        caller = Caller(number="2222345", talk_seconds=14)
        assert await seats.sipp.call(caller, exchange.sip_port) == 0
        await ended(exchange)
    first = rung(exchange)
    assert max(first["1101"], first["1102"]) < 1
    assert 1.9 <= first["1103"] < 5
    assert 3.9 <= first["1104"] < 9
    assert first["1103"] < first["1104"]
    assert queue_story(exchange, "EXITWITHTIMEOUT") == []
    assert complaints(exchange) == []


@pytest.mark.parametrize("answer", ["before_queue", "by_operator"])
async def test_whom_nobody_answers_leaves_a_message(seats: Seats, answer: Any) -> None:
    (seats.folder / "speech.al").write_bytes(
        alaw([*tone(440, 18), *([0] * RATE * 20)])  # speaks, then is silent
    )
    exchange = seats.exchange(
        mayor(
            answer=answer,
            takes_message=True,
            max_wait_seconds=2,
            silence_seconds=2,
            message_seconds=60,
        )
    )
    async with Asterisk(exchange, seats.asterisk_tool):
        await seats.seat("1001", Telephone(answers=False))
        caller = Presser(sound=seats.folder / "speech.al")
        assert await seats.press(caller, exchange) == 0
        await ended(exchange)
    assert marks(exchange, "UNANSWERED") == ["TIMEOUT"]
    assert marks(exchange, "MESSAGE") == ["mayor"]
    rows = cel_rows(exchange)
    began = next(float(row["eventtime"]) for row in rows if row["appname"] == "MixMonitor")
    beep = next(float(row["eventtime"]) for row in rows if row["eventtype"] == "MESSAGE") - began
    leg = await closed(exchange.recordings_dir / f"{rows[0]['uniqueid']}-caller.wav")
    said = leg[int((beep + 0.3) * RATE) : int((beep + 1.3) * RATE)]
    assert power(said, 440) > 3000**2
    # It ended by itself, once he was silent: not at the 60 s that a message may last.
    assert len(leg) / RATE < beep + 30
    assert complaints(exchange) == []


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (((6.0, "1"), (4.0, "3")), ["asked=", "solved=1", "satisfied=3"]),
        (((6.0, "2"),), ["asked=", "solved=2", "satisfied="]),
        ((), ["asked=", "solved=", "satisfied="]),
    ],
)
async def test_after_the_operator_has_hung_up_two_questions_are_asked(
    seats: Seats, keys: tuple[tuple[float, str], ...], told: list[str]
) -> None:
    exchange = seats.exchange(mayor(survey=True, survey_seconds=3))
    async with Asterisk(exchange, seats.asterisk_tool):
        await seats.seat("1001", Telephone(talk_seconds=1.0, hangs_up=True), calls=1)
        assert await seats.press(Presser(keys=keys), exchange) == 0
        await ended(exchange)
    assert marks(exchange, "SURVEY") == told
    assert queue_story(exchange, "COMPLETEAGENT") == ["1001"]
    assert "UNANSWERED" not in event_types(exchange)
    assert complaints(exchange) == []


async def test_who_hangs_up_in_the_survey_keeps_the_answer_given(seats: Seats) -> None:
    exchange = seats.exchange(mayor(survey=True))
    async with Asterisk(exchange, seats.asterisk_tool):
        await seats.seat("1001", Telephone(talk_seconds=1.0, hangs_up=True), calls=1)
        presser = Presser(keys=((6.0, "1"),), hangs_up_after=1.0)
        assert await seats.press(presser, exchange) == 0
        await ended(exchange)
    assert marks(exchange, "SURVEY") == ["asked=", "solved=1"]


async def test_no_survey_follows_where_the_caller_hung_up(seats: Seats) -> None:
    exchange = seats.exchange(mayor(survey=True))
    async with Asterisk(exchange, seats.asterisk_tool):
        await seats.seat("1001", Telephone(), calls=1)
        caller = Caller(number=MAYOR, talk_seconds=3)
        assert await seats.sipp.call(caller, exchange.sip_port) == 0
        await ended(exchange)
    assert marks(exchange, "SURVEY") == []
    assert queue_story(exchange, "COMPLETECALLER") == ["1001"]


def notice_heard(exchange: Exchange, call: int) -> bool:
    """Whether the notice was played before the recording began, by the time it takes."""
    starts: dict[str, float] = {}
    took: list[float] = []
    for row in cel_rows(exchange):
        if row["eventtype"] == "CHAN_START" and row["context"] == "from-trunk":
            starts[row["uniqueid"]] = float(row["eventtime"])
        if (row["eventtype"], row["appname"]) == ("APP_START", "MixMonitor"):
            took.append(float(row["eventtime"]) - starts[row["uniqueid"]])
    return took[call] >= NOTICE_SECONDS - 0.1


async def test_the_notice_is_spared_to_emergency_centres_and_to_who_was_cut_off(
    seats: Seats,
) -> None:
    played = notice(seats.folder / "notice.wav", NOTICE_SECONDS)
    line = mayor(notice=played, urgent_callers=("110", "119"), redial_within=60)
    exchange = seats.exchange(line)
    async with Asterisk(exchange, seats.asterisk_tool):
        for number in (CALLER, "8613800001111", "13900002222", "110", "1190"):
            caller = Caller(number=MAYOR, caller=number, talk_seconds=3)
            assert await seats.sipp.call(caller, exchange.sip_port) == 0, number
        await ended(exchange, calls=5)
    # The second is the first again, from another network; the last only looks like 119.
    assert [notice_heard(exchange, n) for n in range(5)] == [True, False, True, False, True]
    assert complaints(exchange) == []


def block(exchange: Exchange, number: str, seconds: float) -> None:
    """What the service does: an empty file whose time is the end of the block."""
    path = exchange.blocked_dir / number
    path.touch()
    os.utime(path, (time.time() + seconds,) * 2)


async def test_a_blocked_caller_is_told_and_can_insist(seats: Seats) -> None:
    line = mayor(
        second_group=("1002",), duty_officers=("1003",), redial_within=0, max_wait_seconds=5
    )
    exchange = seats.exchange(line, block_list=True)
    async with Asterisk(exchange, seats.asterisk_tool):
        for seat in ("1001", "1002", "1003"):
            await seats.seat(seat, Telephone(rings_seconds=0.2))
        block(exchange, CALLER, 600)
        block(exchange, "13900002222", -1)  # its time is over
        silent = Presser(keys=())
        assert await seats.press(silent, exchange) == 0
        await ended(exchange, calls=1)
        assert marks(exchange, "REFUSED") == ["blocked"]
        assert queue_story(exchange, "ENTERQUEUE") == []
        insists = Presser(keys=((3.0, "1"),), hangs_up_after=3.0)
        assert await seats.press(insists, exchange) == 0
        await ended(exchange, calls=2)
        assert marks(exchange, "INSISTED") == ["blocked"]
        assert queue_story(exchange, "CONNECT") == ["1003"]  # the duty officer, nobody before
        free = Caller(number=MAYOR, caller="13900002222", talk_seconds=3)
        assert await seats.sipp.call(free, exchange.sip_port) == 0
        await ended(exchange, calls=3)
    assert queue_story(exchange, "CONNECT") == ["1003", "1001"]
    assert marks(exchange, "REFUSED") == ["blocked", "blocked"]  # told to both, before they press
    assert complaints(exchange) == []


async def test_a_blocked_caller_who_rings_again_at_once_is_put_through(seats: Seats) -> None:
    exchange = seats.exchange(mayor(redial_within=60), block_list=True)
    async with Asterisk(exchange, seats.asterisk_tool):
        await seats.seat("1001", Telephone(rings_seconds=0.2))
        block(exchange, CALLER, 600)
        gives_up = Caller(number=MAYOR, talk_seconds=1.5)
        assert await seats.sipp.call(gives_up, exchange.sip_port) == 0
        again = Caller(number=MAYOR, talk_seconds=3)
        assert await seats.sipp.call(again, exchange.sip_port) == 0
        await ended(exchange, calls=2)
    assert marks(exchange, "INSISTED") == ["blocked"]
    assert queue_story(exchange, "CONNECT") == ["1001"]


async def test_one_number_has_so_many_calls_at_once_and_no_more(seats: Seats) -> None:
    exchange = seats.exchange(mayor(urgent_callers=("120",)), calls_per_caller=1)

    async def two(number: str, second: Caller) -> int:
        first = Caller(number=MAYOR, caller=number, talk_seconds=4)
        seen = event_types(exchange).count("APP_START")
        call: Awaitable[int] = asyncio.create_task(seats.sipp.call(first, exchange.sip_port))
        await until(lambda: event_types(exchange).count("APP_START") >= seen + 2)
        status = await seats.sipp.call(second, exchange.sip_port)
        assert await call == 0
        return status

    async with Asterisk(exchange, seats.asterisk_tool):
        crowd = Caller(number=MAYOR, caller=CALLER, refused=486)
        assert await two(CALLER, crowd) == 0
        centre = Caller(number=MAYOR, caller="120", talk_seconds=1)
        assert await two("120", centre) == 0
        withheld = Caller(number=MAYOR, caller="anonymous", talk_seconds=1)
        assert await two("anonymous", withheld) == 0
        await ended(exchange, calls=6)
    assert marks(exchange, "REFUSED") == ["crowd"]
    tracker = CallTracker(RULES)
    rows = exchange.cel_file.read_bytes().splitlines()
    facts = [fact for row in rows if (fact := cel.parse(row, System(exchange.system)))]
    told = [event for fact in facts for event in tracker.observe(fact)]
    outcomes = [event.call.outcome for event in told if isinstance(event, CallEnded)]
    assert outcomes.count(Outcome.BLOCKED) == 1  # the one whom the line had no room for
    assert len(outcomes) == 6
    assert complaints(exchange) == []


async def test_the_place_and_the_wait_are_told_in_mandarin(seats: Seats) -> None:
    exchange = seats.exchange(mayor(tells_place=True, max_wait_seconds=40, ring_seconds=30))
    async with Asterisk(exchange, seats.asterisk_tool):
        await seats.seat("1001", Telephone(answers=False))
        callers = [Caller(number=MAYOR, caller=f"1380000111{n}", talk_seconds=9) for n in range(2)]
        calls = [seats.sipp.call(caller, exchange.sip_port) for caller in callers]
        assert await asyncio.gather(*calls) == [0, 0]
        await ended(exchange, calls=2)
    assert complaints(exchange) == []
    legs = [await closed(path) for path in exchange.recordings_dir.glob("*-operator.wav")]
    for leg in legs:
        # Speech is louder than the tone and is not the tone.
        loudest = max(
            sum(s * s for s in leg[at : at + RATE]) / RATE - power(leg[at : at + RATE], 450) / 2
            for at in range(0, len(leg) - RATE, RATE // 2)
        )
        assert loudest > 1000**2


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ('"${SHELL(id)} $(x)" ', "%24%7BSHELL%28id%29%7D"),
        ('"a\\"b,c|d)" ', "1%29%5D%20%26%20%5B1%2F0"),
        ("", "..%2F..%2Fetc%2Fpasswd"),
        ("", "9" * 60),
    ],
)
async def test_no_callers_number_breaks_the_checks(seats: Seats, name: str, number: str) -> None:
    line = mayor(redial_within=60, urgent_callers=("110",))
    exchange = seats.exchange(line, block_list=True, calls_per_caller=3)
    async with Asterisk(exchange, seats.asterisk_tool):
        await seats.seat("1001", Telephone())
        caller = Caller(number=MAYOR, caller=number, name=name, talk_seconds=2)
        assert await seats.sipp.call(caller, exchange.sip_port) == 0
        await ended(exchange)
    assert queue_story(exchange, "CONNECT") == ["1001"]
    assert complaints(exchange) == []


async def test_ami_answers_over_tls_and_only_with_the_right_secret(seats: Seats) -> None:
    certificate, key = seats.folder / "ami.pem", seats.folder / "ami.key"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    made = await asyncio.create_subprocess_exec(
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject),
        *("-keyout", str(key), "-out", str(certificate)),
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert await made.wait() == 0
    tls = AmiTls(port=free_port(), certificate=certificate, key=key)
    exchange = seats.exchange(mayor(), ami_tls=tls)
    context = ssl.create_default_context(cafile=str(certificate))

    async def answer(secret: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", tls.port, ssl=context)
        version = writer.get_extra_info("ssl_object").version()
        assert version in ("TLSv1.2", "TLSv1.3")
        writer.write(f"Action: Login\r\nUsername: reader\r\nSecret: {secret}\r\n\r\n".encode())
        text = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        writer.close()
        return text.decode()

    async with Asterisk(exchange, seats.asterisk_tool) as asterisk:
        assert "Response: Success" in await answer(asterisk.secrets.reader)
        assert "Response: Error" in await answer("not-the-secret")
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", tls.port, ssl=ssl.create_default_context())
