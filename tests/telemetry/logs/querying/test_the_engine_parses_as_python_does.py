"""What the store's engine takes out of lines is what the parsers make of them, or it says that it is not sure."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.logs import Line, arrival, wanted
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId, new_id
from holdfast.telemetry.logs import LogSink, LogSource, MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.logql.nodes import LogSelector, RangeAggregation
from holdfast.telemetry.logs.pipeline import Entry, Pipeline
from holdfast.telemetry.logs.pipeline.json_scanning import BAD_OBJECT
from holdfast.telemetry.logs.querying import LogEngine, Moments
from holdfast.telemetry.logs.querying.combining import Combinations, UnreadLineError
from holdfast.telemetry.logs.querying.planning import plan

S = 10**9
ODD = "odd"
NO_OBJECT = {"__error__": "JSONParserErr", "__error_details__": BAD_OBJECT}
T0 = 1_780_000_000 * S
NAMES = ("level", "a_b", "n", "a_level", "a_b_n")
PARSERS = (
    "| json",
    "| logfmt",
    r"| regexp `(?P<level>[a-z]+) (?P<n>\S*)(?P<a_b> \d+)?`",
    "| pattern `<level> <n> <a_b>`",
    "| pattern `level=<level> <_>=<n> `",
    '| json level="a.level", n, a_b="b[0]", a_b_n="a[\\"b\\"].n"',
    "| json | logfmt",
    "| logfmt | n != `7` | pattern `<level> <n> <a_b>` | label_format n=level | json",
    '| json | line_format "{{.level}} n={{.n}}" | logfmt | n != "x"',
)
SIMPLE = ['{"level":"a","n":1.50,"a_b":"x/y"}', 'level=a n=5 msg="hi level=q" a_b="x y"', "get /a 200", "level=a b=c "]
KEYS = st.sampled_from(["level", " level ", "a.b", "a_b", "a", "n", "n ", "b", "level_id", "x", "", " ", "b.n", "a b"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**20)
    | st.floats(allow_nan=False)
    | st.text("ab\"\\/é\n=0 '{}\ufffd", max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
PIECES = st.sampled_from(
    [
        "level",
        "level=",
        "n=",
        "a.b=",
        "a_b=",
        '"',
        "=",
        " ",
        "  ",
        "x",
        "y z",
        "\\",
        '\\"',
        "\t",
        "é",
        "\x07",
        "{",
        "}",
        "5",
        ",",
        ":",
    ]
)


@st.composite
def documents(draw):
    pairs = draw(st.lists(st.tuples(KEYS, VALUES), max_size=4))
    colon = draw(st.sampled_from([":", ": ", " :"]))
    is_ascii = draw(st.booleans())
    text = (
        "{" + ",".join(json.dumps(key) + colon + json.dumps(value, ensure_ascii=is_ascii) for key, value in pairs) + "}"
    )
    for old, new in draw(
        st.lists(st.sampled_from([("l", "\\u006c"), ("1", "1e3"), ("}", ""), ('"', ""), ("}", "} x")]), max_size=1)
    ):
        text = text.replace(old, new, 1)
    return text


LINES = st.lists(
    documents() | st.lists(PIECES, max_size=12).map("".join) | st.sampled_from(SIMPLE), min_size=1, max_size=100
)


def stages_of(text):
    expr = parse('{app="a"} ' + text)
    assert isinstance(expr, LogSelector)
    return expr.stages


def plan_of(parser):
    expr = parse(
        f'sum by ({",".join(NAMES)}) (count_over_time({{app="a"}} {parser} | keep {",".join(NAMES)} [1m]))'
    ).expr
    found = plan(expr) if isinstance(expr, RangeAggregation) else None
    assert found is not None
    return found


async def taken(source, tenant, parser, count):
    """Give the labels of each line by its number, nothing if a stage drops it; `ODD` if the engine is not sure."""
    found = plan_of(parser)
    combinations = Combinations(found)
    selection = wanted(parse('{app="a"}').matchers, T0, T0 + count * S)
    rows = await source.extracts(tenant, selection, found.extraction, step_ns=S, most=10_000)
    labels = {}
    for row, begin_ns in enumerate(rows.begins_ns.tolist()):
        columns = [column[row] for column in (*rows.fields, *rows.metadata)]
        labels[(begin_ns - T0) // S] = ODD if rows.is_odd[row] else labels_of(combinations, columns)
    return labels


def labels_of(combinations, columns):
    try:
        entry = combinations.entry({}, columns)
    except UnreadLineError:
        return ODD
    return None if entry is None else entry.labels()


async def send(sink, tenant, lines):
    await sink.append(tenant, arrival(sink, lines, tenant))


@pytest.mark.slow
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
async def test_what_is_taken_is_what_parsers_make(stored_logs, lines):
    tenant = TenantId(new_id())
    await send(stored_logs.sink, tenant, [Line(T0 + place * S, text, {"app": "a"}) for place, text in enumerate(lines)])
    for parser in PARSERS:
        pipeline = Pipeline(stages_of(f"{parser} | keep {', '.join(NAMES)}"))
        for place, labels in (await taken(stored_logs.source, tenant, parser, len(lines))).items():
            if labels != ODD:
                entry = Entry(0, lines[place], {})
                expected = entry.labels() if pipeline.apply(entry) else None
                assert labels == expected, (parser, lines[place])


PATHS_FOUND = {"level": "x", "n": "7", "a_b": "y", "a_b_n": "1.50"}


@pytest.mark.parametrize(
    ("parser", "line", "fields"),
    [
        ("| json", SIMPLE[0], {"level": "a", "n": "1.50", "a_b": "x/y"}),
        ("| json", '{"level":null,"n":true,"a":1,"b":[1]}', {"n": "true"}),
        ("| json", '{"a":{"b":1},"b":{"n":2}}', {"a_b": "1"}),
        ("| json", '{"a": {"x":{"level":0},"level" : 1.50, "b":{"n":[]}}}', {"a_level": "1.50"}),
        ("| json", '{"a":{"b":{"n":"x\\ny"},"level":true}}', {"a_b_n": "x\ny", "a_level": "true"}),
        ("| json", '{"x":[{"n":1,"y":{"z":"n"}}],"b":{"n":2},"n":-3.0}', {"n": "-3.0"}),
        ("| json", '{"x":{"y":{"z":{"n":1}}},"n":-3.0}', ODD),
        ("| json", '{"a.b":{"n":1}, "a level":3}', {"a_b_n": "1", "a_level": "3"}),
        ("| json", '{"a":{"b":1},"a_b":2}', ODD),
        ("| json", '{"":{"level":1}}', ODD),
        ("| json", '{"level":"x\\"y"}', {"level": 'x"y'}),
        ("| json", '{"level":"\\ud83d"}', ODD),
        ("| json", '{"level":1,"level":2}', ODD),
        ("| json", "plain", NO_OBJECT),
        (PARSERS[5], '{"a":{"level":"x","b":{"n":1.50}},"n":7,"b":["y"]}', PATHS_FOUND),
        (PARSERS[5], '{"a":{"level":null}}', {"level": "", "n": "", "a_b": "", "a_b_n": ""}),
        (PARSERS[5], '{"b":[1]}', ODD),
        (PARSERS[5], "plain", {"__error__": "JSONParserErr"}),
        (PARSERS[6], "level=a n=5", {"level": "a", "n": "5", **NO_OBJECT}),
        (PARSERS[6], '{"level":"a","n":5}', {"level": "a", "n": "5"}),
        (PARSERS[7], "a b level=c", {"n": "c", "a_b": "level=c", **NO_OBJECT}),
        (PARSERS[8], '{"level":"info a_b=q","n":1}', {"level": "info a_b=q", "n": "1", "a_b": "q"}),
        ("| logfmt", SIMPLE[1], {"level": "a", "n": "5", "a_b": "x y"}),
        ("| logfmt", 'msg="a \\"b\\"" level=c', {"level": "c"}),
        ("| logfmt", 'msg="level=b" level="c d"', {"level": "c d"}),
        ("| logfmt", "x=y=z level=a", {"level": "a"}),
        (PARSERS[2], "get /a 200", {"level": "get", "n": "/a", "a_b": " 200"}),
        (PARSERS[2], "GET", {}),
        (PARSERS[3], "get /a 200", {"level": "get", "n": "/a", "a_b": "200"}),
        (PARSERS[3], "get /a", ODD),
        (PARSERS[4], "x", {}),
    ],
)
async def test_the_engine_is_sure_of_what_is_simple(stored_logs, parser, line, fields):
    await send(stored_logs.sink, DEFAULT_TENANT, [Line(T0, line, {"app": "a"})])
    assert await taken(stored_logs.source, DEFAULT_TENANT, parser, 1) == {0: fields}


QUERIES = (
    'sum by (level) (count_over_time({app="a"} %s | __error__="" [1m]))',
    'max by (level, zone) (max_over_time({app="a"} %s | unwrap n | __error__="" [3m]))',
    'sum by (app, a_b) (bytes_rate({app="a"} %s | level != "a" | __error__="" [2m]))',
    'avg_over_time({app="a"} %s | unwrap n | __error__="" [2m]) by (level)',
    'sum(rate({app="a"} %s | n > 1 | __error__="" | label_format level="{{.n}}-{{.zone}}" [90s]))',
    'count_over_time({app="a"} %s | keep level, a_b | drop __error__, __error_details__ [2m] offset 1m)',
)


async def answers(source, text):
    engine = LogEngine(source)
    for moments in (Moments(T0 + 90 * S, T0 + 90 * S), Moments(T0, T0 + 240 * S, 40 * S)):
        grid = (await engine.numbers(DEFAULT_TENANT, parse(text), moments)).grid
        rows = {
            labels: [pytest.approx(float(v)) if is_there else None for v, is_there in zip(row, there, strict=True)]
            for labels, row, there in zip(grid.labels, grid.values, grid.present, strict=True)
        }
        yield {labels: row for labels, row in rows.items() if any(v is not None for v in row)}


@pytest.mark.parametrize("parser", PARSERS)
async def test_numbers_are_those_of_lines_read_one_by_one(stored_logs, parser):
    memory = MemoryLogSource()
    texts = [*SIMPLE, '{"level":"b","n":2}', '{"a":{"b":1},"n":1e5}', "level=b n=7 a.b=1", 'level="x\\"y" n=3', "plain"]
    lines = [
        Line(
            T0 + place * S,
            texts[place * 7 % len(texts)],
            {"app": "a", "a_b": "s"} if place % 5 == 0 else {"app": "a"},
            {"zone": "z"} if place % 3 == 0 else {"level": "meta"} if place % 4 == 0 else {},
        )
        for place in range(240)
    ]
    sink = MemoryLogSink(memory)
    await send(sink, DEFAULT_TENANT, lines)
    await send(stored_logs.sink, DEFAULT_TENANT, lines)
    for query in QUERIES:
        text = query % parser
        assert [found async for found in answers(stored_logs.source, text)] == [
            found async for found in answers(memory, text)
        ], text


async def test_a_tenant_without_lines_has_no_numbers(stored_logs):
    assert isinstance(stored_logs.source, LogSource)
    assert isinstance(stored_logs.sink, LogSink)
    assert [found async for found in answers(stored_logs.source, QUERIES[0] % "| json")] == [{}, {}]
