"""Many windows over one series at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.histograms import Buckets, Histogram, ResetHint
from holdfast.telemetry.metrics.promql.histograms import Stack, compact, parse_histogram, rate_of, sum_of, with_hint

HINTS = st.sampled_from(ResetHint)


@st.composite
def series(draw):
    """Draw samples of one layout, with buckets that come and go."""
    samples = []
    for _ in range(draw(st.integers(2, 8))):
        counts = tuple(float(draw(st.integers(0, 3))) for _ in range(draw(st.integers(0, 4))))
        zero_count = float(draw(st.integers(0, 3)))
        positive = Buckets(draw(st.integers(-2, 2)), counts) if counts else Buckets()
        total = float(draw(st.integers(-5, 5)))
        hint = draw(HINTS)
        samples.append(Histogram(2, sum(counts) + zero_count, total, 0.001, zero_count, positive, hint=hint))
    return samples


@given(series(), st.booleans())
def test_changes_are_as_each_window_alone(samples, is_counter):
    stack = Stack.of(samples)
    windows = [(first, last) for last in range(1, len(samples)) for first in range(last)]
    first, last = np.array(windows).T
    found = stack.histograms(stack.changes(first, last, is_counter=is_counter))
    gauges = stack.has_gauge(first, last + 1)
    for place, (start, end) in enumerate(windows):
        alone = rate_of(list(enumerate(samples))[start : end + 1], None, is_counter=is_counter)
        assert found[place] == alone.histogram
        if is_counter:
            assert gauges[place] == (alone.notes == ("not_counter",))


@given(series())
def test_sums_are_as_each_window_alone(samples):
    stack = Stack.of(samples)
    windows = [(start, end) for end in range(1, len(samples) + 1) for start in range(end)]
    start, end = np.array(windows).T
    sums, lost = stack.sums(start, end)
    found = stack.histograms(sums + lost)
    hints, collides = stack.merged_hints(start, end)
    for place, (begin, stop) in enumerate(windows):
        alone = sum_of(samples[begin:stop])
        assert with_hint(found[place], hints[place]) == compact(alone.histogram)
        assert collides[place] == alone.is_collision


def test_layouts_that_differ_are_not_stacked():
    texts = ["{{schema:1}}", "{{schema:-53 custom_values:[1]}}", "{{z_bucket_w:1}}"]
    for text in texts:
        assert Stack.of([parse_histogram("{{}}"), parse_histogram(text)]) is None
    assert Stack.of([]) is None


def test_a_matrix_that_would_fill_the_memory_is_not_made():
    wide = Histogram(8, 2.0, positive=Buckets(-200_000, (1.0, *(0.0,) * 400_000, 1.0)))
    samples = [wide] * 25
    assert Stack.of(samples) is None
    assert sum_of(samples).histogram.count == 50


def test_rounding_errors_of_sums_are_made_good():
    stack = Stack.of([parse_histogram(f"{{{{sum:{total}}}}}") for total in ("5.3", "1e100", "1", "-1e100")])
    sums, lost = stack.sums(np.array([0]), np.array([4]))
    assert (sums + lost)[0, 1] == pytest.approx(6.3)
