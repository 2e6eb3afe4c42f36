"""What an exchange is: its lines, its operators, its ports and its folder."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deploy.asterisk.outbound import Outbound
from deploy.errors import ExchangeInvalid

#: Characters that mean something to the dialplan, to a configuration file or to a shell.
UNSAFE_IN_PATHS = re.compile(r"[^\w./+@~-]", re.ASCII)
HIGHEST_PORT = 65535
MEDIA_PORTS_PER_CALL = 4  # two legs, RTP and RTCP each


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """A person at a SIP telephone; `extension` is the operator's id everywhere.

    `contact` is a fixed address such as "sip:1001@127.0.0.1:5071"; without one the telephone
    registers with `secret` (None: the one generated at first start).
    """

    extension: str
    badge: str = ""
    secret: str | None = None
    contact: str | None = None

    def __post_init__(self) -> None:
        _check(r"[0-9]{2,8}", self.extension, "An operator's extension", "2 to 8 digits")
        _check(r"[\w.-]{0,32}", self.badge, "An operator's badge", "up to 32 letters and digits")
        if self.secret is not None:
            _check(r"[\w.+/=-]{8,128}", self.secret, "An operator's secret", "8 to 128 characters")
        if self.contact is not None:
            _check(
                r"sip:[\w.+-]+@[\w.\[\]:-]+",
                self.contact,
                "An operator's contact",
                "a SIP address such as sip:1001@10.0.0.7:5060",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A number citizens dial, its queue and the operators who answer it.

    `answer` says who takes the call off the hook: "before_queue" answers at once, then plays the
    notice; "by_operator" plays it before the answer, so that the caller pays and the clock runs
    only from the operator's answer. `notice` and `sorry` are 8 kHz mono 16-bit WAV files.
    """

    name: str
    number: str
    operators: tuple[str, ...]
    ring_seconds: int = 15
    max_wait_seconds: int = 60
    answer: Literal["before_queue", "by_operator"] = "before_queue"
    notice: Path | None = None
    sorry: Path | None = None

    def __post_init__(self) -> None:
        _check(r"[a-z][a-z0-9_-]{0,31}", self.name, "A line's name", "small letters and digits")
        _check(r"\+?[0-9*#]{2,20}", self.number, "A line's number", "2 to 20 digits")
        if self.answer not in ("before_queue", "by_operator"):
            raise ExchangeInvalid(
                f"Line {self.name} says answer={self.answer!r}: choose before_queue or by_operator."
            )
        if self.ring_seconds < 1 or self.max_wait_seconds < 1:
            raise ExchangeInvalid(f"Line {self.name} needs to ring and to wait at least 1 second.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One Asterisk: everything it writes lies below `run_dir`, everything it binds is named."""

    system: str
    run_dir: Path
    sip_port: int
    rtp_ports: tuple[int, int]
    ami_port: int
    lines: tuple[Line, ...]
    operators: tuple[Operator, ...]
    trunk_match: tuple[str, ...] = ("127.0.0.1",)
    sip_address: str = "127.0.0.1"
    outbound: Outbound | None = None

    def __post_init__(self) -> None:
        _check(r"[a-z0-9][a-z0-9-]{0,31}", self.system, "The system's name", "small letters")
        if not self.run_dir.is_absolute() or UNSAFE_IN_PATHS.search(str(self.run_dir)):
            raise ExchangeInvalid(
                f"The exchange's folder {self.run_dir} must be absolute and hold only letters, "
                "digits and ./+@~_-: choose another folder."
            )
        _check(r"[0-9a-fA-F.:]+", self.sip_address, "The SIP address", "an IP address")
        for match in self.trunk_match:
            _check(r"[\w.:/-]+", match, "A trunk's address", "an IP address or network")
        self._check_ports()
        self._check_people()

    def _check_ports(self) -> None:
        first, last = self.rtp_ports
        for port in (self.sip_port, self.ami_port, first, last):
            if not 0 < port <= HIGHEST_PORT:
                raise ExchangeInvalid(f"Port {port} does not exist: choose 1 to {HIGHEST_PORT}.")
        if last - first + 1 < MEDIA_PORTS_PER_CALL:
            raise ExchangeInvalid(
                f"rtp_ports {first}-{last} is too narrow: one call needs {MEDIA_PORTS_PER_CALL}."
            )

    def _check_people(self) -> None:
        known = [operator.extension for operator in self.operators]
        for what, words in (
            ("operator", known),
            ("line name", [line.name for line in self.lines]),
            ("line number", [line.number for line in self.lines]),
        ):
            twice = {word for word in words if words.count(word) > 1}
            if twice:
                raise ExchangeInvalid(f"The {what} {min(twice)} is given twice.")
        for line in self.lines:
            for extension in line.operators:
                if extension not in known:
                    raise ExchangeInvalid(
                        f"Line {line.name} names operator {extension}, who is not described."
                    )

    @property
    def etc(self) -> Path:
        """Where the rendered configuration lies."""
        return self.run_dir / "etc"

    @property
    def log_dir(self) -> Path:
        """Where Asterisk writes its logs."""
        return self.run_dir / "log"

    @property
    def cel_file(self) -> Path:
        """The channel event log, one CSV row an event."""
        return self.log_dir / "cel-custom" / "calls.csv"

    @property
    def queue_log_file(self) -> Path:
        """The queue's own story."""
        return self.log_dir / "queue_log"

    @property
    def recordings_dir(self) -> Path:
        """Where both legs of each call are written."""
        return self.run_dir / "spool" / "monitor"


def _check(pattern: str, value: str, what: str, rule: str) -> None:
    if re.fullmatch(pattern, value, re.ASCII) is None:
        raise ExchangeInvalid(f"{what} {value!r} is not allowed: write {rule}.")
