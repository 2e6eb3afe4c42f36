"""A synthetic AMI-22 event stream: whole calls through a queue, interleaved, 25 kinds of event.

It is made, not captured, so that it carries no citizen's data; names are Chinese, Russian and
plain ones in the proportion of a border city's exchange. The same seed gives the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
EPOCH = 1_763_870_000
SYSTEM = "mianyang-1"
NAMES = (
    "张伟",
    "王芳",
    "Иванов Пётр",
    "李建国",
    "陈秀英",
    "Anna Lee",
    "",
    "Кузнецова Анна",
    "赵敏",
    "13800",
)
LINES = (("mayor", "12345"), ("duty", "2222345"))

Fields = list[tuple[str, str]]


class _Call:
    """One call: the caller's channel, the operator's channel and the events of its life."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self.rng = rng
        self.queue, self.exten = LINES[number % len(LINES)]
        self.name = rng.choice(NAMES)
        self.phone = f"138{rng.randrange(10**8):08d}"
        self.operator = f"{1001 + rng.randrange(30)}"
        self.born = EPOCH + number // 20
        self.caller_id = f"{SYSTEM}-{self.born}.{2 * number}"
        self.operator_id = f"{SYSTEM}-{self.born}.{2 * number + 1}"
        self.caller_channel = f"PJSIP/trunk-{2 * number:08x}"
        self.operator_channel = f"PJSIP/{self.operator}-{2 * number + 1:08x}"
        self.bridge = f"{number:08x}-55d5-4f1e-9f0a-{rng.randrange(16**12):012x}"

    def caller(self, state: int = 6, prefix: str = "", priority: int = 1) -> Fields:
        connected = (self.operator, f"坐席{self.operator}") if state == 6 else ("<unknown>",) * 2
        return self._channel(
            prefix,
            (self.caller_channel, self.caller_id),
            state,
            (self.phone, self.name or "<unknown>"),
            connected,
            *("from-trunk", self.exten, str(priority)),
        )

    def agent(self, state: int = 6, prefix: str = "") -> Fields:
        return self._channel(
            prefix,
            (self.operator_channel, self.operator_id),
            state,
            (self.operator, f"坐席{self.operator}"),
            (self.phone, self.name or "<unknown>"),
            *("from-operators", self.exten, "1"),
        )

    def _channel(
        self,
        prefix: str,
        who: tuple[str, str],
        state: int,
        caller: tuple[str, ...],
        connected: tuple[str, ...],
        *place: str,
    ) -> Fields:
        words = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
        pairs = (
            ("Channel", who[0]),
            ("ChannelState", str(state)),
            ("ChannelStateDesc", words[state]),
            ("CallerIDNum", caller[0]),
            ("CallerIDName", caller[1]),
            ("ConnectedLineNum", connected[0]),
            ("ConnectedLineName", connected[1]),
            ("Language", "zh"),
            ("AccountCode", ""),
            ("Context", place[0]),
            ("Exten", place[1]),
            ("Priority", place[2]),
            ("Uniqueid", who[1]),
            ("Linkedid", self.caller_id),
        )
        return [(prefix + key, value) for key, value in pairs]

    def bridged(self, count: int) -> Fields:
        return [
            ("BridgeUniqueid", self.bridge),
            ("BridgeType", "basic"),
            ("BridgeTechnology", "simple_bridge"),
            ("BridgeCreator", "Queue"),
            ("BridgeName", "<unknown>"),
            ("BridgeNumChannels", str(count)),
            ("BridgeVideoSourceMode", "none"),
        ]

    def member(self) -> Fields:
        return [
            ("Queue", self.queue),
            ("MemberName", self.operator),
            ("Interface", f"PJSIP/{self.operator}"),
        ]

    def events(self) -> Iterator[tuple[str, str, Fields]]:
        """The events of one answered call in the order Asterisk 22 sends them."""
        yield "Newchannel", "call,all", self.caller(4)
        for priority, app in enumerate(("NoOp", "Set", "Answer", "MixMonitor", "Queue"), 1):
            yield (
                "Newexten",
                "dialplan,all",
                [
                    *self.caller(4 if priority < 4 else 6, "", priority),
                    ("Extension", self.exten),
                    ("Application", app),
                    ("AppData", f"{self.queue},,,,60"),
                ],
            )
            yield (
                "VarSet",
                "dialplan,all",
                [
                    *self.caller(4, "", priority),
                    ("Variable", f"HOTLINE_{app.upper()}"),
                    ("Value", '\\"ok\\"' if priority == 2 else "ok"),
                ],
            )
        yield "Newstate", "call,all", self.caller(6)
        yield "MixMonitorStart", "call,all", self.caller(6)
        yield (
            "QueueCallerJoin",
            "agent,all",
            [*self.caller(6), ("Queue", self.queue), ("Position", "1"), ("Count", "1")],
        )
        yield "MusicOnHoldStart", "call,all", [*self.caller(6), ("Class", "default")]
        yield "Newchannel", "call,all", self.agent(0)
        yield "NewCallerid", "call,all", [*self.agent(0), ("CID-CallingPres", "0 (Allowed)")]
        yield "NewConnectedLine", "call,all", self.agent(0)
        both = [*self.caller(6), *self.agent(0, "Dest")]
        yield "AgentCalled", "agent,all", [*both, *self.member()]
        yield "DialBegin", "call,all", [*both, ("DialString", f"{self.operator}/sip:a")]
        yield "Newstate", "call,all", self.agent(5)
        yield (
            "DeviceStateChange",
            "call,all",
            [("Device", f"PJSIP/{self.operator}"), ("State", "RINGING")],
        )
        yield "QueueMemberStatus", "agent,all", [*self.member(), *self._standing("6")]
        yield "Newstate", "call,all", self.agent(6)
        both = [*self.caller(6), *self.agent(6, "Dest")]
        yield "DialEnd", "call,all", [*both, ("DialStatus", "ANSWER")]
        yield "MusicOnHoldStop", "call,all", self.caller(6)
        yield (
            "QueueCallerLeave",
            "agent,all",
            [*self.caller(6), ("Queue", self.queue), ("Count", "0"), ("Position", "1")],
        )
        yield (
            "AgentConnect",
            "agent,all",
            [*both, *self.member(), ("RingTime", "3"), ("HoldTime", "4")],
        )
        yield "BridgeCreate", "call,all", self.bridged(0)
        yield "BridgeEnter", "call,all", [*self.bridged(1), *self.agent(6)]
        yield "BridgeEnter", "call,all", [*self.bridged(2), *self.caller(6)]
        yield (
            "RTCPSent",
            "reporting,all",
            [*self.caller(6), ("To", "10.0.0.1:4001"), ("From", "10.0.0.2:4001"), ("SSRC", "0x1")],
        )
        yield "HangupRequest", "call,all", [*self.caller(6), ("Cause", "16")]
        yield "BridgeLeave", "call,all", [*self.bridged(1), *self.caller(6)]
        yield "BridgeLeave", "call,all", [*self.bridged(0), *self.agent(6)]
        yield "BridgeDestroy", "call,all", self.bridged(0)
        yield (
            "AgentComplete",
            "agent,all",
            [*both, *self.member(), ("HoldTime", "4"), ("TalkTime", "60"), ("Reason", "caller")],
        )
        for channel in (self.agent(6), self.caller(6)):
            yield (
                "Hangup",
                "call,all",
                [*channel, ("Cause", "16"), ("Cause-txt", "Normal")],
            )
        yield "QueueMemberStatus", "agent,all", [*self.member(), *self._standing("1")]

    def _standing(self, status: str) -> Fields:
        return [
            ("StateInterface", f"PJSIP/{self.operator}"),
            ("Membership", "static"),
            ("Penalty", "0"),
            ("CallsTaken", str(self.rng.randrange(90))),
            ("LastCall", str(self.born)),
            ("InCall", "0"),
            ("Status", status),
            ("Paused", "0"),
            ("PausedReason", ""),
            ("Ringinuse", "0"),
            ("Wrapuptime", "0"),
        ]


def stream(count: int, *, at_once: int = 40, seed: int = 12345) -> Iterator[bytes]:
    """`count` events as they stand on the wire, one `bytes` an event, `at_once` calls mixed."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable stream, nothing secret
    lives: list[Iterator[tuple[str, str, Fields]]] = []
    born = 0
    for serial in range(count):
        while len(lives) < at_once:
            lives.append(_Call(born, rng).events())
            born += 1
        slot = rng.randrange(at_once)
        item = next(lives[slot], None)
        while item is None:
            lives[slot] = _Call(born, rng).events()
            born += 1
            item = next(lives[slot], None)
        name, privilege, fields = item
        yield _message(name, privilege, EPOCH + serial / 1700, fields)


def _message(name: str, privilege: str, at: float, fields: Fields) -> bytes:
    head = (
        f"Event: {name}\r\nPrivilege: {privilege}\r\nSystemName: {SYSTEM}\r\n"
        f"Timestamp: {at:.6f}\r\n"
    )
    return (head + "".join(f"{k}: {v}\r\n" for k, v in fields) + "\r\n").encode()


def chunks(data: bytes, size: int) -> Iterator[bytes]:
    """The bytes as a socket would hand them over, `size` at a time."""
    for start in range(0, len(data), size):
        yield data[start : start + size]
