"""Whether a histogram began anew."""

import struct

import pytest
from hypothesis import given

from fixtures.histograms import pairs
from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Histogram, ResetHint
from holdfast.telemetry.metrics.promql.histograms import (
    add,
    detects_reset,
    parse_histogram,
    settle_hints,
    stats_hints,
    with_hint,
)


@pytest.mark.parametrize(
    ("before", "after", "is_reset"),
    [
        ("{{count:4 buckets:[1 2 1]}}", "{{count:5 buckets:[1 3 1]}}", False),
        ("{{count:4 buckets:[1 2 1]}}", "{{count:3 buckets:[1 2 1]}}", True),
        ("{{count:4 buckets:[1 2 1]}}", "{{count:5 buckets:[1 1 3]}}", True),
        ("{{count:4 buckets:[1 2 1]}}", "{{count:5 buckets:[4 1] offset:1}}", True),  # the first bucket is gone
        ("{{count:4 buckets:[0 2 1]}}", "{{count:5 buckets:[4 1] offset:1}}", False),  # it was empty
        ("{{count:4 n_buckets:[1 2 1]}}", "{{count:5 n_buckets:[1 1 3]}}", True),
        ("{{count:4 sum:9 z_bucket:2}}", "{{count:4 sum:1 z_bucket:2}}", False),  # sums may fall
        ("{{count:4 z_bucket:2}}", "{{count:4 z_bucket:1}}", True),
        ("{{count:4 z_bucket_w:0.5}}", "{{count:4 z_bucket_w:0.25}}", True),
        ("{{count:4 buckets:[2] z_bucket:1}}", "{{count:4 z_bucket:3 z_bucket_w:1}}", False),
        ("{{count:4 buckets:[2] z_bucket:1}}", "{{count:4 z_bucket:2 z_bucket_w:1}}", True),
        ("{{count:4 buckets:[2] z_bucket:1}}", "{{count:4 z_bucket:3 z_bucket_w:0.7}}", True),  # cuts a bucket
        ("{{schema:0 count:4 buckets:[1 2 1] offset:1}}", "{{schema:-1 count:4 buckets:[3 1] offset:1}}", False),
        ("{{schema:0 count:4 buckets:[1 2 1] offset:1}}", "{{schema:-1 count:4 buckets:[2 2] offset:1}}", True),
        ("{{schema:0 count:4}}", "{{schema:1 count:4}}", True),
        ("{{count:1}}", "{{schema:-53 count:2 custom_values:[1]}}", True),
        ("{{schema:-53 count:1 custom_values:[1]}}", "{{count:2}}", True),
        (
            "{{schema:-53 count:3 custom_values:[1 2 3] buckets:[1 1 1]}}",
            "{{schema:-53 count:3 custom_values:[1 3] buckets:[1 2]}}",
            False,
        ),
        (
            "{{schema:-53 count:3 custom_values:[1 2 3] buckets:[1 1 1]}}",
            "{{schema:-53 count:3 custom_values:[1 3] buckets:[1 1 1]}}",
            True,
        ),
    ],
)
def test_a_reset_is_what_cannot_happen_to_a_counter(before, after, is_reset):
    assert detects_reset(parse_histogram(after), parse_histogram(before)) is is_reset


def test_a_hint_is_believed():
    more, fewer = parse_histogram("{{count:2}}"), parse_histogram("{{count:1}}")
    assert detects_reset(with_hint(more, ResetHint.RESET), fewer)
    assert not detects_reset(with_hint(fewer, ResetHint.NOT_RESET), more)
    assert detects_reset(with_hint(fewer, ResetHint.GAUGE), more)


def _hints(histograms):
    return [histogram.hint.value for histogram in histograms]


def test_storage_knows_what_surely_goes_on():
    counts = ["1", "2", "1", "3 counter_reset_hint:reset", "4 z_bucket_w:1", "5 z_bucket_w:1"]
    series = [parse_histogram(f"{{{{count:{count}}}}}") for count in counts]
    assert _hints(settle_hints(series)) == ["unknown", "not_reset", "unknown", "unknown", "unknown", "not_reset"]
    gauges = [with_hint(histogram, ResetHint.GAUGE) for histogram in series]
    assert set(_hints(settle_hints(gauges))) == {"gauge"}


def test_nothing_is_sure_after_a_number_or_the_end_of_a_series():
    (stale,) = struct.unpack("<d", struct.pack("<Q", STALE_BITS))
    one, two = (parse_histogram(f"{{{{count:{count}}}}}") for count in (1, 2))
    settled = settle_hints([one, None, one, two, Histogram(sum=stale), two])
    assert [None if each is None else each.hint.value for each in settled] == [
        "unknown", None, "unknown", "not_reset", "unknown", "unknown"
    ]  # fmt: skip


def test_counts_are_read_with_resets_made_explicit():
    series = [parse_histogram(f"{{{{count:{count}}}}}") for count in (1, 2, 1)]
    assert _hints(stats_hints(series)) == ["unknown", "not_reset", "reset"]
    assert stats_hints([]) == []


@given(pairs())
def test_a_counter_that_grew_was_not_reset(pair):
    before, growth = pair
    after = add(before, growth).histogram
    assert not detects_reset(before, before)
    assert not detects_reset(after, before)
    if growth.count > 0:
        assert detects_reset(before, after)
