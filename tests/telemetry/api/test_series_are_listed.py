"""Listings of series over HTTP: whole, cut at a limit, and also where they are very many."""

from __future__ import annotations

import tracemalloc

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.telemetry.metrics.labels import labels_of


async def test_very_many_series_are_listed_in_less_memory_than_as_dicts(prometheus_api, metrics_source):
    count = 20_000
    for number in range(count):
        labels = {"__name__": "wide", "job": "a", "pod": f"{number:05}", "quote": '"'}
        metrics_source.add(DEFAULT_TENANT, labels_of(labels), [(600_000, 1.0)])
    tracemalloc.start()
    answer = await prometheus_api.get("/series", params={"match[]": "wide"})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    rows = [{"__name__": "wide", "job": "a", "pod": f"{number:05}", "quote": '"'} for number in range(count)]
    assert answer.json() == {"status": "success", "data": rows}
    assert most < 360 * count  # 270 as they are written, 500 as a dict of each
    limited = (await prometheus_api.get("/series", params={"match[]": "wide", "limit": "4000"})).json()
    assert (limited["data"], limited["warnings"]) == (rows[:4000], ["results truncated due to limit"])
    empty = (await prometheus_api.get("/series", params={"match[]": "nobody"})).json()
    assert empty == {"status": "success", "data": []}
