"""Histograms as the store keeps them."""

import struct

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import CUSTOM_SCHEMA, Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.packing import pack, unpack

NUMBERS = st.floats(allow_nan=False)
COUNTS = st.lists(NUMBERS, max_size=8).map(tuple)
SIDES = st.builds(Buckets, st.integers(-(2**31), 2**31 - 1), COUNTS)
HISTOGRAMS = st.builds(
    Histogram,
    schema=st.sampled_from([-53, -4, 0, 8]),
    count=NUMBERS,
    sum=NUMBERS,
    zero_threshold=NUMBERS,
    zero_count=NUMBERS,
    positive=SIDES,
    negative=SIDES,
    custom_values=COUNTS,
    hint=st.sampled_from(ResetHint),
)


@given(st.lists(HISTOGRAMS, max_size=6))
def test_what_was_packed_unpacks_the_same(histograms):
    assert unpack(pack(histograms)) == histograms


@given(st.lists(HISTOGRAMS, max_size=6))
def test_the_columns_survive_arrow(histograms):
    columns = {
        name: pa.array(column, pa.list_(pa.float64())) if isinstance(column, list) else pa.array(column)
        for name, column in pack(histograms).items()
    }
    table = pa.table(columns)
    assert unpack({name: table.column(name).to_pylist() for name in table.column_names}) == histograms


def test_the_stale_marker_keeps_its_bits():
    (stale,) = struct.unpack("<d", struct.pack("<Q", STALE_BITS))
    (read,) = unpack(pack([Histogram(sum=stale)]))
    assert np.float64(read.sum).view(np.uint64) == STALE_BITS


def test_bounds_that_repeat_are_kept_once():
    histograms = [Histogram(schema=CUSTOM_SCHEMA, custom_values=(1.0, float(2))) for _ in range(2)]
    first, second = unpack(pack(histograms))
    assert first.custom_values is second.custom_values
