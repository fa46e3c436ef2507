"""What chunks hold is what was written into them, to the bit, as a decoder reads it that knows only the format."""

from __future__ import annotations

import struct
import weakref
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.chunks import checksum, read_frames, read_histograms, read_xor
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.remote.checksums import crc32c
from holdfast.telemetry.metrics.remote.frames import MOST_FRAME_BYTES, write_frames
from holdfast.telemetry.metrics.remote.histogram_chunks import write_histogram_chunks
from holdfast.telemetry.metrics.remote.reading import stream_answer
from holdfast.telemetry.metrics.remote.xor_chunks import write_chunks
from holdfast.telemetry.metrics.selection import SeriesColumns

NOW_MS = 1_700_000_000_000
STALE = float(np.array([STALE_BITS], np.uint64).view(np.float64)[0])
WORDS = st.integers(0, 2**64 - 1)
BITS = st.one_of(
    WORDS, st.sampled_from([0, 1 << 63, STALE_BITS, 0x3FF0000000000000]), st.floats().map(lambda each: bits(each))
)
STEPS = st.one_of(st.integers(1, 100), st.sampled_from([15_000, 8_193, 65_537, 524_289, 2**40]), st.integers(1, 2**45))
SERIES = st.lists(st.tuples(STEPS, BITS), min_size=1, max_size=40)


def bits(value: float) -> int:
    return int(struct.unpack(">Q", struct.pack(">d", value))[0])


def encode(chunks: list[list[tuple[int, int]]]) -> list[bytes]:
    ts_ms = np.array([at for chunk in chunks for at, _ in chunk], np.int64)
    values = np.array([value for chunk in chunks for _, value in chunk], np.uint64).view(np.float64)
    starts = np.cumsum([0, *map(len, chunks)])[:-1]
    return write_chunks(ts_ms, values, starts)


@given(st.lists(st.tuples(st.integers(-(2**50), 2**50), SERIES), min_size=1, max_size=5))
def test_every_bit_of_floats_comes_back(drawn: list[tuple[int, list[tuple[int, int]]]]) -> None:
    chunks = []
    for begin, series in drawn:
        times = np.cumsum([begin, *(step for step, _ in series[1:])]).tolist()
        chunks.append(list(zip(times, (value for _, value in series), strict=True)))
    assert [read_xor(data) for data in encode(chunks)] == chunks


@pytest.mark.parametrize("edge", [13, 16, 19])
def test_changes_of_distance_at_the_edges_of_a_step(edge: int) -> None:
    distances = [2**21, *(2**21 + change for change in (2**edge, 2**edge + 1, -(2**edge) + 1, -(2**edge), 0))]
    for distance in distances[1:]:
        times = [NOW_MS, NOW_MS + 2**21, NOW_MS + 2**21 + distance]
        chunk = [(at, 0) for at in times]
        assert [read_xor(data) for data in encode([chunk])] == [chunk]


def test_the_bytes_are_those_of_prometheus() -> None:
    """A chunk of four samples, as written out by hand from the format."""
    chunk = [(1, bits(1.0)), (2, bits(1.0)), (3, bits(2.0)), (4, bits(4.0))]
    written = encode([chunk])[0]
    changed = bits(1.0) ^ bits(2.0)
    leading, trailing = 1, 52
    expected = "".join(
        (
            f"{4:016b}{2:08b}{bits(1.0):064b}",
            f"{1:08b}0",
            f"011{leading:05b}{64 - leading - trailing:06b}{changed >> trailing:011b}",
            f"010{(bits(2.0) ^ bits(4.0)) >> trailing:011b}",
        )
    )
    assert "".join(f"{byte:08b}" for byte in written).startswith(expected)
    assert len(written) == -(-len(expected) // 8)


@given(st.binary(max_size=400))
def test_checksums_are_castagnolis(data: bytes) -> None:
    assert crc32c(data) == checksum(data)


COUNTS = st.floats(0, 2**60)
SIDES = st.one_of(
    st.just(Buckets()),
    st.builds(Buckets, st.integers(-3000, 3000), st.lists(COUNTS, min_size=1, max_size=6).map(tuple)),
)
THRESHOLDS = st.one_of(st.just(0.0), st.integers(-300, 20).map(lambda power: 2.0**power), st.floats(0, 1e9))
EXPONENTIAL = st.builds(
    Histogram, st.integers(-4, 8), COUNTS, st.floats(allow_nan=False), THRESHOLDS, COUNTS, SIDES, SIDES,
    hint=st.sampled_from(ResetHint),
)  # fmt: skip
BOUNDS = st.one_of(st.integers(0, 40_000_000).map(lambda each: each / 1000), st.floats(allow_nan=False))
CUSTOM = st.builds(
    Histogram, st.just(-53), COUNTS, st.floats(allow_nan=False), positive=SIDES,
    custom_values=st.lists(BOUNDS, max_size=4).map(tuple), hint=st.sampled_from(ResetHint),
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(1, 2**40), st.one_of(EXPONENTIAL, CUSTOM), st.integers(1, 4)), max_size=4))
def test_histograms_come_back(drawn: list[tuple[int, Histogram, int]]) -> None:
    histograms = [each for _, each, times in drawn for _ in range(times)]
    times = np.cumsum([NOW_MS, *(step for step, _, times in drawn for _ in range(times))])[:-1].tolist()
    chunks = list(write_histogram_chunks(times, histograms))
    read = [sample for chunk in chunks for sample in read_histograms(chunk.data)]
    assert [(at, plain(each)) for at, each in read] == list(zip(times, map(plain, histograms), strict=True))
    for (_, told), known in zip(read, histograms, strict=True):
        assert (told.hint is ResetHint.GAUGE) == (known.hint is ResetHint.GAUGE)
        assert known.hint is not ResetHint.RESET or told.hint is ResetHint.RESET
    for chunk in chunks:
        inner = read_histograms(chunk.data)
        assert (chunk.start_ms, chunk.end_ms, len(inner) <= 120) == (inner[0][0], inner[-1][0], True)


def plain(histogram: Histogram) -> Any:
    """Give what two histograms are compared by, a negative zero being another than zero."""
    fields = [getattr(histogram, name) for name in Histogram.__slots__ if name != "hint"]
    return repr([Buckets() if isinstance(each, Buckets) and not each.counts else each for each in fields])


def test_no_reset_hides_inside_a_chunk() -> None:
    rising = Histogram(count=3.0, sum=1.0, positive=Buckets(0, (1.0, 2.0)))
    moved = Histogram(count=3.0, sum=1.0, positive=Buckets(0, (2.0, 1.0)))
    chunks = write_histogram_chunks([1, 2, 3], [rising, rising, moved])
    assert [[hint.hint for _, hint in read_histograms(chunk.data)] for chunk in chunks] == [
        [ResetHint.UNKNOWN, ResetHint.NOT_RESET],
        [ResetHint.UNKNOWN],
    ]


def test_of_a_stale_histogram_only_the_marker_is_written() -> None:
    full = Histogram(schema=3, count=3.0, sum=1.0, positive=Buckets(0, (1.0, 2.0)))
    stale = Histogram(schema=3, count=3.0, sum=STALE, positive=Buckets(0, (1.0, 2.0)))
    chunks = write_histogram_chunks([1, 2, 3, 4], [full, stale, stale, full])
    read = [[(at, bits(each.sum), each.count) for at, each in read_histograms(chunk.data)] for chunk in chunks]
    assert read == [[(1, bits(1.0), 3.0)], [(2, STALE_BITS, 0.0), (3, STALE_BITS, 0.0)], [(4, bits(1.0), 3.0)]]


def test_a_long_series_takes_several_frames_and_wide_histograms_small_chunks() -> None:
    samples = 35_000
    rng = np.random.default_rng(7)
    wide = Histogram(count=1.0, positive=Buckets(0, tuple(map(float, rng.random(16_384)))))
    columns = SeriesColumns(
        labels=[(("__name__", "long"),), (("__name__", "mixed"),)],
        offsets=np.array([0, samples, samples + 40]),
        ts_ms=np.concatenate([np.arange(samples), np.arange(40)]) * 1000,
        values=np.concatenate([rng.random(samples), np.zeros(40)]),
        histograms=np.array([None] * (samples + 3) + [wide] * 36 + [None], object),
    )
    pieces = list(write_frames(columns, 3))
    frames = [frame for piece in pieces for frame in read_frames(piece)]
    assert max(map(len, pieces)) < 2_000_000 < sum(map(len, pieces))
    assert max(frame.ByteSize() for frame in frames) <= MOST_FRAME_BYTES
    assert {(len(frame.chunked_series), frame.query_index) for frame in frames} == {(1, 3)}
    names = [frame.chunked_series[0].labels[0].value for frame in frames]
    assert names == sorted(names)
    chunks = [chunk for frame in frames for chunk in frame.chunked_series[0].chunks]
    read = [sample for chunk in chunks if chunk.type == 1 for sample in read_xor(chunk.data)]
    is_float = np.equal(columns.histograms, None)
    times, values = columns.ts_ms[is_float].tolist(), columns.values[is_float].view(np.uint64).tolist()
    assert read == list(zip(times, values, strict=True))
    assert [chunk.type for chunk in chunks[-4:]] == [3, 3, 3, 1]
    for chunk in chunks:
        inner = read_xor(chunk.data) if chunk.type == 1 else read_histograms(chunk.data)
        assert (chunk.min_time_ms, chunk.max_time_ms) == (inner[0][0], inner[-1][0])
        assert len(inner) <= 120


def test_an_answer_is_written_while_it_is_read_and_let_go_of() -> None:
    def columns() -> SeriesColumns:
        ts_ms = np.arange(400_000)
        return SeriesColumns([(("__name__", "long"),)], np.array([0, 400_000]), ts_ms, np.sqrt(ts_ms))

    found = [columns(), columns()]
    first = weakref.ref(found[0].values)
    pieces = stream_answer(found)
    assert len(next(pieces)) < 1 << 20
    assert first() is not None
    asked = {frame.query_index for piece in pieces for frame in read_frames(piece)}
    assert (asked, first()) == ({0, 1}, None)
