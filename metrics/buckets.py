"""Rows of buckets joined into histograms: classic ones by edges, native by number; pure."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from metrics.collect import Example, Histogram
from metrics.names import NATIVE_EDGES, NATIVE_LAST


class Row(Protocol):
    """A row by the names of its columns."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""


def negated(edges: tuple[float, ...]) -> list[float]:
    """The edges as `width_bucket` wants them, so that an observation on an edge lies below it."""
    return sorted(-edge for edge in edges)


NATIVE = negated(NATIVE_EDGES)


def joined(
    edges: tuple[float, ...], rows: Sequence[Row], hidden: Collection[int], *keys: str
) -> Iterator[tuple[tuple[str, ...], Histogram]]:
    """Join the rows of each key's buckets into one histogram; no hidden call is an example."""
    found: dict[tuple[str, ...], dict[float | None, int]] = {}
    shown: dict[tuple[str, ...], dict[float | None, Example]] = {}
    fine: dict[tuple[str, ...], dict[int, int]] = {}
    totals: dict[tuple[str, ...], float] = {}
    for row in rows:
        key = tuple(row[name] for name in keys)
        edge = edges[-row["above"]] if row["above"] else None
        own = found.setdefault(key, {})
        own[edge] = own.get(edge, 0) + row["found"]
        bucket = NATIVE_LAST + 1 - row["fine"]
        fine_own = fine.setdefault(key, {})
        fine_own[bucket] = fine_own.get(bucket, 0) + row["found"]
        totals[key] = totals.get(key, 0.0) + row["total"]
        call_id, value, moment = row["example"]
        if call_id not in hidden:
            example = Example(
                call_id=int(call_id), value=value, at=datetime.fromtimestamp(moment, UTC)
            )
            before = shown.setdefault(key, {}).setdefault(edge, example)
            if before.call_id < example.call_id:
                shown[key][edge] = example
    for key, own in found.items():
        yield key, Histogram.of(edges, own, totals[key], shown.get(key), fine[key])
