"""Lines of Braille dots: where they go, what they leave out."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from holdfast.cli.queries.chart import Bounds, Canvas
from holdfast.cli.queries.drawing import draw_range, draw_table, shorten, write_labels
from holdfast.cli.queries.rows import write_rows
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


def test_several_lines_are_told_apart_without_colours() -> None:
    result = [
        {"metric": {"job": job}, "values": [[at, str(value)] for at in range(0, 61, 5)]}
        for job, value in (("api", 1), ("web", 2), ("cron", 2))
    ]
    *picture, legend_api, legend_web, legend_cron = printed(draw_range(result, 0, 60, (60, 24))).splitlines()
    assert [line[:3] for line in (legend_api, legend_web, legend_cron)] == ["━a━", "━b━", "━c━"]
    drawn = "".join(line[11:] for line in picture[:-1])
    assert {letter: drawn.count(letter) for letter in "abc"} == {"a": 3, "b": 3, "c": 3}


def test_a_line_alone_has_no_letter() -> None:
    lines = printed(draw_range([{"metric": {"job": "x"}, "values": [[0, "1"], [60, "2"]]}], 0, 60, (60, 24)))
    assert '━━━ {job="x"}  2' in lines
    assert "a" not in lines


def test_native_histograms_are_drawn_as_their_mean() -> None:
    histograms = [[at, {"count": "4", "sum": str(at)}] for at in (0, 30, 60)]
    gone = [90, {"count": "0", "sum": "0"}]
    text = printed(draw_range([{"metric": {"__name__": "wait"}, "histograms": [*histograms, gone]}], 0, 90, (60, 24)))
    assert "wait  mean NaN" in text
    assert "15┤" in text
    assert printed(draw_range([{"metric": {}, "histograms": histograms}], 0, 60, (60, 24))).rstrip().endswith("mean 15")


def test_rows_have_a_column_for_each_label() -> None:
    result = [
        {"metric": {"__name__": "up", "job": 'a,"b"'}, "values": [[0, "1"], [0.5, "+Inf"]]},
        {"metric": {"zone": "eu"}, "histograms": [[60, {"count": "3", "sum": "7"}]]},
    ]
    assert write_rows({"resultType": "matrix", "result": result}).splitlines() == [
        "__name__,job,zone,time,value,count,sum",
        'up,"a,""b""",,1970-01-01T00:00:00.000+00:00,1,,',
        'up,"a,""b""",,1970-01-01T00:00:00.500+00:00,+Inf,,',
        ",,eu,1970-01-01T00:01:00.000+00:00,,3,7",
    ]
    assert write_rows({"resultType": "scalar", "result": [0, "2"]}).splitlines()[1] == "1970-01-01T00:00:00.000+00:00,2"
    assert write_rows({"resultType": "vector", "result": []}).splitlines() == ["time,value"]


def test_names_with_dots_are_quoted_as_in_a_selector() -> None:
    assert write_labels({"__name__": "queue.depth", "zone.name": "eu"}) == '{"queue.depth", "zone.name"="eu"}'
    assert write_labels({"__name__": "queue.depth"}) == '{"queue.depth"}'


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
