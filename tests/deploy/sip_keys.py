"""Callers and telephones that press keys: SIPp scenarios with SIP INFO, built on `sip_calls`."""

from dataclasses import dataclass
from pathlib import Path

from tests.deploy.sip_calls import (
    BYE_BACK,
    INVITE,
    INVITED,
    OK,
    REPLY,
    REQUEST,
    SDP,
    pause,
    port_of,
    scenario,
    send,
    stream,
)

CALLERS_KEY = """INFO sip:{number}@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:{caller}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:{number}@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: {cseq} INFO
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=160
"""

ANSWERERS_KEY = BYE_BACK.replace("BYE", "INFO").replace(
    "Content-Length: 0\n\n",
    "Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal=1\nDuration=160\n",
)


@dataclass(frozen=True, kw_only=True)
class Presser:
    """A caller who presses keys, each after so many seconds, and waits for the end."""

    keys: tuple[tuple[float, str], ...] = ()
    caller: str = "13800001111"
    number: str = "12345"
    sound: Path | None = None
    hangs_up_after: float | None = None  # seconds after the last key; None: waits for the BYE

    def steps(self) -> str:
        words = {"number": self.number, "caller": self.caller, "name": ""}
        tag = "[peer_tag_param]"
        ack = REQUEST.format(**words, method="ACK", cseq="1 ACK", less="", tag=tag)
        steps = [
            send(INVITE.format(**words) + SDP.format(port=port_of(self.sound)), 'retrans="500"'),
            '<recv response="100" optional="true"/>',
            '<recv response="180" optional="true"/>',
            '<recv response="183" optional="true"/>',
            '<recv response="200"/>',
            send(ack),
            stream(self.sound),
        ]
        for n, (after, key) in enumerate(self.keys, 2):
            said = CALLERS_KEY.format(**words, cseq=n, key=key)
            steps += [pause(after), send(said, 'retrans="500"'), '<recv response="200"/>']
        if self.hangs_up_after is None:
            return scenario(*steps, '<recv request="BYE"/>', send(OK))
        bye = REQUEST.format(**words, method="BYE", cseq="99 BYE", less="", tag=tag)
        return scenario(
            *steps,
            pause(self.hangs_up_after),
            send(bye, 'retrans="500"'),
            '<recv response="200"/>',
        )


def presses_one(after: float) -> str:
    """A telephone that answers, presses 1 after so many seconds, and waits for the end."""
    head = REPLY.format(status="200 OK") + "Content-Type: application/sdp\n"
    head += "Content-Length: [len]\n\n"
    return scenario(
        INVITED,
        send(REPLY.format(status="180 Ringing") + "Content-Length: 0\n\n"),
        send(head + SDP.format(port=port_of(None)), 'retrans="500"'),
        '<recv request="ACK" rtd="true" crlf="true"/>',
        stream(None),
        pause(after),
        send(ANSWERERS_KEY, 'retrans="500"'),
        '<recv response="200"/>',
        '<recv request="BYE"/>',
        send(OK),
    )
