"""Writes protobuf by hand: the pieces of which answers to remote read and requests of remote write are made.

Source of the field numbers: Prometheus' prompb/types.proto.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.histograms import Histogram, ResetHint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.metrics.histograms import Buckets
    from holdfast.telemetry.metrics.labels import Labels

_DOUBLE: Final = Struct("<d")
_HINTS: Final = {ResetHint.UNKNOWN: 0, ResetHint.RESET: 1, ResetHint.NOT_RESET: 2, ResetHint.GAUGE: 3}
_U64: Final = (1 << 64) - 1


def varint(value: int) -> bytes:
    """Give an int64 or uint64 as a varint."""
    value &= _U64
    if value < 0x80:
        return bytes((value,))
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def zigzag(value: int) -> bytes:
    """Give a sint as a varint."""
    return varint(value << 1 ^ value >> 63)


def message(number: int, content: bytes) -> bytes:
    """Give a field that holds a message, text or packed values."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def number(field: int, value: int) -> bytes:
    """Give an integer field; nothing for zero."""
    return varint(field << 3) + varint(value) if value else b""


def double(field: int, value: float) -> bytes:
    """Give a double field; written even for zero, so that a negative one and a NaN keep their bits."""
    return varint(field << 3 | 1) + _DOUBLE.pack(value)


def labels_field(labels: Labels) -> bytes:
    """Give the labels of a 1.0 series, each as field 1."""
    return b"".join(message(1, message(1, name.encode()) + message(2, value.encode())) for name, value in labels)


def sample_field(ts_ms: int, value: float) -> bytes:
    """Give one sample of a series, as field 2."""
    return message(2, double(1, value) + number(2, ts_ms))


def histogram_field(field: int, ts_ms: int, histogram: Histogram, start_ms: int = 0) -> bytes:
    """Give one native histogram with float counts."""
    content = [
        double(2, histogram.count),
        double(3, histogram.sum),
        varint(4 << 3) + zigzag(histogram.schema),
        double(5, histogram.zero_threshold),
        double(7, histogram.zero_count),
        *_buckets(8, 10, histogram.negative),
        *_buckets(11, 13, histogram.positive),
        number(14, _HINTS[histogram.hint]),
        number(15, ts_ms),
    ]
    if histogram.custom_values:
        content.append(message(16, _pack(histogram.custom_values)))
    content.append(number(17, start_ms))
    return message(field, b"".join(content))


def _buckets(spans: int, counts: int, buckets: Buckets) -> list[bytes]:
    if not buckets.counts:
        return []
    span = varint(1 << 3) + zigzag(buckets.first) + number(2, len(buckets.counts))
    return [message(spans, span), message(counts, _pack(buckets.counts))]


def _pack(values: Sequence[float]) -> bytes:
    return b"".join(map(_DOUBLE.pack, values))
