"""Expressions print as Prometheus prints them, and what is printed reads as what it was."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.metrics.promql.checks import type_of
from holdfast.telemetry.metrics.promql.errors import QuerySyntaxError
from holdfast.telemetry.metrics.promql.nodes import Expr, ValueType
from holdfast.telemetry.metrics.promql.parser import parse
from holdfast.telemetry.metrics.promql.pretty import format_query, prettify
from holdfast.telemetry.metrics.promql.printing import print_expr
from holdfast.telemetry.metrics.promql.signatures import AGGREGATIONS, FUNCTIONS
from holdfast.telemetry.metrics.promql.syntax_json import expr_to_json
from holdfast.telemetry.metrics.promql.walking import walk

NAMES = st.sampled_from(["up", "sum", "by", "node:cpu:rate5m", "http_requests_total"])
LABELS = st.sampled_from(["job", "le", "on", '"a.b"', '"日本"'])
VALUES = st.sampled_from(['""', '"x"', r'"a\"b\\n"', "`x|y.*`", "'é'"])
DURATIONS = st.sampled_from(
    ["5m", "1h30m", "300", "1500ms", "2d * 2", "(1m + step())", "max_of(step(), 1m)", "-5m + 2 ^ 10", "range() / 2"]
)
OFFSETS = st.sampled_from(["5m", "-1w", "(1m + 2m)", "-step()", "-(1m * 3)", "min_of(1m, step())"])
OPERATORS = st.sampled_from(["+", "-", "*", "/", "%", "^", "atan2"])
COMPARISONS = st.sampled_from(["==", "!=", "<", ">="])
MATCHINGS = st.sampled_from(
    [
        "",
        " on (job)",
        " ignoring (le, job)",
        " on () group_left ()",
        " on (job) group_right (le)",
        " fill (0)",
        " fill_left (-1)",
    ]
)


@st.composite
def selectors(draw: st.DrawFn) -> str:
    operators = st.sampled_from(["=", "!=", "=~", "!~"])
    pairs = draw(st.lists(st.tuples(LABELS, operators, VALUES), max_size=3))
    text = draw(NAMES) + "{" + ",".join("".join(pair) for pair in pairs) + "}"
    text += draw(st.sampled_from(["", " anchored", " smoothed"]))
    text += draw(st.sampled_from(["", " @ 1.5", " @ end()"]))
    return text + draw(st.one_of(st.just(""), OFFSETS.map(lambda offset: f" offset {offset}")))


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({}) {}{} ({})".format, inner, OPERATORS, MATCHINGS, inner),
        st.builds("{} {} bool{} {}".format, inner, COMPARISONS, MATCHINGS, inner),
        st.builds("{} and on (job) {}".format, inner, inner),
        st.builds("-{}".format, inner),
        st.builds("sum by (job, le) ({})".format, inner),
        st.builds("topk without (le) (3, {})".format, inner),
        st.builds('count_values("v", {})'.format, inner),
        st.builds("rate(({})[{}:1m])".format, inner, DURATIONS),
        st.builds("avg_over_time(up[{}])".format, DURATIONS),
        st.builds('label_replace({}, "a", "$1", "b", "(.*)")'.format, inner),
        st.builds("clamp({}, -1e9, Inf)".format, inner),
    )


VECTORS = st.recursive(selectors(), larger, max_leaves=8)


@given(VECTORS)
def test_what_is_printed_reads_as_what_it_was(text: str) -> None:
    expr = parse(text)
    printed = print_expr(expr)
    assert print_expr(parse(printed)) == printed
    assert print_expr(parse(prettify(expr))) == printed
    assert sorted_tree(parse(printed)) == sorted_tree(expr)


def sorted_tree(expr: Expr) -> object:
    """Give the tree with its matchers in one order, because printing sorts them."""

    def sort(node: dict[str, object]) -> dict[str, object]:
        matchers = node.get("matchers")
        return node | {"matchers": sorted(map(repr, matchers))} if isinstance(matchers, list) else node

    return json.loads(orjson.dumps(expr_to_json(expr)), object_hook=sort)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("sum(foo) by (a,b)", "sum by (a, b) (foo)"),
        ("sum by () (foo)", "sum(foo)"),
        ("sum without () (foo)", "sum without () (foo)"),
        ("foo{b=\"1\",a=~'x',}", 'foo{a=~"x",b="1"}'),
        ('{"foo",a="b"}', '{__name__="foo",a="b"}'),
        ('{__name__="a b"}', '{__name__="a b"}'),
        ('{"a.b"="c"}', '{"a.b"="c"}'),
        ("foo offset 90d", "foo offset 90d"),
        ("foo offset 7d @ 1.5", "foo @ 1.500 offset 1w"),
        ("foo[300] smoothed", "foo[5m] smoothed"),
        ("foo[5m:] offset -1h30m", "foo[5m:] offset -1h30m"),
        ("1e-7 + 1e21", "0.0000001 + 1000000000000000000000"),
        ("+Inf - -NaN", "+Inf - NaN"),
        ("a+on(x)group_left(y)b", "a + on (x) group_left (y) b"),
        ("a == bool ignoring() group_right b", "a == bool ignoring () group_right () b"),
        ("a + fill_left(1) fill_right(1) b", "a + fill (1) b"),
        ("- -a", "--a"),
        ("'a\\'\\n\\xff'", r'"a' + "'" + r'\n\xff"'),
        ("TOPK(3, a)", "topk(3, a)"),
        ("foo[(1m)]", "foo[(1m)]"),
        ("foo[MAX_OF(1m,step())]", "foo[max_of(1m, step())]"),
        ("a </ 2", "a </ 2"),
    ],
)
def test_one_line(text: str, printed: str) -> None:
    assert print_expr(parse(text)) == printed


def test_what_is_short_stays_on_one_line() -> None:
    assert format_query("  sum( rate(foo[5m]) )by(job)") == "sum by (job) (rate(foo[5m]))"


def test_what_is_long_is_broken_like_prometheus_breaks_it() -> None:
    query = (
        "sum by(job,mode) (rate(node_cpu_seconds_total{mode!='idle',instance=~'web.*',cluster='production'}[5m])) "
        "/ on(job) group_left sum by(job)(rate(node_cpu_seconds_total[1m])) > 0.5"
    )
    assert format_query(query).splitlines() == [
        "    sum by (job, mode) (",
        '      rate(node_cpu_seconds_total{cluster="production",instance=~"web.*",mode!="idle"}[5m])',
        "    )",
        "  / on (job) group_left ()",
        "    sum by (job) (rate(node_cpu_seconds_total[1m]))",
        ">",
        "  0.5",
    ]


def test_arguments_stand_on_lines_of_their_own() -> None:
    query = f'label_replace(foo{{a="{"x" * 60}"}}, "destination", "replacement", "source", "expression")'
    assert format_query(query).splitlines()[:3] == [
        "label_replace(",
        f'  foo{{a="{"x" * 60}"}},',
        '  "destination",',
    ]


def test_the_tree_is_prometheus_own() -> None:
    assert expr_to_json(parse("rate(foo{a='b'}[5m] offset 1m)")) == {
        "type": "call",
        "func": {"name": "rate", "argTypes": ["matrix"], "variadic": 0, "returnType": "vector"},
        "args": [
            {
                "type": "matrixSelector",
                "name": "foo",
                "range": 300_000,
                "rangeExpr": None,
                "offset": 60_000,
                "offsetExpr": None,
                "matchers": [
                    {"name": "a", "value": "b", "type": "="},
                    {"name": "__name__", "value": "foo", "type": "="},
                ],
                "timestamp": None,
                "startOrEnd": None,
                "anchored": False,
                "smoothed": False,
            }
        ],
    }


def test_operators_and_durations_in_the_tree() -> None:
    tree = expr_to_json(parse("a - on (x) group_left (y) fill (1) b"))
    assert tree["matching"] == {
        "card": "many-to-one",
        "labels": ["x"],
        "on": True,
        "include": ["y"],
        "fillValues": {"lhs": 1.0, "rhs": 1.0},
    }
    subquery = expr_to_json(parse("b[(1m + step()):] @ end()"))
    assert (subquery["range"], subquery["step"], subquery["startOrEnd"]) == (0, 0, "end")
    assert subquery["rangeExpr"] == {
        "type": "durationExpr",
        "op": "+",
        "lhs": {"type": "numberLiteral", "val": "60", "duration": True},
        "rhs": {"type": "durationExpr", "op": "step", "lhs": None, "rhs": None, "wrapped": False},
        "wrapped": True,
    }


def test_long_chains_are_printed_and_translated() -> None:
    expr = parse(" + ".join(["a"] * 2000))
    assert print_expr(expr).count("+") == 1999
    assert expr_to_json(expr)["type"] == "binaryExpr"


def test_every_function_and_aggregation_says_what_it_does() -> None:
    for signature in (*FUNCTIONS.values(), *AGGREGATIONS.values()):
        assert signature.doc.endswith(".")
        assert len(signature.doc) <= 110


def test_a_duration_is_written_in_whole_milliseconds() -> None:
    assert print_expr(parse("m[1.0006] offset -2.001")) == "m[1s] offset -2s1ms"
    assert expr_to_json(parse("m[1.0006]"))["range"] == 1000


def test_bytes_that_are_no_text_are_written_so_that_they_can_be_read() -> None:
    assert print_expr(parse(r'm{x!="\xff"}')) == r'm{x!="\xff"}'
    assert expr_to_json(parse(r'"\xff"'))["val"] == "\ufffd"


@pytest.mark.parametrize("operator", [" + ", " or ", " == bool ", " + fill (1) "])
def test_a_chain_may_be_longer_than_the_stack_is_deep(operator: str) -> None:
    text = operator.join(["m"] * 3000)
    expr = parse(text)
    assert print_expr(expr) == text
    assert len(list(walk(expr))) == 5999
    assert orjson.dumps(expr_to_json(expr)).count(b'"rhs":{') == 2999
    lines = prettify(parse(operator.join(["m"] * 300))).split("\n")
    assert lines[-2:] == [operator.strip(), "  m"]
    assert len(lines[0].strip()) <= 100


def test_what_is_nested_as_deep_as_may_be_is_written_as_json() -> None:
    chain = "-".join(["m"] * 30)
    assert orjson.dumps({"data": expr_to_json(parse("abs(" * 118 + chain + ")" * 118))}).count(b'"rhs":{') == 29


def test_long_chains_of_numbers_are_numbers_and_reckoned_durations_are_bounded() -> None:
    assert type_of(parse(" + ".join(["1"] * 3000))) is ValueType.SCALAR
    assert type_of(parse(" + ".join(["m", *["1"] * 3000]))) is ValueType.VECTOR
    with pytest.raises(QuerySyntaxError, match="more than 120 expressions in each other"):
        parse(f"m[{' + '.join(['5m'] * 3000)}]")
