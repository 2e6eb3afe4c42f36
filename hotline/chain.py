"""The journal's hash chain read again, without the database's own arithmetic; pure.

    hash = sha256(prev + canonical text); prev of the first row is 32 zero bytes

The canonical text is each column with its length in bytes before it (`3:abc,`), `-,` for none.
Whoever changes a row breaks its hash; whoever hashes it anew breaks the next row's `prev`; whoever
hashes all of them anew no longer fits a head that was written down elsewhere.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One row of the journal as it is stored; `body` is the very text of the database."""

    id: int
    at: datetime
    actor: str
    event: str
    call_id: int | None
    case_id: int | None
    body: str
    prev: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where the chain ends: its last row, how many there are, the last hash."""

    id: int
    rows: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """The first place at which the chain does not hold.

    `kind` is `changed`, `removed`, `inserted` or `rewritten`; of removed ones `row` is the first
    row after the gap, or the last one left.
    """

    kind: str
    row: int
    sentence: str


class ChainReader:
    """Takes the rows in their order and finds the first that does not follow."""

    def __init__(self, anchors: Mapping[int, Head] | None = None) -> None:
        """`anchors` are heads that were written down elsewhere, by the id of their last row."""
        self._anchors = dict(anchors or {})
        self._id, self._rows, self._hash = 0, 0, GENESIS
        self._prev = GENESIS

    def take(self, rows: Iterable[Link]) -> Break | None:
        """Read on; returns the first break, after which nothing more should be given."""
        for row in rows:
            found = self._check(row) or self._anchored(row)
            if found is not None:
                return found
        return None

    def end(self, head: Head) -> Break | None:
        """Compare the end with the stored head, and with the anchors that were not met."""
        if head.id > self._id or (head.id == self._id and head.rows > self._rows):
            return self._broken(
                "removed", self._id, f"after row {self._id}, up to row {head.id}, rows were removed"
            )
        if (head.id, head.rows, head.hash) != (self._id, self._rows, self._hash):
            return self._broken(
                "inserted", self._id, f"row {self._id} was inserted past the head ({head.id})"
            )
        if lost := sorted(self._anchors):
            return self._broken(
                "removed", lost[0], f"row {lost[0]} was written down as the head and is gone"
            )
        return None

    def _check(self, row: Link) -> Break | None:
        if hash_of(row) != row.hash:
            return self._broken("changed", row.id, f"row {row.id} was changed")
        if row.prev != self._hash:
            return self._misfit(row)
        self._prev, self._hash = row.prev, row.hash
        self._id, self._rows = row.id, self._rows + 1
        return None

    def _misfit(self, row: Link) -> Break:
        """A row that is whole in itself and does not follow the one before it."""
        if self._rows and row.prev == self._prev:
            return self._broken("inserted", self._id, f"row {self._id} was inserted")
        if self._rows and row.id == self._id + 1:
            return self._broken("changed", self._id, f"row {self._id} was changed and hashed anew")
        return self._broken(
            "removed",
            row.id,
            f"between row {self._id} and row {row.id} a row was removed, or row {self._id} was"
            " changed and hashed anew",
        )

    def _anchored(self, row: Link) -> Break | None:
        anchor = self._anchors.pop(row.id, None)
        if anchor is None or (anchor.rows, anchor.hash) == (self._rows, self._hash):
            return None
        return self._broken(
            "rewritten", row.id, f"up to row {row.id} it is not the chain that was written down"
        )

    def _broken(self, kind: str, row: int, said: str) -> Break:
        return Break(kind=kind, row=row, sentence=f"The journal does not hold: {said}.")


def hash_of(row: Link) -> bytes:
    """The hash a row must have, from its own `prev` and content."""
    at = row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    values = (str(row.id), at, row.actor, row.event, _text(row.call_id), _text(row.case_id))
    return hashlib.sha256(row.prev + b"".join(map(_part, (*values, row.body)))).digest()


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _part(value: str | None) -> bytes:
    if value is None:
        return b"-,"
    text = value.encode()
    return b"%d:%s," % (len(text), text)


def written(head: Head, at: datetime) -> str:
    """A head as one line for a file, a wall or a notary."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {head.id} {head.rows} {head.hash.hex()}"


def heads_in(text: str) -> dict[int, Head]:
    """The heads of a file of such lines, by id; raises ValueError with the line that is none."""
    found: dict[int, Head] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            _, last, rows, digest = line.split()
            head = Head(id=int(last), rows=int(rows), hash=bytes.fromhex(digest))
        except ValueError as error:
            raise ValueError(f"this line is no head of the journal: {line[:80]!r}") from error
        found[head.id] = head
    return found
