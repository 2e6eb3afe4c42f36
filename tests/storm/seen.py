"""What SIPp itself saw of each call: the truth that the service is held against. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from deploy.demo.phones import SipMessage

FINAL = ("SIP/2.0 4", "SIP/2.0 5", "SIP/2.0 6")


@dataclass(kw_only=True)
class OperatorLeg:
    """One telephone that rang for a call."""

    operator: str
    rang_at: datetime | None = None
    picked_up_at: datetime | None = None
    acknowledged_at: datetime | None = None
    hung_up_at: datetime | None = None
    hung_up_first: bool = False


@dataclass(kw_only=True)
class Seen:
    """One call as the telephones saw it; a time is None for what did not happen."""

    number: str
    dialled: str
    invited: list[datetime] = field(default_factory=list)
    reached_at: datetime | None = None
    """The exchange's first answer of any kind; None: the call never reached it."""
    ended_at: datetime | None = None
    ended_by_caller: bool = False
    operators: list[OperatorLeg] = field(default_factory=list)

    @property
    def answer(self) -> OperatorLeg | None:
        """The operator who spoke with the caller: the first whose answer was acknowledged."""
        picked = [leg for leg in self.operators if leg.picked_up_at and leg.acknowledged_at]
        return min(picked, key=lambda leg: leg.picked_up_at or leg.acknowledged_at, default=None)  # type: ignore[arg-type,return-value]

    @property
    def started(self) -> tuple[datetime, datetime] | None:
        """Between which two moments the exchange learned of it (it may have been away)."""
        if self.reached_at is None:
            return None
        return max(at for at in self.invited if at <= self.reached_at), self.reached_at


def calls_seen(callers: Iterable[SipMessage], operators: Iterable[SipMessage]) -> dict[str, Seen]:
    """Every call that a telephone tried to place, by the caller's number."""
    seen: dict[str, Seen] = {}
    # By Call-ID, because a request of the exchange names the caller in To.
    placed: dict[str, Seen] = {}
    for message in callers:
        if message.sent and message.start_line.startswith("INVITE"):
            dialled = message.start_line.partition("sip:")[2].partition("@")[0]
            call = seen.setdefault(message.caller, Seen(number=message.caller, dialled=dialled))
            call.invited.append(message.at)
            placed[message.call_id] = call
        elif (known := placed.get(message.call_id)) is not None:
            _caller_heard(known, message)
    for messages in _by_call_id(operators).values():
        if (known := seen.get(messages[0].caller)) is not None:
            known.operators.append(_leg(messages))
    return seen


def _caller_heard(call: Seen, message: SipMessage) -> None:
    line, answered = message.start_line, message.cseq.endswith("INVITE")
    if not message.sent and call.reached_at is None:
        call.reached_at = message.at
    if call.ended_at is not None:
        return
    if line.startswith(("BYE", "CANCEL")):
        call.ended_at = message.at
        call.ended_by_caller = message.sent
    elif not message.sent and answered and line.startswith(FINAL):
        call.ended_at = message.at


def _by_call_id(messages: Iterable[SipMessage]) -> dict[str, list[SipMessage]]:
    """The messages of each operator's leg, which begin with the INVITE that names the caller."""
    legs: dict[str, list[SipMessage]] = defaultdict(list)
    for message in messages:
        if message.call_id in legs or message.start_line.startswith("INVITE"):
            legs[message.call_id].append(message)
    return legs


def _leg(messages: list[SipMessage]) -> OperatorLeg:
    operator = messages[0].start_line.partition("sip:")[2].partition("@")[0]
    leg = OperatorLeg(operator=operator)
    for message in messages:
        line, invite = message.start_line, message.cseq.endswith("INVITE")
        if message.sent and line.startswith("SIP/2.0 180"):
            leg.rang_at = leg.rang_at or message.at
        elif message.sent and invite and line.startswith("SIP/2.0 200"):
            leg.picked_up_at = leg.picked_up_at or message.at
        elif not message.sent and line.startswith("ACK") and leg.picked_up_at:
            leg.acknowledged_at = leg.acknowledged_at or message.at
        elif line.startswith("BYE") and leg.hung_up_at is None:
            leg.hung_up_at, leg.hung_up_first = message.at, message.sent
    return leg


def never_reached(seen: Iterable[Seen]) -> Iterator[Seen]:
    """Calls placed while the exchange was away, which it never learned of."""
    return (call for call in seen if call.reached_at is None)
