"""LogQL over records in memory: lines by stream, and numbers at moments, as Loki's documentation has them."""

from __future__ import annotations

import pytest

from fixtures.logs import Line, arrival
from holdfast.kernel.errors import LimitError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.logs import Direction, MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.logql import LogqlError, parse
from holdfast.telemetry.logs.querying import LogEngine, LogQueryLimits, Moments, PipelineError, Span
from holdfast.telemetry.metrics.promql import QueryExecutionError

SECOND = 10**9
MINUTE = 60 * SECOND
START = 1_700_000_000 * SECOND
WHOLE = Span(START, START + 20 * MINUTE)
A, B = {"app": "a", "job": "x"}, {"app": "b", "job": "x"}


@pytest.fixture
async def engine():
    """App `a` logs each 10 s for ten minutes, with levels by turns; app `b` each minute, in logfmt."""
    source = MemoryLogSource()
    sink = MemoryLogSink(source)
    levels = ("info", "error")
    lines = [
        Line(START + number * 10 * SECOND, f'{{"level":"{levels[number % 2]}","took":"{number}ms"}}', A)
        for number in range(60)
    ]
    lines += [
        Line(START + number * MINUTE, f"level=warn n={number} size={number}KB", B, {"trace_id": "ab" * 16})
        for number in range(10)
    ]
    await sink.append(DEFAULT_TENANT, arrival(sink, lines))
    return LogEngine(source)


async def lines(engine, text, *, span=WHOLE, limit=100):
    return (await engine.lines(DEFAULT_TENANT, parse(text), span, limit=limit)).streams


async def at(engine, text, moment=START + 10 * MINUTE - 1):
    """Give the values at one moment by labels."""
    answer = await engine.numbers(DEFAULT_TENANT, parse(text), Moments(moment, moment))
    return {
        tuple(f"{name}={value}" for name, value in labels if name not in {"detected_level", "job"}): float(row[0])
        for labels, row, there in zip(answer.grid.labels, answer.grid.values, answer.grid.present, strict=True)
        if there[0]
    }


async def over(engine, text, *, step=MINUTE):
    """Give one series over ten minutes; None where it has no value."""
    moments = Moments(START, START + 10 * MINUTE, step)
    grid = (await engine.numbers(DEFAULT_TENANT, parse(text), moments)).grid
    assert len(grid.labels) == 1
    return [float(v) if there else None for v, there in zip(grid.values[0], grid.present[0], strict=True)]


async def test_lines_come_by_stream_and_in_order(engine):
    streams = await lines(engine, '{job="x"} |= "error" or "warn"', limit=5)
    assert sum(len(stream.lines) for stream in streams) == 5
    assert {stream.labels["app"] for stream in streams} == {"a", "b"}
    for stream in streams:
        times = [line.ts_ns for line in stream.lines]
        assert times == sorted(times, reverse=True)
    forward = await lines(engine, '{app="b"}', span=Span(START, START + 2 * MINUTE, Direction.FORWARD))
    assert [line.text[:14] for stream in forward for line in stream.lines] == ["level=warn n=0", "level=warn n=1"]


async def test_parsed_labels_part_the_streams(engine):
    streams = await lines(engine, '{app="b"} | logfmt | n < 2')
    assert sorted(stream.labels["n"] for stream in streams) == ["0", "1"]
    (stream,) = [stream for stream in streams if stream.labels["n"] == "1"]
    assert stream.origin == B
    (line,) = stream.lines
    assert line.metadata["trace_id"] == "ab" * 16
    assert line.parsed == {"level": "warn", "n": "1", "size": "1KB"}


async def test_the_limit_counts_lines_that_stay(engine):
    streams = await lines(engine, '{app="a"} | json | level="error"', limit=7)
    assert sum(len(stream.lines) for stream in streams) == 7
    with pytest.raises(LimitError, match="max entries limit"):
        await lines(engine, '{app="a"}', limit=5001)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('sum(count_over_time({app="a"}[1m]))', {(): 6.0}),
        ('sum by (app) (count_over_time({job="x"}[10m]))', {("app=a",): 60.0, ("app=b",): 10.0}),
        ('sum(rate({app="a"} |= "error" [1m]))', {(): 0.05}),
        ('sum by (level) (count_over_time({app="a"} | json [1m]))', {("level=error",): 3.0, ("level=info",): 3.0}),
        ('sum(bytes_over_time({app="b"}[1m]))', {(): 23.0}),
        ('sum(bytes_rate({app="b"}[1m]))', {(): 23 / 60}),
        ('sum_over_time({app="b"} | logfmt | unwrap n [3m]) by (app)', None),
        ('max_over_time({app="a"} | json | unwrap duration(took) [10m]) by (app)', {("app=a",): 0.059}),
        ('min_over_time({app="a"} | json | unwrap duration(took) [1m]) by (app)', {("app=a",): 0.054}),
        ('avg_over_time({app="b"} | logfmt | unwrap bytes(size) [2m]) by (app)', {("app=b",): 8500.0}),
        ('quantile_over_time(0.5, {app="b"} | logfmt | unwrap n [10m]) by (app)', {("app=b",): 4.5}),
        ('first_over_time({app="b"} | logfmt | unwrap n [3m]) by (app)', {("app=b",): 7.0}),
        ('last_over_time({app="b"} | logfmt | unwrap n [3m]) by (app)', {("app=b",): 9.0}),
        ('stddev_over_time({app="b"} | logfmt | unwrap n [2m]) by (app)', {("app=b",): 0.5}),
        ('absent_over_time({app="none"}[5m])', {("app=none",): 1.0}),
        ('absent_over_time({app="a"}[5m])', {}),
        ("vector(1)+vector(1)", {(): 2.0}),
        ("1 + 2 * 3", {(): 7.0}),
        ('topk(1, sum by (app) (count_over_time({job="x"}[10m])))', {("app=a",): 60.0}),
        ('sum by (app) (count_over_time({job="x"}[10m])) > 20', {("app=a",): 60.0}),
        ('sum by (app) (count_over_time({job="x"}[10m])) > bool 20', {("app=a",): 1.0, ("app=b",): 0.0}),
        (
            'sum by (app) (count_over_time({job="x"}[10m])) / on () group_left () sum(count_over_time({job="x"}[10m]))',
            {("app=a",): 60 / 70, ("app=b",): 10 / 70},
        ),
        (
            'label_replace(sum by (app) (count_over_time({app="a"}[1m])), "new", "$1!", "app", "(.*)")',
            {("app=a", "new=a!"): 6.0},
        ),
        ('sum(count_over_time({app="a"}[1m] offset 9m))', {(): 6.0}),
        ('sum(count_over_time({app="a"}[1m] offset 20m))', {}),
        ('count(count_over_time({app="a"} | json | keep level [10m]))', {(): 2.0}),
        ('sum by (app) (rate({app="b"} | logfmt | unwrap n [10m]))', {("app=b",): 45 / 600}),
    ],
)
async def test_metric_queries_have_these_values(engine, text, values):
    if values is None:
        with pytest.raises(LogqlError, match="grouping not allowed for sum_over_time"):
            parse(text)
        return
    found = await at(engine, text)
    assert found == {key: pytest.approx(value) for key, value in values.items()}


async def test_windows_are_open_at_the_left(engine):
    edge = START + MINUTE
    assert await at(engine, 'sum(count_over_time({app="b"}[1m]))', edge) == {(): 1.0}
    assert await at(engine, 'sum(count_over_time({app="b"} | logfmt [1m]))', edge) == {(): 1.0}


@pytest.mark.parametrize("step", [MINUTE, 90 * SECOND, 7 * SECOND])
async def test_what_the_engine_counts_is_what_lines_give(engine, step):
    counted = await over(engine, 'sum(count_over_time({app="a"} |= "error" [2m]))', step=step)
    from_lines = await over(engine, 'sum(count_over_time({app="a"} | json | level="error" [2m]))', step=step)
    assert counted == from_lines


async def test_errors_are_not_counted_in_silence(engine):
    with pytest.raises(PipelineError, match="pipeline error: 'JSONParserErr' for series"):
        await at(engine, 'sum by (level) (count_over_time({app="b"} | json [10m]))')
    assert await at(engine, 'sum(count_over_time({app="b"} | json | __error__="" [10m]))') == {}
    unwrapped = 'sum(sum_over_time({app="a"} | json | unwrap took %s [10m]))'
    with pytest.raises(PipelineError, match="SampleExtractionErr"):
        await at(engine, unwrapped % "")
    assert await at(engine, unwrapped % '| __error__=""') == {}


async def test_sides_that_do_not_match_are_refused(engine):
    with pytest.raises(QueryExecutionError, match="many"):
        await at(engine, 'sum by (app) (count_over_time({job="x"}[10m])) / on () sum by (app) (rate({job="x"}[10m]))')


async def test_a_query_that_costs_too_much_says_so(engine):
    source = engine._source
    few = LogEngine(source, LogQueryLimits(max_lines=20, max_series=5, max_steps=10))
    with pytest.raises(LimitError, match="reads more than 20 lines"):
        await lines(few, '{app="a"} | json | level="none"')
    with pytest.raises(LimitError, match=r"maximum number of series \(5\) reached"):
        await at(LogEngine(source, LogQueryLimits(max_series=5)), 'count_over_time({app="a"} | json [10m])')
    with pytest.raises(LimitError, match="exceeded maximum resolution"):
        await over(few, 'sum(count_over_time({app="a"}[1m]))', step=SECOND)


@pytest.mark.parametrize(
    "text",
    [
        '| level="x" or ' + " or ".join(['level="error"'] * 190),
        "| " + ", ".join(['level="error"'] * 190),
        "| " + "(" * 100 + 'level="error"' + ")" * 100,
        '| level="error" ' * 190,
    ],
)
async def test_the_longest_pipelines_are_answered(engine, text):
    assert await at(engine, f'sum(count_over_time({{app="a"}} | json {text} [10m]))') == {(): 30.0}


@pytest.mark.parametrize(("before", "behind"), [("", "+0" * 100), ("0+(" * 49, ")" * 49)])
async def test_the_longest_operations_are_answered(engine, before, behind):
    counted = 'sum(count_over_time({app="a"} | json | level="error" [10m]))'
    assert await at(engine, f"{before}{counted}{behind}") == {(): 30.0}


@pytest.mark.parametrize(
    ("text", "apps"),
    [
        ('sum by (app) (count_over_time({job="x"}[10m]))', ["a", "b"]),
        ('topk(2, sum by (app) (count_over_time({job="x"}[10m])))', ["a", "b"]),
        ('sort(sum by (app) (count_over_time({job="x"}[10m])))', ["b", "a"]),
        ('sort_desc(sum by (app) (count_over_time({job="x"}[10m])))', ["a", "b"]),
    ],
)
async def test_series_come_in_order_of_labels_or_as_asked(engine, text, apps):
    moment = START + 10 * MINUTE - 1
    grid = (await engine.numbers(DEFAULT_TENANT, parse(text), Moments(moment, moment))).grid
    assert [dict(labels)["app"] for labels in grid.labels] == apps
