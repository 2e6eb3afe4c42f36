"""The dialplan behind call control: hold, transfer, consultation, and the way out.

Everything here is reached by the service alone (Originate, Redirect, BlindTransfer of the AMI user
`actor`), except the emergency numbers, which an operator's telephone may also dial by itself. The
contexts of the trunk include none of it, so no caller gets here by what he dials.
"""

import re
from pathlib import Path

from deploy.asterisk import browser_plan
from deploy.asterisk.config import Exchange, Line
from deploy.asterisk.outbound import Outbound

TEMPLATES = Path(__file__).with_name("templates")
DIALPLAN = "extensions_control.conf"
TRUNK = "pjsip_outbound.conf"
AGAIN = "Gosub(recording-again,s,1)\n same => n,"
HOLD_SECONDS = 300  # then the citizen is given back to the operator, who may have forgotten him

#: What these contexts need beside the modules of the lines.
MODULES = (
    *("app_chanspy", "app_bridgeaddchan", "app_directed_pickup"),
    *("func_cut", "func_groupcount", "func_dialplan", "func_global", "app_softhangup"),
)


def control_files(exchange: Exchange) -> dict[str, str]:
    """Return the configuration files of call control by name; both exist on every exchange."""
    return {DIALPLAN: _dialplan(exchange), TRUNK: _trunk(exchange.outbound)}


def _dialplan(exchange: Exchange) -> str:
    out = exchange.outbound
    inside = [operator.extension for operator in exchange.operators]
    outside = (
        [f"_{pattern}" if "X" in pattern else pattern for pattern in out.allowed] if out else []
    )
    emergency = list(out.emergency) if out else []
    dial = {
        **dict.fromkeys(inside, f"Dial({browser_plan.seat(exchange)},@ring@,g)"),
        **dict.fromkeys(outside, "Gosub(outside,s,1(${EXTEN}))"),
        **dict.fromkeys(emergency, "Gosub(emergency-call,s,1(${EXTEN}))"),
    }

    def steps(extens: list[str], ring: int, then: str, first: str = "") -> str:
        return "\n".join(
            f"exten => {exten},1,{first}{step.replace('@ring@', str(ring))}\n same => n,{then}"
            for exten, step in ((one, dial[one]) for one in extens)
        )

    return _fill(
        "extensions_control.conf",
        {
            "hold_seconds": str(HOLD_SECONDS),
            "transfer": steps(list(dial), 20, "Goto(control,transferred,1)", AGAIN),
            "consult": steps(list(dial), 30, "Goto(control,wait,1)"),
            "lost": "\n".join(_lost(exchange, line) for line in exchange.lines),
            "over": "\n".join(_survey(line) for line in exchange.lines if line.survey) or ";",
            "outbound": steps([*outside, *emergency], 30, "Hangup()"),
            "emergency": steps(emergency, 30, "Hangup()"),
            "number": out.number if out else "",
            "calls_per_operator": str(out.calls_per_operator if out else 0),
            "longest_seconds": str(out.longest_seconds if out else 1),
            **browser_plan.words(exchange),
        },
    )


def _lost(exchange: Exchange, line: Line) -> str:
    """The citizen who lost his operator waits in his line again, ahead of nobody."""
    options = "r" if exchange.browser_port is None else "rc"
    return "\n".join(
        (
            f"exten => lost-{line.name},1,{AGAIN}Queue({line.name},{options},,,60)",
            " same => n,Set(WITH_SEAT=${FILTER(0-9,${MEMBERINTERFACE})})",
            ' same => n,GotoIf($["${QUEUESTATUS}" = "CONTINUE"]?over,1)',
            f" same => n,Goto(from-trunk,{line.number},gave_up)",
        )
    )


def _survey(line: Line) -> str:
    return (
        f' same => n,GotoIf($["${{CONTROL_LINE}}" = "{line.name}"]?from-trunk,{line.number},talked)'
    )


def _trunk(out: Outbound | None) -> str:
    if out is None:
        return "; No outgoing trunk is configured: no call can leave this exchange.\n"
    auth = "outbound_auth = outbound" if out.username else "; The carrier knows us by address."
    proof = (
        f"[outbound]\ntype = auth\nauth_type = userpass\n"
        f"username = {out.username}\npassword = {out.secret}\n"
    )
    return _fill(
        "pjsip_outbound.conf",
        {
            "number": out.number,
            "contact": out.contact,
            "auth": auth,
            "proof": proof if out.username else "",
        },
    )


def _fill(name: str, words: dict[str, str]) -> str:
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return re.sub(r"@(\w+)@", lambda match: words[match[1]], text)
