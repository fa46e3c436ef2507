"""Clients of Prometheus that know nothing of Holdfast: Debian's `promtool query`, and the calls that Grafana makes."""

from __future__ import annotations

import asyncio
import subprocess
import time

import httpx
import pytest

from fixtures.servers import require_program

PAGE = """\
# HELP shop_orders_total Orders.
# TYPE shop_orders_total counter
shop_orders_total{kind="web"} 7
# HELP "shop.queue.depth" Waiting.
# TYPE "shop.queue.depth" gauge
{"shop.queue.depth","my.zone"="a"} 3
"""


@pytest.fixture
async def url(serving):
    """A server that was pushed a page."""
    async with serving() as url, httpx.AsyncClient() as client:
        answer = await client.put(f"{url}/metrics/job/batch", content=PAGE)
        assert answer.status_code in {200, 202}, answer.text
        yield url


@pytest.mark.service
async def test_promtool_gets_what_it_asks_for(url):
    promtool = require_program("promtool")
    now = int(time.time())
    wanted = {
        ("instant", "{}", "shop_orders_total"): 'shop_orders_total{instance="", job="batch", kind="web"} => 7',
        ("range", f"--start={now - 60}", f"--end={now}", "--step=30s", "{}", "vector(1)"): f"1 @[{now}]",
        ("series", "{}", "--match=shop_orders_total"): '__name__="shop_orders_total"',
        ("labels", "{}", "kind"): "web",
    }
    for arguments, words in wanted.items():
        command = [promtool, "query", *(each.format(f"{url}/prometheus") for each in arguments)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert words.replace('instance="", ', "") in done.stdout.replace('instance="", ', ""), (arguments, done.stdout)
    wrong = [promtool, "query", "instant", f"{url}/prometheus", "sum("]
    done = await asyncio.to_thread(subprocess.run, wrong, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "bad_data: 1:5: parse error: unclosed left parenthesis" in done.stderr


GRAFANA = [
    ("POST", "query", {"query": "1+1", "time": "1"}, lambda data: data["result"][1] == "2"),
    ("GET", "query", {"query": "shop_orders_total"}, lambda data: data["result"][0]["value"][1] == "7"),
    ("POST", "query_range", {"query": "shop_orders_total", "step": "15"}, lambda data: len(data["result"]) == 1),
    ("GET", "labels", {}, lambda data: {"__name__", "kind", "my.zone"} <= set(data)),
    ("POST", "labels", {"match[]": "shop_orders_total"}, lambda data: "kind" in data),
    ("GET", "label/kind/values", {"match[]": '{job="batch"}', "limit": "40000"}, lambda data: data == ["web"]),
    ("GET", "label/U__my_2e_zone/values", {}, lambda data: data == ["a"]),
    ("POST", "series", {"match[]": '{"shop.queue.depth"}'}, lambda data: data[0]["my.zone"] == "a"),
    ("GET", "metadata", {"limit_per_metric": "1"}, lambda data: data["shop_orders_total"][0]["type"] == "counter"),
    ("GET", "query_exemplars", {"query": "shop_orders_total"}, lambda data: data == []),
    ("GET", "rules", {}, lambda data: data == {"groups": []}),
    ("GET", "alerts", {}, lambda data: data == {"alerts": []}),
    ("GET", "status/buildinfo", {}, lambda data: data["version"].startswith("3.")),
]


async def test_every_call_of_grafanas_data_source_is_answered(url):
    now = time.time()
    between = {"start": str(now - 3600), "end": str(now + 60)}
    async with httpx.AsyncClient() as client:
        for method, path, params, is_right in GRAFANA:
            needs_time = path in {"query_range", "labels", "series", "query_exemplars"} or path.startswith("label/")
            asked = {**between, **params} if needs_time else params
            ask = {"params": asked} if method == "GET" else {"data": asked}
            answer = await client.request(method, f"{url}/prometheus/api/v1/{path}", **ask)
            assert answer.status_code == 200, (path, answer.text)
            assert is_right(answer.json()["data"]), (path, answer.text)


async def test_series_are_deleted_as_prometheus_does_it(url):
    async with httpx.AsyncClient(base_url=f"{url}/prometheus/api/v1") as client:
        refused = await client.post("/admin/tsdb/delete_series")
        assert (refused.status_code, refused.json()["error"]) == (400, "no match[] parameter provided")
        done = await client.post("/admin/tsdb/delete_series", params={"match[]": "shop_orders_total"})
        assert done.status_code == 204
        assert (await client.get("/query", params={"query": "shop_orders_total[1h]"})).json()["data"]["result"] == []
        left = (await client.get("/query", params={"query": 'count({"shop.queue.depth"})'})).json()["data"]["result"]
        assert left[0]["value"][1] == "1"
        assert (await client.post("/admin/tsdb/snapshot")).status_code == 400
