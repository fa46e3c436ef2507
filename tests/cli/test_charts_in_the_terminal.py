"""Lines of Braille dots: where they go, what they leave out."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from holdfast.cli.queries.chart import Bounds, Canvas
from holdfast.cli.queries.drawing import draw_range, shorten, write_labels
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
