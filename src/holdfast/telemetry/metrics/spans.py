"""Native histograms as protocols carry them (spans with deltas or counts, OTLP's data points), read and written.

Serves scrapes in protobuf, remote write and read, and OTLP. Field meanings: io.prometheus.client metrics.proto, prompb
types.proto, io.prometheus.write.v2; opentelemetry metrics.proto. Knows no message but OTLP's points.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, MAX_SCHEMA, MIN_SCHEMA, Buckets, Histogram, ResetHint

if TYPE_CHECKING:
    from opentelemetry.proto.metrics.v1 import metrics_pb2

MAX_BUCKETS: Final = 16_384  # of one side, with the empty ones between; a wider one loses resolution first
_MAX_RESERVED_SCHEMA: Final = 52
_OTLP_ZERO_THRESHOLD: Final = 1e-128  # where a point names none; that of Prometheus' own translation
_NO_RECORDED_VALUE: Final = 1  # DataPointFlags of OTLP
(_STALE,) = struct.unpack("<d", struct.pack("<Q", STALE_BITS))


class Spanned(NamedTuple):
    """One side's buckets as the protocols have them.

    `spans` are pairs of offset (to the end of the span before, the first one absolute) and length; `deltas` hold each
    count's difference to the one before, for whole counts; else `counts` hold the counts themselves.
    """

    spans: Sequence[tuple[int, int]] = ()
    deltas: Sequence[int] = ()
    counts: Sequence[float] = ()


NO_BUCKETS: Final = Spanned()


def from_spans(
    head: Histogram, positive: Spanned, negative: Spanned = NO_BUCKETS, *, is_whole: bool = False
) -> Histogram:
    """Give the histogram whose other fields are those of `head`; one of a resolution that is too fine is reduced.

    `is_whole` says that its counts are whole even if no bucket shows it.

    Raises:
        InvalidError: spans and counts don't fit together, a count is negative, or the schema's rules are broken.
    """
    schema = head.schema
    if schema != CUSTOM_SCHEMA and not MIN_SCHEMA <= schema <= _MAX_RESERVED_SCHEMA:
        raise InvalidError(
            f"histogram has an invalid schema, which must be between {MIN_SCHEMA} and {MAX_SCHEMA} for exponential"
            f" buckets, or {CUSTOM_SCHEMA} for custom buckets, got schema {schema}"
        )
    sides = [_indexed("positive", positive), _indexed("negative", negative)]
    if schema == CUSTOM_SCHEMA:
        _check_custom(head, sides[0], negative)
    else:
        schema, sides = _reduced(schema, sides)
    histogram = replace(head, schema=schema, positive=_gapless(sides[0]), negative=_gapless(sides[1]))
    check(histogram, is_exact=is_whole or bool(positive.deltas or negative.deltas))
    return histogram


def to_spans(side: Buckets) -> Spanned:
    """Give the populated buckets as spans, with `deltas` too where all counts are whole; short gaps are bridged."""
    spans: list[tuple[int, int]] = []
    counts: list[float] = []
    end = 0
    for index, count in enumerate(side.counts, side.first):
        if count == 0:
            continue
        gap = index - end
        if spans and gap <= 2:  # two empty buckets are no dearer than another span
            offset, length = spans[-1]
            spans[-1] = (offset, length + gap + 1)
            counts += [0.0] * gap
        else:
            spans.append((gap, 1))
        counts.append(count)
        end = index + 1
    is_whole = all(math.isfinite(count) and count == int(count) for count in counts)
    whole = [int(count) for count in counts] if is_whole else []
    return Spanned(tuple(spans), tuple(after - before for before, after in pairwise((0, *whole))), tuple(counts))


def check(histogram: Histogram, *, is_exact: bool = False) -> None:
    """Refuse a histogram that contradicts itself; `is_exact` says that counts are whole, so that they must add up.

    Raises:
        InvalidError: the words are Prometheus', because its clients log them.
    """
    if histogram.is_custom:
        if histogram.zero_count or histogram.zero_threshold or histogram.negative.counts:
            raise InvalidError("custom buckets: must have no zero bucket and no negative buckets")
    elif histogram.custom_values:
        raise InvalidError("histogram with exponential schema must not have custom bounds")
    numbers = (*histogram.positive.counts, *histogram.negative.counts, histogram.zero_count)
    if any(count < 0 for count in numbers):
        raise InvalidError("histogram has a bucket whose observation count is negative")
    if histogram.count < 0:
        raise InvalidError("histogram's observation count is negative")
    if is_exact and not _is_stale(histogram):
        observed = sum(numbers)
        is_short = observed > histogram.count if math.isnan(histogram.sum) else observed != histogram.count
        if is_short:
            rule = "be at least" if math.isnan(histogram.sum) else "equal"
            unless = "" if math.isnan(histogram.sum) else " (in absence of NaN)"
            raise InvalidError(
                f"{observed:.0f} observations found in buckets, but the Count field is {histogram.count:.0f}:"
                f" histogram's observation count should {rule} the number of observations found in the buckets{unless}"
            )


def from_exponential_point(point: metrics_pb2.ExponentialHistogramDataPoint, *, is_delta: bool = False) -> Histogram:
    """Give the histogram of an OTLP exponential point; a scale above 8 is reduced to it.

    OTLP's bucket `i` holds (base ** i, base ** (i + 1)], so that its index here is one higher. Deltas are gauges.

    Raises:
        InvalidError: the scale is below -4, or the counts contradict each other.
    """
    if point.scale < MIN_SCHEMA:
        raise InvalidError(
            f"cannot convert exponential to native histogram. Scale must be >= {MIN_SCHEMA}, was {point.scale}"
        )
    head = Histogram(
        schema=point.scale,
        count=float(point.count),
        sum=_sum_of(point),
        zero_threshold=point.zero_threshold or _OTLP_ZERO_THRESHOLD,
        zero_count=float(point.zero_count),
        hint=ResetHint.GAUGE if is_delta else ResetHint.UNKNOWN,
    )
    positive, negative = (
        {side.offset + 1 + place: float(count) for place, count in enumerate(side.bucket_counts) if count}
        for side in (point.positive, point.negative)
    )
    schema, sides = _reduced(head.schema, [positive, negative])
    histogram = replace(head, schema=schema, positive=_gapless(sides[0]), negative=_gapless(sides[1]))
    check(histogram, is_exact=True)
    return histogram


def from_explicit(bounds: tuple[float, ...], counts: Sequence[float], count: float, total: float) -> Histogram:
    """Give the native histogram, with bounds of its own, of the explicit bounds and counts of an OTLP point.

    Without any counts all is in one bucket. `total` is the sum, or the stale marker.

    Raises:
        InvalidError: the bounds don't ascend or are not one fewer than the counts, or these don't add up.
    """
    if not counts:
        bounds, counts = (), (count,)
    if len(counts) != len(bounds) + 1:
        raise InvalidError(f"{len(counts)} bucket counts need {len(counts) - 1} explicit bounds, got {len(bounds)}")
    histogram = Histogram(
        schema=CUSTOM_SCHEMA,
        count=count,
        sum=total,
        custom_values=bounds,
    )
    if sum(counts) != count:
        raise InvalidError(f"{sum(counts):g} observations found in buckets, but the Count field is {count:g}")
    populated = {place: count for place, count in enumerate(counts) if count}
    _check_custom(histogram, populated, NO_BUCKETS)
    return replace(histogram, positive=_gapless(populated))


def _sum_of(point: metrics_pb2.ExponentialHistogramDataPoint) -> float:
    """Give the sum, the stale marker where the point says that nothing was recorded, 0 where it has none."""
    if point.flags & _NO_RECORDED_VALUE:
        stale: float = _STALE
        return stale
    return point.sum if point.HasField("sum") else 0.0


def _indexed(name: str, side: Spanned) -> dict[int, float]:
    """Give the counts by the index of their bucket."""
    counts: Iterable[float] = accumulate(side.deltas) if side.deltas else side.counts
    given = len(side.deltas) or len(side.counts)
    needed = sum(length for _, length in side.spans)
    if needed != given:
        raise InvalidError(
            f"{name} side: spans need {needed} buckets, have {given} buckets: histogram spans specify different number"
            " of buckets than provided"
        )
    indexed: dict[int, float] = {}
    index = 0
    remaining = iter(counts)
    for place, (offset, length) in enumerate(side.spans):
        if place and offset < 0:
            raise InvalidError(
                f"{name} side: span number {place + 1} with offset {offset}: histogram has a span whose offset is"
                " negative"
            )
        index += offset
        for _ in range(length):
            indexed[index] = float(next(remaining))
            index += 1
    return indexed


def _reduced(schema: int, sides: list[dict[int, float]]) -> tuple[int, list[dict[int, float]]]:
    """Give a resolution that exists, at once, and halve it until no side is too wide."""
    if schema > MAX_SCHEMA:
        sides = [_merged(side, schema - MAX_SCHEMA) for side in sides]
        schema = MAX_SCHEMA
    while schema > MIN_SCHEMA and any(_width(side) > MAX_BUCKETS for side in sides):
        schema -= 1
        sides = [_merged(side, 1) for side in sides]
    if any(_width(side) > MAX_BUCKETS for side in sides):
        raise InvalidError("histogram has buckets beyond what a float can hold")
    return schema, sides


def _merged(side: dict[int, float], steps: int) -> dict[int, float]:
    merged: dict[int, float] = {}
    for index, count in side.items():
        target = ((index - 1) >> steps) + 1
        merged[target] = merged.get(target, 0.0) + count
    return merged


def _width(side: dict[int, float]) -> int:
    return max(side) - min(side) + 1 if side else 0


def _gapless(side: dict[int, float]) -> Buckets:
    if not side:
        return Buckets()
    first = min(side)
    return Buckets(first, tuple([side.get(index, 0.0) for index in range(first, max(side) + 1)]))


def _check_custom(histogram: Histogram, side: dict[int, float], negative: Spanned) -> None:
    bounds = histogram.custom_values
    if any(not math.isfinite(bound) for bound in bounds):
        raise InvalidError("custom buckets: histogram custom bounds must be finite")
    if any(after <= before for before, after in pairwise(bounds)):
        raise InvalidError("custom buckets: histogram custom bounds must be in strictly increasing order")
    if side and not (min(side) >= 0 and max(side) <= len(bounds)):
        raise InvalidError(
            f"custom buckets: only {len(bounds)} custom bounds defined which is insufficient to cover total span length"
            f" of {max(side) + 1}: histogram custom bounds are too few"
        )
    if negative.spans or negative.counts or negative.deltas:
        raise InvalidError("custom buckets: must not have negative buckets")


def _is_stale(histogram: Histogram) -> bool:
    return struct.pack("<d", histogram.sum) == struct.pack("<Q", STALE_BITS)
