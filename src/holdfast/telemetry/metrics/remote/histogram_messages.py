"""Reads the Histogram message of remote write, the same in 1.0 and 2.0.

Source of the field numbers: Prometheus' prompb/types.proto and io/prometheus/write/v2/types.proto.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from holdfast.telemetry.metrics.arrivals import HistogramSample
from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.remote.wire import (
    BYTES,
    FIXED64,
    VARINT,
    Field,
    expect,
    read_double,
    read_fields,
    read_packed_doubles,
    read_packed_varints,
    signed,
    unzigzag,
)
from holdfast.telemetry.metrics.spans import Spanned, from_spans

_HINTS: Final = (ResetHint.UNKNOWN, ResetHint.RESET, ResetHint.NOT_RESET, ResetHint.GAUGE)
_NUMBERS: Final = {1: "count", 6: "zero_count", 4: "schema", 14: "hint", 15: "ts_ms", 17: "start_ms"}
_DOUBLES: Final = {2: "count", 3: "sum", 5: "zero_threshold", 7: "zero_count"}
_SPANS: Final = {8: "negative", 11: "positive"}
_DELTAS: Final = {9: "negative", 12: "positive"}
_COUNTS: Final = {10: "negative", 13: "positive"}


@dataclass(slots=True)
class _Side:
    spans: list[tuple[int, int]] = field(default_factory=list)
    deltas: list[int] = field(default_factory=list)
    counts: list[float] = field(default_factory=list)

    def spanned(self) -> Spanned:
        return Spanned(self.spans, self.deltas, self.counts)


def read_histogram(data: bytes, start: int, end: int, ref: int) -> HistogramSample:
    """Give the sample in `data[start:end]`.

    Raises:
        MalformedError: it is cut off.
        InvalidError: it contradicts itself: that sample is refused, the rest of the request is not.
    """
    numbers = dict.fromkeys(_NUMBERS.values(), 0)
    doubles: dict[str, float] = {}
    sides = {"negative": _Side(), "positive": _Side()}
    bounds: list[float] = []
    for part in read_fields(data, start, end):
        number = part[0]
        if number == 3 or number in _DOUBLES:
            expect(part, FIXED64)
            doubles[_DOUBLES[number]] = read_double(data, part[2])
        elif number in _NUMBERS:
            expect(part, VARINT)
            numbers[_NUMBERS[number]] = part[2]
        elif number == 16:
            bounds += read_packed_doubles(data, part)
        else:
            _read_side(data, part, sides)
    hint = numbers["hint"]
    head = Histogram(
        schema=unzigzag(numbers["schema"]),
        count=doubles.get("count", float(numbers["count"])),
        sum=doubles.get("sum", 0.0),
        zero_threshold=doubles.get("zero_threshold", 0.0),
        zero_count=doubles.get("zero_count", float(numbers["zero_count"])),
        custom_values=tuple(bounds),
        hint=_HINTS[hint] if hint < len(_HINTS) else ResetHint.UNKNOWN,
    )
    is_whole = "count" not in doubles
    histogram = from_spans(head, sides["positive"].spanned(), sides["negative"].spanned(), is_whole=is_whole)
    return HistogramSample(ref, signed(numbers["ts_ms"]), histogram, signed(numbers["start_ms"]))


def _read_side(data: bytes, part: Field, sides: dict[str, _Side]) -> None:
    number = part[0]
    if number in _SPANS:
        expect(part, BYTES)
        offset = length = 0
        for each in read_fields(data, part[2], part[3]):
            if each[0] == 1:
                expect(each, VARINT)
                offset = unzigzag(each[2])
            elif each[0] == 2:
                expect(each, VARINT)
                length = each[2]
        sides[_SPANS[number]].spans.append((offset, length))
    elif number in _DELTAS:
        sides[_DELTAS[number]].deltas += map(unzigzag, read_packed_varints(data, part))
    elif number in _COUNTS:
        sides[_COUNTS[number]].counts += read_packed_doubles(data, part)
