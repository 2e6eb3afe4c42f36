"""How many callers wait how long behind so many seats: Erlang C and Erlang A; pure.

Both assume that callers come independently of one another (Poisson) and that talks end likewise
(exponential). Erlang C lets nobody hang up, so it asks for more seats than are needed under
overload; Erlang A gives each caller a patience (exponential as well).

Sources: domain facts 3.4 (Erlang C with its check vector, the recursion of Erlang B); A. Mandelbaum
and S. Zeltyn, "Service Engineering in Action: The Palm/Erlang-A Queue" (2007), for Erlang A:
with e = 1 / B(n - 1) and J = the integral of g(v) = exp(l/t (1 - exp(-t v)) - n m v) over v > 0,
the virtual wait V has the density l g(v) / (e + l J), and 0 with the rest.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from metrics.errors import NoSuchStaffing

MOST_SEATS = 10_000
_STEPS = 1_000
_NEGLIGIBLE = 32.0
"""exp(-32) is a hundred-millionth of a millionth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What comes to the line: calls an hour, and the seconds that each keeps a seat.

    `patience` is the mean time in seconds after which a waiting caller hangs up; None: never.
    """

    calls_per_hour: float
    handling_seconds: float
    patience: float | None = None

    def __post_init__(self) -> None:
        """Refuse what no line can have."""
        patience = math.inf if self.patience is None else self.patience
        if not (
            0 <= self.calls_per_hour < math.inf
            and 0 < self.handling_seconds < math.inf
            and patience > 0
        ):
            raise NoSuchStaffing(
                "Calls an hour are at least 0, seconds of handling and of patience above 0."
            )

    @property
    def erlangs(self) -> float:
        """The load: how many seats would talk on average if nobody had to wait."""
        return self.calls_per_hour * self.handling_seconds / 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What callers meet behind `seats`.

    `waits`: the share that has to wait. `in_time`: answered within the target, of all who came.
    `mean_wait`: seconds, of all who came, whether answered or not; infinite where the line only
    fills up. `lost`: the share that hangs up. `occupancy`: the share of their time in which seats
    are busy.
    """

    seats: int
    waits: float
    in_time: float
    mean_wait: float
    lost: float
    occupancy: float


def erlang_b(erlangs: float, seats: int) -> float:
    """The share of calls that find all seats busy where nobody can wait."""
    blocked = 1.0
    for busy in range(1, seats + 1):
        blocked = erlangs * blocked / (busy + erlangs * blocked)
    return blocked


def service(traffic: Traffic, seats: int, target: float) -> Service:
    """What callers meet: by Erlang A where they have a patience, else by Erlang C.

    `target` is the promised time to an answer in seconds.

    Raises:
        NoSuchStaffing: fewer seats than one, or a target below 0.
    """
    if seats < 1 or not target >= 0:
        raise NoSuchStaffing("A line has at least one seat, and a target of at least 0 seconds.")
    if traffic.calls_per_hour == 0:
        return Service(seats=seats, waits=0.0, in_time=1.0, mean_wait=0.0, lost=0.0, occupancy=0.0)
    if traffic.patience is None:
        return _erlang_c(traffic, seats, target)
    return _erlang_a(traffic, traffic.patience, seats, target)


def _erlang_c(traffic: Traffic, seats: int, target: float) -> Service:
    load, each = traffic.erlangs, traffic.handling_seconds
    if load >= seats:
        return Service(
            seats=seats, waits=1.0, in_time=0.0, mean_wait=math.inf, lost=0.0, occupancy=1.0
        )
    blocked = erlang_b(load, seats)
    waits = seats * blocked / (seats - load * (1 - blocked))
    return Service(
        seats=seats,
        waits=waits,
        in_time=1 - waits * math.exp(-(seats - load) * target / each),
        mean_wait=waits * each / (seats - load),
        lost=0.0,
        occupancy=load / seats,
    )


def _erlang_a(traffic: Traffic, patience: float, seats: int, target: float) -> Service:
    comes, leaves = traffic.calls_per_hour / 3600, 1 / patience
    serves = seats / traffic.handling_seconds

    def power(wait: float, gone: float = 0.0) -> float:
        """The logarithm of the density; with `gone`, of its part that has not hung up."""
        return comes / leaves * -math.expm1(-leaves * wait) - (serves + gone) * wait

    def area(gone: float, until: float = math.inf) -> float:
        # The top is where as many are served, or have hung up, as come and have not left.
        top = max(0.0, math.log(comes / (serves + gone)) / leaves)
        end = _end(lambda wait: power(wait, gone), top)
        marks = [min(mark, until) for mark in (0.0, top, min(top + 10 * patience, end), end)]
        return math.fsum(
            _simpson(lambda wait: comes * math.exp(power(wait, gone) - shift), *span)
            for span in pairwise(marks)
        )

    shift = power(max(0.0, math.log(comes / serves) / leaves))
    # All multiplied by B(n - 1), which may be too small to divide by.
    blocked = erlang_b(traffic.erlangs, seats - 1)
    at_once, waits = math.exp(-shift), blocked * area(0.0)
    everybody = at_once + waits
    lost = max(0.0, (waits - blocked * area(leaves)) / everybody)
    return Service(
        seats=seats,
        waits=waits / everybody,
        in_time=min(1.0, (at_once + blocked * area(leaves, target)) / everybody),
        mean_wait=lost * patience,
        lost=lost,
        occupancy=min(1.0, traffic.erlangs * (1 - lost) / seats),
    )


def _end(power: Callable[[float], float], top: float) -> float:
    """A wait beyond which nothing is left of the density."""
    step = 0.001
    while power(top + step) > power(top) - _NEGLIGIBLE:
        step *= 1.25
    return top + step


def _simpson(curve: Callable[[float], float], begin: float, end: float) -> float:
    """The integral by Simpson's rule."""
    if end <= begin:
        return 0.0
    width = (end - begin) / _STEPS
    inner = math.fsum(
        (4 if step % 2 else 2) * curve(begin + step * width) for step in range(1, _STEPS)
    )
    return width / 3 * (curve(begin) + inner + curve(end))


def seats_needed(traffic: Traffic, *, target: float, share: float) -> Service:
    """The fewest seats with which that share of callers is answered within the target.

    Raises:
        NoSuchStaffing: no number of seats does it, or it would be more than `MOST_SEATS`.
    """
    if not 0 < share < 1:
        raise NoSuchStaffing("The promised share lies between 0 and 1, such as 0.95.")
    few, many = 0, max(1, math.ceil(traffic.erlangs))
    while many > MOST_SEATS or service(traffic, many, target).in_time < share:
        if many > MOST_SEATS:
            raise NoSuchStaffing(f"More than {MOST_SEATS} seats would be needed.")
        few, many = many, many * 2
    while many - few > 1:
        middle = (few + many) // 2
        if service(traffic, middle, target).in_time < share:
            few = middle
        else:
            many = middle
    return service(traffic, many, target)


def rostered(seats: int, shrinkage: float) -> int:
    """People to put on the roster where this share of their time is breaks, training, absence."""
    if not 0 <= shrinkage < 1:
        raise NoSuchStaffing("The share of absence lies between 0 and 1.")
    return math.ceil(seats / (1 - shrinkage) - 1e-9)
