"""The first error of a wrong query is Prometheus' own, text and place.

Inputs and errors: Prometheus' tests of its parser (promql/parser/parse_test.go); places are characters from 0.
"""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.parser import parse

NOTHING_CHOSEN = "vector selector must contain at least one non-empty matcher"
OUT_OF_BOUNDS = "timestamp out of bounds for @ modifier: "
NO_RANGE = "ranges only allowed for vector selectors"
LENGTHS = "expected number, duration, step(), or range()"
MUST_PRECEDE = "modifier must be preceded by an instant vector selector or range vector selector or a subquery"
UNARY = "unary expression only allowed on expressions of type scalar or instant vector"
TOO_LARGE = 'error parsing number: strconv.ParseFloat: parsing "{}": value out of range'

CASES = [
    ('-"string"', 0, f'{UNARY}, got "string"'),
    ("-test[5m]", 0, f'{UNARY}, got "range vector"'),
    ("@@", 0, "unexpected <op:@>"),
    ("1 offset 1d", 0, f"offset {MUST_PRECEDE}"),
    ("a - on(b) ignoring(c) d", 10, "unexpected <ignoring>"),
    ("foo and 1", 0, 'set operator "and" not allowed in binary scalar expression'),
    ("1 or foo", 0, 'set operator "or" not allowed in binary scalar expression'),
    ("1 or on(bar) foo", 0, "vector matching only allowed between instant vectors"),
    ("foo == on(bar) 10", 0, "vector matching only allowed between instant vectors"),
    ("foo + group_left(baz) bar", 6, "unexpected <group_left>"),
    ("foo unless on(bar) group_right(baz) bar", 0, 'no grouping allowed for "unless" operation'),
    (
        'http_requests{group="production"} + on(instance) group_left(job,instance) cpu_count{type="smp"}',
        34,
        'label "instance" must not occur in ON and GROUP clause at once',
    ),
    ("foo + bool 10", 4, "bool modifier can only be used on comparison operators"),
    ("foo and bool 10", 4, "bool modifier can only be used on comparison operators"),
    ("foo @ +Inf", 0, OUT_OF_BOUNDS + "+Inf"),
    ("foo @ -Inf", 0, OUT_OF_BOUNDS + "-Inf"),
    ("foo @ NaN", 0, OUT_OF_BOUNDS + "NaN"),
    ("foo @ 9223372036854775808.000000", 0, OUT_OF_BOUNDS + "9223372036854775808.000000"),
    ("foo @ -9223372036854775808.000000", 0, OUT_OF_BOUNDS + "-9223372036854775808.000000"),
    ("{", 1, "unexpected end of input inside braces"),
    ("}", 0, "unexpected character: '}'"),
    ("some{", 5, "unexpected end of input inside braces"),
    ("some_metric{a=b}", 14, 'unexpected identifier "b" in label matching, expected string'),
    ('some_metric{a:b="b"}', 13, "unexpected character inside braces: ':'"),
    ('foo{a*"b"}', 5, "unexpected character inside braces: '*'"),
    ('foo{a>="b"}', 5, "unexpected character inside braces: '>'"),
    ('some_metric{a="\udcff"}', 14, "invalid UTF-8 rune"),
    ("foo{gibberish}", 13, 'unexpected "}" in label matching, expected label matching operator'),
    ("foo{1}", 4, "unexpected character inside braces: '1'"),
    ('{x=""}', 0, NOTHING_CHOSEN),
    ('{x=~".*"}', 0, NOTHING_CHOSEN),
    ('{x!~".+"}', 0, NOTHING_CHOSEN),
    ('{x!="a"}', 0, NOTHING_CHOSEN),
    ("foo{__name__= =}", 14, 'unexpected "=" in label matching, expected string'),
    ("foo{,}", 4, 'unexpected "," in label matching, expected identifier or "}"'),
    ('foo{__name__ == "bar"}', 14, 'unexpected "=" in label matching, expected string'),
    ('foo{__name__="bar" lol}', 19, 'unexpected identifier "lol" in label matching, expected "," or "}"'),
    ('foo{"a"=}', 8, 'unexpected "}" in label matching, expected string'),
    ("foo[5mm]", 4, 'bad number or duration syntax: "5mm"'),
    ("foo[5m1]", 4, 'bad number or duration syntax: "5m1"'),
    ("foo[5m:1m1]", 7, 'bad number or duration syntax: "1m1"'),
    ("foo[5y1hs]", 4, 'unknown unit "hs" in duration "5y1hs"'),
    ("foo[5m1h]", 4, 'not a valid duration string: "5m1h"'),
    ("foo[5m1m]", 4, 'not a valid duration string: "5m1m"'),
    ('foo["5m"]', 4, "unexpected character in duration expression: '\"'"),
    ("foo[]", 4, f'unexpected "]" in subquery or range selector, {LENGTHS}'),
    ("foo[-1]", 4, "duration must be greater than 0"),
    ("some_metric[5m] OFFSET 1mm", 23, 'bad number or duration syntax: "1mm"'),
    ("some_metric[5m] OFFSET", 22, f"unexpected end of input in offset, {LENGTHS}"),
    ("some_metric OFFSET 1m[5m]", 21, "no offset modifiers allowed before range"),
    ("some_metric[5m] @", 17, "unexpected end of input in @, expected timestamp"),
    ("some_metric @ start() [5m]", 22, "no @ modifiers allowed before range"),
    ("some_metric offset step()[5m]", 25, "no offset modifiers allowed before range"),
    ("(foo + bar)[5m]", 11, NO_RANGE),
    ('sum by ("foo)(some_metric{})', 8, "unterminated quoted string"),
    ("sum without(==)(some_metric)", 12, "unexpected <op:==> in grouping opts, expected label"),
    ("sum without(,)(some_metric)", 12, 'unexpected "," in grouping opts, expected label'),
    ("sum without(foo,,)(some_metric)", 16, 'unexpected "," in grouping opts, expected label'),
    ("sum (some_metric) by test", 21, 'unexpected identifier "test" in grouping opts, expected "("'),
    ("sum () by (test)", 0, "no arguments for aggregate expression provided"),
    ("MIN keep_common (some_metric)", 4, 'unexpected identifier "keep_common"'),
    ("MIN (some_metric) keep_common", 18, 'unexpected identifier "keep_common"'),
    ("sum (some_metric) without (test) by (test)", 33, "unexpected <by>"),
    ("sum without (test) (some_metric) by (test)", 33, "unexpected <by>"),
    ("topk(some_metric,)", 16, "trailing commas not allowed in function call args"),
    ("count_values(5, other_metric)", 13, "expected type string in aggregation parameter, got scalar"),
    ("rate(some_metric[5m]) @ 1234", 0, f"@ {MUST_PRECEDE}"),
    ("floor()", 0, 'expected 1 argument(s) in call to "floor", got 0'),
    ("floor(some_metric, 1)", 0, 'expected 1 argument(s) in call to "floor", got 2'),
    ("hour(some_metric, some_metric, some_metric)", 0, 'expected at most 1 argument(s) in call to "hour", got 3'),
    ("time(some_metric)", 0, 'expected 0 argument(s) in call to "time", got 1'),
    ("non_existent_function_far_bar()", 0, 'unknown function with name "non_existent_function_far_bar"'),
    ("label_replace(a, `b`, `c\udcff`, `d`, `.*`)", 22, "invalid UTF-8 rune"),
    ("-=", 1, 'unexpected "="'),
    ("++-++-+-+-<", 10, "unexpected <op:<>"),
    ("e-+=/(0)", 3, 'unexpected "="'),
    ("a>b()", 2, 'unknown function with name "b"'),
    ("rate(avg)", 5, 'expected type range vector in call to function "rate", got instant vector'),
    ("(" + "-{}-1" * 10000 + ")" + "[1m:]" * 1000, 2, NOTHING_CHOSEN),
    ("`\\``", 3, "unterminated raw string"),
    ('"\\', 0, "escape sequence not terminated"),
    ('"\\c"', 0, "unknown escape sequence U+0063 'c'"),
    ('"\\x."', 0, "illegal character U+002E '.' in escape sequence"),
    ('foo{bar="baz"}[', 15, "unexpected end of input in duration expression"),
    ("test[5d] OFFSET 10s [10m:5s]", 0, "subquery is only allowed on instant vector, got matrix instead"),
    ("rate(food[1m])[1h] offset 1h", 14, NO_RANGE),
    ("rate(food[1m])[1h] @ 100", 14, NO_RANGE),
    (
        'info(rate(http_request_counter_total{}[5m]), target_info{foo="bar"})',
        45,
        "expected label selectors only, got vector selector instead",
    ),
    ('info(http_request_counter_total{namespace="zzz"}, {foo="bar"} == 1)', 50, "expected label selectors only"),
    ("foo[step]", 8, f'unexpected "]" in subquery or range selector, {LENGTHS}'),
    ("foo[step()/0d]", 10, "division by zero"),
    ("foo offset (4d/0)", 14, "division by zero"),
    ("foo[5s%0d]", 6, "modulo by zero"),
    ("foo offset 9.5e10", 11, "duration out of range"),
    ("foo[9.5e10]", 4, "duration out of range"),
    ("sum(rate(", 9, "unclosed left parenthesis"),
    ("foo[5s x 5s]", 7, "unexpected character: 'x', expected ':'"),
    ("foo[5s s 5s]", 7, "unexpected character: 's', expected ':'"),
    ("1[5m] smoothed", 1, NO_RANGE),
    ("foo offset 1s offset 2s", 0, "offset may not be set multiple times"),
    ("9" * 309, 0, TOO_LARGE.format("9" * 309)),
]


ACCEPTED = [
    'offset{step="1s"}[5m]',
    'step{offset="1s"}[5m]',
    'anchored{job="test"}',
    "foo * sum",
    "min",
    "foo offset +(5)",
    "foo offset -(5)",
    "foo[(5s)]",
    "foo OFFSET 1m30ms",
    "foo @ 0xA",
    "foo @ -3.3e1",
    "{'foo\\'bar', 'a\\\\dos\\\\path'='boo\\\\urns'}",
    "{'foo\\'bar', `a\\dos\\path`=\"boo\"}",
    "foo{NaN='bc'}",
    "foo{bar='}'}",
    '{a="b", foo!="bar", "foo", test=~"test", bar!~"baz"}',
    '{__name__=~"bar", __name__!~"baz"}',
    '{"bar", __name__="baz"}',
    "foo[4.18] @ 2.345",
    "some_metric[5m] @ 1m",
    'test{a="b"}[5m] OFFSET 3600',
    "sum by (anchored)(some_metric)",
    'sum by ("foo", bar, \'baz\')({"some.metric"})',
    "sum without(and, by, avg, count, alert, annotations)(some_metric) [30m:10s]",
    "foo[  -  step  (  )  ]",
    "foo[0+-2^2]",
    "foo[2m/range()]",
    "foo unless on(end) bar",
    "info(rate(http_request_counter_total{}[5m]))",
    "foo[11s+10s-5*2^2]",
    "foo offset (-1^2)",
]


@pytest.mark.parametrize(("text", "start", "problem"), CASES, ids=[case[0][:40] for case in CASES])
def test_a_wrong_query_is_refused_as_prometheus_refuses_it(text: str, start: int, problem: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert caught.value.message == f"1:{start + 1}: parse error: {problem}"
    assert caught.value.span.start == start


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_prometheus_accepts_is_accepted(text: str) -> None:
    parse(text)
