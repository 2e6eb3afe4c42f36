"""Intervals of time and their algebra. Pure.

A tuple of spans that a function here returns is in order, disjoint and without empty ones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """From `start` to `end`, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it lasts; a span turned round lasts no time."""
        return max(0.0, self.end - self.start)


def union(spans: Iterable[Span], gap: float = 0.0) -> tuple[Span, ...]:
    """Everything that lies in any span; pauses of at most `gap` seconds are bridged."""
    joined: list[Span] = []
    for one in sorted(span for span in spans if span.end > span.start):
        if joined and one.start - joined[-1].end <= gap:
            if one.end > joined[-1].end:
                joined[-1] = Span(start=joined[-1].start, end=one.end)
        else:
            joined.append(one)
    return tuple(joined)


def both(ours: Iterable[Span], theirs: Iterable[Span]) -> tuple[Span, ...]:
    """Everything that lies in a span of each."""
    left, right = union(ours), union(theirs)
    found: list[Span] = []
    at = over = 0
    while at < len(left) and over < len(right):
        start = max(left[at].start, right[over].start)
        end = min(left[at].end, right[over].end)
        if end > start:
            found.append(Span(start=start, end=end))
        if left[at].end < right[over].end:
            at += 1
        else:
            over += 1
    return tuple(found)


def without(ours: Iterable[Span], theirs: Iterable[Span]) -> tuple[Span, ...]:
    """What lies in a span of ours and in none of theirs."""
    cuts = union(theirs)
    left: list[Span] = []
    first = 0
    for one in union(ours):
        start = one.start
        while first < len(cuts) and cuts[first].end <= start:
            first += 1
        at = first
        while at < len(cuts) and cuts[at].start < one.end:
            if cuts[at].start > start:
                left.append(Span(start=start, end=cuts[at].start))
            start = max(start, cuts[at].end)
            at += 1
        if start < one.end:
            left.append(Span(start=start, end=one.end))
    return tuple(left)


def seconds(spans: Iterable[Span]) -> float:
    """How long the spans last together, what lies in several counted once."""
    return sum(one.seconds for one in union(spans))


def longest(spans: Sequence[Span]) -> Span | None:
    """The longest of some spans, the first of several as long."""
    return max(spans, key=lambda one: one.seconds, default=None)
