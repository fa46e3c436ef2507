"""The points of every kind of OpenTelemetry metric as samples, native histograms and exemplars.

Source: OpenTelemetry's data model of metrics and its compatibility specification with Prometheus.
"""

from __future__ import annotations

from bisect import bisect_left
from operator import add
from typing import TYPE_CHECKING, Any, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.arrivals import MetricMetadata
from holdfast.telemetry.metrics.intake import STALE
from holdfast.telemetry.metrics.otlp import exponential
from holdfast.telemetry.metrics.otlp.attributes import plain_number
from holdfast.telemetry.metrics.otlp.conversion import NS_PER_MS, Conversion
from holdfast.telemetry.metrics.otlp.naming import Kind, metric_name, unit_name
from holdfast.telemetry.metrics.spans import from_explicit, from_exponential_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.proto.metrics.v1.metrics_pb2 import (
        ExponentialHistogramDataPoint,
        HistogramDataPoint,
        Metric,
        NumberDataPoint,
        SummaryDataPoint,
    )

DELTA: Final = 1  # AggregationTemporality
CUMULATIVE: Final = 2
WITH_TEMPORALITY: Final = ("sum", "histogram", "exponential_histogram")
_NO_VALUE: Final = 1  # DataPointFlags: the series ended


def convert(metric: Metric, into: Conversion) -> int:
    """Add the points of `metric`; give how many there were."""
    kind = metric.WhichOneof("data")
    if kind is None:
        return 0
    data = getattr(metric, kind)
    points = data.data_points
    is_counter = kind == "sum" and data.is_monotonic
    shown = Kind.COUNTER if is_counter else Kind.GAUGE if kind in {"gauge", "sum"} else Kind.OTHER
    shown = shown if kind != "sum" or is_counter else Kind.OTHER
    name = metric_name(metric.name, metric.unit, shown, into.options.translation_strategy)
    if not name:
        into.refuse("labels", len(points), f"nothing is left of the metric name {metric.name!r}")
        return len(points)
    temporality = data.aggregation_temporality if kind in WITH_TEMPORALITY else CUMULATIVE
    if temporality not in {DELTA, CUMULATIVE}:
        into.refuse("unsupported", len(points), f"{metric.name} has no aggregation temporality")
        return len(points)
    timed = [point for point in points if point.time_unix_nano]
    if len(timed) < len(points):
        into.refuse("unsupported", len(points) - len(timed), f"{metric.name} has points without a time")
    type_of = _TYPES.get(kind, "counter" if is_counter else "gauge")
    into.describe(MetricMetadata(name, type_of, metric.description, unit_name(metric.unit)))
    _READERS[kind](name, timed, into, (temporality == DELTA, is_counter))
    return len(points)


def _add_numbers(name: str, points: Sequence[NumberDataPoint], into: Conversion, shape: tuple[bool, bool]) -> None:
    is_delta, is_counter = shape
    columns = into.columns
    for point in points:
        value = float(point.as_int) if point.WhichOneof("value") == "as_int" else point.as_double
        start_ns = point.start_time_unix_nano if is_counter else 0
        if point.flags & _NO_VALUE:
            value = STALE
        elif is_delta:
            total = into.total(name, point, value, add)
            if total is None:
                continue
            value, start_ns = total[0], total[1] if is_counter else 0
        ref = into.ref(name, point.attributes)
        columns.add(ref, point.time_unix_nano // NS_PER_MS, value, start_ns // NS_PER_MS)
        if point.exemplars:
            into.add_exemplars(ref, point.exemplars)


def _add_histograms(
    name: str, points: Sequence[HistogramDataPoint], into: Conversion, shape: tuple[bool, bool]
) -> None:
    for point in points:
        bounds = tuple(point.explicit_bounds)
        value = (tuple(map(float, point.bucket_counts)), float(point.count), point.sum)
        start_ns = point.start_time_unix_nano
        if not point.flags & _NO_VALUE:
            if value[0] and len(value[0]) != len(bounds) + 1:
                into.refuse("unsupported", 1, f"{name} has {len(value[0])} buckets, {len(bounds)} bounds")
                continue
            if shape[0]:
                total = into.total((name, bounds), point, value, _add_buckets)
                if total is None:
                    continue
                value, start_ns = total
        write = _write_custom if into.options.convert_histograms_to_nhcb else _write_histogram
        write(name, point, (bounds, *value, start_ns), into)


def _write_custom(name: str, point: HistogramDataPoint, held: tuple[Any, ...], into: Conversion) -> None:
    bounds, counts, count, total, start_ns = held
    try:
        if point.flags & _NO_VALUE:
            histogram = from_explicit((), (), 0.0, STALE)
        else:
            histogram = from_explicit(bounds, counts, count, total)
    except InvalidError as error:
        into.refuse("unsupported", 1, f"{name}: {error.message}")
        return
    ref = into.ref(name, point.attributes)
    into.columns.add_histogram(ref, point.time_unix_nano // NS_PER_MS, histogram, start_ns // NS_PER_MS)
    into.add_exemplars(ref, point.exemplars)


def _write_histogram(name: str, point: HistogramDataPoint, held: tuple[Any, ...], into: Conversion) -> None:
    bounds, counts, count, total, start_ns = held
    is_stale = bool(point.flags & _NO_VALUE)
    ts_ms, start_ms = point.time_unix_nano // NS_PER_MS, start_ns // NS_PER_MS
    columns, attributes = into.columns, point.attributes
    if point.HasField("sum") or is_stale:
        columns.add(into.ref(f"{name}_sum", attributes), ts_ms, STALE if is_stale else total, start_ms)
    columns.add(into.ref(f"{name}_count", attributes), ts_ms, STALE if is_stale else count, start_ms)
    refs, seen = [], 0.0
    if not counts and not is_stale:
        bounds = ()  # nothing is known of the buckets
    for place, bound in enumerate(bounds):
        seen += 0.0 if is_stale else counts[place]
        refs.append(into.ref(f"{name}_bucket", attributes, ("le", plain_number(bound))))
        columns.add(refs[-1], ts_ms, STALE if is_stale else seen, start_ms)
    refs.append(into.ref(f"{name}_bucket", attributes, ("le", "+Inf")))
    columns.add(refs[-1], ts_ms, STALE if is_stale else count, start_ms)
    for exemplar in point.exemplars:
        into.add_exemplars(refs[bisect_left(bounds, exemplar.as_double or float(exemplar.as_int))], (exemplar,))


def _add_buckets(one: Any, other: Any) -> Any:
    counts = tuple(map(add, one[0], other[0])) if one[0] and other[0] else one[0] or other[0]
    return counts, one[1] + other[1], one[2] + other[2]


def _add_exponential(
    name: str, points: Sequence[ExponentialHistogramDataPoint], into: Conversion, shape: tuple[bool, bool]
) -> None:
    for point in points:
        start_ns = point.start_time_unix_nano
        try:
            histogram = from_exponential_point(point)
        except InvalidError as error:
            into.refuse("unsupported", 1, f"{name}: {error.message}")
            continue
        if shape[0] and not point.flags & _NO_VALUE:
            total = into.total(name, point, histogram, exponential.add)
            if total is None:
                continue
            histogram, start_ns = total
        ref = into.ref(name, point.attributes)
        into.columns.add_histogram(ref, point.time_unix_nano // NS_PER_MS, histogram, start_ns // NS_PER_MS)
        into.add_exemplars(ref, point.exemplars)


def _add_summaries(name: str, points: Sequence[SummaryDataPoint], into: Conversion, _shape: tuple[bool, bool]) -> None:
    columns = into.columns
    for point in points:
        ts_ms, start_ms = point.time_unix_nano // NS_PER_MS, point.start_time_unix_nano // NS_PER_MS
        is_stale = bool(point.flags & _NO_VALUE)
        columns.add(into.ref(f"{name}_sum", point.attributes), ts_ms, STALE if is_stale else point.sum, start_ms)
        count = float(point.count)
        columns.add(into.ref(f"{name}_count", point.attributes), ts_ms, STALE if is_stale else count, start_ms)
        for each in point.quantile_values:
            ref = into.ref(name, point.attributes, ("quantile", plain_number(each.quantile)))
            columns.add(ref, ts_ms, STALE if is_stale else each.value)


_TYPES: Final = {"gauge": "gauge", "histogram": "histogram", "exponential_histogram": "histogram", "summary": "summary"}
_READERS: Final[dict[str, Any]] = {
    "gauge": _add_numbers,
    "sum": _add_numbers,
    "histogram": _add_histograms,
    "exponential_histogram": _add_exponential,
    "summary": _add_summaries,
}
