"""Who calls and who answers in a storm: kinds of calls drawn by chance, the same for one seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from deploy.asterisk.config import Line
from deploy.demo.scenarios import Caller, Reply

NOTICE_SECONDS = 1.0
MAX_WAIT_SECONDS = 8
MAYOR_OPERATORS = tuple(str(1001 + n) for n in range(20))
DUTY_OPERATORS = tuple(str(2001 + n) for n in range(10))
PREFIX = 130


@dataclass(frozen=True, kw_only=True)
class Group:
    """Calls of one kind; each caller has a number of his own, which begins with `prefix`."""

    name: str
    line: str
    caller: Caller
    numbers: tuple[str, ...]

    def csv(self) -> str:
        """The file SIPp takes the numbers from, one a call."""
        return "SEQUENTIAL\n" + "".join(f"{number};\n" for number in self.numbers)


@dataclass(frozen=True, kw_only=True)
class People:
    groups: tuple[Group, ...]
    replies: tuple[Reply, ...]


@dataclass(frozen=True, kw_only=True)
class _Kind:
    name: str
    share: int
    rings: tuple[float, float] | None = None  # None: nobody picks up
    operator_talks: tuple[float, float] | None = None
    caller_talks: tuple[float, float] | None = None
    gives_up: tuple[float, float] | None = None
    refused: bool = False


# On this line the caller is answered by the operator: he may give up before, or talk after.
_BY_OPERATOR = (
    _Kind(name="talks", share=3, rings=(0.2, 2.5), caller_talks=(0.5, 3.0)),
    _Kind(name="talks long", share=2, rings=(0.2, 2.5), caller_talks=(3.0, 8.0)),
    _Kind(name="is hung up on", share=2, rings=(0.2, 2.5), operator_talks=(0.5, 6.0)),
    _Kind(name="answered late", share=1, rings=(3.0, 6.0), caller_talks=(1.0, 4.0)),
    _Kind(name="gives up at once", share=1, gives_up=(1.5, 3.0)),
    _Kind(name="gives up", share=1, gives_up=(6.8, 7.4)),
    _Kind(name="in the notice", share=1, gives_up=(0.2, 0.6)),
    _Kind(name="nobody comes", share=1, refused=True),
)
# On this one the exchange answers first: how long the caller stays counts from there.
_BEFORE_QUEUE = (
    _Kind(name="talks", share=3, rings=(0.2, 1.5), caller_talks=(4.0, 7.0)),
    _Kind(name="talks long", share=2, rings=(0.2, 1.5), caller_talks=(7.0, 11.0)),
    _Kind(name="is hung up on", share=2, rings=(0.2, 2.5), operator_talks=(0.5, 6.0)),
    _Kind(name="rings and goes", share=1, rings=(1.0, 3.0), caller_talks=(2.0, 4.5)),
    _Kind(name="gives up at once", share=1, caller_talks=(2.5, 4.5)),
    _Kind(name="gives up", share=1, caller_talks=(7.8, 8.4)),
    _Kind(name="in the notice", share=1, caller_talks=(0.2, 0.6)),
    _Kind(name="nobody comes", share=1),
)


def lines(notice: Path, sorry: Path) -> tuple[Line, Line]:
    """Both lines of the city; the two ways to answer, one each."""
    mayor = Line(
        name="mayor",
        number="12345",
        operators=MAYOR_OPERATORS,
        ring_seconds=7,
        max_wait_seconds=MAX_WAIT_SECONDS,
        answer="by_operator",
        notice=notice,
        sorry=sorry,
    )
    duty = Line(
        name="duty",
        number="2222345",
        operators=DUTY_OPERATORS,
        ring_seconds=7,
        max_wait_seconds=MAX_WAIT_SECONDS,
        answer="before_queue",
        notice=notice,
        sorry=sorry,
    )
    return mayor, duty


def people(calls: int, rng: Random, *, audio: Path | None) -> People:
    """`calls` calls of every kind on both lines, with times drawn by chance."""
    kinds = [("mayor", "12345", kind) for kind in _BY_OPERATOR for _ in range(2)]
    kinds += [("duty", "2222345", kind) for kind in _BEFORE_QUEUE]
    counts = _shared(calls, [kind.share for _, _, kind in kinds])
    groups: list[Group] = []
    replies: list[Reply] = []
    for index, ((line, number, kind), count) in enumerate(zip(kinds, counts, strict=True)):
        prefix = f"{PREFIX}{index:03d}"
        replies.append(
            Reply(
                caller=f"{prefix}[0-9]*",
                audio=audio,
                rings_ms=_drawn(kind.rings, rng),
                talks_ms=_drawn(kind.operator_talks, rng),
            )
        )
        if not count:
            continue
        caller = Caller(
            number=number,
            caller="[field0]",
            audio=None,
            gives_up_ms=_drawn(kind.gives_up, rng),
            talks_ms=_drawn(kind.caller_talks, rng),
            refused=kind.refused or line == "mayor",
        )
        numbers = tuple(f"{prefix}{n:05d}" for n in range(count))
        groups.append(Group(name=f"{line} {kind.name}", line=line, caller=caller, numbers=numbers))
    return People(groups=tuple(groups), replies=tuple(replies))


def _drawn(seconds: tuple[float, float] | None, rng: Random) -> int | None:
    return None if seconds is None else round(1000 * rng.uniform(*seconds))


def _shared(total: int, shares: Sequence[int]) -> list[int]:
    """`total` parted by shares, so that the parts add up and none differs by more than one."""
    parts, before, whole = [], 0, sum(shares)
    taken = 0
    for share in shares:
        before += share
        until = round(total * before / whole)
        parts.append(until - taken)
        taken = until
    return parts
