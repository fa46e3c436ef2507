"""LogQL's grammar: every form of the documentation becomes nodes, and what is wrong is said with its place."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.logs.logql import LogqlError, parse, parse_selector, print_query
from holdfast.telemetry.logs.logql.nodes import (
    Binary,
    Both,
    Either,
    Extraction,
    Grouping,
    JsonParser,
    LabelFilter,
    LineFilter,
    LineOp,
    LogfmtParser,
    LogSelector,
    Needle,
    Number,
    NumberCondition,
    RangeAggregation,
    TextCondition,
    Unit,
    VectorAggregation,
    VectorOf,
)
from holdfast.telemetry.logs.logql.quantities import parse_duration_ns, parse_size_bytes
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

MINUTE = 60 * 10**9


def stages_of(text):
    expr = parse(text)
    assert isinstance(expr, LogSelector)
    return expr.stages


def condition_of(text):
    (stage,) = stages_of('{a="b"} | ' + text)
    assert isinstance(stage, LabelFilter)
    return stage.condition


def test_a_selector_has_matchers():
    assert parse_selector('{app="shop", level=~`warn|error`}') == (
        Matcher("app", MatchOp.EQUAL, "shop"),
        Matcher("level", MatchOp.MATCHES, "warn|error"),
    )
    assert parse_selector("{}") == ()


def test_line_filters_hold_needles_that_or_joins():
    first, second, third = stages_of('{a="b"} |= "x" or `y` !~ "z" |= ip("10.0.0.0/8")')
    assert isinstance(first, LineFilter)
    assert (first.op, first.needles) == (LineOp.CONTAINS, (Needle("x"), Needle("y")))
    assert second.op.is_negative
    assert third.needles == (Needle("10.0.0.0/8", is_ip=True),)


def test_parsers_take_flags_and_fields():
    json, logfmt = stages_of('{a="b"} | json id, first="servers[0]" | logfmt --strict --keep-empty ok="x.y"')
    assert isinstance(json, JsonParser)
    assert json.fields == (Extraction("id", "id"), Extraction("first", "servers[0]"))
    assert isinstance(logfmt, LogfmtParser)
    assert (logfmt.is_strict, logfmt.keeps_empty, logfmt.fields) == (True, True, (Extraction("ok", "x.y"),))


@pytest.mark.parametrize("text", ['x="1" and y="2"', 'x="1", y="2"', 'x="1" y="2"'])
def test_and_has_three_spellings(text):
    condition = condition_of(text)
    assert isinstance(condition, Both)
    assert isinstance(condition.left, TextCondition)


def test_and_binds_more_strongly_than_or():
    condition = condition_of('x="1" or y="2" and z="3"')
    assert isinstance(condition, Either)
    assert isinstance(condition.right, Both)
    grouped = condition_of('(x="1" or y="2") and z="3"')
    assert isinstance(grouped, Both)


@pytest.mark.parametrize(
    ("text", "op", "value", "unit"),
    [
        ("took > 1m30s", ">", 90.0, Unit.DURATION),
        ("took <= 1.5h", "<=", 5400.0, Unit.DURATION),
        ("took == 10\u00b5s", "==", 1e-5, Unit.DURATION),
        ("size >= 5KB", ">=", 5000.0, Unit.BYTES),
        ("size < 1.5MiB", "<", 1572864.0, Unit.BYTES),
        ("status = 500", "==", 500.0, Unit.NUMBER),
        ("x != -2.5e3", "!=", -2500.0, Unit.NUMBER),
    ],
)
def test_numbers_are_compared_with_their_units(text, op, value, unit):
    condition = condition_of(text)
    assert isinstance(condition, NumberCondition)
    assert (condition.op, condition.unit) == (op, unit)
    assert condition.value == pytest.approx(value)


def test_a_word_of_the_language_may_be_a_label():
    condition = condition_of('json="x"')
    assert condition == TextCondition(Matcher("json", MatchOp.EQUAL, "x"), span=condition.span)


@pytest.mark.parametrize(
    "text",
    [
        'rate({a="b"} |= "x" [5m] offset 1h)',
        'rate({a="b"}[5m] offset 1h |= "x")',
        'rate(({a="b"} |= "x")[5m] offset 1h)',
        'rate(({a="b"} |= "x" [5m] offset 1h))',
    ],
)
def test_the_range_may_stand_at_four_places(text):
    expr = parse(text)
    assert isinstance(expr, RangeAggregation)
    assert (expr.range_ns, expr.offset_ns) == (5 * MINUTE, 60 * MINUTE)
    assert [stage.op for stage in expr.selector.stages] == [LineOp.CONTAINS]


def test_unwrapped_ranges_are_grouped_and_filtered():
    text = 'quantile_over_time(0.99, {a="b"} | logfmt | unwrap duration(took) | __error__="" [1m]) by (path)'
    expr = parse(text)
    assert isinstance(expr, RangeAggregation)
    assert (expr.param, expr.grouping) == (0.99, Grouping(("path",)))
    assert expr.unwrap is not None
    assert (expr.unwrap.label, expr.unwrap.conversion, len(expr.unwrap.conditions)) == ("took", "duration", 1)


def test_aggregations_take_their_grouping_before_and_after():
    before, after = parse('sum by (x) (rate({a="b"}[5m]))'), parse('sum(rate({a="b"}[5m])) by (x)')
    assert isinstance(before, VectorAggregation)
    assert before == after
    top = parse('topk(3, sum without (x) (rate({a="b"}[5m])))')
    assert isinstance(top, VectorAggregation)
    assert top.param == 3


def test_operators_bind_as_in_promql():
    expr = parse("vector(1) + vector(2) * vector(2) ^ vector(3) ^ vector(2)")
    assert isinstance(expr, Binary)
    assert expr.op == "+"
    assert isinstance(expr.right, Binary)
    assert expr.right.op == "*"
    power = expr.right.right
    assert isinstance(power, Binary)
    assert isinstance(power.left, VectorOf)  # from the right
    left = parse("vector(1) - 2 - 3")
    assert isinstance(left, Binary)
    assert isinstance(left.left, Binary)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 2 ^ 3 ^ 2", 1025.0),
        ("1 - 2 - 3", -4.0),
        ("7 % 4 / 2", 1.5),
        ("2 > bool 1", 1.0),
        ("(2 <= 1) + 5", 5.0),
    ],
)
def test_an_operation_between_numbers_is_a_number(text, value):
    expr = parse(text)
    assert isinstance(expr, Number)
    assert expr.value == value


@pytest.mark.parametrize("text", ["1 / 0", "1 % 0"])
def test_what_is_divided_by_zero_is_no_number(text):
    assert print_query(parse(text)) == "NaN"


def test_sides_find_each_other_by_labels():
    expr = parse('rate({a="b"}[1m]) / on (x) group_left (y) rate({a="c"}[1m])')
    assert isinstance(expr, Binary)
    assert (expr.matching.card, expr.matching.labels, expr.matching.include) == ("many-to-one", ("x",), ("y",))


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("", "parse error : ", "unexpected $end"),
        ("{", "line 1, col 2", "unexpected $end"),
        ('{a="b"} |', "col 10", "unexpected $end"),
        ('{a="b"}\n| json |= 5', "line 2, col 11", "unexpected NUMBER, expecting STRING"),
        ("{}", "", "queries require at least one regexp or equality matcher"),
        ('{a=~".*"}', "", "queries require at least one"),
        ('{a=~"("}', "error :", "error parsing regexp"),
        ('{a="b"} | regexp "x"', ":", "invalid regexp parser: at least one named capture"),
        ('{a="b"} | unwrap x', "col 11", "unexpected unwrap"),
        ('{a="b"} | label_format x=y, x=z', ":", "multiple label name 'x'"),
        ('{a="b"} |= "x', "col 12", "literal not terminated"),
        ('rate({a="b"})', "line 1, col 13", "unexpected )"),
        ('sum_over_time({a="b"}[5m])', "error :", "invalid aggregation sum_over_time without unwrap"),
        ('count_over_time({a="b"} | unwrap x [5m])', "error :", "invalid aggregation count_over_time with unwrap"),
        ('rate({a="b"}[5m]) by (x)', "error :", "grouping not allowed for rate aggregation"),
        ('quantile_over_time({a="b"} | unwrap x [5m])', "error :", "parameter required"),
        ('topk(rate({a="b"}[5m]))', "error :", "parameter required for operation topk"),
        ('topk(0, rate({a="b"}[5m]))', "error :", "must be greater than 0"),
        ("1 and 2", "error :", "unexpected literal for left leg"),
        ('rate({a="b"}[5m]) + bool 1', "error :", "bool modifier"),
        ("(" * 200 + "1", "col", "nested more than"),
        (
            "{" + ",".join(['a="b"'] * 201) + "}",
            "line 1, col 1202",
            "the query has more than 200 matchers, the limit of one query",
        ),
        ('{a="b"} | ' + " or ".join(['a="b"'] * 5000), "col 1802", "more than 200 matchers"),
        ('{a="b"} | ' + ", ".join(['a="b"'] * 5000), "col", "more than 200 matchers"),
        ('{a="b"} |= "x"' + ' or "x"' * 5000, "col", "more than 200 matchers"),
        ('{a="b"} | drop ' + ",".join(["a"] * 5000), "col", "more than 200 matchers"),
        ('{a="b"} | ' + "(" * 5000, "col", "more than 100 nested conditions"),
        ('{a="b"}' + " | json" * 201, "line 1, col 1409", "more than 200 stages"),
        ("1" + "+1" * 5000, "col", "more than 100 operations"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, place, told):
    with pytest.raises(LogqlError) as caught:
        parse(text)
    assert str(caught.value).startswith("parse error ")
    assert place in str(caught.value)
    assert told in str(caught.value)


@given(st.text(alphabet='{}[]()|=~!<>"`abcjson 0123456789.,+-*/%^msKB\n#', max_size=60))
def test_any_text_is_a_query_or_refused(text):
    with contextlib.suppress(LogqlError):
        assert parse(text).span.end <= len(text)


@given(st.integers(min_value=0, max_value=10**15))
def test_whole_numbers_of_nanoseconds_are_read_exactly(length):
    assert parse_duration_ns(f"{length}ns") == length


@pytest.mark.parametrize(
    ("text", "size"), [("5KB", 5000), ("5kb", 5000), ("5 KiB", 5120), ("7", 7), ("1.5MB", 1500000), ("x", None)]
)
def test_sizes_are_read_as_they_are_written(text, size):
    assert parse_size_bytes(text) == size


@pytest.mark.parametrize("text", ["", "5", "5x", "m5", "5m 3s", "1h-3m"])
def test_what_is_no_duration_is_none(text):
    assert parse_duration_ns(text) is None
