"""The fast way through a known page gives exactly what the strict parser gives, or hands over to it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.exposition import (
    ExpositionError,
    PageExemplar,
    make_template,
    parse_openmetrics,
    parse_text,
)

OPENMETRICS = """# TYPE hits counter
hits_total{{a="x # y"}} {0}
hits_total{{a="b"}} {1}
# TYPE wait histogram
wait_bucket{{le="1"}} {2}
wait_bucket{{le="+Inf"}} {3}
wait_count {3}
wait_sum 1.5
# TYPE up info
up_info{{v="1"}} 1
# TYPE temp gauge
temp -4
# EOF
"""


def _template(page: str, *, is_openmetrics: bool = True):
    raw = page.encode()
    parsed = parse_openmetrics(raw) if is_openmetrics else parse_text(raw)
    made = make_template(raw, parsed, is_openmetrics=is_openmetrics)
    assert made is not None
    return made


def test_values_of_a_known_page_are_read_in_its_order():
    template, samples = _template(OPENMETRICS.format(1, 2, 3, 4))
    reading = template.read(OPENMETRICS.format(10, 2.25, 3, 44).encode())
    assert reading is not None
    assert reading.values.tolist() == [10, 2.25, 3, 44, 44, 1.5, 1, -4]
    assert [sample.line for sample in samples] == [2, 3, 5, 6, 7, 8, 10, 12]


@pytest.mark.parametrize(
    "values", [(-1, 2, 3, 4), ("NaN", 2, 3, 4), (1, 2, 5, 4), (1, "1_0", 3, 4), (1, "x", 3, 4), (1, "", 3, 4)]
)
def test_a_page_that_breaks_a_rule_is_left_to_the_strict_parser(values):
    template, _ = _template(OPENMETRICS.format(1, 2, 3, 4))
    page = OPENMETRICS.format(*values).encode()
    assert template.read(page) is None
    with pytest.raises(ExpositionError):
        parse_openmetrics(page)


@pytest.mark.parametrize(
    ("before", "after"), [('a="b"', 'a="c"'), ("# TYPE temp gauge\n", ""), ("temp -4\n", "temp -4\ntemp2 1\n")]
)
def test_another_series_or_comment_is_another_page(before, after):
    page = OPENMETRICS.format(1, 2, 3, 4)
    template, _ = _template(page)
    assert template.read(page.replace(before, after).encode()) is None


def test_exemplars_come_and_go_without_leaving_the_fast_way():
    page = OPENMETRICS.format(1, 2, 3, 4)
    template, samples = _template(page)
    reading = template.read(page.replace("} 2\n", '} 2 # {trace_id="t"} 0.5 7\n').encode())
    assert reading is not None
    assert reading.exemplars == ((1, PageExemplar((("trace_id", "t"),), 0.5, 7000)),)
    assert samples[1].labels == (("__name__", "hits_total"), ("a", "b"))


def test_an_exemplar_where_none_may_be_goes_to_the_strict_parser():
    page = OPENMETRICS.format(1, 2, 3, 4)
    template, _ = _template(page)
    assert template.read(page.replace("temp -4", "temp -4 # {} 1").encode()) is None


def test_a_null_byte_is_no_way_around_the_comparison():
    template, _ = _template("x 1\n", is_openmetrics=False)
    assert template.read(b"x\x00 1\n") is None


def test_text_with_timestamps_is_read_fast_too():
    template, _ = _template('x{a="1"} 1 1000\ny 2\nz 3 3000\n', is_openmetrics=False)
    reading = template.read(b'x{a="1"} 11 1001\ny 22\nz 33 3001\n')
    assert reading is not None
    assert reading.values.tolist() == [11, 22, 33]
    assert reading.ts_ms is not None
    assert reading.ts_ms.tolist() == [1001, 0, 3001]


@pytest.mark.parametrize(
    "page", [b'x{a="1"} 1\ny 2 5\nz 3 3\n', b'x{a="1"} 1 2 3\ny 2\nz 3\n', b'x{a="1"} 1 -\ny 2\nz 3 1\n']
)
def test_timestamps_on_other_lines_go_to_the_strict_parser(page):
    template, _ = _template('x{a="1"} 1 1000\ny 2\nz 3 3000\n', is_openmetrics=False)
    assert template.read(page) is None


@pytest.mark.parametrize("page", ["x  1\n", "x 1 \n", "x 1\nx 2\n", " x 1\n", "x\t1\n", "\n"])
def test_a_page_that_is_not_written_plainly_has_no_template(page):
    assert make_template(page.encode(), parse_text(page.encode()), is_openmetrics=False) is None


numbers = st.floats() | st.integers(-(2**70), 2**70).map(float)
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=12)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _written(value: float) -> str:
    return "NaN" if math.isnan(value) else repr(value)


@given(st.lists(texts, min_size=1, max_size=8, unique=True), st.data())
def test_fast_and_strict_agree_on_any_labels_and_values(names, data):
    def page() -> bytes:
        values = data.draw(st.lists(numbers, min_size=len(names), max_size=len(names)))
        lines = (
            f'm{{a="{_quoted(name)}",i="{index}"}} {_written(v)}'
            for index, (name, v) in enumerate(zip(names, values, strict=True))
        )
        return ("\n".join(lines) + "\n").encode()

    first, second = page(), page()
    made = make_template(first, parse_text(first), is_openmetrics=False)
    assert made is not None
    reading = made[0].read(second)
    assert reading is not None
    strict = [sample.value for sample in parse_text(second).samples()]
    assert list(map(repr, reading.values.tolist())) == list(map(repr, strict))


@given(st.binary(max_size=60))
def test_no_bytes_make_the_fast_way_say_what_the_strict_parser_does_not(noise):
    template, samples = _template('x{a="1"} 1\ny 2\n', is_openmetrics=False)
    page = b'x{a="1"} ' + noise + b"\ny 3\n"
    reading = template.read(page)
    if reading is not None:
        strict = list(parse_text(page).samples())
        assert [repr(sample.value) for sample in strict] == list(map(repr, reading.values.tolist()))
        assert [sample.labels for sample in strict] == [sample.labels for sample in samples]
