"""`holdfast trace` prints waterfalls and lists, from what the API answers."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from fixtures.traces import Row, spans, trace_id
from holdfast.cli import traces
from holdfast.telemetry.traces import SpanKind, SpanStatus, spans_of
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
    (trace,) = gather(spans_of(spans(rows))).values()
    return orjson.loads(orjson.dumps(show_trace(trace)))


def test_a_trace_is_a_waterfall(document):
    lines = printed(traces.show_waterfall, document, None)
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
    assert printed(traces.show_waterfall, document, 3)[-1] == "5 more spans are shown with --all"


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
    _, told = printed(traces.show_list, [line])
    assert told.split() == [trace_id(1), "2026-01-02", "03:04:05", "1.235ms", "3", "1", "shop:", "GET", "/"]
    assert printed(traces.show_list, []) == ["no traces; a longer time is asked for with --start"]


def test_conditions_are_words_of_the_api_or_attributes():
    assert traces.read_conditions(["service=shop", "http.route=/a=b", "status=error"]) == {
        "service": "shop",
        "status": "error",
        "attribute": ["http.route=/a=b"],
    }


@pytest.mark.parametrize(
    ("ns", "text"), [(0, "0ns"), (999, "999ns"), (1500, "1.5us"), (20_000_000, "20ms"), (90 * 10**9, "90s")]
)
def test_durations_are_short(ns, text):
    assert traces.write_duration(ns) == text
