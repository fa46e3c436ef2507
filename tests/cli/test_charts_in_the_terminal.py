"""Lines of Braille dots: where they go, what they leave out."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from holdfast.cli.queries.chart import Bounds, Canvas
from holdfast.cli.queries.drawing import draw_range, draw_table, shorten, write_labels
from holdfast.cli.runs.drawing import terminal


def printed(thing: object, width: int = 60) -> str:
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(thing)
    return out.getvalue()


def test_a_pipe_has_the_columns_that_it_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal().width > 100
    monkeypatch.setenv("COLUMNS", "40")
    assert terminal().width == 40
    monkeypatch.setenv("COLUMNS", "0")
    assert terminal().width > 100


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    canvas = Canvas(4, 2, Bounds(0, 10, 0, 10))
    canvas.draw([(0, 0), (10, 10)], "cyan")
    upper, lower = (row.plain for row in canvas.rows())
    assert upper[0] == " "
    assert upper[3] != " "
    assert lower[0] != " "
    assert lower[3] == " "


def test_a_value_that_is_no_number_leaves_a_gap() -> None:
    canvas = Canvas(3, 1, Bounds(0, 2, 0, 1))
    canvas.draw([(0, 0.5), (1, float("nan")), (2, 0.5)], "cyan")
    assert canvas.rows()[0].plain[1] == " "


def test_a_flat_line_has_room_above_and_below() -> None:
    bounds = Bounds.around([[(0, 5), (1, 5)]], 0, 1)
    assert (bounds.low, bounds.high) == (2.5, 7.5)


def test_the_chart_names_its_series_their_last_values_and_what_is_left_out() -> None:
    result = [
        {"metric": {"__name__": "up", "job": str(n)}, "values": [[0, "1"], [60, str(n * 1000)]]} for n in range(10)
    ]
    text = printed(draw_range(result, 0, 60, (60, 24)))
    assert 'up{job="3"}  3k' in text
    assert "and 2 more series" in text
    assert "00:01:00 UTC" in text


def test_labels_and_numbers_are_short() -> None:
    assert write_labels({"__name__": "up"}) == "up"
    assert write_labels({"job": "a"}) == '{job="a"}'
    assert [shorten(each) for each in (0, 1.23456, 12345, 2e6, 3e9, float("inf"))] == [
        "0",
        "1.235",
        "12.35k",
        "2M",
        "3G",
        "+Inf",
    ]


@pytest.mark.parametrize("value", [1e300, -6.667e286, -1.61e308, -6.667e-301, 1e-5, -0.00012345, 9.9996e15, -123456.0])
def test_no_number_is_wider_than_its_column(value: float) -> None:
    text = shorten(value)
    assert len(text) <= 9
    scale = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1], 0)
    assert (float(text[:-1]) * scale if scale else float(text)) == pytest.approx(value, rel=0.05)


def test_the_greatest_numbers_are_drawn() -> None:
    top = "1.7976931348623157e308"
    result = [{"metric": {}, "values": [[0, "-" + top], [30, "NaN"], [60, top]]}]
    lines = printed(draw_range(result, 0, 60, (60, 24))).splitlines()
    assert {line[10] for line in lines[:16]} == {"┤"}


@pytest.mark.parametrize("width", [34, 40, 44])
def test_the_times_have_one_line_where_it_is_narrow(width: int) -> None:
    lines = printed(draw_range([{"metric": {}, "values": [[0, "1"]]}], 0, 60, (width, 10)), width).splitlines()
    (times,) = [line for line in lines if "00:00:00" in line]
    assert times.endswith("00:01:00 UTC")


def test_labels_cannot_rule_the_terminal() -> None:
    odd = {"job": 'a"\\b\n\x1b[31m\x9b\x7f [/b] é'}
    written = '{job="a\\"\\\\b\\n\\u001b[31m\\u009b\\u007f [/b] é"}'
    assert write_labels(odd) == written
    assert written in printed(draw_table([{"metric": odd, "value": [0, "1"]}]), 90)
    assert written in printed(draw_range([{"metric": odd, "values": [[0, "1"]]}], 0, 60, (90, 24)), 90)
