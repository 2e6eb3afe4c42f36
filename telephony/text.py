"""What the network wrote, made harmless; and the little grammar of channel names. Pure.

A caller chooses his display name and often his number, so both are hostile: whatever is not
printable (control characters, line and paragraph separators, NUL, lone surrogates) is replaced
and everything has an upper length.
"""

import re

LONGEST_NUMBER = 40
LONGEST_NAME = 120
LONGEST_FIELD = 400
_UNKNOWN = frozenset({"", "<unknown>", "anonymous", "unavailable", "restricted", "<null>"})
_NOT_DIALLED = re.compile(r"[^0-9A-Za-z*#+]")
_RECORDED = re.compile(r"([rt])\(([^)]*)\)")
_OUT_BY_LOCAL = re.compile(r"Local/(?:[^@/]*(?=@outbound-)|[^@/]{9,}(?=@))")
_LONGEST_SEAT = 8
BROWSER = "-web"
"""What an operator's telephone in the browser bears behind his extension: `PJSIP/1001-web`."""
_MOBILE_ABROAD = re.compile(r"(?:\+|00)?86(1\d{10})")


def clean(text: str, longest: int = LONGEST_FIELD) -> str:
    """The text with every unprintable character replaced by U+FFFD, cut at `longest`."""
    if len(text) > longest:
        text = text[:longest]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def number_of(text: str) -> str:
    """A caller's number without separators, in national form if a Chinese mobile; or empty.

    `+86 138-1234-5678`, `008613812345678` and `13812345678` are the same person's telephone.
    """
    if text.lower() in _UNKNOWN:
        return ""
    number = _NOT_DIALLED.sub("", text)[:LONGEST_NUMBER]
    abroad = _MOBILE_ABROAD.fullmatch(number)
    return abroad[1] if abroad else number


def name_of(text: str) -> str:
    """A caller's display name, cleaned; empty when the network knows none."""
    return "" if text.lower() in _UNKNOWN else clean(text, LONGEST_NAME)


def channel_of(name: str) -> str:
    """A channel's name without the number that a Local channel bears: that may be a person's.

    `Local/13800001111@outbound-00000003;1` becomes `Local/****@outbound-00000003;1`, which is the
    name of no other channel; the extension of a telephone of ours stays.
    """
    found = _OUT_BY_LOCAL.match(name)
    return f"Local/****{name[found.end() :]}" if found else clean(name)


def technology_of(channel: str) -> str:
    """`PJSIP` of `PJSIP/1001-00000002`; empty if there is none."""
    return channel.partition("/")[0] if "/" in channel else ""


def operator_of(channel: str) -> str:
    """`1001` of the channel `PJSIP/1001-00000002` or `Local/1001@agents-00000001;1`.

    The telephone in his browser is the same operator's: `PJSIP/1001-web-00000002`.
    """
    return operator_at(channel.partition("/")[2].rpartition("-")[0])


def operator_at(interface: str) -> str:
    """`1001` of a queue member's interface: `PJSIP/1001`, `Local/1001@agents/n`, `1001`.

    Digits that are too many for a seat are somebody's own number, and are not told in full.
    """
    address = interface.partition("/")[2] if "/" in interface else interface
    seat = clean(address.partition("/")[0].partition("@")[0], LONGEST_NUMBER)
    if seat.endswith(BROWSER):
        seat = seat.removesuffix(BROWSER)
    own = seat.isdecimal() and len(seat) > _LONGEST_SEAT
    return f"{seat[:3]}****{seat[-4:]}" if own else seat


def recording_files(application_data: str) -> tuple[str, str]:
    """What MixMonitor records: the caller's file and the operator's; empty where there is none.

    `MixMonitor(both.wav,r(a.wav)t(b.wav))` on the caller's channel: r is what the exchange
    receives from the caller, t what it sends him, which is the operator's voice.
    """
    options = application_data.partition(",")[2].partition(",")[0]
    found = {leg: clean(path) for leg, path in _RECORDED.findall(options)}
    return found.get("r", ""), found.get("t", "")
