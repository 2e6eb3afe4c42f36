"""What an exchange is: its lines, its operators, its ports and its folder."""

import ipaddress
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
LONGEST_SECONDS = 3600
#: Whence the service relays browsers' sockets: an address of this machine that is no trunk's.
RELAY_ADDRESS = "127.0.0.12"
SOUNDS = Path(__file__).with_name("sounds") / "zh"


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
    second_group: tuple[str, ...] = ()
    duty_officers: tuple[str, ...] = ()
    overflow_seconds: int = 15
    rings: Literal["in_turn", "together"] = "in_turn"
    tells_place: bool = False
    tells_badge: bool = False
    """Whether the caller is told the badge of who picked up, before the two speak."""
    takes_message: bool = False
    message_seconds: int = 120
    silence_seconds: int = 6
    survey: bool = False
    survey_seconds: int = 6
    redial_within: int = 0
    urgent_callers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(r"[a-z][a-z0-9_-]{0,31}", self.name, "A line's name", "small letters and digits")
        _check(r"\+?[0-9*#]{2,20}", self.number, "A line's number", "2 to 20 digits")
        if self.answer not in ("before_queue", "by_operator"):
            raise ExchangeInvalid(
                f"Line {self.name} says answer={self.answer!r}: choose before_queue or by_operator."
            )
        if self.ring_seconds < 1 or self.max_wait_seconds < 0:
            raise ExchangeInvalid(f"Line {self.name} needs to ring and to wait at least 1 second.")
        if self.rings not in ("in_turn", "together"):
            raise ExchangeInvalid(
                f"Line {self.name} says rings={self.rings!r}: choose in_turn or together."
            )
        if self.tells_badge and self.rings == "together":
            raise ExchangeInvalid(
                f"Line {self.name} rings together and tells a badge: the other telephones would "
                "ring on while it is told. Let it ring in_turn, or tell no badge."
            )
        for number in self.urgent_callers:
            _check(r"[0-9]{3,20}", number, f"An urgent caller of line {self.name}", "digits")
        self._check_seconds()

    def _check_seconds(self) -> None:
        for name in ("overflow_seconds", "message_seconds", "silence_seconds", "survey_seconds"):
            if not 1 <= getattr(self, name) <= LONGEST_SECONDS:
                raise ExchangeInvalid(
                    f"Line {self.name} says {name}={getattr(self, name)}: "
                    f"give 1 to {LONGEST_SECONDS}."
                )
        if not 0 <= self.redial_within <= LONGEST_SECONDS:
            raise ExchangeInvalid(
                f"Line {self.name} says redial_within={self.redial_within}: "
                f"give 0 (never) to {LONGEST_SECONDS}."
            )
        rung = [extension for group in self.groups for extension in group]
        twice = {extension for extension in rung if rung.count(extension) > 1}
        if twice:
            raise ExchangeInvalid(f"Line {self.name} rings operator {min(twice)} in two groups.")

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Who is rung first, who after each overflow; empty groups left out."""
        stages = (self.operators, self.second_group, *((one,) for one in self.duty_officers))
        return tuple(group for group in stages if group)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmiTls:
    """AMI over TLS for a service on another machine; `allow` are the addresses that may log in.

    The plain port stays on the exchange's own loopback address.
    """

    port: int
    certificate: Path
    key: Path
    address: str = "127.0.0.1"
    allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(r"[0-9a-fA-F.:]+", self.address, "The AMI TLS address", "an IP address")
        for network in self.allow:
            _check(r"[0-9a-fA-F.:/]+", network, "An address for AMI", "an IP address or network")
        for file in (self.certificate, self.key):
            if UNSAFE_IN_PATHS.search(str(file)) or not file.is_absolute():
                raise ExchangeInvalid(
                    f"The path {file} for AMI over TLS must be absolute and hold only letters, "
                    "digits and ./+@~_-."
                )


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
    block_list: bool = False
    """Whether callers in `blocked_dir` are kept out; see line_plan.py."""
    calls_per_caller: int = 0
    """How many calls at once one number may have on all lines; 0 sets no limit."""
    ami_tls: AmiTls | None = None
    metrics_port: int | None = None
    """Where Asterisk's own figures are told to Prometheus, on this machine alone; None: nowhere."""
    browser_port: int | None = None
    """Where telephones in the browser come in, by way of the service; None: there are none.

    Asterisk has one HTTP server: with `metrics_port` it is the same port.
    """
    sounds: Path = SOUNDS
    """A folder with what the lines say beside their notices; sounds/README.md names the files."""

    def __post_init__(self) -> None:
        # Ids of channels begin with it; those of test calls and call-outs begin with their own.
        _check(
            r"(?!probe-|callout-)[a-z0-9][a-z0-9-]{0,31}",
            self.system,
            "The system's name",
            "small letters, not probe- or callout-",
        )
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
        more = [self.ami_tls.port] if self.ami_tls else []
        more += [port for port in (self.metrics_port, self.browser_port) if port is not None]
        for port in (self.sip_port, self.ami_port, first, last, *more):
            if not 0 < port <= HIGHEST_PORT:
                raise ExchangeInvalid(f"Port {port} does not exist: choose 1 to {HIGHEST_PORT}.")
        if last - first + 1 < MEDIA_PORTS_PER_CALL:
            raise ExchangeInvalid(
                f"rtp_ports {first}-{last} is too narrow: one call needs {MEDIA_PORTS_PER_CALL}."
            )
        if self.browser_port is not None:
            self._check_browsers()

    def _check_browsers(self) -> None:
        if self.metrics_port not in (None, self.browser_port):
            raise ExchangeInvalid(
                "Asterisk has one HTTP server: give browser_port and metrics_port the same number."
            )
        for match in self.trunk_match:
            if _covers(match, RELAY_ADDRESS):
                raise ExchangeInvalid(
                    f"The trunk's address {match} takes in {RELAY_ADDRESS}, from which browsers "
                    "come: name the trunk's own addresses."
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
            for extension in (one for group in line.groups for one in group):
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
    def blocked_dir(self) -> Path:
        """One empty file for each blocked number; its modification time is when the block ends."""
        return self.run_dir / "blocked"

    @property
    def badges_dir(self) -> Path:
        """One file for each seat somebody has logged in at, holding the badge that is told."""
        return self.run_dir / "badges"

    @property
    def recordings_dir(self) -> Path:
        """Where both legs of each call are written."""
        return self.run_dir / "spool" / "monitor"


def _covers(network: str, address: str) -> bool:
    """Whether an address lies in a network; a host's name covers none."""
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


def _check(pattern: str, value: str, what: str, rule: str) -> None:
    if re.fullmatch(pattern, value, re.ASCII) is None:
        raise ExchangeInvalid(f"{what} {value!r} is not allowed: write {rule}.")
