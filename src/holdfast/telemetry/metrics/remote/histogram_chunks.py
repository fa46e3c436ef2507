"""Writes native histograms as Prometheus' chunks of float histograms: their layout once, then what changes.

A chunk ends where the layout changes, or a count falls: within one, no reader looks for a reset.
Source: Prometheus' tsdb/chunkenc/float_histogram.go, histogram_meta.go and varbit.go.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import chain
from operator import le
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.remote.xor_chunks import MOST_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from holdfast.telemetry.metrics.histograms import Buckets

_MOST_BITS: Final = 8 * 64_000
_HEAD: Final = Struct(">HB")
_FLAGS: Final = {ResetHint.UNKNOWN: 0, ResetHint.NOT_RESET: 1 << 6, ResetHint.RESET: 2 << 6, ResetHint.GAUGE: 3 << 6}
_DOUBLE: Final = Struct(">d")
_U64: Final = Struct(">Q")
_STEPS: Final = (3, 6, 9, 12, 18, 25, 56)
_WORST: Final = "1" * 8
_MOST_WHOLE: Final = 33_554_430  # thousandths of a bound that are written as a whole number


class Chunk(NamedTuple):
    """A chunk, and the times of its first and last histogram."""

    start_ms: int
    end_ms: int
    data: bytes


@dataclass(slots=True)
class _Writing:
    """A chunk that grows."""

    start_ms: int
    first: Histogram
    bits: list[str] = field(default_factory=list)
    size: int = 0
    samples: int = 0
    end_ms: int = 0
    distance_ms: int = 0
    last: Histogram = field(default_factory=Histogram)
    counts: list[int] = field(default_factory=list)
    windows: list[tuple[int, int] | None] = field(default_factory=list)

    def add(self, ts_ms: int, histogram: Histogram) -> None:
        counts = [_bits(each) for each in _numbers(histogram)]
        if self.samples:
            distance_ms = ts_ms - self.end_ms
            added = [_signed(distance_ms - self.distance_ms), *map(self._change, range(len(counts)), counts)]
            self.distance_ms = distance_ms
        else:
            self.windows = [None] * len(counts)
            added = [*_layout(histogram), _signed(ts_ms), *(f"{each:064b}" for each in counts)]
        self.bits += added
        self.size += sum(map(len, added))
        self.samples, self.end_ms, self.last, self.counts = self.samples + 1, ts_ms, histogram, counts

    def takes(self, histogram: Histogram) -> bool:
        """Tell whether the histogram may stand in this chunk."""
        is_full = self.samples == MOST_SAMPLES or self.size >= _MOST_BITS
        return not is_full and _shape(histogram) == _shape(self.last) and not _may_reset(self.last, histogram)

    def finish(self) -> Chunk:
        bits = "".join(self.bits)
        size = -(-len(bits) // 8)
        head = _HEAD.pack(self.samples, _FLAGS[self.first.hint])
        return Chunk(self.start_ms, self.end_ms, head + int(bits.ljust(8 * size, "0"), 2).to_bytes(size))

    def _change(self, place: int, count: int) -> str:
        """Give how a number changed: not, within the last window of bits, or in a new one."""
        changed = count ^ self.counts[place]
        if not changed:
            return "0"
        leading = min(64 - changed.bit_length(), 31)
        trailing = (changed & -changed).bit_length() - 1
        window = self.windows[place]
        if window is not None and leading >= window[0] and trailing >= window[1]:
            return f"10{changed >> window[1]:0{64 - window[0] - window[1]}b}"
        self.windows[place] = leading, trailing
        size = 64 - leading - trailing
        return f"11{leading:05b}{size & 63:06b}{changed >> trailing:0{size}b}"


def write_histogram_chunks(ts_ms: Sequence[int], histograms: Iterable[Histogram]) -> Iterator[Chunk]:
    """Give the chunks of a series' histograms, which come by time."""
    writing: _Writing | None = None
    for at_ms, given in zip(ts_ms, histograms, strict=True):
        # Of a stale marker only the sum is written.
        histogram = Histogram(sum=given.sum) if _bits(given.sum) == STALE_BITS else given
        if writing is None or not writing.takes(histogram):
            if writing is not None:
                yield writing.finish()
            writing = _Writing(at_ms, histogram)
        writing.add(at_ms, histogram)
    if writing is not None:
        yield writing.finish()


def _numbers(histogram: Histogram) -> chain[float]:
    head = (histogram.count, histogram.zero_count, histogram.sum)
    return chain(head, histogram.positive.counts, histogram.negative.counts)


def _shape(histogram: Histogram) -> tuple[object, ...]:
    sides = ((side.first if side.counts else 0, len(side.counts)) for side in (histogram.positive, histogram.negative))
    is_gauge = histogram.hint is ResetHint.GAUGE
    return histogram.schema, histogram.zero_threshold, histogram.custom_values, is_gauge, *sides


def _may_reset(before: Histogram, after: Histogram) -> bool:
    """Tell whether counting may have begun anew between two histograms of one shape."""
    if after.hint is ResetHint.GAUGE:
        return False
    counted = [
        chain((each.count, each.zero_count), each.positive.counts, each.negative.counts) for each in (before, after)
    ]
    return after.hint is ResetHint.RESET or not all(map(le, *counted))


def _layout(histogram: Histogram) -> list[str]:
    bits = [_zero_threshold(histogram.zero_threshold), _signed(histogram.schema)]
    bits += chain(_span(histogram.positive), _span(histogram.negative))
    if histogram.is_custom:
        bits.append(_unsigned(len(histogram.custom_values)))
        bits += map(_bound, histogram.custom_values)
    return bits


def _span(side: Buckets) -> list[str]:
    return [_unsigned(1), _unsigned(len(side.counts)), _signed(side.first)] if side.counts else [_unsigned(0)]


def _zero_threshold(threshold: float) -> str:
    """Give a power of two as its exponent in one byte, anything else as it is."""
    fraction, exponent = math.frexp(threshold)
    if threshold == 0:
        return f"{0:08b}"
    if fraction == 0.5 and -242 <= exponent <= 11:
        return f"{exponent + 243:08b}"
    return f"{255:08b}{_bits(threshold):064b}"


def _bound(bound: float) -> str:
    """Give thousandths as a whole number above 0, anything else as it is after a 0."""
    whole = round(bound * 1000) if 0 <= bound * 1000 <= _MOST_WHOLE else -1
    return _unsigned(whole + 1) if whole >= 0 and _bits(whole / 1000) == _bits(bound) else f"0{_bits(bound):064b}"


def _signed(value: int) -> str:
    if not value:
        return "0"
    for place, size in enumerate(_STEPS, 1):
        if -(1 << size - 1) < value <= 1 << size - 1:
            return f"{'1' * place}0{value & (1 << size) - 1:0{size}b}"
    return f"{_WORST}{value & (1 << 64) - 1:064b}"


def _unsigned(value: int) -> str:
    if not value:
        return "0"
    for place, size in enumerate(_STEPS, 1):
        if value < 1 << size:
            return f"{'1' * place}0{value:0{size}b}"
    return f"{_WORST}{value:064b}"


def _bits(value: float) -> int:
    bits: int = _U64.unpack(_DOUBLE.pack(value))[0]
    return bits
