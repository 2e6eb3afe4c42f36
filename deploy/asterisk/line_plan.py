"""The way of a call through a line: kept out or let in, told, queued, passed on, asked.

Asterisk alone does all of it, so that a line works while the service is away. Whom a queue rings
is told by penalties: 0 for the first group, 10 for the second, then 20, 30, ... one duty officer
each. A queue rule lets in the next group at every overflow, rings it first, and then makes the
earlier ones its equals, so that nobody who was rung before is forgotten.

A blocked number is an empty file of that name in `blocked_dir`; its modification time is the
moment the block ends. Whoever keeps the list needs the right to write in one folder, no right at
the exchange; a folder that is away blocks nobody, and a block ends even with nobody to end it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.asterisk.config import Exchange, Line

TEMPLATES = Path(__file__).with_name("templates")
STEP = 10  # between the penalties of two groups
LATE = 3600  # seconds after which a blocked caller who insists is everybody's
HIGHEST_PENALTY = 1000  # of a person; the service accepts no higher one
PROBE_PENALTY = 2000  # of the member who answers test calls; see probe_plan.py
IS_PROBE = '$["${UNIQUEID:0:6}" = "probe-"]'
PLACE_EVERY = 30  # seconds between two announcements of the place in the queue
NO_MACROS = 21  # from this version on Queue() has no argument for a macro
RECORDED = "; No recording notice is configured."
BUSY_TONE = " same => n,PlayTones(congestion)\n same => n,Wait(3)"

MODULES = (
    *("func_db", "func_env", "func_cut", "func_groupcount"),
    *("app_exec", "app_read", "app_waitforsilence"),
)
PLACE_SOUNDS = (
    *("queue-youarenext", "queue-thereare", "queue-callswaiting", "queue-holdtime"),
    *("queue-minutes", "queue-seconds", "queue-thankyou", "digits/hundred", "digits/thousand"),
    *(f"digits/{n}" for n in (*range(11), *range(20, 100, 10))),
)
MESSAGE_SOUNDS = ("message", "message-thanks")
BADGE_SOUNDS = ("badge-before", "badge-after", *(f"digits/{n}" for n in range(10)))
SURVEY_SOUNDS = ("survey-solved", "survey-satisfied", "survey-thanks")
NOTHING = ";"


def line_steps(exchange: Exchange, line: Line, version: str) -> str:
    """Return the steps of the number citizens dial."""
    words = _words(exchange, line)
    guarded = exchange.block_list or exchange.calls_per_caller or line.redial_within
    return fill(
        f"extensions-{line.answer}.conf",
        {
            "number": line.number,
            "name": line.name,
            "guard": _guard(exchange, line, words) if guarded or line.urgent_callers else NOTHING,
            "notice": _notice(exchange, line),
            "stage": "\n".join((_stage(exchange, line), _badge(line))),
            "probe": IS_PROBE,
            "options": "r" if exchange.browser_port is None and not line.survey else "rc",
            "max_wait": _max_wait(line, version),
            "talked": _talked(exchange, line),
            "message": _piece("message", words, asked=line.takes_message),
            "sorry": _sorry(exchange, line),
            "survey": _piece("survey", words, asked=line.survey),
            "refused": _piece("refused", words, asked=exchange.calls_per_caller > 0),
        },
    )


def _talked(exchange: Exchange, line: Line) -> str:
    """What follows when the operator has gone first: back to a lost browser, a survey, the end."""
    goes_on = ' same => n,GotoIf($["${QUEUESTATUS}" = "CONTINUE"]?@where@)'
    if exchange.browser_port is None:
        return goes_on.replace("@where@", "talked") if line.survey else NOTHING
    return "\n".join(
        (
            " same => n,Set(WITH_SEAT=${FILTER(0-9,${MEMBERINTERFACE})})",
            f" same => n,Set(CONTROL_LINE={line.name})",
            goes_on.replace("@where@", "control,over,1"),
        )
    )


def _words(exchange: Exchange, line: Line) -> dict[str, str]:
    return {
        "name": line.name,
        "sounds": str(sounds_dir(exchange)),
        "urgent": "|".join(line.urgent_callers) or "-",
        "redial_within": str(line.redial_within),
        "calls_per_caller": str(exchange.calls_per_caller),
        "blocked_dir": str(exchange.blocked_dir),
        "message_seconds": str(line.message_seconds),
        "silence_milliseconds": str(line.silence_seconds * 1000),
        "survey_seconds": str(line.survey_seconds),
    }


def _piece(name: str, words: dict[str, str], *, asked: bool) -> str:
    return fill(f"line-{name}.conf", words).rstrip("\n") if asked else NOTHING


def _guard(exchange: Exchange, line: Line, words: dict[str, str]) -> str:
    return "\n".join(
        (
            _piece("caller", words, asked=True),
            _piece("again", words, asked=line.redial_within > 0),
            _piece("crowd", words, asked=exchange.calls_per_caller > 0),
            _piece("blocked", words, asked=exchange.block_list),
        )
    )


def _notice(exchange: Exchange, line: Line) -> str:
    """The notice, and who is spared it: a 110, 119 or 120 centre, and a caller cut off just now."""
    if line.notice is None:
        return RECORDED
    early = ",noanswer" if line.answer == "by_operator" else ""
    played = f" same => n,Playback({exchange.run_dir}/sounds/notice-{line.name}{early})"
    spared = [
        *(["${URGENT} = 1"] if line.urgent_callers else []),
        *(['"${AGAIN}" = "1"'] if line.redial_within else []),
        *(['"${INSISTS}" = "1"'] if exchange.block_list else []),
    ]
    skip = f" same => n,GotoIf($[{' | '.join(spared)}]?recorded)\n" if spared else ""
    return skip + played


def _sorry(exchange: Exchange, line: Line) -> str:
    if line.takes_message:
        return NOTHING  # after a message there is nothing to be sorry about
    if line.sorry is None:
        return BUSY_TONE
    early = ",noanswer" if line.answer == "by_operator" else ""
    return f" same => n,Playback({exchange.run_dir}/sounds/sorry-{line.name}{early})"


def _stage(exchange: Exchange, line: Line) -> str:
    """Where the caller begins; a rule changes only what was set before (Asterisk 22, measured)."""
    if len(line.groups) <= 1:
        return _set("MAX", str(HIGHEST_PENALTY))
    begins = [" same => n,Set(QUEUE_RAISE_PENALTY=0)"]
    if not exchange.block_list:
        rule = f" same => n,Set(RULE={line.name})"
        return "\n".join((rule, _set("MAX", "0"), _set("MIN", "0"), *begins))
    last = STEP * (len(line.groups) - 1)
    insists = '$["${INSISTS}" = "1"]'
    return "\n".join(
        (
            f" same => n,Set(RULE=${{IF({insists}?insists:{line.name})}})",
            _set("MAX", f"${{IF({insists}?{last}:0)}}"),
            _set("MIN", f"${{IF({insists}?{last}:0)}}"),
            *begins,
        )
    )


def _badge(line: Line) -> str:
    """Let Queue() run `badge` on the caller when somebody has picked up, before the two meet.

    It runs this where the caller's display would be told who answered; who answered is held
    silent meanwhile, and nobody but the caller hears it.
    """
    return " same => n,Set(CONNECTED_LINE_SEND_SUB=badge,s,1)" if line.tells_badge else NOTHING


def tells_badges(exchange: Exchange) -> bool:
    """Whether any line tells its callers who has picked up."""
    return any(line.tells_badge for line in exchange.lines)


def badge_steps(exchange: Exchange) -> str:
    """Return the steps that tell a badge; nothing where no line does."""
    if not tells_badges(exchange):
        return NOTHING
    words = {"sounds": str(sounds_dir(exchange)), "badges_dir": str(exchange.badges_dir)}
    return fill("extensions-badge.conf", words).rstrip("\n")


def _set(which: str, value: str) -> str:
    return f" same => n,Set(QUEUE_{which}_PENALTY={value})"


def _max_wait(line: Line, version: str) -> str:
    wait = str(line.max_wait_seconds) if line.max_wait_seconds else ""
    if len(line.groups) <= 1:
        return wait
    major = int(found[0]) if (found := re.findall(r"\d+", version)) else NO_MACROS
    return wait + (",,,${RULE}" if major >= NO_MACROS else ",,,,${RULE}")


def queue(line: Line) -> str:
    """Return the queue of a line with its groups."""
    members = "\n".join(
        f"member => PJSIP/{extension},{penalty * STEP},{extension},PJSIP/{extension}"
        for penalty, group in enumerate(line.groups)
        for extension in group
    )
    staged = len(line.groups) > 1
    ring = min(line.ring_seconds, line.overflow_seconds) if staged else line.ring_seconds
    told = fill("queue-place.conf", {"every": str(PLACE_EVERY)}).rstrip("\n")
    words = {
        "name": line.name,
        "ring_seconds": str(ring),
        "strategy": "ringall" if line.rings == "together" else "rrmemory",
        "rule": f"defaultrule = {line.name}" if staged else NOTHING,
        "place": told if line.tells_place else "announce-frequency = 0",
        "members": members,
    }
    return fill("queue.conf", words)


def rules(exchange: Exchange) -> str:
    """Return queuerules.conf: who may be rung after how many seconds."""
    staged = [line for line in exchange.lines if len(line.groups) > 1]
    if not staged:
        return "; The defaults serve.\n"
    text = "; A test call keeps to its own member.\n"
    text += f"[probe]\npenaltychange => {LATE},{PROBE_PENALTY},{PROBE_PENALTY}\n\n"
    text += "; After so many seconds: the highest penalty that is rung, the lowest, and to what\n"
    text += (
        "; lower penalties are raised, so that earlier groups are rung together with the later.\n"
    )
    for line in staged:
        text += f"\n[{line.name}]\n" + "\n".join(_stages(line)) + "\n"
    if exchange.block_list:
        text += "\n; A blocked caller who insists keeps to the last duty officer.\n[insists]\n"
        text += f"penaltychange => {LATE},99,0\n"
    return text


def _stages(line: Line) -> Iterator[str]:
    """One group after the other: for a moment the new one alone, then all who were let in.

    The moment makes sure that the next ring is the new group's, even while others let it ring;
    if nobody of it can be rung, only the moment is lost. A line that rings together needs none.
    """
    for n in range(1, len(line.groups)):
        at, penalty = n * line.overflow_seconds, n * STEP
        if line.rings == "in_turn":
            yield f"penaltychange => {at},{penalty},{penalty},0"
            at += max(2, line.overflow_seconds // 3)
        yield f"penaltychange => {at},{penalty},0,{penalty}"


def needed_sounds(exchange: Exchange) -> tuple[str, ...]:
    """Return the names of the sounds that these lines play, beside their notices."""
    lines = exchange.lines
    return (
        *(PLACE_SOUNDS if any(line.tells_place for line in lines) else ()),
        *(MESSAGE_SOUNDS if any(line.takes_message for line in lines) else ()),
        *(BADGE_SOUNDS if tells_badges(exchange) else ()),
        *(SURVEY_SOUNDS if any(line.survey for line in lines) else ()),
        *(("blocked",) if exchange.block_list else ()),
    )


def data_dir(exchange: Exchange) -> Path:
    """Where this exchange looks for sounds by name: ours, in the language of the lines."""
    return exchange.run_dir / "data"


def sounds_dir(exchange: Exchange) -> Path:
    """Where the sounds themselves lie."""
    return data_dir(exchange) / "sounds" / "zh"


def fill(name: str, words: dict[str, str]) -> str:
    """Return a template with each @word@ replaced."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return re.sub(r"@(\w+)@", lambda match: words[match[1]], text)
