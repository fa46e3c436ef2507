"""`holdfast trace` prints waterfalls and lists, from what the API answers."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from rich.console import Console

from fixtures.traces import Row, spans, trace_id
from holdfast.cli.traces import asking, comparing, conditions, finding, showing
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.traces import SpanKind, SpanStatus
from holdfast.telemetry.traces.api.whole import show_trace
from holdfast.telemetry.traces.tracing import gather


def printed(show, document, *more) -> list[str]:
    out = io.StringIO()
    show(document, Console(file=out, width=100, color_system=None), *more)
    return out.getvalue().splitlines()


@pytest.fixture
def document():
    import orjson  # noqa: PLC0415 -- as the API writes it

    rows = [
        Row(1, 1, name="GET /cart", length_ms=100),
        Row(1, 2, 1, "cart", "load", 50, 50, SpanKind.SERVER, SpanStatus.ERROR),
        *(Row(1, number, 1, "shop", "SELECT", number, 1, SpanKind.CLIENT) for number in range(10, 16)),
    ]
    (trace,) = gather(spans(rows)).values()
    return orjson.loads(orjson.dumps(show_trace(trace)))


def test_a_trace_is_a_waterfall(document):
    lines = printed(showing.show_waterfall, document, None)
    assert lines[0] == f"{trace_id(1)}  shop: GET /cart"
    assert "100ms  8 spans, 1 failed, 2 services" in lines[1]
    assert lines[2] == "repeated: shop: SELECT 6 times, one after the other, 6ms"
    root, failed = lines[3], lines[-1]
    assert root.startswith("shop: GET /cart ")
    assert root.count("█") == 44
    assert failed.startswith("  cart: load ")
    assert failed.endswith("50ms !")
    assert failed.index("█") == 44 + 22
    assert len(lines) == 3 + 8


def test_long_traces_are_cut_unless_all_is_asked_for(document):
    assert printed(showing.show_waterfall, document, 3)[-1] == "5 more spans are shown with --all"


def test_a_search_is_a_line_per_trace():
    line = {
        "trace_id": trace_id(1),
        "started_at": "2026-01-02T03:04:05.678Z",
        "duration_ns": 1_234_567,
        "spans": 3,
        "errors": 1,
        "root_service": "shop",
        "root_name": "GET /",
    }
    _, told = printed(showing.show_list, [line])
    assert told.split() == [trace_id(1), "2026-01-02", "03:04:05", "1.235ms", "3", "1", "shop:", "GET", "/"]
    assert printed(showing.show_list, []) == ["no traces; a longer time is asked for with --start"]


def test_conditions_are_words_of_the_api_or_attributes():
    assert conditions.read_conditions(["service=shop", "http.route=/a=b", "status=error"]) == {
        "service": "shop",
        "status": "error",
        "attribute": ["http.route=/a=b"],
    }


@pytest.mark.parametrize(
    ("ns", "text"), [(0, "0ns"), (999, "999ns"), (1500, "1.5us"), (20_000_000, "20ms"), (90 * 10**9, "90s")]
)
def test_durations_are_short(ns, text):
    assert showing.write_duration(ns) == text


def test_what_is_no_id_is_refused_before_anybody_is_asked():
    with pytest.raises(InvalidError, match="'foo' is neither the id of a trace nor a command"):
        asking.show("foo", url="http://127.0.0.1:1")


def test_what_is_no_condition_is_refused():
    with pytest.raises(InvalidError, match="no name=value"):
        conditions.read_conditions(["shop"])


def test_a_comparison_tells_its_samples_shares_and_growth():
    side = {"traces": 51_000, "sampled": 1000, "spans": 9, "p50_ms": 300, "p95_ms": 410.5, "mean_ms": 1}
    shares = {"chosen_share": 1, "others_share": 0.25, "p_value": 0}
    contrast = {"name": "region", "value": "eu", "chosen": 1, "others": 1, **shares}
    growth = {"service": "cart", "operation": "load", "chosen_self_ms": 9, "others_self_ms": 1, "growth_ms": 8}
    document = {
        "chosen": side,
        "others": {**side, "traces": 70, "sampled": 70},
        "contrasts": [
            {**contrast, "lift": 4, "is_significant": True},
            {**contrast, "value": "us", "lift": None, "is_significant": False},
        ],
        "growths": [{**growth, "chosen_calls": 2, "others_calls": 1}],
    }
    told = printed(comparing.show_comparison, document)
    assert told[0] == "chosen: 51000 traces, 1000 of them read; p50 300ms, p95 410.5ms"
    assert told[1] == "others: 70 traces; p50 300ms, p95 410.5ms"
    assert told[3].split() == ["region=eu", "████████████", "100%", "███·········", "25%", "4x", "significant"]
    assert told[4].split()[-5:] == ["only", "here", "may", "be", "chance"]
    assert told[6].split() == ["cart:", "load", "9ms", "1ms", "8ms", "2", "1"]
    empty = {**side, "traces": 0, "sampled": 0}
    assert printed(comparing.show_comparison, {**document, "others": empty})[1:] == [
        "others: no traces",
        "nothing to compare: one side has no traces",
    ]


def test_sides_are_the_rest_other_conditions_or_another_time():
    hour, week = timedelta(hours=1), timedelta(days=7)
    assert list(comparing.selections(["status=error"], None, hour, None)) == ["chosen"]
    both = comparing.selections(["status=error"], ["status=ok"], hour, None)
    assert (both["chosen"]["status"], both["others"]["status"]) == ("error", "ok")
    assert both["chosen"]["start"] == both["others"]["start"]
    both = comparing.selections(["service=shop"], None, hour, week)
    assert both["others"]["service"] == "shop"
    starts = [datetime.fromisoformat(both[side]["start"]) for side in ("chosen", "others")]
    assert starts[0] - starts[1] == week


def test_groups_tell_their_share_and_an_example():
    group = {
        "service": "shop",
        "operation": "pay",
        "error": "TimeoutError",
        "pattern": "no answer in ?s",
        "spans": 5,
        "origins": 4,
        "calls": 50,
        "p95_ms": 20,
        "usual_ms": 10,
        "lost_ms": 50,
        "examples": [{"trace_id": trace_id(1)}],
    }
    _, line, *rest = printed(finding.show_groups, {"items": [group], "share": 0.5}, "failed")
    assert line.startswith("shop: pay")
    assert line.split()[-6:] == ["5", "4", "10.0%", "20ms", "10ms", trace_id(1)]
    assert rest[-1] == "counted from 50.0% of the traces, and scaled"
    assert printed(finding.show_groups, {"items": []}, "slow") == [
        "no slow spans; a longer time is asked for with --start"
    ]


def test_latencies_are_drawn_from_the_lowest_row_up():
    document = {
        "bounds_ns": [10**6, 2 * 10**6, 4 * 10**6],
        "columns": 3,
        "times": [0, 2],
        "rows": [0, 1],
        "spans": [100, 1],
        "total": 101,
        "total_failed": 1,
        "p50_ms": 1,
        "p95_ms": 1,
        "p99_ms": 3,
        "step_ns": 60 * 10**9,
        "share": 1,
    }
    upper, lower, told = printed(finding.show_latency, document)
    assert (upper.split("│")[1], lower.split("│")[1]) == ("  ░", "█  ")
    assert told == "101 spans, 1 failed; p50 1ms, p95 1ms, p99 3ms; a column is 60s"
    assert printed(finding.show_latency, {"total": 0}) == ["no spans; a longer time is asked for with --start"]


def test_the_map_lists_the_worst_edges_first():
    rates = {"calls": 120, "errors": 12, "p50_ms": 5, "p95_ms": 9.25, "p99_ms": 20}
    idle = {"calls": 0, "errors": 0, "p50_ms": None, "p95_ms": None, "p99_ms": None}
    edge = {"source": "shop", "target": "cart", "connection": "call", "protocol": "http", "rates": rates}
    document = {
        "edges": [
            {**edge, "target": "bank", "protocol": "", "rates": idle, "changes": ["gone"], "state": "gone"},
            {**edge, "changes": ["more_errors", "slower"], "state": "failing"},
        ],
        "seconds": 60,
        "share": 1,
        "before_at": "2026-01-01T00:00:00Z",
        "is_compared": False,
    }
    head, first, second, last = printed(finding.show_map, document)
    assert first.split()[:10] == ["shop", "cart", "http", "2", "10.0%", "5ms", "9.25ms", "20ms", "failing", "more"]
    assert second.split() == ["shop", "bank", "call", "0", "-", "-", "-", "-", "gone", "gone"]
    assert head.startswith("from")
    assert last == "nothing to compare with: no spans since 2026-01-01T00:00:00Z for as long"
    assert printed(finding.show_map, {"edges": []}) == ["nobody calls anybody; a longer time is asked for with --start"]
