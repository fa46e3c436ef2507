"""A filter of a parsed label lets the store leave out lines, and never one that the filter would keep."""

from __future__ import annotations

import pytest

from fixtures.logs import Line, arrival
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import Direction, MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.logql.nodes import LogSelector
from holdfast.telemetry.logs.querying import LogEngine, Span
from holdfast.telemetry.logs.querying.hinting import hints_of
from holdfast.telemetry.logs.selection import Hint

S = 10**9
T0 = 1_780_000_000 * S


def hints(text):
    expr = parse('{app="a"} ' + text)
    assert isinstance(expr, LogSelector)
    return hints_of(expr.stages)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('| json | status="500"', (Hint(("status",), ("500", "\\")),)),
        ('| logfmt | level=~"warn|error"', (Hint(("level",), ("warn", "error", "\\")),)),
        ('| json | msg="a b"', (Hint(("msg",), ("a b", "\\", "\ufffd")),)),
        ('| regexp `(?P<x>.)` | x="1" and y="2"', (Hint(("x",), ("1",)), Hint(("y",), ("2",)))),
        ('| pattern `<x> ` | x="1" or y="2"', (Hint(("x", "y"), ("1", "2")),)),
        ('| json | x="1" or n > 5', ()),
        ('| json | x!="1" | y="" | z=~"a.*"', ()),
        ('| json | label_format x="1" | x="1"', ()),
        ('| line_format "1" | json | x="1"', ()),
        ('| unpack | x="1"', ()),
        ('| x="1" | json', ()),
        ('| json | detected_level="error" | __error__="x" | app_extracted="y"', ()),
    ],
)
def test_filters_behind_parsers_tell_what_lines_hold(text, found):
    assert hints(text) == found


LINES = [
    Line(T0, '{"level":"error"}', {"app": "a"}),
    Line(T0 + S, '{"level":"\\u0065rror"}', {"app": "a"}),
    Line(T0 + 2 * S, '{"level":"info"}', {"app": "a"}),
    Line(T0 + 3 * S, '{"other":"x"}', {"app": "a"}, {"level": "error"}),
    Line(T0 + 4 * S, '{"other":"x"}', {"app": "a", "level": "error"}),
    Line(T0 + 5 * S, 'level="er\\u0072or" x=1', {"app": "a"}),
    Line(T0 + 6 * S, "level=error", {"app": "a"}),
    Line(T0 + 7 * S, '{"a":{"level":"error"}}', {"app": "a"}),
    Line(T0 + 8 * S, "plain", {"app": "a"}),
]


@pytest.mark.parametrize(
    "query",
    [
        '| json | level="error"',
        '| logfmt | level=~"error|warn"',
        '| json | a_level="error" or level="info"',
        '| json | logfmt | level="error", x="1"',
        '| regexp `level=(?P<level>\\w+)` | level="error"',
        '| pattern `level=<level>` | level="error" | drop level',
    ],
)
async def test_no_line_is_lost_by_what_a_filter_tells(stored_logs, query):
    memory = MemoryLogSource()
    sink = MemoryLogSink(memory)
    await sink.append(DEFAULT_TENANT, arrival(sink, LINES))
    await stored_logs.sink.append(DEFAULT_TENANT, arrival(stored_logs.sink, LINES))
    span = Span(T0, T0 + 60 * S, Direction.FORWARD)
    expr = parse('{app="a"} ' + query)
    assert isinstance(expr, LogSelector)
    quick = await LogEngine(stored_logs.source).lines(DEFAULT_TENANT, expr, span)
    whole = await LogEngine(memory).lines(DEFAULT_TENANT, expr, span)
    texts = [[(each.labels, line.text) for each in answer.streams for line in each.lines] for answer in (quick, whole)]
    assert texts[0] == texts[1]
    assert quick.cost.lines < whole.cost.lines
