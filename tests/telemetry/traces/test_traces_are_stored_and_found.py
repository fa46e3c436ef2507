"""Traces on both sources: the store and its twin in memory give the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixtures.traces import MS, NOW_NS, Row, span_id, spans, trace_id
from holdfast.kernel.ids import DEFAULT_TENANT, TenantId
from holdfast.store import Schema
from holdfast.telemetry.traces import (
    SCHEMA,
    Dependency,
    MemoryTraces,
    Operation,
    SpanKind,
    SpanStatus,
    StoredTraces,
    TraceSearch,
    TraceSink,
)
from holdfast.telemetry.traces.rows import span_rows

HOUR_NS = 3600 * 10**9
WINDOW = (NOW_NS - HOUR_NS, NOW_NS + HOUR_NS)
ROWS = [
    Row(1, 11, name="GET /cart", length_ms=120, attributes={"http.status_code": 200, "retry": False, "ratio": 0.5}),
    Row(1, 12, 11, "cart", "load", 10, 90, SpanKind.CLIENT, attributes={"db.rows": [1, 2]}),
    Row(1, 13, 12, "store", "SELECT", 20, 50, SpanKind.SERVER, SpanStatus.ERROR, resource={"region": "eu"}),
    Row(2, 21, name="GET /cart", start_ms=5_000, length_ms=30, attributes={"http.status_code": 500}),
    Row(3, 31, 99, "cart", "load", 9_000, 5),
]


@pytest.fixture(params=["memory", "store"])
async def sides(request, open_store):
    if request.param == "memory":
        both = MemoryTraces()
        yield both, both
        return
    store = await open_store(request.getfixturevalue("store_url"), SCHEMA)
    yield TraceSink(store), StoredTraces(store)


@pytest.fixture
async def source(sides):
    sink, source = sides
    await sink.append(DEFAULT_TENANT, spans(ROWS))
    return source


async def found(source, **wanted):
    search = TraceSearch(*WINDOW, **wanted)
    return [int(summary.trace_id, 16) for summary in await source.search(DEFAULT_TENANT, search)]


async def test_a_trace_comes_back_whole_with_its_types(source):
    trace = await source.trace(DEFAULT_TENANT, trace_id(1))
    assert [span.span_id for span in trace.spans] == [span_id(11), span_id(12), span_id(13)]
    first, second, third = trace.spans
    assert (first.parent_id, second.parent_id) == ("", span_id(11))
    assert first.attributes == {"http.status_code": 200, "retry": False, "ratio": 0.5}
    assert second.attributes == {"db.rows": [1, 2]}
    assert (third.status, third.resource) == (SpanStatus.ERROR, {"service.name": "store", "region": "eu"})
    assert (first.start_ns, first.duration_ns) == (NOW_NS, 120 * MS)
    assert await source.trace(DEFAULT_TENANT, trace_id(9)) is None
    assert await source.trace(TenantId("other"), trace_id(1)) is None
    assert await source.trace(DEFAULT_TENANT, trace_id(1), start_ns=NOW_NS, end_ns=NOW_NS + 1) is not None


async def test_spans_are_read_by_their_ids_alone(source):
    (span,) = await source.spans(DEFAULT_TENANT, trace_id(1), span_id(12))
    assert (span.name, span.parent_id, span.attributes) == ("load", span_id(11), {"db.rows": [1, 2]})
    assert list(await source.spans(DEFAULT_TENANT, trace_id(2), span_id(12))) == []
    assert list(await source.spans(TenantId("other"), trace_id(1), span_id(12))) == []


async def test_of_copies_that_differ_the_one_that_says_most_stays_and_halves_stay_apart(sides):
    sink, source = sides
    cut = ROWS[1]._replace(length_ms=0)
    half = ROWS[1]._replace(service="store", kind=SpanKind.SERVER)
    for row in (cut, ROWS[1], half, cut):
        await sink.append(DEFAULT_TENANT, spans([row]))
    trace = await source.trace(DEFAULT_TENANT, trace_id(1))
    assert sorted((each.service, each.duration_ns, each.parent_id) for each in trace.spans) == [
        ("cart", 90 * MS, span_id(11)),
        ("store", 90 * MS, span_id(12)),
    ]


async def test_a_search_finds_by_what_a_span_says(source):
    assert await found(source) == [3, 2, 1]
    assert await found(source, limit=2) == [3, 2]
    assert await found(source, service="shop") == [2, 1]
    assert await found(source, service="cart", operation="load") == [3, 1]
    assert await found(source, service="shop", min_ns=100 * MS) == [1]
    assert await found(source, max_ns=20 * MS) == [3]
    assert await found(source, status=SpanStatus.ERROR) == [1]
    assert await found(source, kind=SpanKind.CLIENT) == [1]
    assert await found(source, attributes={"http.status_code": "500"}) == [2]
    assert await found(source, attributes={"region": "eu"}) == [1]
    assert await found(source, attributes={"region": "us"}) == []


async def test_a_search_gives_the_root_and_counts(source):
    summaries = await source.search(DEFAULT_TENANT, TraceSearch(*WINDOW, service="store"))
    (summary,) = summaries
    assert (summary.root_service, summary.root_name, summary.spans, summary.errors) == ("shop", "GET /cart", 3, 1)
    assert summary.services == {"shop": 1, "cart": 1, "store": 1}
    assert summary.duration_ns == 120 * MS
    (orphan,) = [each for each in await source.search(DEFAULT_TENANT, TraceSearch(*WINDOW)) if each.spans == 1][:1]
    assert (orphan.root_service, orphan.root_name) == ("cart", "load")


async def test_services_operations_and_who_calls_whom(source):
    assert await source.services(DEFAULT_TENANT, *WINDOW) == ["cart", "shop", "store"]
    assert await source.services(DEFAULT_TENANT, 0, NOW_NS) == []
    assert await source.operations(DEFAULT_TENANT, "cart", *WINDOW) == [
        Operation("load", SpanKind.SERVER),
        Operation("load", SpanKind.CLIENT),
    ]
    assert await source.dependencies(DEFAULT_TENANT, *WINDOW) == [
        Dependency("cart", "store", 1),
        Dependency("shop", "cart", 1),
    ]


async def test_a_span_that_comes_twice_is_there_once(sides):
    sink, source = sides
    for _ in range(2):
        await sink.append(DEFAULT_TENANT, spans(ROWS))
    trace = await source.trace(DEFAULT_TENANT, trace_id(1))
    assert len(trace.spans) == 3
    assert (await source.dependencies(DEFAULT_TENANT, *WINDOW))[0].calls == 1


async def test_late_spans_join_their_trace(sides):
    sink, source = sides
    await sink.append(DEFAULT_TENANT, spans(ROWS[1:3]))
    await sink.append(DEFAULT_TENANT, spans([Row(1, 11, start_ms=-2 * 3_600_000, length_ms=3 * 3_600_000)]))
    trace = await source.trace(DEFAULT_TENANT, trace_id(1))
    assert [span.span_id for span in trace.spans] == [span_id(11), span_id(12), span_id(13)]
    (summary,) = await source.search(DEFAULT_TENANT, TraceSearch(*WINDOW, service="store"))
    assert summary.spans == 3


async def test_followers_hear_of_what_was_stored(sides, caplog):
    sink, _ = sides
    heard = []

    class Follower:
        def spans_stored(self, tenant, spans):
            heard.append((tenant, len(spans)))
            raise RuntimeError("out of order")

    follower = Follower()
    sink.feed.follow(follower)
    assert (await sink.append(DEFAULT_TENANT, spans(ROWS))).spans == 5
    sink.feed.leave(follower)
    await sink.append(DEFAULT_TENANT, spans(ROWS))
    assert heard == [(DEFAULT_TENANT, 5)]


SEARCHES = [
    {},
    {"service": "cart"},
    {"attributes": {"order": "7"}},
    {"attributes": {"region": "eu"}},
    {"attributes": {"region": "eu", "order": "3"}},
    {"attributes": {"order": "none"}},
    {"status": SpanStatus.ERROR},
]


@pytest.mark.parametrize("wanted", SEARCHES, ids=str)
async def test_pages_over_many_hours_are_those_of_the_twin(sides, wanted):
    sink, source = sides
    hours = [0, 0, 1, 1, 2, 5, 5, 6, 30, 31, 31, 70, 71, 99]
    rows = [
        Row(
            1 + place % 9,  # traces whose spans lie hours apart, and are found by several of them
            100 + place,
            service=("shop", "cart")[place % 2],
            start_ms=-hour * 3_600_000 + place,
            status=SpanStatus.ERROR if place % 5 == 0 else SpanStatus.OK,
            attributes={"order": str(place % 4 if place % 3 else 7)},
            resource={"region": ("eu", "us")[place % 3 == 0]},
        )
        for place, hour in enumerate(hours)
    ]
    twin = MemoryTraces()
    for each in (sink, twin):
        await each.append(DEFAULT_TENANT, spans(rows))
    search = TraceSearch(NOW_NS - 100 * HOUR_NS, NOW_NS + HOUR_NS, limit=2, **wanted)
    everything = await twin.search(DEFAULT_TENANT, replace(search, limit=100))
    paged = []
    while page := await source.search(DEFAULT_TENANT, search):
        paged += page
        search = replace(search, behind=(page[-1].newest_ns, page[-1].trace_id))
    told = [(line.trace_id, line.newest_ns) for line in paged]
    assert told == [(line.trace_id, line.newest_ns) for line in everything]


async def test_a_store_from_before_gets_the_index_of_attributes(open_store, store_url):
    (table,) = SCHEMA.tables
    older = replace(table, indexes=table.indexes[:2])
    store = await open_store(store_url, Schema(SCHEMA.room, (older,)))
    await store.writer(older).write(span_rows(spans(ROWS)), tenant=DEFAULT_TENANT)
    await store.close()
    store = await open_store(store_url, SCHEMA)
    sql = "SELECT name FROM system.data_skipping_indices WHERE table = 'trace_spans' AND {tenant:String} != ''"
    names = (await store.query(sql, tenant=DEFAULT_TENANT)).column("name").to_pylist()
    assert "attribute_values" in names
    assert await found(StoredTraces(store), attributes={"http.status_code": "500"}) == [2]
