"""Series in the notation of rule tests become labels and points."""

from __future__ import annotations

import math
import struct

import pytest

from holdfast.telemetry.metrics.arrivals import STALE_BITS
from holdfast.telemetry.metrics.histograms import Buckets, Histogram
from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.series_notation import (
    is_starts,
    parse_metric,
    parse_series,
    parse_starts,
)


def values(text: str) -> list[float | Histogram | None]:
    return [each.value for each in parse_series(f"m {text}").values]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 2.5 -3 1e3", [1, 2.5, -3, 1000]),
        ("1+2x3", [1, 3, 5, 7]),
        ("10-2x2", [10, 8, 6]),
        ("-10-2x1 3", [-10, -12, 3]),
        ("7x2", [7, 7, 7]),
        ("1x0", [1]),
        ("_ _x3 4", [None, None, None, None, 4]),
        ("1  \t 2 ", [1, 2]),
        ("Inf -inf +Inf", [math.inf, -math.inf, math.inf]),
        ("", []),
    ],
)
def test_points_are_expanded(text: str, expected: list[float | None]) -> None:
    assert values(text) == expected


def test_a_stale_marker_keeps_its_bits() -> None:
    [stale] = values("stale")
    assert isinstance(stale, float)
    assert struct.unpack("<Q", struct.pack("<d", stale)) == (STALE_BITS,)


def test_histograms_are_repeated_and_added_up() -> None:
    one = Histogram(count=1, sum=2, positive=Buckets(0, (1.0,)))
    assert values("{{count:1 sum:2 buckets:[1]}}x1") == [one, one]
    sums = [each.sum for each in values("{{sum:1}}+{{sum:2}}x2 {{sum:5}}-{{sum:1}}x1") if isinstance(each, Histogram)]
    assert sums == [1, 3, 5, 5, 4]


def test_a_hint_that_was_written_is_known() -> None:
    series = parse_series("m {{counter_reset_hint:unknown}} {{sum:1}}")
    assert [each.has_hint for each in series.values] == [True, False]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("up", (("__name__", "up"),)),
        ('up{b="1", a="2", c=""}', (("__name__", "up"), ("a", "2"), ("b", "1"))),
        ('{"my.metric", "a.b"="c"}', (("__name__", "my.metric"), ("a.b", "c"))),
        ("sum{}", (("__name__", "sum"),)),
        ("{}", ()),
    ],
)
def test_a_metric_is_read(text: str, labels: tuple[tuple[str, str], ...]) -> None:
    assert parse_metric(text) == labels
    assert parse_series(f"{text} 1").labels == labels


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("m 1 x", '1:5: parse error: unexpected "x" in series values'),
        ("m 1x", '1:3: parse error: unexpected "1x" in series values'),
        ("m 1+2", '1:3: parse error: unexpected "1+2" in series values'),
        ("m{a=} 1", '1:5: parse error: unexpected "}" in label set, expected string'),
        ('m{a!="b"} 1', '1:4: parse error: unexpected <op:!=> in label set, expected "="'),
        ("1 2", '1:1: parse error: unexpected number "1"'),
        ("m{{sum:1}} 2", "1:3: parse error: unexpected left brace '{'"),
        ("m 1x1000001", "1:3: parse error: more than 1000000 values in one series"),
        (
            "m {{schema:1}}+{{schema:0}}x1",
            "1:3: parse error: error combining histograms: cannot merge from schema 0 to 1",
        ),
    ],
)
def test_what_is_no_series_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse_series(text)
    assert caught.value.message == problem


def test_starts_are_relative_to_their_samples() -> None:
    assert is_starts("m@st -1m")
    assert not is_starts("m -1")
    labels, starts = parse_starts('m{a="b"}@st _ -30s-1mx2 _x2 0 * +500ms')
    assert labels == (("__name__", "m"), ("a", "b"))
    assert starts == (None, -30_000, -90_000, -150_000, None, None, 0, 0, 500)
    assert parse_starts("@st -1m") == ((), (-60_000,))
    with pytest.raises(QuerySyntaxError, match="invalid @st item"):
        parse_starts("m@st soon")
