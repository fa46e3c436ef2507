"""Nodes become text: what is written is read as the same query, on one line and on several."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.logs.logql import LogqlError, parse, prettify, print_query
from holdfast.telemetry.logs.logql.nodes import Needle

QUERIES = [
    '{a="b"}',
    '{a="b", c!="d", e=~"f|g", h!~"i.*"} |= "x" or `y"\\` != ip("10.0.0.0/8") |~ "a\\nb" |> "<_> x" !> "y"',
    '{a="b"} | json | json x="a.b[0]", y | logfmt --strict --keep-empty z | regexp "(?P<m>[A-Z]+)" | unpack',
    '{a="b"} | pattern "<ip> <_>" | line_format "{{.x}}" | label_format c=d, e="{{.f}}" | decolorize | distinct a, b',
    '{a="b"} | drop a, c=~"x" | keep d, e!="y"',
    '{a="b"} | a="1" and (b > 2 or c <= 10ms) and d=ip("1.1.1.1") or e != ip("::1") and f >= 1.5MiB',
    '{a="b"} | x == -1m30s | y < 5KB | z != 0.25',
    'rate({a="b"} |= "x" [5m] offset -1h)',
    'quantile_over_time(0.99, {a="b"} | json | unwrap duration_seconds(took) | __error__="" [90s]) by (path)',
    "sum by (a, b) (topk without (c) (5, count_over_time({a='b'}[1d])))".replace("'", '"'),
    'sum(rate({a="b"}[1m])) / ignoring (x) group_left (y, z) (vector(1) + 2) * 2 ^ 3 ^ 2 - (1 - (2 - 3))',
    '(1 + vector(2)) ^ 2 > bool 3 and on (a) count_over_time({a="b"}[1m]) unless vector(-1)',
    'label_replace(sum(rate({a="b"}[1m])), "dst", "$1", "src", "(.*)\\"x\\"")',
]


@pytest.mark.parametrize("text", QUERIES)
def test_a_query_is_read_back_as_it_was(text):
    query = parse(text)
    assert parse(print_query(query)) == query
    assert parse(prettify(query)) == query
    assert print_query(parse(print_query(query))) == print_query(query)


@given(st.lists(st.sampled_from(QUERIES[7:12]), min_size=2, max_size=5), st.data())
def test_operations_keep_their_order(parts, data):
    text = f"({parts[0]})"
    for part in parts[1:]:
        op = data.draw(st.sampled_from(["+", "-", "*", "/", "%", "^", "and", "or", "unless", ">", "=="]))
        text = f"({text}) {op} ({part})" if data.draw(st.booleans()) else f"({part}) {op} ({text})"
    query = parse(text)
    assert parse(print_query(query)) == query
    assert parse(prettify(query)) == query


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_can_be_looked_for(needle):
    query = parse('{a="b"} |= "x"')
    stage = replace(query.stages[0], needles=(Needle(needle),))
    query = replace(query, stages=(stage,))
    assert parse(print_query(query)) == query


def cases():
    """Give the queries of the cases that can be read."""
    for file in sorted((Path(__file__).parents[1] / "cases").glob("*.txt")):
        for case in file.read_text().split("\n== ")[1:]:
            with suppress(LogqlError):
                yield parse(case.split("\n")[1])


def test_queries_of_the_cases_are_read_back_as_they_were():
    queries = list(cases())
    assert len(queries) > 30
    assert [parse(print_query(query)) for query in queries] == queries
    assert [parse(prettify(query)) for query in queries] == queries


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('{a="b"}|="x" or "y"!="z" or "q"', '{a="b"} |= "x" or "y" != "z" != "q"'),
        ('{a="b"} | x="1" and (y>5 or z < 1.5h)', '{a="b"} | ( x="1" , ( y>5 or z<1h30m0s ) )'),
        ('{a="b"} | x=~`a.c` | y=~`a.*|b` | z!~`a.c`', '{a="b"} | x=~`a.c` | y=~"a.*|b" | z!~"a.c"'),
        ('{a="b"} | x > 5KB | y == 15MB | z <= 7B', '{a="b"} | x>5.0kB | y==15MB | z<=7B'),
        ('{a="b"} | x > 1536KiB', '{a="b"} | x>1536KiB'),  # 1.6MB is another size
        ('{a="b"} | json x, y="z" | drop x, y="1"', '{a="b"} | json x="x",y="z" | drop x,y="1"'),
        ('{a="b"} | label_format x=y, z=`{{ "q" }}`', '{a="b"} | label_format x=y,z="{{ \\"q\\" }}"'),
        ('rate({a="b"} [36h] offset 90m)', 'rate({a="b"}[1d12h] offset 1h30m0s)'),
        (
            'sum_over_time({a="b"} | unwrap bytes(x) | y="1" [5m])',
            'sum_over_time({a="b"} | unwrap bytes(x) | y="1"[5m])',
        ),
        ('sum(rate({a="b"}[5m])) by (x, y)', 'sum by (x,y)(rate({a="b"}[5m]))'),
        ('sum by () (rate({a="b"}[5m]))', 'sum(rate({a="b"}[5m]))'),
        ('topk(5, rate({a="b"}[5m]))', 'topk(5,rate({a="b"}[5m]))'),
        ('rate({a="b"}[5m]) * 1000000', '(rate({a="b"}[5m]) * 1e+06)'),
        ("vector(1) / on (x) vector(2)", "(vector(1.000000) / on (x)  vector(2.000000))"),
        ("vector(0.0000001)", "vector(0.0000001)"),
    ],
)
def test_a_short_query_is_written_as_loki_writes_it(text, written):
    assert prettify(parse(text)) == written
    assert parse(written) == parse(text)


def test_a_long_query_has_a_line_for_each_stage():
    query = parse(
        'sum by (path, q) (rate({service_name="shop", environment="production", zone="west", app="x"} |= "timeout"'
        ' != "a" | json | status >= 500 [5m] offset 1h))'
    )
    assert prettify(query).split("\n") == [
        "sum by (path, q)(",
        "  rate(",
        '    {service_name="shop", environment="production", zone="west", app="x"}',
        '      |= "timeout" != "a"',
        "      | json",
        "      | status>=500 [5m] offset 1h",
        "  )",
        ")",
    ]


def test_sides_of_a_long_operation_keep_their_parentheses():
    selector = '{service_name="shop", environment="production"}'
    query = parse(f"(rate({selector}[5m]) + rate({selector}[1h])) / on (path, zone) group_left rate({selector}[1d])")
    assert prettify(query).split("\n") == [
        "  (",
        f"      rate({selector}[5m])",
        "    +",
        f"      rate({selector}[1h])",
        "  )",
        "/ on (path, zone) group_left",
        f"  rate({selector}[1d])",
    ]
