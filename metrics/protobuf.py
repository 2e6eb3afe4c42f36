"""The page as Prometheus reads native histograms: length-delimited `io.prometheus.client` messages.

prometheus-client writes both text formats, and neither carries a native histogram to Prometheus: a
scraper that wants them asks for protobuf. The messages are few and fixed (metrics.proto of
prometheus/client_model), so they are written here by their field numbers rather than by a code
generator and its library. Pure.
"""

import struct
from collections.abc import Iterable, Mapping
from itertools import pairwise

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.core import Metric as Family

from metrics.collect import Histogram
from metrics.names import NATIVE_EDGES, NATIVE_FIRST, NATIVE_SCHEMA

CONTENT_TYPE = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
)
_TYPES = {"counter": 0, "gauge": 1, "unknown": 3, "info": 1, "histogram": 4}
VARINT, DOUBLE, BYTES = 0, 1, 2


class NativeFamily(HistogramMetricFamily):
    """A histogram's family that remembers the histograms themselves."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...]) -> None:
        super().__init__(name, text, labels=labels)
        self.told: list[tuple[dict[str, str], Histogram]] = []


def is_wanted(accept: str) -> bool:
    """Whether a scraper's Accept header puts protobuf first."""
    first = accept.partition(",")[0]
    return "application/vnd.google.protobuf" in first and "encoding=delimited" in first


def page(families: Iterable[Family]) -> bytes:
    """All families, each behind its length."""
    return b"".join(_sized(_family(family)) for family in families)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def _sized(body: bytes) -> bytes:
    return _varint(len(body)) + body


def _field(number: int, wire: int, body: bytes) -> bytes:
    return _varint(number << 3 | wire) + body


def _count(number: int, value: int) -> bytes:
    return _field(number, VARINT, _varint(value))


def _signed(number: int, value: int) -> bytes:
    return _count(number, value << 1 if value >= 0 else (-value << 1) - 1)


def _double(number: int, value: float) -> bytes:
    return _field(number, DOUBLE, struct.pack("<d", value))


def _text(number: int, value: str) -> bytes:
    return _field(number, BYTES, _sized(value.encode()))


def _message(number: int, *parts: bytes) -> bytes:
    return _field(number, BYTES, _sized(b"".join(parts)))


def _labels(labels: Mapping[str, str]) -> bytes:
    return b"".join(_message(1, _text(1, name), _text(2, value)) for name, value in labels.items())


def _family(family: Family) -> bytes:
    kind = _TYPES.get(family.type, _TYPES["unknown"])
    if isinstance(family, NativeFamily):
        told = [_message(4, _labels(own), _message(7, _histogram(it))) for own, it in family.told]
        name = family.name
    else:
        shown = family.samples if kind != _TYPES["histogram"] else []
        place = {0: 3, 1: 2}.get(kind, 5)  # counter, gauge, untyped
        told = [
            _message(4, _labels(it.labels), _message(place, _double(1, it.value))) for it in shown
        ]
        name = shown[0].name if shown else family.name
    head = (_text(1, name), _text(2, family.documentation), _count(3, kind))
    return b"".join((*head, *told))


def _histogram(told: Histogram) -> bytes:
    edges = (*told.edges, float("inf"))
    examples = told.examples or (None,) * len(edges)
    parts = [_count(1, told.counts[-1]), _double(2, told.total)]
    for edge, count, example in zip(edges, told.counts, examples, strict=True):
        shown = b""
        if example is not None:
            seconds, rest = divmod(example.at.timestamp(), 1)
            at = _message(3, _count(1, int(seconds)), _count(2, int(rest * 1e9)))
            shown = _message(
                3, _labels({"call": str(example.call_id)}), _double(2, example.value), at
            )
        parts.append(_message(3, _count(1, count), _double(2, edge), shown))
    return b"".join((*parts, *_native(told.native)))


def _native(told: Mapping[int, int]) -> Iterable[bytes]:
    """The buckets by spans of neighbours, each count as the difference to the one before.

    What is at or below the first edge counts as zero; a histogram with nothing in it still says
    that it is a native one, by a span of no length.
    """
    yield _signed(5, NATIVE_SCHEMA)
    yield _double(6, NATIVE_EDGES[0])
    yield _count(7, told.get(NATIVE_FIRST, 0))
    numbers = sorted(number for number in told if number > NATIVE_FIRST)
    if not numbers:
        yield _message(12, _signed(1, 0), _count(2, 0))
        return
    spans: list[tuple[int, int]] = [(numbers[0], 1)]
    for before, number in pairwise(numbers):
        offset, length = spans[-1]
        if number == before + 1:
            spans[-1] = (offset, length + 1)
        else:
            spans.append((number - before - 1, 1))
    yield from (_message(12, _signed(1, offset), _count(2, length)) for offset, length in spans)
    counts = [0, *(told[number] for number in numbers)]
    yield from (_signed(13, count - before) for before, count in pairwise(counts))
