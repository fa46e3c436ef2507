"""The parser of Prometheus' protobuf exposition: delimited MetricFamily messages, with native histograms.

Source: prometheus/client_model metrics.proto; what becomes of a histogram that is native and classic at once is
Prometheus' own rule (`scrape_native_histograms`, `always_scrape_classic_histograms`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from holdfast.telemetry.metrics.exposition.bounds import write_bound
from holdfast.telemetry.metrics.exposition.page import MAX_MS, ExpositionError, Family, Page, PageExemplar, PageSample
from holdfast.telemetry.metrics.exposition.protobuf_schema import metric_family
from holdfast.telemetry.metrics.histograms import MAX_SCHEMA, MIN_SCHEMA, Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels

MAX_BUCKETS: Final = 20_000  # of one side of a native histogram, the gaps filled
_TYPES: Final = ("counter", "gauge", "summary", "unknown", "histogram", "gaugehistogram")
_VARINT_BYTES: Final = 5


def parse_protobuf(page: bytes, *, is_native: bool = True, is_classic_too: bool = False) -> Page:
    """Parse a page.

    Args:
        page: the whole body.
        is_native: take native histograms; else only their classic buckets.
        is_classic_too: take the classic buckets also of histograms that are native.

    Raises:
        ExpositionError: it is cut, is no protobuf, or a family makes no sense.
    """
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - as in protobuf_schema

    families: list[Family] = []
    for message in _messages(page):
        try:
            decoded = metric_family().FromString(message)
        except DecodeError as error:
            raise ExpositionError(f"not a MetricFamily: {error}") from None
        families.append(_family(decoded, is_native=is_native, is_classic_too=is_classic_too))
    return Page(tuple(families))


def _messages(page: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(page):
        size = shift = 0
        for _ in range(_VARINT_BYTES):
            if position >= len(page):
                raise ExpositionError("the page is cut short")
            byte = page[position]
            position += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if position + size > len(page):
            raise ExpositionError("the page is cut short, or not delimited protobuf")
        yield page[position : position + size]
        position += size


def _family(message: Any, *, is_native: bool, is_classic_too: bool) -> Family:
    name = message.name
    _refuse_bytes(f"the family {name!r}", (name, message.help, message.unit))
    if not name or not 0 <= message.type < len(_TYPES):
        raise ExpositionError(f"the family {name!r} has the unknown type {message.type}" if name else "no family name")
    samples: list[PageSample] = []
    for metric in message.metric:
        one = _Metric(name, metric)
        if metric.HasField("histogram"):
            histogram = metric.histogram
            takes_native = is_native and _is_native(histogram)
            if takes_native:
                samples.append(one.native(histogram, is_gauge=message.type == 5))
            if not takes_native or (is_classic_too and histogram.bucket):
                samples += one.classic(histogram)
        elif metric.HasField("summary"):
            samples += one.summary(metric.summary)
        else:
            samples.append(one.plain(metric))
    return Family(name, _TYPES[message.type], message.help, message.unit, tuple(samples))


class _Metric:
    """One metric of a family, which may be several samples."""

    def __init__(self, name: str, metric: Any) -> None:
        pairs = [(pair.name, pair.value) for pair in metric.label]
        _refuse_bytes(f"a label of {name}", chain.from_iterable(pairs))
        if len({key for key, _ in pairs}) != len(pairs) or any(key in {"", METRIC_NAME} for key, _ in pairs):
            raise ExpositionError(f"a metric of {name} has a label without a name, or one name twice")
        self._name = name
        self._pairs = [(key, value) for key, value in pairs if value]
        self._emptied = tuple(sorted(key for key, value in pairs if not value))
        self._ts_ms = metric.timestamp_ms if metric.HasField("timestamp_ms") else None

    def plain(self, metric: Any) -> PageSample:
        for kind in ("counter", "gauge", "untyped"):
            if metric.HasField(kind):
                inner = getattr(metric, kind)
                made = self._sample("", inner.value)
                if kind == "counter":
                    made = made._replace(start_ms=_start(inner), exemplar=_example(inner))
                return made
        raise ExpositionError(f"a metric of {self._name} has no value")

    def summary(self, summary: Any) -> list[PageSample]:
        start = _start(summary)
        return [
            self._sample("_count", summary.sample_count)._replace(start_ms=start),
            self._sample("_sum", summary.sample_sum)._replace(start_ms=start),
            *(self._sample("", part.value, ("quantile", write_bound(part.quantile))) for part in summary.quantile),
        ]

    def classic(self, histogram: Any) -> list[PageSample]:
        start, count = _start(histogram), histogram.sample_count_float or histogram.sample_count
        samples = [self._sample("_count", count), self._sample("_sum", histogram.sample_sum)]
        for bucket in histogram.bucket:
            reached = bucket.cumulative_count_float or bucket.cumulative_count
            made = self._sample("_bucket", reached, ("le", write_bound(bucket.upper_bound)))
            samples.append(made._replace(exemplar=_example(bucket)))
        if not histogram.bucket or not math.isinf(histogram.bucket[-1].upper_bound):
            samples.append(self._sample("_bucket", count, ("le", "+Inf")))
        return [sample._replace(start_ms=start) for sample in samples]

    def native(self, histogram: Any, *, is_gauge: bool) -> PageSample:
        if not MIN_SCHEMA <= histogram.schema <= MAX_SCHEMA:
            raise ExpositionError(f"{self._name}: the schema {histogram.schema} of a native histogram is not known")
        value = Histogram(
            schema=histogram.schema,
            count=histogram.sample_count_float or float(histogram.sample_count),
            sum=histogram.sample_sum,
            zero_threshold=histogram.zero_threshold,
            zero_count=histogram.zero_count_float or float(histogram.zero_count),
            positive=_side(histogram.positive_span, histogram.positive_delta, histogram.positive_count),
            negative=_side(histogram.negative_span, histogram.negative_delta, histogram.negative_count),
            hint=ResetHint.GAUGE if is_gauge else ResetHint.UNKNOWN,
        )
        found = [*histogram.exemplars, *(b.exemplar for b in histogram.bucket if b.HasField("exemplar"))]
        timed = tuple(_exemplar(one) for one in found if one.HasField("timestamp"))
        return self._sample("", 0.0)._replace(start_ms=_start(histogram), histogram=value, exemplars=timed)

    def _sample(self, suffix: str, value: float, *more: tuple[str, str]) -> PageSample:
        labels: Labels = tuple(sorted([(METRIC_NAME, self._name + suffix), *self._pairs, *more]))
        series = repr((labels, self._emptied) if self._emptied else labels).encode()
        return PageSample(series, labels, float(value), self._ts_ms, emptied=self._emptied)


def _refuse_bytes(where: str, texts: Iterable[Any]) -> None:
    """Refuse what is no UTF-8: protobuf's library gives the bytes then, for old messages may have such texts."""
    for text in texts:
        if isinstance(text, bytes):
            raise ExpositionError(f"{where} holds what is not UTF-8: {text[:50]!r}")


def _is_native(histogram: Any) -> bool:
    return bool(
        histogram.zero_threshold > 0
        or histogram.zero_count > 0
        or histogram.zero_count_float > 0
        or histogram.positive_span
        or histogram.negative_span
    )


def _side(spans: Sequence[Any], deltas: Sequence[int], counts: Sequence[float]) -> Buckets:
    """Fill the gaps between the spans; integer histograms write each count as its difference to the one before."""
    given: list[float] = list(counts)
    if not given:
        running = 0
        for delta in deltas:
            running += delta
            given.append(float(running))
    if sum(span.length for span in spans) != len(given):
        raise ExpositionError("the spans of a native histogram do not fit its buckets")
    if not given:
        return Buckets()
    filled: list[float] = []
    first, taken = spans[0].offset, 0
    for number, span in enumerate(spans):
        gap = span.offset if number else 0
        if gap < 0 or len(filled) + gap + span.length > MAX_BUCKETS:
            raise ExpositionError(f"the spans of a native histogram overlap, or have over {MAX_BUCKETS} buckets")
        filled += [0.0] * gap
        filled += given[taken : taken + span.length]
        taken += span.length
    return Buckets(first, tuple(filled))


def _start(message: Any) -> int:
    if not message.HasField("start"):
        return 0
    return _in_ms(message.start)


def _example(message: Any) -> PageExemplar | None:
    return _exemplar(message.exemplar) if message.HasField("exemplar") else None


def _exemplar(message: Any) -> PageExemplar:
    found = [(pair.name, pair.value) for pair in message.label]
    _refuse_bytes("a label of an exemplar", chain.from_iterable(found))
    pairs = tuple(sorted(found))
    timed = message.HasField("timestamp")
    return PageExemplar(pairs, message.value, _in_ms(message.timestamp) if timed else None)


def _in_ms(timestamp: Any) -> int:
    at: int = timestamp.seconds * 1000 + timestamp.nanos // 1_000_000
    return max(-int(MAX_MS), min(int(MAX_MS), at))
