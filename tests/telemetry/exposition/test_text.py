"""Prometheus' text format 0.0.4, as lenient and as strict as Prometheus reads it."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.exposition import ExpositionError, parse_text


def _values(text: str):
    return [(dict(sample.labels), sample.value, sample.ts_ms) for sample in parse_text(text.encode()).samples()]


def test_spaces_trailing_commas_comments_and_a_missing_line_end_are_fine():
    text = '# a comment\n\n \tx { a = "1" , b="2", }\t3  4 \n#x\ny NaN\nz +Inf'
    found = _values(text)
    assert found[0] == ({"__name__": "x", "a": "1", "b": "2"}, 3.0, 4)
    assert str(found[1][1]) == "nan"
    assert found[2][1] == float("inf")


def test_help_and_type_may_come_in_any_order_and_after_other_families():
    page = b'# TYPE h histogram\nother 1\nh_bucket{le="1"} 2\nh_count 2\n# HELP h two\\nlines \\"q\\"\n'
    families = {family.name: family for family in parse_text(page).families}
    assert families["h"].type == "histogram"
    assert families["h"].help == 'two\nlines \\"q\\"'
    assert len(families["h"].samples) == 2


def test_the_bounds_of_histograms_and_summaries_are_canonical_and_others_are_left_alone():
    page = '# TYPE h histogram\nh_bucket{le="5"} 1\n# TYPE s summary\ns{quantile="1"} 2\ng{le="5"} 1\n'
    assert [labels.get("le", labels.get("quantile")) for labels, _, _ in _values(page)] == ["5.0", "1.0", "5"]


def test_a_value_may_go_on_over_lines_and_a_comma_may_be_missing():
    text = 'x{a="1\n# HELP b \\\\\n{}"b="2" c="3"} 1\n# a "comment\ny{a="z\n"} 2 # no\n'
    with pytest.raises(ExpositionError) as fault:
        parse_text(text.encode())
    assert fault.value.place.line == 5
    assert _values(text.replace(" # no", "")) == [
        ({"__name__": "x", "a": "1\n# HELP b \\\n{}", "b": "2", "c": "3"}, 1.0, None),
        ({"__name__": "y", "a": "z\n"}, 2.0, None),
    ]
    assert _values('{a="1","x.y"} 1') == [({"__name__": "x.y", "a": "1"}, 1.0, None)]


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "x 1 2 3",
        "x 0x1p3",
        "x 1_000",
        "x 1 1.5",
        "x{a='1'} 1",
        '{"x" a="1"} 1',
        'x{a="1',
        'x{a="1\\" 2} 3',
        'x{a="1",,b="2"} 1',
        "x{,} 1",
        '{a="1"} 1',
        'x{a="1",a="2"} 1',
        'x{__name__="y"} 1',
        "# TYPE x thing",
        "# TYPE 0x gauge",
        "0x 1",
        "x 1\r",
    ],
)
def test_what_prometheus_refuses_is_refused_with_its_line(line):
    with pytest.raises(ExpositionError) as fault:
        parse_text(f"good 1\n{line}\n".encode())
    assert fault.value.place.line == 2


def test_an_empty_page_has_no_samples():
    assert parse_text(b"").families == ()
