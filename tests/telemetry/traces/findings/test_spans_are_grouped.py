"""Slow and failed spans are grouped by what they have in common."""

from __future__ import annotations

import orjson
import pytest

from fixtures.traces import MS, Row, span_id, trace_id
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.traces import SpanKind, SpanStatus
from holdfast.telemetry.traces.findings import find_failed, find_slow

ERROR = SpanStatus.ERROR


def raised(kind: str, message: str) -> str:
    attributes = {"exception.type": kind, "exception.message": message}
    return orjson.dumps([{"ts_ns": 1, "name": "exception", "attributes": attributes}]).decode()


async def test_failed_spans_are_grouped_by_operation_error_and_message(stored, search):
    counts = await stored(
        [
            *(
                Row(
                    n, n, 0, "shop", "pay", n, 10 * n, status=ERROR, events=raised("TimeoutError", f"no answer in {n}s")
                )
                for n in range(1, 6)
            ),
            Row(6, 6, 0, "shop", "pay", 6, 5, status=ERROR, attributes={"http.response.status_code": 502}),
            Row(7, 7, 0, "shop", "pay", 7, 5),
            Row(8, 8, 0, "cart", "load", 8, 5, status=ERROR, attributes={"error.type": "KeyError"}),
        ]
    )
    found = await find_failed(counts, DEFAULT_TENANT, search(), 10)
    told = [(each.service, each.error, each.pattern, each.spans, each.calls) for each in found.items]
    assert told == [
        ("shop", "TimeoutError", "no answer in ?s", 5, 7),
        ("cart", "KeyError", "", 1, 1),
        ("shop", "HTTP 502", "", 1, 7),
    ]
    first = found.items[0]
    assert (first.traces, first.longest_ns) == (5, 50 * MS)
    assert [each.trace_id for each in first.examples] == [trace_id(5), trace_id(4), trace_id(3)]
    assert first.examples[0].span_id == span_id(5)
    assert (found.spans, found.share) == (7, 1)
    only = await find_failed(counts, DEFAULT_TENANT, search(service="cart"), 10)
    assert [each.service for each in only.items] == ["cart"]


async def test_where_an_error_began_comes_before_who_passed_it_on(stored, search):
    rows = []
    for n in range(1, 11):
        rows += [
            Row(n, n * 10, 0, "shop", "GET /", n, 30, status=ERROR),
            Row(n, n * 10 + 1, n * 10, "shop", "call", n, 20, SpanKind.CLIENT, ERROR),
            Row(n, n * 10 + 2, n * 10 + 1, "cart", "load", n, 10, status=ERROR),
        ]
    rows += [Row(99, 990, 0, "shop", "GET /", 99, 30, status=ERROR)]
    found = await find_failed(await stored(rows), DEFAULT_TENANT, search(), 10)
    told = [(each.service, each.operation, each.spans, each.origins) for each in found.items]
    assert told == [("cart", "load", 10, 10), ("shop", "GET /", 11, 1), ("shop", "call", 10, 0)]


async def test_slow_statements_are_grouped_by_what_they_lose(stored, search):
    rows = [Row(n, n, 0, "shop", "pay", n, 10) for n in range(1, 41)]
    rows += [Row(100, 100, 0, "shop", "pay", 100, 500)]
    for n in range(200, 240):
        text = f"SELECT * FROM carts WHERE id = {n}" if n < 203 else "SELECT 1"
        took = 900 + n if n < 203 else 10
        attributes = {"db.system": "mysql", "db.statement": text}
        rows.append(Row(n, n, 0, "cart", "SELECT", n, took, SpanKind.CLIENT, attributes=attributes))
    counts = await stored(rows)
    found = await find_slow(counts, DEFAULT_TENANT, search(min_ns=400 * MS), 10)
    told = [(each.service, each.pattern, each.spans, each.calls) for each in found.items]
    assert told == [("cart", "SELECT * FROM carts WHERE id = ?", 3, 40), ("shop", "", 1, 41)]
    cart, shop = found.items
    assert (cart.usual_ns, cart.longest_ns) == (pytest.approx(10 * MS), 1102 * MS)
    assert shop.lost_ns == pytest.approx(490 * MS)
    assert cart.examples[0].trace_id == trace_id(202)
    usual = await find_slow(counts, DEFAULT_TENANT, search(), 10)
    assert {(each.service, each.operation) for each in usual.items} <= {("cart", "SELECT"), ("shop", "pay")}
    assert usual.items[0].service == "cart"


async def test_of_more_spans_than_may_be_counted_a_share_is_counted_and_scaled(stored, search):
    counts = await stored([Row(n, n, 0, "shop", "pay", n, 10, status=ERROR) for n in range(1, 2001)], most_spans=500)
    found = await find_failed(counts, DEFAULT_TENANT, search(), 10)
    assert found.share == 0.25
    assert 1500 < found.spans < 2500


async def test_without_spans_there_are_no_groups(stored, search):
    counts = await stored([])
    for find in (find_failed, find_slow):
        found = await find(counts, DEFAULT_TENANT, search(), 10)
        assert (list(found.items), found.spans) == ([], 0)
