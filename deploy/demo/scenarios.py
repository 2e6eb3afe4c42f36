"""SIPp scenarios for callers and operators, rendered as text; no I/O here.

Both ends start their speech at the same moment because on the demo's lines the caller's 200 OK
comes when the operator answers: each streams its own leg right after its ACK.

Three tricks: a `recv` with a timeout is how SIPp waits for "either this message or that much
time"; an operator's telephone finds the leg to speak by the caller's number in From; and the
answer to a CANCEL needs the INVITE's CSeq, so it is kept in a variable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

PROVISIONAL = (100, 180, 181, 182, 183)
REFUSALS = (403, 404, 408, 480, 486, 500, 503)
HEADERS = """\
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK[pid]c[call_number]{branch}
      From: {display}<sip:{caller}@[local_ip]:[local_port]>;tag=[pid]c[call_number]
      To: <sip:{number}@[remote_ip]:[remote_port]>{to_tag}
      Call-ID: [call_id]
      CSeq: {cseq}
      Contact: <sip:{caller}@[local_ip]:[local_port]>
      Max-Forwards: 70
"""
SDP = """\
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=demo 1 1 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [rtpstream_audio_port] RTP/AVP 8
      a=rtpmap:8 PCMA/8000
      a=ptime:20
      a=sendrecv
"""
ANSWER = """\
      SIP/2.0 {status}
      [last_Via:]
      [last_From:]
      [last_To:]{tag}
      [last_Call-ID:]
      {cseq}
      Contact: <sip:operator@[local_ip]:[local_port]>
"""
OWN_TAG = ";tag=[pid]o[call_number]"
EMPTY = "      Content-Length: 0\n"
LAST_CSEQ = "[last_CSeq:]"
INVITE_CSEQ = "CSeq: [$cseq] INVITE"
XML = '<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{body}</scenario>\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What one caller does: dials `number`, gives up or talks, hangs up or is hung up on.

    `gives_up_ms`: cancels if not answered so long after the exchange's last provisional answer,
    which is the end of its announcement (None: waits for ever).
    `talks_ms`: hangs up this long after the answer (None: waits for the other side's BYE).
    `refused`: the exchange is expected to end the call unanswered with a final error.
    """

    number: str
    caller: str
    audio: Path | None
    display: str = ""
    gives_up_ms: int | None = None
    talks_ms: int | None = None
    refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What every operator does when this number calls.

    `rings_ms`: picks up after so long (None: never). `talks_ms`: hangs up so long after the
    answer (None: leaves that to the caller).
    """

    caller: str
    audio: Path | None
    rings_ms: int | None = 1500
    talks_ms: int | None = None


def caller_scenario(caller: Caller) -> str:
    """Return the scenario of one call."""
    return XML.format(name="caller", body="".join(_caller_steps(caller)))


def operator_scenario(replies: Sequence[Reply]) -> str:
    """Return the scenario of operators who know what to say to each number."""
    return XML.format(name="operator", body="".join(_operator_steps(replies)))


def _send(text: str, *, retrans: bool = False, next_label: str | None = None) -> str:
    """One message to send; every line starts at the margin once SIPp has read it."""
    again = ' retrans="500"' if retrans else ""
    goes = f' next="{next_label}"' if next_label else ""
    return f"  <send{again}{goes}>\n    <![CDATA[\n\n{text}\n    ]]>\n  </send>\n"


def _stream(audio: Path | None) -> str:
    if audio is None:
        return ""
    return f"<exec rtp_stream={quoteattr(f'{audio},1,8,PCMA/8000')}/>"


def _headers(caller: Caller, cseq: str, *, to_tag: str = "", branch: str = "i") -> str:
    return HEADERS.format(
        display=f'"{caller.display}" ' if caller.display else "",
        caller=caller.caller,
        number=caller.number,
        cseq=cseq,
        to_tag=to_tag,
        branch=branch,
    )


def _request(method: str, caller: Caller, cseq: str, *, to_tag: str = "", branch: str = "i") -> str:
    """One request; CANCEL and the ACK of a refusal bear the INVITE's branch (RFC 3261, 9.1)."""
    uri = f"sip:{caller.number}@[remote_ip]:[remote_port]"
    return f"      {method} {uri} SIP/2.0\n" + _headers(caller, cseq, to_tag=to_tag, branch=branch)


def _caller_steps(caller: Caller) -> Sequence[str]:
    in_call = "[peer_tag_param]"
    steps = [_send(_request("INVITE", caller, "1 INVITE") + SDP, retrans=True)]
    give_up = caller.gives_up_ms
    patience = f' timeout="{give_up}" ontimeout="give_up"' if give_up is not None else ""
    # SIPp arms the timeout of the step it stands at, so each one bears it.
    steps += [f'  <recv response="{code}" optional="true"{patience}/>\n' for code in PROVISIONAL]
    if caller.refused:
        steps += [
            f'  <recv response="{code}" optional="true" next="refused"/>\n' for code in REFUSALS
        ]
    steps.append(f'  <recv response="200"{patience}/>\n')
    ack = _request("ACK", caller, "1 ACK", to_tag=in_call, branch="a")
    steps.append(_send(ack + EMPTY))
    if caller.audio is not None:
        steps.append(f"  <nop><action>{_stream(caller.audio)}</action></nop>\n")
    talk = f' timeout="{caller.talks_ms}" ontimeout="hang_up"' if caller.talks_ms else ""
    steps.append(f'  <recv request="BYE"{talk}/>\n')
    answer = ANSWER.format(status="200 OK", tag="", cseq=LAST_CSEQ)
    steps.append(_send(answer + EMPTY, next_label="end"))
    if caller.talks_ms:
        steps.append('  <label id="hang_up"/>\n')
        bye = _request("BYE", caller, "2 BYE", to_tag=in_call, branch="b")
        steps.append(_send(bye + EMPTY, retrans=True))
        steps.append('  <recv response="200" next="end"/>\n')
    if give_up is not None:
        steps.append('  <label id="give_up"/>\n')
        steps.append(_send(_request("CANCEL", caller, "1 CANCEL") + EMPTY, retrans=True))
        steps.append('  <recv response="200"/>\n  <recv response="487"/>\n')
        steps.append(
            _send(_request("ACK", caller, "1 ACK", to_tag=in_call) + EMPTY, next_label="end")
        )
    if caller.refused:
        steps.append('  <label id="refused"/>\n')
        steps.append(_send(_request("ACK", caller, "1 ACK", to_tag=in_call) + EMPTY))
    steps.append('  <label id="end"/>\n  <nop/>\n')
    return steps


def _operator_steps(replies: Sequence[Reply]) -> Sequence[str]:
    number = [f"is{i}" for i in range(len(replies))]
    kept = [
        _keep("[0-9]+", "CSeq:", "cseq"),
        _keep("sip:[^>]*", "Contact:", "peer"),
        _keep("<.*", "From:", "from"),
        _keep("<.*", "To:", "to"),
        *(
            _keep(f"sip:{reply.caller}@", "From:", name)
            for reply, name in zip(replies, number, strict=True)
        ),
    ]
    steps = [f'  <recv request="INVITE">\n    <action>\n{"".join(kept)}    </action>\n  </recv>\n']
    used = ",".join(["cseq", "peer", "from", "to", *number])
    steps.append(f'  <Reference variables="{used}"/>\n')
    steps.append(_send(ANSWER.format(status="180 Ringing", tag=OWN_TAG, cseq=LAST_CSEQ) + EMPTY))
    steps += [f'  <nop next="ring{i}" test="{name}"/>\n' for i, name in enumerate(number)]
    steps.append(_ring(None, "strangers"))
    for i, reply in enumerate(replies):
        steps.append(f'  <label id="ring{i}"/>\n')
        steps.append(_ring(reply.rings_ms, f"answer{i}"))
    for i, reply in enumerate(replies):
        steps += _conversation(reply, i)
    steps.append('  <label id="cancelled"/>\n')
    steps.append(_send(ANSWER.format(status="200 OK", tag=OWN_TAG, cseq=LAST_CSEQ) + EMPTY))
    gone = ANSWER.format(status="487 Request Terminated", tag=OWN_TAG, cseq=INVITE_CSEQ)
    steps.append(_send(gone + EMPTY, retrans=True))
    steps.append('  <recv request="ACK"/>\n')
    steps.append('  <label id="end"/>\n  <nop/>\n')
    return steps


def _keep(pattern: str, header: str, variable: str) -> str:
    return (
        f'      <ereg regexp={quoteattr(pattern)} search_in="hdr" header="{header}" '
        f'check_it="false" assign_to="{variable}"/>\n'
    )


def _ring(milliseconds: int | None, then: str) -> str:
    """Ring until the exchange cancels, or pick up after `milliseconds`."""
    picks_up = f' timeout="{milliseconds}" ontimeout="{then}"' if milliseconds is not None else ""
    return f'  <recv request="CANCEL"{picks_up} next="cancelled"/>\n'


def _conversation(reply: Reply, index: int) -> Sequence[str]:
    steps = [f'  <label id="answer{index}"/>\n']
    picked_up = ANSWER.format(status="200 OK", tag=OWN_TAG, cseq=INVITE_CSEQ)
    steps.append(_send(picked_up + SDP, retrans=True))
    steps.append('  <recv request="ACK"/>\n')
    if reply.audio is not None:
        steps.append(f"  <nop><action>{_stream(reply.audio)}</action></nop>\n")
    hangs_up = f' timeout="{reply.talks_ms}" ontimeout="bye{index}"' if reply.talks_ms else ""
    steps.append(f'  <recv request="BYE"{hangs_up}/>\n')
    answer = ANSWER.format(status="200 OK", tag="", cseq=LAST_CSEQ)
    steps.append(_send(answer + EMPTY, next_label="end"))
    if reply.talks_ms:
        bye = (
            "      BYE [$peer] SIP/2.0\n"
            "      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
            f"      From: [$to]{OWN_TAG}\n"
            "      To: [$from]\n"
            "      Call-ID: [call_id]\n"
            "      CSeq: 1 BYE\n"
            "      Max-Forwards: 70\n"
        )
        steps.append(f'  <label id="bye{index}"/>\n')
        steps.append(_send(bye + EMPTY, retrans=True))
        steps.append('  <recv response="200" next="end"/>\n')
    return steps
