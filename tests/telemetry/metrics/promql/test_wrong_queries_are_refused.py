"""What is no PromQL is refused in Prometheus' words, at Prometheus' place.

Texts and places: Prometheus' own tests of its parser (promql/parser/parse_test.go).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.parser import parse, parse_matchers
from holdfast.telemetry.metrics.promql.stream import MAX_DEPTH, ParserOptions

UNARY = "unary expression only allowed"


def refusal(text: str, options: ParserOptions | None = None) -> str:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text, options=options or ParserOptions())
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "unknown position: parse error: no expression found in input"),
        ("# just a comment\n\n", "1:1: parse error: no expression found in input"),
        ("1+", "1:3: parse error: unexpected end of input"),
        (".", "1:1: parse error: unexpected character: '.'"),
        ("2.5.", '1:1: parse error: bad number or duration syntax: "2.5."'),
        ("100..4", '1:1: parse error: bad number or duration syntax: "100.."'),
        ("0deadbeef", '1:1: parse error: bad number or duration syntax: "0de"'),
        ("*1", "1:1: parse error: unexpected <op:*>"),
        ("(1))", "1:5: parse error: unexpected right parenthesis ')'"),
        ("((1)", "1:5: parse error: unclosed left parenthesis"),
        ("(", "1:2: parse error: unclosed left parenthesis"),
        ("1 !~ 1", "1:3: parse error: unexpected character after '!': '~'"),
        ("1 =~ 1", "1:3: parse error: unexpected character after '=': '~'"),
        ("foo{a='\\q'}", "1:7: parse error: unknown escape sequence U+0071 'q'"),
        ("foo{", "1:5: parse error: unexpected end of input inside braces"),
        ("foo[5m", "1:7: parse error: unclosed left bracket"),
        ("foo}", "1:4: parse error: unexpected character: '}'"),
        ("日本", "1:1: parse error: unexpected character: '日'"),
    ],
)
def test_what_cannot_be_cut_into_words_is_refused(text: str, problem: str) -> None:
    assert refusal(text) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("foo{a=b}", '1:7: parse error: unexpected identifier "b" in label matching, expected string'),
        ("foo{a>1}", "1:6: parse error: unexpected character inside braces: '>'"),
        ('foo{a="x" b="y"}', '1:11: parse error: unexpected identifier "b" in label matching, expected "," or "}"'),
        ("foo{a}", '1:6: parse error: unexpected "}" in label matching, expected label matching operator'),
        ('foo{="x"}', '1:5: parse error: unexpected "=" in label matching, expected identifier or "}"'),
        ("sum by (==) (foo)", "1:9: parse error: unexpected <op:==> in grouping opts, expected label"),
        ("sum by foo", '1:8: parse error: unexpected identifier "foo" in grouping opts, expected "("'),
        ("sum (foo bar)", '1:10: parse error: unexpected identifier "bar" in aggregation'),
        ("sum some_metric by (test)", '1:5: parse error: unexpected identifier "some_metric"'),
        ("foo @ x", '1:7: parse error: unexpected identifier "x" in @, expected timestamp'),
        ("rate(foo[5m],)", "1:13: parse error: trailing commas not allowed in function call args"),
        ("topk()", "1:1: parse error: no arguments for aggregate expression provided"),
        (
            "topk(foo)",
            "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
        ),
        ("nope(foo)", '1:1: parse error: unknown function with name "nope"'),
        ("foo offset 5m offset 5m", "1:1: parse error: offset may not be set multiple times"),
        ("foo offset 5m[5m]", "1:14: parse error: no offset modifiers allowed before range"),
        ("foo @ 1 [5m]", "1:9: parse error: no @ modifiers allowed before range"),
        ("sum(foo)[5m]", "1:9: parse error: ranges only allowed for vector selectors"),
        ("foo[0m]", "1:5: parse error: duration must be greater than 0"),
        ("foo[1m/0]", "1:7: parse error: division by zero"),
        ("foo[5hs]", '1:5: parse error: unknown unit "hs" in duration "5hs"'),
        ("foo[300y]", "1:5: parse error: duration out of range"),
        ("foo[5m:1m:]", "1:10: parse error: unexpected colon ':'"),
        ("foo anchored smoothed", "1:1: parse error: anchored and smoothed modifiers cannot be used together"),
    ],
)
def test_what_does_not_stand_where_it_may_is_refused(text: str, problem: str) -> None:
    assert refusal(text) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'),
        ("1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"),
        ("foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators"),
        ("foo * on (a) 1", "1:1: parse error: vector matching only allowed between instant vectors"),
        ("foo and on (a) group_left bar", '1:1: parse error: no grouping allowed for "and" operation'),
        (
            "foo + on (a) group_left (a) bar",
            '1:5: parse error: label "a" must not occur in ON and GROUP clause at once',
        ),
        (
            'foo + "x"',
            "1:7: parse error: binary expression must contain only scalar and instant vector types",
        ),
        (
            "rate(foo)",
            '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
        ),
        ("rate()", '1:1: parse error: expected 1 argument(s) in call to "rate", got 0'),
        ("label_join(foo, 'a')", '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 2'),
        ("hour(foo, bar)", '1:1: parse error: expected at most 1 argument(s) in call to "hour", got 2'),
        ("topk(foo, foo)", "1:6: parse error: expected type scalar in aggregation parameter, got instant vector"),
        ("sum(1)", "1:5: parse error: expected type instant vector in aggregation expression, got scalar"),
        (
            '-"x"',
            f'1:1: parse error: {UNARY} on expressions of type scalar or instant vector, got "string"',
        ),
        ("foo[5m][5m:]", "1:1: parse error: subquery is only allowed on instant vector, got matrix instead"),
        ("{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ('{a=~".*"}', "1:1: parse error: vector selector must contain at least one non-empty matcher"),
        ('foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'),
        ('foo{a=~"("}', "1:5: parse error: error parsing regexp: missing closing ): `(`"),
        ("info(foo, bar)", "1:11: parse error: expected label selectors only, got vector selector instead"),
    ],
)
def test_types_that_do_not_go_together_are_refused(text: str, problem: str) -> None:
    assert refusal(text) == problem


def test_an_error_of_syntax_comes_before_one_of_types() -> None:
    assert refusal("rate(foo) bar") == '1:11: parse error: unexpected identifier "bar"'


def test_lines_and_bytes_are_counted() -> None:
    assert refusal('foo{a="é"} +\n  )').startswith("2:4: ")
    assert refusal('foo{a="é"} )').startswith("1:14: ")


def test_the_info_function_may_choose_by_nothing() -> None:
    parse("info(foo, {})")
    assert "non-empty matcher" in refusal("info({}, {a='b'})")


@pytest.mark.parametrize("text", ["limitk(1, foo)", "info(foo)", "foo[1m + 1m]", "foo smoothed", "a + fill (0) b"])
def test_experiments_can_be_turned_off(text: str) -> None:
    parse(text)
    off = ParserOptions(
        experimental_functions=False, duration_expressions=False, extended_selectors=False, fill_modifiers=False
    )
    assert "enabled" in refusal(text, off)


def test_depth_is_bounded() -> None:
    depth = MAX_DEPTH - 1
    parse("(" * depth + "1" + ")" * depth)
    assert "in each other" in refusal("(" * 10_000 + "1" + ")" * 10_000)


@pytest.mark.parametrize("text", ["", "1", "foo[5m]", "foo + bar", "{}"])
def test_only_a_selector_is_a_selector(text: str) -> None:
    with pytest.raises(QuerySyntaxError):
        parse_matchers(text)


WORDS = st.sampled_from(
    [
        *"()[]{},=+-*/%^<>@:#.!~\"'`\n x5",
        *("sum", "foo", "a:b", "rate", "by", "on", "bool", "group_left", "offset", "start", "step", "min_of", "fill"),
        *(
            "5m",
            "1.5",
            "0x",
            "1e",
            "Inf",
            '"x"',
            "`y`",
            "=~",
            "!=",
            "</",
            "and",
            "unless",
            "anchored",
            "info",
            "é",
            "\\",
        ),
    ]
)


@given(st.lists(WORDS, max_size=20).map("".join))
def test_whatever_is_written_is_a_query_or_refused_with_a_place_in_it(text: str) -> None:
    message = refusal_of(text)
    assert message is None or "parse error: " in message


def refusal_of(text: str) -> str | None:
    try:
        parse(text)
    except QuerySyntaxError as error:
        return error.message if 0 <= error.span.start <= len(text) + 1 else f"outside of the text: {error.span}"
    return None
