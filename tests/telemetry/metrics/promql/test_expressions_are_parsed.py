"""Queries become the tree that Prometheus builds."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.promql.nodes import (
    Aggregation,
    AtModifier,
    Binary,
    Call,
    DurationExpr,
    Expr,
    Matching,
    MatrixSelector,
    NumberLiteral,
    Paren,
    Span,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from holdfast.telemetry.metrics.promql.parser import parse, parse_matchers
from holdfast.telemetry.metrics.samples import Matcher, MatchOp

ANYWHERE = Span(0, 0)  # spans do not count in comparisons


def number(value: float, *, is_duration: bool = False) -> NumberLiteral:
    return NumberLiteral(value, is_duration, span=ANYWHERE)


def length(seconds: float) -> NumberLiteral:
    return number(seconds, is_duration=True)


def selector(name: str, *matchers: Matcher) -> VectorSelector:
    return VectorSelector(name, (*matchers, Matcher("__name__", MatchOp.EQUAL, name)), span=ANYWHERE)


def binary(op: str, left: Expr, right: Expr, matching: Matching | None = None) -> Binary:
    return Binary(op, left, right, matching=matching, span=ANYWHERE)


A, B, C = selector("a"), selector("b"), selector("c")
PLAIN, SETS = Matching(), Matching("many-to-many")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", binary("+", number(1), binary("*", number(2), number(3)))),
        ("1 - 2 - 3", binary("-", binary("-", number(1), number(2)), number(3))),
        ("1 ^ 2 ^ 3", binary("^", number(1), binary("^", number(2), number(3)))),
        ("-1 ^ 2", Unary("-", binary("^", number(1), number(2)), span=ANYWHERE)),
        ("-1 * 2", binary("*", number(-1), number(2))),
        ("2 ^ -1 * 3", binary("*", binary("^", number(2), number(-1)), number(3))),
        ("a or b and c", binary("or", A, binary("and", B, C, SETS), SETS)),
        ("a unless b and c", binary("and", binary("unless", A, B, SETS), C, SETS)),
        ("a + b > c", binary(">", binary("+", A, B, PLAIN), C, PLAIN)),
        ("a </ 2", binary("</", A, number(2))),
        ("a ATAN2 b % c", binary("%", binary("atan2", A, B, PLAIN), C, PLAIN)),
        ("(1)", Paren(number(1), span=ANYWHERE)),
        ("sum + by", binary("+", selector("sum"), selector("by"), PLAIN)),
        ("fill + fill (2) fill", binary("+", selector("fill"), selector("fill"), Matching(fill_left=2, fill_right=2))),
    ],
)
def test_operators_bind_as_in_prometheus(text: str, expected: Expr) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + on (x, y) b", Matching(is_on=True, labels=("x", "y"))),
        ('a + ignoring (sum, "x.y",) b', Matching(labels=("sum", "x.y"))),
        ("a + on () group_left b", Matching("many-to-one", is_on=True)),
        ("a + on (x) group_right (z) b", Matching("one-to-many", is_on=True, labels=("x",), include=("z",))),
        ("a + fill_left (-1) fill_right (NaN) b", None),
        ("a + fill_right (2) b", Matching(fill_right=2)),
        ("a and on (x) b", Matching("many-to-many", is_on=True, labels=("x",))),
    ],
)
def test_sides_are_matched_as_written(text: str, expected: Matching | None) -> None:
    expr = parse(text)
    assert isinstance(expr, Binary)
    assert expr.matching is not None
    assert expected is None or expr.matching == expected


def test_the_sides_of_two_fills_are_told_apart() -> None:
    expr = parse("a + fill_right (1) fill_left (-2) b")
    assert isinstance(expr, Binary)
    assert expr.matching == Matching(fill_left=-2, fill_right=1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31),
        ("0755", 493),
        ("1_000", 1000),
        (".5", 0.5),
        ("5.", 5),
        ("1e-3", 0.001),
        ("-Inf", float("-inf")),
        ("089", 89),
        ("- - 5", 5),
    ],
)
def test_numbers_are_read_as_go_reads_them(text: str, value: float) -> None:
    assert parse(text) == number(value)


def test_a_duration_is_a_number_of_seconds() -> None:
    assert parse("1h30m") == length(5400)
    assert parse("-1m500ms") == length(-60.5)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\n\"b"', 'a\n"b'),
        (r"'it\'s'", "it's"),
        (r"`a\n`", "a\\n"),
        (r'"\u00e9\x41\101"', "éAA"),
        (r'"\xff"', "\udcff"),
        (r'"\xc3\xa9"', "é"),
        ('"日本"', "日本"),
    ],
)
def test_strings_are_unquoted_as_in_go(text: str, value: str) -> None:
    assert parse(text) == StringLiteral(value, span=ANYWHERE)


def test_a_selector_keeps_its_matchers_in_order_the_name_last() -> None:
    expected = selector(
        "m",
        Matcher("a", MatchOp.EQUAL, "1"),
        Matcher("b", MatchOp.NOT_EQUAL, "2"),
        Matcher("c", MatchOp.MATCHES, "x.*"),
        Matcher("d.e", MatchOp.NOT_MATCHES, "y|z"),
    )
    assert parse("""m{a="1", b!='2', c=~"x.*", "d.e"!~`y|z`,}""") == expected


def test_a_quoted_name_in_braces_is_the_metrics() -> None:
    expected = (Matcher("__name__", MatchOp.EQUAL, "my.metric"), Matcher("a", MatchOp.EQUAL, "b"))
    assert parse_matchers('{"my.metric", a="b"}') == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a[5m]", MatrixSelector(A, length(300), span=ANYWHERE)),
        ("a[1800]", MatrixSelector(A, number(1800), span=ANYWHERE)),
        ("a[30m:1m]", Subquery(A, length(1800), length(60), span=ANYWHERE)),
        ("a[30m:]", Subquery(A, length(1800), span=ANYWHERE)),
        ("a @ 1.5", VectorSelector("a", A.matchers, at=AtModifier(1500), span=ANYWHERE)),
        ("a @ -1.0005", VectorSelector("a", A.matchers, at=AtModifier(-1001), span=ANYWHERE)),
        ("a @ end()", VectorSelector("a", A.matchers, at=AtModifier(bound="end"), span=ANYWHERE)),
        ("a offset -5m", VectorSelector("a", A.matchers, length(-300), span=ANYWHERE)),
        ("a smoothed", VectorSelector("a", A.matchers, mode="smoothed", span=ANYWHERE)),
        ("a[5m:] offset 1m", Subquery(A, length(300), None, length(60), span=ANYWHERE)),
    ],
)
def test_modifiers_stand_with_what_they_modify(text: str, expected: Expr) -> None:
    assert parse(text) == expected


def test_modifiers_of_a_range_are_the_selectors_in_any_order() -> None:
    inner = VectorSelector("a", A.matchers, length(60), AtModifier(bound="start"), "anchored", span=ANYWHERE)
    expected = MatrixSelector(inner, length(300), span=ANYWHERE)
    assert parse("a[5m] anchored @ start() offset 1m") == expected
    assert parse("a[5m] offset 1m @ start() anchored") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "1m + 2m * 3",
            DurationExpr("+", length(60), DurationExpr("*", length(120), number(3), span=ANYWHERE), span=ANYWHERE),
        ),
        ("-5m + 35m", DurationExpr("+", length(-300), length(2100), span=ANYWHERE)),
        ("(1m)", DurationExpr("()", None, length(60), span=ANYWHERE)),
        ("-step()", DurationExpr("-", None, DurationExpr("step", span=ANYWHERE), span=ANYWHERE)),
        ("MIN_OF(range(), 1h)", DurationExpr("min", DurationExpr("range", span=ANYWHERE), length(3600), span=ANYWHERE)),
    ],
)
def test_durations_are_reckoned(text: str, expected: DurationExpr) -> None:
    assert parse(f"a[{text}]") == MatrixSelector(A, expected, span=ANYWHERE)


@pytest.mark.parametrize("offset", ["2", "-2", "step()", "-max_of(1, 2)", "-(1 + 2)"])
def test_an_offset_ends_before_the_next_operator(offset: str) -> None:
    expr = parse(f"a offset {offset} ^ 2")
    assert isinstance(expr, Binary)
    assert expr.left == parse(f"a offset {offset}")


def test_aggregations_take_their_labels_before_or_after() -> None:
    expected = Aggregation("topk", A, number(3), ("x",), is_without=True, span=ANYWHERE)
    assert parse("topk without (x) (3, a)") == expected
    assert parse("TOPK(3, a) without (x)") == expected


def test_words_of_the_language_may_name_functions_metrics_and_labels() -> None:
    assert parse("step() + start") == binary("+", Call("step", (), span=ANYWHERE), selector("start"))
    assert parse("sum by (on, bool, ignoring) (a)") == Aggregation(
        "sum", A, None, ("on", "bool", "ignoring"), span=ANYWHERE
    )


def test_spans_point_into_the_text() -> None:
    text = "sum by (x) (\n  rate(a[5m] offset 1m)\n) > 1"
    expr = parse(text)
    assert isinstance(expr, Binary)
    assert isinstance(expr.left, Aggregation)
    inner = expr.left.expr
    assert isinstance(inner, Call)
    assert text[expr.span.start : expr.span.end] == text
    assert text[inner.span.start : inner.span.end] == "rate(a[5m] offset 1m)"
    assert text[inner.args[0].span.start : inner.args[0].span.end] == "a[5m] offset 1m"


def test_comments_are_nothing() -> None:
    assert parse("a # the first\n + # more\n b") == binary("+", A, B, PLAIN)


def test_a_long_chain_of_operators_is_parsed_without_depth() -> None:
    assert isinstance(parse(" + ".join(["a"] * 3000)), Binary)
