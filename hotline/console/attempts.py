"""How often somebody may try: wrong passwords wait longer and longer, requests keep a pace."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from hotline.console.problems import Fault, ProblemError

KNOWN = 10_000
"""How many addresses or people are remembered; the longest quiet are forgotten first."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Attempts:
    """Counts wrong passwords by address and makes the next try wait longer and longer."""

    FREE = 5
    LONGEST = timedelta(minutes=15)
    EVERYBODY = ""

    def __init__(self, *, everybody: bool = True) -> None:
        """`EVERYBODY` is counted beside each address, with a larger allowance, where it should be.

        Where the public asks, one who tries from many addresses must not shut out all others.
        """
        self._everybody = everybody
        self._seen: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def check(self, address: str, now: datetime) -> None:
        """Raise `ProblemError` where this address, or all together, must wait."""
        for key, free in self._keys(address):
            count, last = self._seen.get(key, (0, now))
            if count < free:
                continue
            wait = min(self.LONGEST, timedelta(seconds=2 ** min(count - free, 20)))
            must_wait(last + wait - now)

    def failed(self, address: str, now: datetime) -> None:
        """Remember one wrong password; a quiet quarter of an hour forgets them."""
        for key, _ in self._keys(address):
            count, last = self._seen.get(key, (0, now))
            self._seen[key] = (1 if now - last > self.LONGEST else count + 1, now)
            self._seen.move_to_end(key)
        while len(self._seen) > KNOWN:
            self._seen.popitem(last=False)

    def _keys(self, address: str) -> tuple[tuple[str, int], ...]:
        own = (address, self.FREE)
        return (own, (self.EVERYBODY, self.FREE * 20)) if self._everybody else (own,)

    def succeeded(self, address: str) -> None:
        """Forget the failures of an address that knows the password."""
        self._seen.pop(address, None)
        count, last = self._seen.get(self.EVERYBODY, (0, _LONG_AGO))
        self._seen[self.EVERYBODY] = (max(0, count - 1), last)


def must_wait(wait: timedelta) -> None:
    """Raise `ProblemError` where the next try must wait."""
    if wait > timedelta(0):
        seconds = int(wait.total_seconds()) + 1
        raise ProblemError(
            Fault.TOO_MANY_ATTEMPTS,
            f"Too many wrong attempts: try again in {seconds} s.",
            retry_after=seconds,
        )


class Pace:
    """Lets each person ask so often a minute; who was quiet may ask that many at once."""

    def __init__(self, per_minute: int) -> None:
        """One bucket a person, filled at an even rate."""
        self._most = float(per_minute)
        self._left: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def check(self, who: str, now: datetime) -> None:
        """Count one request; raise `ProblemError` where there were too many."""
        left, last = self._left.get(who, (self._most, now))
        gained = max(0.0, (now - last).total_seconds()) * self._most / 60
        left = min(self._most, left + gained)
        if left < 1:
            raise ProblemError(
                Fault.TOO_MANY_REQUESTS,
                "Too many requests: wait a moment.",
                retry_after=max(1, int((1 - left) * 60 / self._most)),
            )
        self._left[who] = (left - 1, now)
        self._left.move_to_end(who)
        while len(self._left) > KNOWN:
            self._left.popitem(last=False)
