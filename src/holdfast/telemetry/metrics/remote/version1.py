"""Walks a `prometheus.WriteRequest` (remote write 1.0) into a batch, a slice at a time.

A series that was seen before is found by the bytes of its labels, without looking into them. Only what is not the
usual case is taken apart field by field. Source of the field numbers: Prometheus' prompb/types.proto.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.arrivals import Exemplar, MetricMetadata
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.remote.histogram_messages import read_histogram
from holdfast.telemetry.metrics.remote.layouts import FULL_BYTES, ZERO_BYTES
from holdfast.telemetry.metrics.remote.wire import (
    BYTES,
    FIXED64,
    VARINT,
    Field,
    MalformedError,
    expect,
    read_double,
    read_field,
    read_fields,
    read_text,
    read_varint,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from holdfast.telemetry.metrics.remote.batch import Batch

SLICE: Final = 4000  # series walked before the event loop gets its turn, a millisecond or three
NEW_COST: Final = 15  # how many known series a new one takes the time of
OTHER_COST: Final = 64  # and anything else
TYPES: Final = ("unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset")

_SERIES: Final = 0x0A
_FULL_START: Final = b"\x12\x10\x09"


def walk(data: bytes, batch: Batch, *, is_guessing: bool = True) -> Iterator[None]:
    """Fill `batch`; yields now and then, so that others can run.

    Args:
        data: the request, decompressed.
        batch: where to.
        is_guessing: note samples in the usual layouts by their place; off, after a guess was wrong.

    Raises:
        MalformedError: it is cut off, or no such message.
    """
    at, size = 0, len(data)
    while at < size:
        left = SLICE
        while left > 0 and at < size:
            if is_guessing:
                at, left = _pass_known(data, at, batch, left)
            if left > 0 and at < size:
                at = _read_one(data, at, batch, is_guessing=is_guessing)
                left -= OTHER_COST
        yield


def _pass_known(data: bytes, at: int, batch: Batch, left: int) -> tuple[int, int]:
    """Pass at most `left` series that are known and hold one sample each; give where that ends and what is left."""
    size = len(data) - 3
    find = batch.memory.refs.get
    full_ref, full_end = batch.full.refs.append, batch.full.ends.append
    while left > 0 and at < size and data[at] == _SERIES:
        length, start = data[at + 1], at + 2
        if length >= 0x80:
            high = data[start]
            if high >= 0x80:
                break  # longer than 16 KiB
            length += (high << 7) - 0x80
            start += 1
        stop = start + length
        if length <= FULL_BYTES or stop > size + 3:
            break
        # A known key is a whole section of labels, so what follows it is exactly the rest of the message.
        ref = find(data[start : stop - FULL_BYTES])
        if ref is not None:
            full_ref(ref)
            full_end(stop)
        else:
            ref = find(data[start : stop - ZERO_BYTES])
            if ref is not None:
                batch.zeros.refs.append(ref)
                batch.zeros.ends.append(stop)
            elif _meet(data, start, stop, batch):
                left -= NEW_COST
            else:
                break
        at = stop
        left -= 1
    return at, left


def _meet(data: bytes, start: int, stop: int, batch: Batch) -> bool:
    """Take a series that is not known and has one sample; tell whether it is laid out as usual."""
    read = batch.usual.read(data, start, stop)
    if read is None:
        return False
    parts, at = read
    if stop - at == FULL_BYTES:
        places = batch.full
    elif stop - at == ZERO_BYTES:
        places = batch.zeros
    else:
        return False
    try:
        ref = batch.newcomers.meet(parts)
    except UnicodeDecodeError:
        return False
    if ref >= 0:
        batch.memory.refs[data[start:at]] = ref
    places.refs.append(ref)
    places.ends.append(stop)
    return True


def _read_one(data: bytes, at: int, batch: Batch, *, is_guessing: bool) -> int:
    """Read the field of the request at `at`, whatever it is; give where the next one starts."""
    field, end = read_field(data, at, len(data))
    if field[0] == 1:
        expect(field, BYTES)
        _read_series(data, field[2], field[3], batch, is_guessing=is_guessing)
    elif field[0] == 3:
        expect(field, BYTES)
        batch.metadata.append(_read_metadata(data, field[2], field[3]))
    return end


def _read_series(data: bytes, start: int, end: int, batch: Batch, *, is_guessing: bool) -> None:
    at = _skip_labels(data, start, end)
    key = data[start:at]
    count, rest = divmod(end - at, FULL_BYTES)
    if is_guessing and key and count and not rest and data.startswith(_FULL_START, at):
        ref = _find(data, start, at, batch)
        batch.full.refs.extend([ref] * count)
        batch.full.ends.extend(range(at + FULL_BYTES, end + 1, FULL_BYTES))
        return
    fields = list(read_fields(data, at, end))
    if any(field[0] == 1 for field in fields):  # protobuf allows any order, though nobody writes it
        ref = batch.ref(read_labels(data, start, end))
    else:
        ref = _find(data, start, at, batch)
    for field in fields:
        _read_part(data, field, ref, batch)


def _find(data: bytes, start: int, end: int, batch: Batch) -> int:
    key = data[start:end]
    ref = batch.memory.refs.get(key)
    if ref is None:
        ref = _enter(data, start, end, batch)
        if ref >= 0 and key:  # what is kept out would crowd out what is known
            batch.memory.refs[key] = ref
    return ref


def _enter(data: bytes, start: int, end: int, batch: Batch) -> int:
    read = batch.usual.read(data, start, end)
    if read is not None and read[1] == end:
        with suppress(UnicodeDecodeError):  # which is told below, with its place
            return batch.newcomers.meet(read[0])
    return batch.ref(read_labels(data, start, end))


def _read_part(data: bytes, field: Field, ref: int, batch: Batch) -> None:
    number, _, start, end = field
    if number == 2:
        expect(field, BYTES)
        value, ts_ms = _read_sample(data, start, end)
        batch.add(ref, ts_ms, value)
    elif number == 3:
        expect(field, BYTES)
        batch.add_exemplar(ref, lambda: _read_exemplar(data, start, end, ref))
    elif number == 4:
        expect(field, BYTES)
        batch.add_histogram(ref, lambda: read_histogram(data, start, end, ref))


def _skip_labels(data: bytes, at: int, end: int) -> int:
    """Give where the labels that stand first end."""
    while at < end and data[at] == 0x0A:
        length, at = read_varint(data, at + 1, end)
        at += length
    if at > end:
        raise MalformedError(f"a label is cut off at byte {end}")
    return at


def read_labels(data: bytes, start: int, end: int) -> list[tuple[str, str]]:
    """Give the labels in a 1.0 series or exemplar, wherever in it they stand."""
    pairs = []
    for label in read_fields(data, start, end):
        if label[0] != 1:
            continue
        expect(label, BYTES)
        name = value = ""
        for part in read_fields(data, label[2], label[3]):
            if part[0] == 1:
                name = read_text(data, part)
            elif part[0] == 2:
                value = read_text(data, part)
        pairs.append((name, value))
    return pairs


def _read_sample(data: bytes, start: int, end: int) -> tuple[float, int]:
    value, ts_ms = 0.0, 0
    for field in read_fields(data, start, end):
        if field[0] == 1:
            expect(field, FIXED64)
            value = read_double(data, field[2])
        elif field[0] == 2:
            expect(field, VARINT)
            ts_ms = signed(field[2])
    return value, ts_ms


def _read_exemplar(data: bytes, start: int, end: int, ref: int) -> Exemplar:
    value, ts_ms = 0.0, 0
    for field in read_fields(data, start, end):
        if field[0] == 2:
            expect(field, FIXED64)
            value = read_double(data, field[2])
        elif field[0] == 3:
            expect(field, VARINT)
            ts_ms = signed(field[2])
    return Exemplar(ref, ts_ms, value, labels_of(read_labels(data, start, end)))


def _read_metadata(data: bytes, start: int, end: int) -> MetricMetadata:
    kind, texts = 0, {2: "", 4: "", 5: ""}
    for field in read_fields(data, start, end):
        if field[0] == 1:
            expect(field, VARINT)
            kind = field[2]
        elif field[0] in texts:
            texts[field[0]] = read_text(data, field)
    return MetricMetadata(texts[2], TYPES[kind] if kind < len(TYPES) else TYPES[0], texts[4], texts[5])
