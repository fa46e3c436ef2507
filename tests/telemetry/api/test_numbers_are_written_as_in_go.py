"""Sample values and times in JSON read as Prometheus writes them; expectations come from Go's strconv."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.api.numbers import write_time, write_value, write_values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (1.5, "1.5"),
        (-2.0, "-2"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1.2345678901234567e20, "123456789012345670000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (0.0001, "0.0001"),
        (0.00001, "0.00001"),
        (0.000001, "0.000001"),
        (1e-7, "1e-07"),
        (1.25e-9, "1.25e-09"),
        (5e-324, "5e-324"),
        (0.1, "0.1"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_a_value_alone_and_in_a_column_reads_as_go_prints_it(value: float, text: str) -> None:
    assert write_value(value) == text
    assert write_values(np.array([7.0, value, 10.05])) == [b"7", text.encode(), b"10.05"]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=50))
def test_a_column_reads_as_its_values_one_by_one_and_back_exactly(values: list[float]) -> None:
    written = write_values(np.array(values, dtype=np.float64))
    assert [each.decode() for each in written] == [write_value(value) for value in values]
    assert all(
        float(text) == value or (math.isnan(value) and text == b"NaN")
        for text, value in zip(written, values, strict=True)
    )


@pytest.mark.parametrize(
    ("ts_ms", "text"), [(0, b"0"), (1000, b"1"), (1500, b"1.500"), (1, b"0.001"), (-1500, b"-1.500")]
)
def test_a_time_is_seconds_with_milliseconds_where_there_are_any(ts_ms: int, text: bytes) -> None:
    assert write_time(ts_ms) == text
