"""A store with spans of a shop, and counts over it."""

from __future__ import annotations

import pytest

from fixtures.traces import NOW_NS, Row, spans
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.traces import SCHEMA, TraceSearch, TraceSink
from holdfast.telemetry.traces.findings import SpanCounts

HOUR_NS = 3600 * 10**9


@pytest.fixture
def search():
    """Make a search of the hours around all spans."""

    def make(**wanted):
        return TraceSearch(NOW_NS - HOUR_NS, NOW_NS + HOUR_NS, **wanted)

    return make


@pytest.fixture
async def stored(open_store, store_url):
    """Store rows, and give counts over them."""
    store = await open_store(store_url, SCHEMA)

    async def put(rows: list[Row], **options) -> SpanCounts:
        await TraceSink(store).append(DEFAULT_TENANT, spans(rows))
        return SpanCounts(store, **options)

    return put
