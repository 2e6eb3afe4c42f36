"""Real callers and operators for the tests: SIPp with scenarios built here, tones built here."""

import asyncio
import itertools
import math
import os
import socket
import wave
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from deploy.asterisk.ports import free_port
from deploy.portable import Tool

RATE = 8000
LOOPBACK = "127.0.0.1"


def tone(hertz: float, seconds: float, loud: float = 0.3) -> list[int]:
    return [
        int(32767 * loud * math.sin(2 * math.pi * hertz * n / RATE))
        for n in range(int(RATE * seconds))
    ]


def alaw(samples: Sequence[int]) -> bytes:
    """G.711 A-law (ITU-T G.711, table 1a), even bits inverted."""
    return bytes(_alaw_byte(sample) for sample in samples)


def _alaw_byte(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(abs(sample) >> 3, 4095)
    exponent = max(magnitude.bit_length() - 5, 0)
    mantissa = (magnitude >> max(exponent, 1)) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


def power(samples: Sequence[int], hertz: float) -> float:
    """Goertzel: the mean square of one frequency in the samples."""
    omega = 2 * math.pi * hertz / RATE
    coefficient = 2 * math.cos(omega)
    before, last = 0.0, 0.0
    for sample in samples:
        before, last = last, sample + coefficient * last - before
    energy = last**2 + before**2 - coefficient * last * before
    return 2 * energy / max(len(samples), 1) ** 2


def samples(path: Path) -> list[int]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        data = file.readframes(file.getnframes())
    return [int.from_bytes(data[n : n + 2], "little", signed=True) for n in range(0, len(data), 2)]


SDP = """v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio {port} RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=ptime:20
"""

INVITE = """INVITE sip:{number}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: {name}<sip:{caller}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:{caller}@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

"""

REQUEST = """{method} sip:{number}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch{less}]
From: {name}<sip:{caller}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: {cseq}
Max-Forwards: 70
Content-Length: 0

"""

REPLY = """SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]o[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
"""

OK = """SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

"""

BYE_BACK = """BYE [$contact] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$to];tag=[pid]o[call_number]
To:[$from]
[last_Call-ID:]
CSeq: 1 BYE
Max-Forwards: 70
Content-Length: 0

"""

#: What an operator's telephone remembers of the INVITE, to end it by its own BYE or by 487.
INVITED = """<recv request="INVITE" crlf="true"><action>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
<ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="contact"/>
<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="cseq"/>
</action></recv>
<Reference variables="from,to,contact,cseq"/>"""


def send(text: str, extra: str = "") -> str:
    return f"<send {extra}><![CDATA[\n{text}]]></send>"


def pause(seconds: float) -> str:
    return f'<pause milliseconds="{int(seconds * 1000)}"/>'


def stream(sound: Path | None) -> str:
    if sound is None:
        return ""
    return f'<nop><action><exec rtp_stream="{escape(str(sound))},1,8,PCMA/8000"/></action></nop>'


def port_of(sound: Path | None) -> str:
    return "[rtpstream_audio_port]" if sound else "[media_port]"


def scenario(*steps: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="test">\n{}\n</scenario>\n'.format(
            "\n".join(steps)
        )
    )


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A citizen: dials, speaks, hangs up."""

    number: str
    caller: str = "13800001111"
    name: str = ""
    sound: Path | None = None
    talk_seconds: float = 3.0
    hangs_up: bool = True  # else waits for the other side's BYE
    gives_up_after: float | None = None  # seconds in the queue before CANCEL or BYE
    answered_early: bool = True  # the line answers before the queue
    refused: int | None = None  # expects this final status instead of an answer

    def steps(self) -> str:
        words = {"number": self.number, "caller": self.caller, "name": self.name}

        def request(method: str, cseq: str, less: str = "", tag: str = "[peer_tag_param]") -> str:
            return REQUEST.format(**words, method=method, cseq=cseq, less=less, tag=tag)

        begin = [
            send(INVITE.format(**words) + SDP.format(port=port_of(self.sound)), 'retrans="500"'),
            '<recv response="100" optional="true"/>',
            '<recv response="180" optional="true"/>',
            '<recv response="183" optional="true"/>',
        ]
        if self.refused is not None:
            ack = send(request("ACK", "1 ACK", less="-5"))
            return scenario(*begin, f'<recv response="{self.refused}"/>', ack)
        if self.gives_up_after is not None and not self.answered_early:
            cancel = request("CANCEL", "1 CANCEL", less="-4", tag="")
            return scenario(
                *begin[:2],
                '<recv response="183"/>',
                pause(self.gives_up_after),
                send(cancel, 'retrans="500"'),
                '<recv response="200"/>',
                '<recv response="487"/>',
                send(request("ACK", "1 ACK", less="-7")),
            )
        ack = send(request("ACK", "1 ACK"))
        answered = [*begin, '<recv response="200"/>', ack, stream(self.sound)]
        if not self.hangs_up:
            return scenario(*answered, '<recv request="BYE"/>', send(OK))
        seconds = self.talk_seconds if self.gives_up_after is None else self.gives_up_after
        bye = send(request("BYE", "2 BYE"), 'retrans="500"')
        return scenario(*answered, pause(seconds), bye, '<recv response="200"/>')


@dataclass(frozen=True, kw_only=True)
class Telephone:
    """An operator's telephone: rings, answers, speaks; or only rings."""

    sound: Path | None = None
    rings_seconds: float = 0.5
    answers: bool = True
    talk_seconds: float = 3.0
    hangs_up: bool = False

    def steps(self) -> str:
        ringing = send(REPLY.format(status="180 Ringing") + "Content-Length: 0\n\n")
        begin = [INVITED, ringing]
        if not self.answers:
            gone = REPLY.format(status="487 Request Terminated") + "Content-Length: 0\n\n"
            gone = gone.replace("[last_CSeq:]", "CSeq: [$cseq] INVITE")
            cancelled = ['<recv request="CANCEL"/>', send(OK), send(gone, 'retrans="500"')]
            return scenario(*begin, *cancelled, '<recv request="ACK"/>')
        head = REPLY.format(status="200 OK") + "Content-Type: application/sdp\n"
        head += "Content-Length: [len]\n\n"
        answered = [
            *begin,
            pause(self.rings_seconds),
            send(head + SDP.format(port=port_of(self.sound)), 'retrans="500"'),
            '<recv request="ACK" rtd="true" crlf="true"/>',
            stream(self.sound),
        ]
        if self.hangs_up:
            bye = send(BYE_BACK, 'retrans="500"')
            return scenario(*answered, pause(self.talk_seconds), bye, '<recv response="200"/>')
        return scenario(*answered, '<recv request="BYE"/>', send(OK))


REGISTER = """REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{extension}@[remote_ip]>;tag=[pid]r[call_number]
To: <sip:{extension}@[remote_ip]>
Call-ID: [call_id]
CSeq: {cseq} REGISTER
Contact: <sip:{extension}@{contact}>
Expires: 300
Max-Forwards: 70
{authorization}Content-Length: 0

"""


def registration(extension: str, secret: str, contact: str, *, last: int = 200) -> str:
    """A telephone that signs on with its secret and expects `last` as the final answer."""
    words = {"extension": extension, "contact": contact}
    proof = f"[authentication username={extension} password={secret}]\n"
    return scenario(
        send(REGISTER.format(**words, cseq=1, authorization=""), 'retrans="500"'),
        '<recv response="401" auth="true"/>',
        send(REGISTER.format(**words, cseq=2, authorization=proof), 'retrans="500"'),
        f'<recv response="{last}"/>',
    )


MEDIA_BLOCKS = range(6000, 12000, 20)  # below the demo's telephones and the kernel's own ports
PORT_TAKEN = 254  # SIPp could not bind a port; it has sent nothing
_turns = itertools.count()


class Sipp:
    """Runs scenarios; each run gets a folder, a SIP port and a media port of its own."""

    def __init__(self, tool: Tool, folder: Path) -> None:
        self.tool, self.folder = tool, folder
        self.count = 0
        self.started: list[asyncio.subprocess.Process] = []
        folder.mkdir(parents=True, exist_ok=True)

    async def start(
        self,
        steps: str,
        *words: str,
        port: int | None = None,
        calls: int = 1,
        address: str = LOOPBACK,
    ) -> asyncio.subprocess.Process:
        self.count += 1
        file = self.folder / f"scenario-{self.count}.xml"
        file.write_text(steps, encoding="utf-8")
        media = _free_media_port()
        argv = [*self.tool.argv, *words, "-sf", str(file), "-m", str(calls)]
        argv += ["-i", address, "-mi", LOOPBACK, "-p", str(port or free_port(socket.SOCK_DGRAM))]
        argv += ["-mp", str(media), "-nostdin", "-timeout", "60s", "-timeout_error"]
        argv += ["-trace_err", "-error_file", str(file.with_suffix(".errors"))]
        with file.with_suffix(".out").open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=self.folder,
                env={**os.environ, **self.tool.env, "TERM": "dumb"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.started.append(process)
        return process

    async def close(self) -> None:
        """End whoever is still on the line, as after a test that failed."""
        for process in self.started:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def operator(
        self, telephone: Telephone, port: int, calls: int = 1
    ) -> asyncio.subprocess.Process:
        return await self.listen(telephone.steps(), port, calls)

    async def listen(self, steps: str, port: int, calls: int = 1) -> asyncio.subprocess.Process:
        process = await self.start(steps, port=port, calls=calls)
        async with asyncio.timeout(10):
            while not _is_bound(port):
                assert process.returncode is None, "SIPp ended before it listened"
                await asyncio.sleep(0.02)
        return process

    async def call(self, caller: Caller, sip_port: int, *words: str) -> int:
        return await self.dial(caller.steps(), sip_port, *words)

    async def dial(self, steps: str, sip_port: int, *words: str) -> int:
        # Asterisk repeats its 183 while the caller waits; SIPp is not to end the call for it.
        patient = ("-default_behaviors", "all,-abortunexp")
        status = PORT_TAKEN
        for _ in range(3):
            # Somebody else may take the port between the look at it and SIPp's start.
            process = await self.start(steps, f"{LOOPBACK}:{sip_port}", *patient, *words)
            status = await process.wait()
            if status != PORT_TAKEN:
                break
        return status


def _free_media_port() -> int:
    """The next block in turn, so that two who start at once never take the same."""
    for _ in MEDIA_BLOCKS:
        port = MEDIA_BLOCKS[(os.getpid() + next(_turns)) % len(MEDIA_BLOCKS)]
        with _bound(port) as free, _bound(port + 2) as also:
            if free and also:
                return port
    raise OSError("no media port is free")


@contextmanager
def _bound(port: int) -> Iterator[bool]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            yield False
        else:
            yield True


def _is_bound(port: int) -> bool:
    with _bound(port) as free:
        return not free
