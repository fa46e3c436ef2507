"""Walks an `io.prometheus.write.v2.Request` (remote write 2.0) into a batch, a slice at a time.

Source of the field numbers: Prometheus' prompb/io/prometheus/write/v2/types.proto; `created_timestamp` of the release
candidates is read as the start of all samples of its series.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.arrivals import Exemplar, MetricMetadata
from holdfast.telemetry.metrics.labels import METRIC_NAME, labels_of
from holdfast.telemetry.metrics.remote.histogram_messages import read_histogram
from holdfast.telemetry.metrics.remote.layouts import FULL_BYTES, ZERO_BYTES
from holdfast.telemetry.metrics.remote.messages import varint
from holdfast.telemetry.metrics.remote.spans import Spans
from holdfast.telemetry.metrics.remote.symbols import LabelRefs, Symbols
from holdfast.telemetry.metrics.remote.version1 import TYPES
from holdfast.telemetry.metrics.remote.wire import (
    BYTES,
    FIXED64,
    VARINT,
    Field,
    expect,
    read_double,
    read_field,
    read_fields,
    read_packed_varints,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.telemetry.metrics.arrivals import HistogramSample
    from holdfast.telemetry.metrics.remote.batch import Batch

SLICE: Final = 1000  # series walked before the event loop gets its turn
_PARTS: Final = ("_bucket", "_count", "_sum")
_HAVE_PARTS: Final = ("histogram", "gaugehistogram", "summary")


def walk(data: bytes, batch: Batch, *, is_guessing: bool = True) -> Iterator[None]:
    """Fill `batch`; yields now and then, so that others can run.

    Args:
        data: the request, decompressed.
        batch: where to.
        is_guessing: note samples in the usual layout by their place; off, after a guess was wrong.

    Raises:
        MalformedError: it is cut off, or no such message.
    """
    texts: list[bytes] = []
    spans = Spans()
    at, size = 0, len(data)
    while at < size:
        if is_guessing:
            at = spans.pass_usual(data, at, most=4 * SLICE)
            yield
        if at < size:
            field, at = read_field(data, at, size)
            if field[0] == 4:
                expect(field, BYTES)
                texts.append(data[field[2] : field[3]])
            elif field[0] == 5:
                expect(field, BYTES)
                start, end = field[2], field[3]
                spans.add(_pack(data, start, end), start, end)
    symbols = Symbols(texts, batch.memory.numbers)
    yield
    reader = _Reader(data, batch, symbols, LabelRefs(spans.packed, symbols))
    yield
    for first in range(0, len(spans.packed), SLICE):
        reader.read_slice(spans, first, first + SLICE)
        yield


def _pack(data: bytes, start: int, end: int) -> bytes:
    """Give the label references of a series as one run of varints."""
    runs = []
    for field in read_fields(data, start, end):
        if field[0] != 1:
            continue
        if field[1] == VARINT:
            runs.append(varint(field[2]))
        else:
            expect(field, BYTES)
            runs.append(data[field[2] : field[3]])
    return b"".join(runs)


class _Reader:
    """Reads the series of one request, one after the other."""

    def __init__(self, data: bytes, batch: Batch, symbols: Symbols, refs: LabelRefs) -> None:
        self._data = data
        self._batch = batch
        self._symbols = symbols
        self._refs = refs
        self._said: dict[bytes, tuple[bytes, MetricMetadata]] = {b"": (b"", MetricMetadata("", ""))}

    def read_slice(self, spans: Spans, first: int, last: int) -> None:
        """Read the series from `first` up to, not including, `last`."""
        ends = {FULL_BYTES: self._batch.full, ZERO_BYTES: self._batch.zeros}
        rows = zip(spans.said[first:last], spans.sizes[first:last], spans.ends[first:last], strict=True)
        for place, (said, size, end) in enumerate(rows, first):
            if size:
                places = ends[size]
                places.refs.append(self._find(place, said))
                places.ends.append(end)
            else:
                self._read(place, *spans.whole[place])

    def _read(self, place: int, start: int, end: int) -> None:
        data, said, created, parts = self._data, b"", 0, []
        for field in read_fields(data, start, end):
            number = field[0]
            if 2 <= number <= 4:
                expect(field, BYTES)
                parts.append(field)
            elif number == 5:
                expect(field, BYTES)
                said = data[field[2] : field[3]]
            elif number == 6:
                expect(field, VARINT)
                created = signed(field[2])
        ref = self._find(place, said)
        for field in parts:
            self._read_part(field, ref, created)

    def _find(self, place: int, said: bytes) -> int:
        suffix, metadata = self._said.get(said) or self._learn(said)
        ref = self._batch.memory.refs.get(self._refs.key(place) + suffix)
        return self._meet(place, suffix, metadata) if ref is None else ref

    def _meet(self, place: int, suffix: bytes, metadata: MetricMetadata) -> int:
        refs = self._refs.of(place)
        if fault := self._symbols.fault_of(refs):
            return self._batch.refuse_series(fault)
        ref = self._enter(refs)
        if ref >= 0:  # what is kept out would crowd out what is known
            self._batch.memory.refs[self._symbols.number(refs) + suffix] = ref
            if metadata.type:
                family = _family(dict(self._symbols.pairs(refs))[METRIC_NAME], metadata.type)
                self._batch.metadata.append(metadata._replace(family=family))
        return ref

    def _enter(self, refs: list[int]) -> int:
        parts = self._batch.usual.of(self._symbols.byte_pairs(refs))
        if parts is not None:
            with suppress(UnicodeDecodeError):  # which is told below, with its place
                return self._batch.newcomers.meet(parts)
        return self._batch.ref(self._symbols.pairs(refs))

    def _learn(self, said: bytes) -> tuple[bytes, MetricMetadata]:
        """Read a Metadata message; give it with what tells it from others, whatever the request numbers."""
        values = {1: 0, 3: 0, 4: 0}
        for field in read_fields(said, 0, len(said)):
            if field[0] in values:
                expect(field, VARINT)
                values[field[0]] = field[2]
        kind = TYPES[values[1]] if values[1] < len(TYPES) else TYPES[0]
        if fault := self._symbols.fault_of((values[3], values[4])):
            self._batch.refusals.add("metadata", 1, f"what is said of a family: {fault}")
            values = dict.fromkeys(values, 0)
        texts = [self._symbols.text(ref) if ref else "" for ref in (values[3], values[4])]
        if not values[1] and not any(texts):
            self._said[said] = self._said[b""]
        else:
            suffix = "\xff".join(("", kind, *texts)).encode()
            self._said[said] = suffix, MetricMetadata("", kind, *texts)
        return self._said[said]

    def _read_part(self, field: Field, ref: int, created_ms: int) -> None:
        data, (number, _, start, end) = self._data, field
        batch = self._batch
        if number == 2:
            _read_sample(data, start, end, (ref, created_ms), batch)
        elif number == 3:
            batch.add_histogram(ref, lambda: _read_histogram(data, start, end, (ref, created_ms)))
        else:
            batch.add_exemplar(ref, partial(self._read_exemplar, start, end, ref))

    def _read_exemplar(self, start: int, end: int, ref: int) -> Exemplar:
        value, ts_ms, refs = 0.0, 0, []
        for field in read_fields(self._data, start, end):
            if field[0] == 1:
                refs += read_packed_varints(self._data, field)
            elif field[0] == 2:
                expect(field, FIXED64)
                value = read_double(self._data, field[2])
            elif field[0] == 3:
                expect(field, VARINT)
                ts_ms = signed(field[2])
        if fault := self._symbols.fault_of(refs):
            raise InvalidError(f"an exemplar: {fault}")
        return Exemplar(ref, ts_ms, value, labels_of(self._symbols.pairs(refs)))


def _read_histogram(data: bytes, start: int, end: int, series: tuple[int, int]) -> HistogramSample:
    sample = read_histogram(data, start, end, series[0])
    return sample if sample.start_ms else sample._replace(start_ms=series[1])


def _read_sample(data: bytes, start: int, end: int, series: tuple[int, int], batch: Batch) -> None:
    value, ts_ms, (ref, start_ms) = 0.0, 0, series
    for field in read_fields(data, start, end):
        if field[0] == 1:
            expect(field, FIXED64)
            value = read_double(data, field[2])
        elif field[0] == 2:
            expect(field, VARINT)
            ts_ms = signed(field[2])
        elif field[0] == 3:
            expect(field, VARINT)
            start_ms = signed(field[2]) or start_ms
    batch.add(ref, ts_ms, value, start_ms)


def _family(name: str, kind: str) -> str:
    if kind in _HAVE_PARTS:
        for part in _PARTS:
            if name.endswith(part):
                return name.removesuffix(part)
    return name
