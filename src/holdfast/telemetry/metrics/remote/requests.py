"""Writes requests: of remote write 2.0, for imports into another server, and of remote read, for exports from one.

Source of the field numbers: Prometheus' prompb/io/prometheus/write/v2/types.proto and prompb/remote.proto.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.telemetry.metrics.remote.histogram_messages import read_histogram
from holdfast.telemetry.metrics.remote.messages import double, histogram_field, message, number, varint
from holdfast.telemetry.metrics.remote.version1 import TYPES, read_labels
from holdfast.telemetry.metrics.remote.wire import (
    BYTES,
    FIXED64,
    VARINT,
    expect,
    read_double,
    read_fields,
    signed,
)
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.arrivals import MetricMetadata
    from holdfast.telemetry.metrics.histograms import Histogram
    from holdfast.telemetry.metrics.labels import Labels

_OPS: Final = {MatchOp.EQUAL: 0, MatchOp.NOT_EQUAL: 1, MatchOp.MATCHES: 2, MatchOp.NOT_MATCHES: 3}


class SentSample(NamedTuple):
    """A sample to send: what is said of its family, since when it counts (ms, 0 if unknown), and an example behind it.

    The exemplar has labels, value and time. A native histogram stands in the place of the value.
    """

    labels: Labels
    ts_ms: int
    value: float
    metadata: MetricMetadata | None = None
    start_ms: int = 0
    exemplar: tuple[Labels, float, int] | None = None
    histogram: Histogram | None = None


def write_request(samples: Iterable[SentSample]) -> bytes:
    """Give an `io.prometheus.write.v2.Request` of samples."""
    symbols: dict[str, int] = {"": 0}
    series: dict[Labels, list[bytes]] = {}
    said: dict[Labels, bytes] = {}
    for labels, ts_ms, value, metadata, start_ms, exemplar, histogram in samples:
        parts = series.get(labels)
        if parts is None:
            parts = series[labels] = [_labels(labels, symbols)]
            said[labels] = _metadata(metadata, symbols) if metadata else b""
        if histogram is None:
            parts.append(message(2, double(1, value) + number(2, ts_ms) + number(3, start_ms)))
        else:
            parts.append(histogram_field(3, ts_ms, histogram, start_ms))
        if exemplar is not None:
            parts.append(message(4, _labels(exemplar[0], symbols) + double(2, exemplar[1]) + number(3, exemplar[2])))
    body = [message(4, text.encode()) for text in symbols]
    body += [message(5, b"".join((*parts, said[labels]))) for labels, parts in series.items()]
    return b"".join(body)


def _labels(labels: Labels, symbols: dict[str, int]) -> bytes:
    refs = [symbols.setdefault(text, len(symbols)) for pair in labels for text in pair]
    return message(1, b"".join(map(varint, refs)))


def _metadata(metadata: MetricMetadata, symbols: dict[str, int]) -> bytes:
    refs = [symbols.setdefault(text, len(symbols)) for text in (metadata.help, metadata.unit)]
    kind = TYPES.index(metadata.type) if metadata.type in TYPES else 0
    return message(5, number(1, kind) + number(3, refs[0]) + number(4, refs[1]))


def read_request(matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> bytes:
    """Give a `prometheus.ReadRequest` of one query; both ends are included."""
    content = [number(1, start_ms), number(2, end_ms)]
    content += [
        message(3, number(1, _OPS[each.op]) + message(2, each.label.encode()) + message(3, each.value.encode()))
        for each in matchers
    ]
    return message(1, b"".join(content))


def read_answer(data: bytes) -> Iterator[tuple[Labels, list[tuple[int, float]], list[tuple[int, Histogram]]]]:
    """Give the series of a `prometheus.ReadResponse`: labels, samples, native histograms."""
    for result in read_fields(data, 0, len(data)):
        expect(result, BYTES)
        for series in read_fields(data, result[2], result[3]):
            expect(series, BYTES)
            parts = list(read_fields(data, series[2], series[3]))
            samples = [_read_sample(data, part[2], part[3]) for part in parts if part[0] == 2]
            native = [read_histogram(data, part[2], part[3], 0) for part in parts if part[0] == 4]
            histograms = [(each.ts_ms, each.histogram) for each in native]
            yield tuple(read_labels(data, series[2], series[3])), samples, histograms


def _read_sample(data: bytes, start: int, end: int) -> tuple[int, float]:
    value, ts_ms = 0.0, 0
    for field in read_fields(data, start, end):
        if field[0] == 1:
            expect(field, FIXED64)
            value = read_double(data, field[2])
        elif field[0] == 2:
            expect(field, VARINT)
            ts_ms = signed(field[2])
    return ts_ms, value
