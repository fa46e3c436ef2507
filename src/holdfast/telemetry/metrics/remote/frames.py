"""Writes what a query found as frames of a streamed remote read, series by series in the order of their labels.

A frame is its length, its checksum and a `prometheus.ChunkedReadResponse` of chunks of one series. Some ten thousand
samples are written at a time, so that the whole answer never stands in memory.
Source: Prometheus' storage/remote/chunked.go, prompb/remote.proto and types.proto.
"""

from __future__ import annotations

from itertools import chain, groupby, pairwise
from operator import attrgetter
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from holdfast.telemetry.metrics.remote.checksums import crc32c
from holdfast.telemetry.metrics.remote.histogram_chunks import Chunk, write_histogram_chunks
from holdfast.telemetry.metrics.remote.messages import labels_field, message, number, varint
from holdfast.telemetry.metrics.remote.xor_chunks import MOST_SAMPLES, write_chunks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.selection import SeriesColumns

MOST_FRAME_BYTES: Final = 1 << 20
_BATCH_SAMPLES: Final = 250 * MOST_SAMPLES
_PIECE_BYTES: Final = 1 << 18
_XOR, _FLOAT_HISTOGRAM = 1, 3  # encodings of chunks
_CHECKSUM: Final = Struct(">I")


class _Run(NamedTuple):
    """Samples of one kind, next to each other in one series, few enough for a batch."""

    series: int
    start: int
    end: int
    is_native: bool


def write_frames(columns: SeriesColumns, query: int) -> Iterator[bytes]:
    """Give the frames of what query number `query` of the request found, as many at a time as are worth sending."""
    for batch in _batches(columns):
        held, size = [], 0
        for frame in _write_batch(columns, batch, query):
            held.append(frame)
            size += len(frame)
            if size >= _PIECE_BYTES:
                yield b"".join(held)
                held, size = [], 0
        if held:
            yield b"".join(held)


def _batches(columns: SeriesColumns) -> Iterator[list[_Run]]:
    batch: list[_Run] = []
    samples = 0
    for series in sorted(range(len(columns.labels)), key=columns.labels.__getitem__):
        for run in _runs(columns, series):
            if samples + run.end - run.start > _BATCH_SAMPLES:
                yield batch
                batch, samples = [], 0
            batch.append(run)
            samples += run.end - run.start
    if batch:
        yield batch


def _runs(columns: SeriesColumns, series: int) -> Iterator[_Run]:
    start, end = int(columns.offsets[series]), int(columns.offsets[series + 1])
    if start == end:
        return
    bounds, is_native = [start, end], False
    if columns.histograms is not None:
        native = np.array([each is not None for each in columns.histograms[start:end]])
        bounds[1:1] = (start + 1 + np.flatnonzero(np.diff(native))).tolist()
        is_native = bool(native[0])
    for first, behind in pairwise(bounds):
        for at in range(first, behind, _BATCH_SAMPLES):
            yield _Run(series, at, min(at + _BATCH_SAMPLES, behind), is_native)
        is_native = not is_native


def _write_batch(columns: SeriesColumns, batch: list[_Run], query: int) -> Iterator[bytes]:
    floats = _write_floats(columns, [run for run in batch if not run.is_native])
    for series, runs in groupby(batch, attrgetter("series")):
        fields = chain.from_iterable(_write_natives(columns, run) if run.is_native else next(floats) for run in runs)
        yield from _write_series(columns.labels[series], fields, query)


def _write_floats(columns: SeriesColumns, runs: list[_Run]) -> Iterator[list[bytes]]:
    """Give the fields of the chunks of each run; all chunks are written at once."""
    if not runs:
        return
    ts_ms = np.concatenate([columns.ts_ms[run.start : run.end] for run in runs])
    values = np.concatenate([columns.values[run.start : run.end] for run in runs])
    lengths = [min(MOST_SAMPLES, run.end - at) for run in runs for at in range(run.start, run.end, MOST_SAMPLES)]
    ends = np.cumsum(np.array(lengths, np.int64))
    starts = ends - lengths
    written = zip(ts_ms[starts].tolist(), ts_ms[ends - 1].tolist(), write_chunks(ts_ms, values, starts), strict=True)
    for run in runs:
        count = -(-(run.end - run.start) // MOST_SAMPLES)
        yield [_chunk_field(Chunk(*next(written)), _XOR) for _ in range(count)]


def _write_natives(columns: SeriesColumns, run: _Run) -> Iterator[bytes]:
    if columns.histograms is not None:
        ts_ms, histograms = columns.ts_ms[run.start : run.end].tolist(), columns.histograms[run.start : run.end]
        for chunk in write_histogram_chunks(ts_ms, histograms):
            yield _chunk_field(chunk, _FLOAT_HISTOGRAM)


def _chunk_field(chunk: Chunk, encoding: int) -> bytes:
    return message(
        2, number(1, chunk.start_ms) + number(2, chunk.end_ms) + number(3, encoding) + message(4, chunk.data)
    )


def _write_series(labels: Labels, chunks: Iterable[bytes], query: int) -> Iterator[bytes]:
    """Give the frames of a series' chunks, as few as the most bytes of a frame allow."""
    head = labels_field(labels)
    held, size = [head], len(head)
    for chunk in chunks:
        if len(held) > 1 and size + len(chunk) > MOST_FRAME_BYTES - 100:  # room for what stands around them
            yield _frame(b"".join(held), query)
            held, size = [head], len(head)
        held.append(chunk)
        size += len(chunk)
    yield _frame(b"".join(held), query)


def _frame(series: bytes, query: int) -> bytes:
    content = message(1, series) + number(2, query)
    return varint(len(content)) + _CHECKSUM.pack(crc32c(content)) + content
