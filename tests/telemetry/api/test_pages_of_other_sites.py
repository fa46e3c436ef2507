"""Which pages may read the Prometheus API in a browser."""

from __future__ import annotations

import pytest

from holdfast.telemetry.metrics.api.origins import Origins


@pytest.mark.parametrize("origin", ["https://grafana.example", "http://localhost:3000", "http://127.0.0.1"])
async def test_a_page_that_may_read_is_told_so_also_of_errors_and_before_it_asks(prometheus_api, origin):
    for answer in (
        await prometheus_api.get("/query", params={"query": "1"}, headers={"Origin": origin}),
        await prometheus_api.get("/query", params={"query": "sum("}, headers={"Origin": origin}),
        await prometheus_api.options("/query_range", headers={"Origin": origin}),
    ):
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Authorization" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/query", "/series", "/label/job/values", "/targets/metadata", "/status/config", "/admin/tsdb/snapshot"],
)
async def test_a_page_may_ask_whether_it_may_ask_anywhere(prometheus_api, path):
    answer = await prometheus_api.options(path, headers={"Origin": "http://localhost:3000"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "http://localhost:3000"


async def test_what_is_not_there_is_not_found_however_it_is_asked_for(prometheus_api):
    assert [(await prometheus_api.request(method, "/nowhere")).status_code for method in ("GET", "POST")] == [404, 404]
    assert (await prometheus_api.put("/query")).status_code == 405


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost.evil.example", "null"])
async def test_other_pages_are_told_nothing(prometheus_api, origin):
    answer = await prometheus_api.get("/query", params={"query": "1"}, headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


class _Asking:
    def __init__(self):
        self.scope = {"headers": [(b"host", b"localhost"), (b"origin", b"https://anywhere.example")]}


def test_all_sites_may_read_where_the_settings_say_so():
    assert Origins(("*",)).headers_for(_Asking())["Access-Control-Allow-Origin"] == "https://anywhere.example"
