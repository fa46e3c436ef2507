"""Whatever a metric query asks, the store's engine gives the numbers that lines give when they are read one by one."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fixtures.logs import Line, arrival
from holdfast.kernel.ids import TenantId, new_id
from holdfast.telemetry.logs import LogSource
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.querying import LogEngine, Moments, PipelineError

S = 10**9
T0 = 1_780_000_000 * S
NUMBERS = st.sampled_from(["1", "2", "2.50", "-3", "1e2", "40", "0.1", "-0", "x", ""])
WORDS = st.sampled_from(["a", "b", "a b", 'say "a"', "level=b n=7", '{"n":3}', "é\n", "\\"])
KEYS = st.sampled_from(["level", "n", "a", "b", "a.n", "a_n", "x"])
INNER = st.dictionaries(KEYS, WORDS, max_size=2) | st.lists(st.integers(0, 3), max_size=2)
DOCUMENTS = st.dictionaries(KEYS, WORDS | st.integers(-2, 30) | st.dictionaries(KEYS, WORDS | INNER, max_size=2))


@st.composite
def json_lines(draw):
    """Give documents whose numbers are written in many ways."""
    text = json.dumps(draw(DOCUMENTS), ensure_ascii=draw(st.booleans()))
    spare, number = draw(st.sampled_from(["", " "])), draw(NUMBERS.filter(lambda one: one not in {"", "x"}))
    inner = draw(st.sampled_from([f'"n":{spare}{number}', f'"a":{{"n":{spare}{number}}}', f'"b":[{number}]']))
    return "{" + inner + ("," if len(text) > 2 else "") + text[1:]


LOGFMT = st.lists(st.tuples(KEYS, NUMBERS | st.sampled_from(["a", "b", '"a b"', r'"\"q\""'])), max_size=4).map(
    lambda pairs: " ".join(f"{key}={value}" for key, value in pairs)
)
BODIES = json_lines() | LOGFMT | st.sampled_from(["a 1 b", "b 2.5 a", "plain", "", "[1]", '{"level":"a"', " {}"])
ORIGINS = st.sampled_from(
    [({"app": "s"}, {}), ({"app": "s", "a_n": "own"}, {}), ({"app": "s"}, {"zone": "z"}), ({"app": "s"}, {"n": "9"})]
)
LINES = st.lists(st.tuples(BODIES, ORIGINS), min_size=5, max_size=40)

PARSERS = st.sampled_from(
    [
        "| json",
        "| logfmt",
        "| regexp `^(?P<level>[a-z]) (?P<n>[0-9.]+)`",
        "| pattern `<level> <n> <b>`",
        '| json level, n="a.n", a_n="b[0]"',
        '| json n, b="a[\\"b\\"]"',
        '| line_format "{{.level}}" | logfmt',
        '| json | line_format "n={{.a_n}} level={{.zone}}" | logfmt',
        '| json | line_format "{{.level}}" | json',
    ]
)
STAGES = st.sampled_from(
    [
        "",
        "| n > 1",
        '| level != "a"',
        '| zone="z" or level=~"a|b"',
        '| label_format level="{{.n}}-{{.zone}}"',
        "| label_format n=a_n",
        '| drop n="2", zone',
        "| keep level, n, a_n",
        '|= "a"',
    ]
)
ERRORS_LEFT_OUT = '| __error__=""'
ERRORS = st.sampled_from([ERRORS_LEFT_OUT, "| drop __error__, __error_details__", ""])
COUNTS_OF_LINES = ("count", "rate", "bytes", "bytes_rate")
COUNTS = st.sampled_from([*COUNTS_OF_LINES, "absent"])
UNWRAPS = st.sampled_from(["sum", "sum of rates", "avg", "max", "min", "stddev", "stdvar", "quantile", "first", "last"])
GROUPS = st.sampled_from(["", "level", "level, a_n", "app, zone"])


@st.composite
def queries(draw):
    stages = "".join(draw(st.lists(st.tuples(PARSERS, STAGES).map(" ".join), min_size=1, max_size=3))) + draw(ERRORS)
    group, window = draw(GROUPS), draw(st.sampled_from(["10s", "15s", "1m"]))
    op = draw(UNWRAPS | COUNTS)
    if op == "absent":
        return f'absent_over_time({{app="s"}} {stages} [{window}])'
    if op in COUNTS_OF_LINES:
        name = op if op.endswith("rate") else f"{op}_over_time"
        return f'sum by ({group}) ({name}({{app="s"}} {stages} [{window}]))'
    label = draw(st.sampled_from(["n", "a_n", "duration(n)", "bytes(n)"]))
    unwrap = f"| unwrap {label} {draw(st.sampled_from(['', ERRORS_LEFT_OUT]))}"
    selector = f'{{app="s"}} {stages} {unwrap} [{window}]'
    if op.startswith("sum"):
        return f"sum by ({group}) ({'sum_over_time' if op == 'sum' else 'rate'}({selector}))"
    parameter = f"{draw(st.sampled_from([0, 0.25, 0.5, 0.9, 0.99, 1]))}, " if op == "quantile" else ""
    return f"{op}_over_time({parameter}{selector}) by ({group})"


class LineByLine(LogSource):
    """A source that parses nothing in the engine."""

    async def extracts(self, *_, **__):
        """Give nothing."""


async def answer(source, tenant, text, moments):
    """Give the series with a value at some moment, or that the query is refused for the errors of its lines."""
    try:
        grid = (await LogEngine(source).numbers(tenant, parse(text), moments)).grid
    except PipelineError:
        return "refused"
    rows = {
        labels: [float(v) if is_there else None for v, is_there in zip(row, there, strict=True)]
        for labels, row, there in zip(grid.labels, grid.values, grid.present, strict=True)
    }
    return {labels: row for labels, row in rows.items() if any(v is not None for v in row)}


@pytest.mark.slow
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.generate],  # to shrink takes minutes, and a query with its lines can be read as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lines=LINES, texts=st.lists(queries(), min_size=4, max_size=4))
async def test_numbers_are_the_same(stored_logs, store, lines, texts):
    tenant = TenantId(new_id())
    sent = [Line(T0 + place * 3 * S, body, *origin) for place, (body, origin) in enumerate(lines)]
    await stored_logs.sink.append(tenant, arrival(stored_logs.sink, sent, tenant))
    for text in texts:
        for moments in (Moments(T0 + 60 * S, T0 + 60 * S), Moments(T0, T0 + 120 * S, 10 * S)):
            quick = await answer(stored_logs.source, tenant, text, moments)
            slow = await answer(LineByLine(store), tenant, text, moments)
            is_exact = any(text.startswith(op) for op in ("quantile", "first", "last", "max", "min", "absent"))
            if is_exact or quick == "refused" or slow == "refused":
                assert quick == slow, (text, lines)
            else:
                assert quick.keys() == slow.keys(), (text, lines)
                for labels, row in quick.items():
                    assert row == pytest.approx(slow[labels], rel=1e-9, abs=1e-9, nan_ok=True), (text, lines)
