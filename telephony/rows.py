"""Rows of the exchange's own files, with their places, becoming facts. Pure.

A row that cannot be read is counted and skipped: one torn row must not cost the others.
"""

from collections.abc import Callable
from dataclasses import dataclass

from telephony.errors import TelephonyError
from telephony.events import Fact, System


class BadRow(TelephonyError):  # noqa: N818 - it names what was met
    """A row of the exchange's file cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far a file has been read."""

    file: int
    """Which file: a fingerprint of its first line, because inode numbers are used again."""
    offset: int
    """Bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One whole line, without its end, and where it began."""

    offset: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Lines that were read together from one file."""

    lines: tuple[Line, ...]
    position: Position | None
    """Where to go on; None while there is no file with a whole line."""
    file: int = 0
    """The file these lines are from."""
    more: bool = False
    """There is more to read at once."""
    lost: bool = False
    """The file read so far is gone, or was cut, before it was read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFact:
    """A fact and the row it comes from; the place is its natural key."""

    fact: Fact
    file: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a chunk told."""

    facts: tuple[PlacedFact, ...]
    rows: int
    bad: int
    """Rows that could not be read."""


Parser = Callable[[bytes, System], Fact | None]


def read_rows(chunk: Chunk, parse: Parser, *, system: System) -> Reading:
    """The facts in a chunk of lines, and how many lines were bad."""
    facts = []
    bad = 0
    for line in chunk.lines:
        try:
            fact = parse(line.text, system)
        except BadRow:
            bad += 1
            continue
        if fact is not None:
            facts.append(PlacedFact(fact=fact, file=chunk.file, offset=line.offset))
    return Reading(facts=tuple(facts), rows=len(chunk.lines), bad=bad)
