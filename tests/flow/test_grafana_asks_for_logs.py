"""Every call that Grafana's Loki data source and Logs Drilldown make, on the real app, as they make it."""

from __future__ import annotations

import time

import pytest

ANY = '{service_name=~".+"}'
GZIP = {"Accept-Encoding": "gzip"}
SHOP = '{service_name="shop"}'
COUNT = f"sum by (detected_level) (count_over_time({SHOP}[1m]))"
CALLS = [
    ("/query", {"query": "vector(1)+vector(1)"}, "vector"),  # "Save & test"
    ("/query", {"query": COUNT}, "vector"),
    ("/query_range", {"query": SHOP, "direction": "backward", "limit": "1000", "step": "15000ms"}, "streams"),
    ("/query_range", {"query": f"{SHOP} | json | logfmt | drop __error__", "direction": "forward"}, "streams"),
    ("/query_range", {"query": COUNT, "step": "60s"}, "matrix"),  # the histogram above lines
    ("/labels", {"query": SHOP}, ["service_name", "team"]),
    ("/label/team/values", {"query": SHOP}, ["red"]),
    ("/series", {"match[]": SHOP}, [{"service_name": "shop", "team": "red"}]),
    ("/index/stats", {"query": SHOP}, {"streams": 1, "chunks": 1, "entries": 3}),
    ("/index/volume", {"query": SHOP, "limit": "5000"}, "vector"),
    (
        "/index/volume",
        {"query": '{service_name=~".+"}', "targetLabels": "service_name", "aggregateBy": "labels"},
        "vector",
    ),
    ("/index/volume_range", {"query": SHOP, "step": "60", "aggregateBy": "series"}, "matrix"),
    ("/detected_labels", {"query": SHOP}, {"detectedLabels": 2}),
    ("/detected_fields", {"query": SHOP, "line_limit": "1000", "limit": "100"}, {"fields": 3}),
    ("/detected_field/took/values", {"query": SHOP, "limit": "10"}, {"values": 3}),
    ("/patterns", {"query": SHOP, "step": "10s"}, []),
    ("/format_query", {"query": "{a='b'}".replace("'", '"')}, '{a="b"}'),
]


@pytest.fixture
async def client(running):
    now_ns = time.time_ns()
    values = [[str(now_ns - place), f'{{"took": "{place}ms"}}', {"trace_id": f"{place:032x}"}] for place in range(3)]
    streams = [{"stream": {"service_name": "shop", "team": "red"}, "values": values}]
    async with running() as client:
        pushed = await client.post("/loki/api/v1/push", json={"streams": streams})
        assert pushed.status_code == 204
        client.base_url = "http://127.0.0.1/loki/api/v1"
        yield client


@pytest.mark.slow
async def test_every_call_is_answered_as_loki_answers_it(client):
    end = time.time() + 1
    span = {"start": str(int((end - 600) * 1e9)), "end": str(int(end * 1e9))}
    headers = {"X-Loki-Response-Encoding-Flags": "categorize-labels", "Accept-Encoding": "gzip"}
    for path, parameters, expected in CALLS:
        asked = parameters if path == "/format_query" else parameters | span | {"time": span["end"]}
        got = await client.get(path, params=asked, headers=headers)
        posted = await client.post(path, data=asked, headers=headers)
        for answer in (got, posted):
            assert answer.status_code == 200, (path, answer.text)
            assert answer.headers["content-type"] == "application/json", path
            shape(path, answer.json(), expected)


def shape(path, document, expected):
    """Check what an answer is: the kind of a result, data in an envelope, or counts of a document without one."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            found = document[name]
            assert (len(found) if isinstance(found, list) else found) == value, (path, document)
        return
    assert document["status"] == "success", path
    data = document["data"]
    if expected in ("vector", "matrix", "streams"):
        assert data["resultType"] == expected, path
        assert data["result"], (path, document)
    elif path != "/patterns":
        assert data == expected, path


async def test_what_grafana_asks_before_it_asks(client):
    build = (await client.get("/status/buildinfo")).json()
    assert build["version"].startswith("3.")
    assert (await client.get("/drilldown-limits")).json()["limits"]["retention_period"] not in ("", "0s")
    assert (await client.get("/rules")).text == "{}\n"
    assert (await client.get("http://127.0.0.1/ready")).text == "ready\n"


async def test_long_answers_are_compressed_as_grafana_asks(client):
    lines = [[str(time.time_ns() + place), "x" * 100] for place in range(20)]
    await client.post("/push", json={"streams": [{"stream": {"service_name": "long"}, "values": lines}]})
    asked = {"query": '{service_name="long"}', "end": str(time.time() + 60)}
    answer = await client.get("/query_range", params=asked, headers=GZIP)
    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["data"]["result"][0]["values"]) == 20


async def test_a_query_has_the_limits_of_the_settings(running) -> None:
    async with running(log_queries={"max_entries": 2, "max_steps": 3, "timeout": "7s"}) as client:
        for parameters in (
            {"limit": 3, "query": '{a="b"}'},
            {"query": 'rate({a="b"}[1m])', "start": 0, "end": 9, "step": 1},
        ):
            refused = await client.get("/loki/api/v1/query_range", params=parameters)
            assert (refused.status_code, "log_queries.max_" in refused.headers["x-holdfast-hint"]) == (400, True)
        told = (await client.get("/loki/api/v1/drilldown-limits")).json()
        assert told["limits"]["query_timeout"] == "7s"
