"""Bounds of buckets are written as Go's OpenMetrics writer does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.exposition import write_bound


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1.0"),
        (0, "0.0"),
        (0.005, "0.005"),
        (100000, "100000.0"),
        (1000000, "1e+06"),
        (1500000, "1.5e+06"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-2.5, "-2.5"),
        (float("inf"), "+Inf"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_a_bound_is_written_as_prometheus_writes_it(value, text):
    assert write_bound(value) == text


@given(st.floats(allow_nan=False))
def test_what_is_written_reads_back_as_the_same_number(value):
    assert float(write_bound(value)) == value
