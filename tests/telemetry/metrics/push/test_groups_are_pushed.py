"""Pushed metrics stay until they are replaced or deleted, as in the Pushgateway, and their series never go stale."""

from __future__ import annotations

import itertools
import math
from typing import Any

import cramjam
import httpx
import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    delete_from_gateway,
    push_to_gateway,
    pushadd_to_gateway,
)

from fixtures.arrivals import KeepingSink
from holdfast.kernel import sql
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError
from holdfast.kernel.permissions import Permission, Role
from holdfast.kernel.wiring import Wiring
from holdfast.telemetry.metrics.exposition import metric_family
from holdfast.telemetry.metrics.histograms import Buckets
from holdfast.telemetry.metrics.push import Gateway, Shelf, push_routes, push_surface
from holdfast.web.assembly import build_app

TEXT = {"content-type": "text/plain; version=0.0.4"}
PERMISSIONS = (Permission("metrics.write", Role.OPERATOR, "w"), Permission("metrics.read", Role.VIEWER, "r"))


@pytest.fixture
def sink() -> KeepingSink:
    return KeepingSink()


@pytest.fixture
def migrations() -> tuple[str, ...]:
    return ("holdfast.telemetry.metrics.push.migrations",)


@pytest.fixture
async def gateway(db: sql.Database, sink: KeepingSink, fake_clock: Any) -> Gateway:
    return Gateway(sink, Shelf(db, most_groups=5), fake_clock)


@pytest.fixture
async def client(gateway: Gateway) -> Any:
    wiring = Wiring("push", routers=(push_routes(gateway),), surfaces=(push_surface(gateway),), permissions=PERMISSIONS)
    app = build_app([wiring], gate=OpenGate(), registry=CollectorRegistry())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        yield client


def latest(sink: KeepingSink) -> dict[str, float]:
    """Give the newest value of each series, without those that have ended."""
    values = {}
    for labels, _, value in sink.book("default").samples:
        pairs = dict(labels)
        name = pairs.pop("__name__")
        values[name + str(sorted(pairs.items()))] = value
    return {name: value for name, value in values.items() if not math.isnan(value)}


def pushed(sink: KeepingSink) -> dict[str, float]:
    return {name: value for name, value in latest(sink).items() if not name.startswith("push_")}


async def test_a_push_is_written_at_once_with_its_grouping_labels(
    client: Any, sink: KeepingSink, fake_clock: Any
) -> None:
    body = b'# TYPE rows counter\nrows 5\nlast{job="other",x="y"} 1\n'
    answer = await client.put("/metrics/job/backup/shard/a", content=body, headers=TEXT)
    assert (answer.status_code, answer.content) == (200, b"")
    assert latest(sink) == {
        "rows[('job', 'backup'), ('shard', 'a')]": 5.0,
        "last[('job', 'backup'), ('shard', 'a'), ('x', 'y')]": 1.0,
        "push_time_seconds[('job', 'backup'), ('shard', 'a')]": fake_clock.now().timestamp(),
        "push_failure_time_seconds[('job', 'backup'), ('shard', 'a')]": 0.0,
    }
    said = {each.family: each.type for each in sink.book("default").metadata}
    assert said["rows"] == "counter"
    assert said["push_time_seconds"] == "gauge"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"a 1\na 2\n", 'a{job="j"}'),
        (b'a{x="1"} 1\nb 1\na{x="1"} 1\n', 'a{job="j", x="1"}'),
        (b'a{job="one"} 1\na{job="two"} 2\n', 'a{job="j"}'),
    ],
)
async def test_a_series_that_stands_twice_is_refused(client: Any, sink: KeepingSink, body: bytes, shown: str) -> None:
    answer = await client.put("/metrics/job/j", content=body, headers=TEXT)
    assert (answer.status_code, f"{shown} stands twice" in answer.text) == (400, True)
    assert pushed(sink) == {}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("job@base64/%C3%A9", "job is not base64"),
        ("job@base64/_w", "job is not base64"),
        ("job/%FF", "the value of job is not UTF-8"),
        ("job/j/x/a%C3", "the value of x is"),
        ("job/j/__x/y", "is no label"),
    ],
)
async def test_an_address_that_is_no_grouping_key_is_refused(client: Any, path: str, words: str) -> None:
    for method in ("PUT", "POST", "DELETE"):
        answer = await client.request(method, f"/metrics/{path}", content=b"a 1\n", headers=TEXT)
        assert (answer.status_code, words in answer.text) == (400, True)


STREAM = bytes(cramjam.snappy.compress(b"a 1\n" * 5 + b"b 2\n"))
BLOCK = bytes(cramjam.snappy.compress_raw(b"a 1\n"))


@pytest.mark.parametrize("content", [bytes(cramjam.snappy.compress(b"a 1\n")), BLOCK])
async def test_a_body_may_be_packed_with_snappy(client: Any, sink: KeepingSink, content: bytes) -> None:
    answer = await client.put("/metrics/job/j", content=content, headers={**TEXT, "content-encoding": "snappy"})
    assert (answer.status_code, pushed(sink)) == (200, {"a[('job', 'j')]": 1.0})


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"a 1\n", 400, "is not a snappy block"),
        (STREAM[:-1], 400, "not a snappy stream: it is cut off"),
        (STREAM[:12], 400, "not a snappy stream: it is cut off"),
        (STREAM[:14] + b"\x00" + STREAM[15:], 400, "not a snappy stream"),
        (bytes(cramjam.snappy.compress(bytes(17_000_000))), 413, "more than push.max_body = 16000000"),
        (bytes(cramjam.snappy.compress_raw(bytes(17_000_000))), 413, "more than push.max_body = 16000000"),
    ],
)
async def test_a_body_that_is_packed_badly_or_too_large_is_refused(
    client: Any, sink: KeepingSink, content: bytes, status: int, words: str
) -> None:
    answer = await client.put("/metrics/job/j", content=content, headers={**TEXT, "content-encoding": "snappy"})
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert pushed(sink) == {}


async def test_native_histograms_are_pushed_kept_and_ended(client: Any, sink: KeepingSink, gateway: Gateway) -> None:
    family = metric_family()(name="took_seconds", type=4)
    histogram = family.metric.add().histogram
    histogram.sample_count, histogram.sample_sum, histogram.schema, histogram.zero_count = 6, 4.5, 2, 1
    histogram.positive_span.add(offset=-1, length=2)
    histogram.positive_delta.extend([2, 1])
    message = family.SerializeToString()
    kind = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    body = bytes([len(message)]) + message
    assert (await client.put("/metrics/job/j", content=body, headers={"content-type": kind})).status_code == 200
    await gateway.refresh()
    await client.delete("/metrics/job/j")
    *held, ended = [value for _, _, value, _ in sink.book("default").histograms]
    assert [(each.count, each.sum, each.schema, each.positive) for each in held] == [
        (6.0, 4.5, 2, Buckets(-1, (2.0, 3.0)))
    ] * 2
    assert math.isnan(ended.sum)


async def test_exemplars_are_pushed_once(client: Any, sink: KeepingSink, gateway: Gateway, fake_clock: Any) -> None:
    body = b'# TYPE rows counter\nrows_total 5 # {trace_id="a"} 1 1.5\n# TYPE h histogram\n'
    body += b'h_bucket{le="+Inf"} 1 # {trace_id="b"} 2\nh_count 1\nh_sum 1\n# EOF\n'
    kind = "application/openmetrics-text; version=1.0.0"
    assert (await client.put("/metrics/job/j", content=body, headers={"content-type": kind})).status_code == 200
    await gateway.refresh()
    found = [
        (dict(labels)["__name__"], ts_ms, value, dict(own))
        for labels, ts_ms, value, own in sink.book("default").exemplars
    ]
    now_ms = int(fake_clock.now().timestamp() * 1000)
    assert found == [
        ("rows_total", 1500, 1.0, {"trace_id": "a"}),
        ("h_bucket", now_ms, 2.0, {"trace_id": "b"}),
    ]


async def test_times_of_pushes_that_are_pushed_do_not_count(client: Any, sink: KeepingSink, fake_clock: Any) -> None:
    body = (
        b'a 1\npush_time_seconds{instance="x"} 1\n# TYPE push_failure_time_seconds gauge\npush_failure_time_seconds 1\n'
    )
    assert (await client.put("/metrics/job/j", content=body, headers=TEXT)).status_code == 200
    assert latest(sink) == {
        "a[('job', 'j')]": 1.0,
        "push_time_seconds[('job', 'j')]": fake_clock.now().timestamp(),
        "push_failure_time_seconds[('job', 'j')]": 0.0,
    }


async def test_put_replaces_a_group_and_post_the_metrics_of_the_same_name(client: Any, sink: KeepingSink) -> None:
    await client.put("/metrics/job/j", content=b'a 1\nb{x="1"} 1\nb{x="2"} 1\n', headers=TEXT)
    await client.post("/metrics/job/j", content=b'b{x="3"} 2\n', headers=TEXT)
    assert pushed(sink) == {"a[('job', 'j')]": 1.0, "b[('job', 'j'), ('x', '3')]": 2.0}
    await client.put("/metrics/job/j", content=b"c 3\n", headers=TEXT)
    assert pushed(sink) == {"c[('job', 'j')]": 3.0}
    await client.put("/metrics/job/j", content=b"", headers=TEXT)
    assert pushed(sink) == {}
    assert [name.partition("[")[0] for name in latest(sink)] == ["push_time_seconds", "push_failure_time_seconds"]


async def test_deleting_ends_all_series_of_the_group_only(client: Any, sink: KeepingSink) -> None:
    await client.put("/metrics/job/j", content=b"a 1\n", headers=TEXT)
    await client.put("/metrics/job/j/x/y", content=b"a 2\n", headers=TEXT)
    assert (await client.delete("/metrics/job/j")).status_code == 202
    assert pushed(sink) == {"a[('job', 'j'), ('x', 'y')]": 2.0}
    assert (await client.delete("/metrics/job/nobody")).status_code == 202


async def test_what_a_busy_store_did_not_let_end_ends_with_the_next_round(
    client: Any, sink: KeepingSink, gateway: Gateway, fake_clock: Any
) -> None:
    await client.put("/metrics/job/changed", content=b"a 1\nb 1\n", headers=TEXT)
    await client.put("/metrics/job/deleted", content=b"a 2\n", headers=TEXT)
    await gateway.refresh()
    sink.failure = BusyError("full")
    await fake_clock.advance(1)
    assert (await client.delete("/metrics/job/deleted")).status_code == 503
    assert (await client.put("/metrics/job/changed", content=b"b 3\n", headers=TEXT)).status_code == 503
    with pytest.raises(BusyError):
        await gateway.refresh()
    sink.failure = None
    await gateway.refresh()
    assert pushed(sink) == {"b[('job', 'changed')]": 3.0}
    written = len(sink.book("default").samples)
    await gateway.refresh()
    assert len(sink.book("default").samples) == written + 3, "they end once"


async def test_groups_are_written_again_from_the_disk(
    client: Any, sink: KeepingSink, db: sql.Database, gateway: Gateway, fake_clock: Any
) -> None:
    await client.put("/metrics/job/j", content=b"a 1\nnan NaN\n", headers=TEXT)
    await client.put("/metrics/job/k", content=b"b 2\n", headers={**TEXT, "x-scope-orgid": "t"})
    later = KeepingSink()
    restarted = Gateway(later, Shelf(db, most_groups=5), fake_clock)
    for _ in range(2):
        await fake_clock.advance(15)
        await restarted.refresh()
    times = [ts_ms for labels, ts_ms, _ in later.book("default").samples if ("__name__", "a") in labels]
    assert [after - before for before, after in itertools.pairwise(times)] == [15_000]
    assert len(later.book("t").samples) == 6
    await client.delete("/metrics/job/j")
    await client.post("/metrics/job/k", content=b"b 3\n", headers={**TEXT, "x-scope-orgid": "t"})
    for _ in range(2):
        await restarted.refresh()
    assert len(later.book("default").samples) == 8 + 4
    assert latest(later) == {}
    assert [value for labels, _, value in later.book("t").samples if ("__name__", "b") in labels] == [
        2.0,
        2.0,
        3.0,
        3.0,
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"a 1 1234\n", "has a timestamp"),
        (b"a{ 1\n", "page:1: not a sample"),
        (b"\xff\n", ""),
    ],
)
async def test_a_bad_push_is_refused_and_noted_and_the_group_stays(
    client: Any, sink: KeepingSink, fake_clock: Any, body: bytes, words: str
) -> None:
    await client.put("/metrics/job/j", content=b"a 1\n", headers=TEXT)
    answer = await client.put("/metrics/job/j", content=body, headers=TEXT)
    assert answer.status_code == 400
    assert words in answer.text
    assert pushed(sink) == {"a[('job', 'j')]": 1.0}
    assert latest(sink)["push_failure_time_seconds[('job', 'j')]"] == fake_clock.now().timestamp()


async def test_a_store_that_is_away_is_told_and_the_push_not_lost(
    client: Any, sink: KeepingSink, gateway: Gateway
) -> None:
    sink.failure = BusyError("full")
    assert (await client.put("/metrics/job/j", content=b"a 1\n", headers=TEXT)).status_code == 503
    sink.failure = None
    await gateway.refresh()
    assert pushed(sink) == {"a[('job', 'j')]": 1.0}


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("job/a%20b/x/%C3%BC", {"job": "a b", "x": "ü"}),
        ("job/a/path@base64/L3Zhci90bXA", {"job": "a", "path": "/var/tmp"}),
        ("job/a/path@base64/L3Zhci90bXA=", {"job": "a", "path": "/var/tmp"}),
        ("job@base64/YS9i", {"job": "a/b"}),
        ("job/a/x@base64/=", {"job": "a"}),
        ("job/a/path/%2Fvar", {"job": "a", "path": "/var"}),
    ],
)
async def test_addresses_hold_any_label_value(client: Any, path: str, labels: dict[str, str]) -> None:
    for prefix in ("/metrics/", "/prometheus/metrics/"):
        assert (await client.put(prefix + path, content=b"a 1\n", headers=TEXT)).status_code == 200
    groups = (await client.get("/api/v1/metrics/groups")).json()["items"]
    assert [group["labels"] for group in groups] == [labels]
    assert groups[0]["metrics"] == ["a"]


@pytest.mark.parametrize(
    "path", ["job/a/x", "job/a/1x/y", "job/a/__name__/y", "job/a/job/b", "job@base64/=", "job/a/x@base64/%%%", "job/"]
)
async def test_addresses_that_group_nothing_are_refused(client: Any, path: str) -> None:
    assert (await client.put(f"/metrics/{path}", content=b"a 1\n", headers=TEXT)).status_code in {400, 404}


async def test_groups_are_bounded(client: Any) -> None:
    for number in range(5):
        await client.put(f"/metrics/job/j{number}", content=b"a 1\n", headers=TEXT)
    answer = await client.put("/metrics/job/j5", content=b"a 1\n", headers=TEXT)
    assert (answer.status_code, "push.max_groups" in answer.text) == (429, True)
    assert (await client.put("/metrics/job/j4", content=b"a 2\n", headers=TEXT)).status_code == 200


def calls(client: Any, sent: list[Any]) -> Any:
    """Give a handler for `prometheus_client` that keeps its requests, to be played to the app."""

    def handler(url: str, method: str, timeout: Any, headers: Any, data: bytes) -> Any:
        return lambda: sent.append((method, url.removeprefix("http://gateway"), dict(headers), data))

    return handler


async def test_the_stock_python_client_pushes_adds_and_deletes(client: Any, sink: KeepingSink) -> None:
    registry = CollectorRegistry()
    Gauge("last_success", "When.", registry=registry).set(7)
    Counter("rows", "Rows.", registry=registry).inc(3)
    Histogram("took_seconds", "How long.", buckets=(1,), registry=registry).observe(0.5)
    sent: list[Any] = []
    handler = calls(client, sent)
    key = {"path": "/var/tmp"}
    push_to_gateway("gateway", "backup", registry, key, handler=handler)
    pushadd_to_gateway("gateway", "backup", registry, key, handler=handler)
    delete_from_gateway("gateway", "backup", key, handler=handler)
    assert [method for method, *_ in sent] == ["PUT", "POST", "DELETE"]
    for method, path, headers, data in sent[:2]:
        answer = await client.request(method, path, headers=headers, content=data)
        assert answer.status_code == 200, answer.text
        labels = "('job', 'backup'), ('path', '/var/tmp')"
        found = pushed(sink)
        assert (found[f"last_success[{labels}]"], found[f"rows_total[{labels}]"]) == (7.0, 3.0)
        assert found["took_seconds_bucket[('job', 'backup'), ('le', '1.0'), ('path', '/var/tmp')]"] == 1.0
    method, path, headers, data = sent[2]
    assert (await client.request(method, path, headers=headers)).status_code == 202
    assert pushed(sink) == {}


async def test_a_group_is_written_again_by_the_process_that_has_it(db: sql.Database, fake_clock: Any) -> None:
    sinks = KeepingSink(), KeepingSink()
    shelf, shares = Shelf(db, most_groups=5), (lambda key: "job1" in key, lambda key: "job1" not in key)
    gateways = [Gateway(sink, shelf, fake_clock, owns=owns) for sink, owns in zip(sinks, shares, strict=True)]
    for number in range(3):
        labels = (("job", f"job{number}"),)
        await gateways[0].push("default", labels, b"x 1\n", TEXT["content-type"], is_replacing=True)
    sinks[0].book("default").samples.clear()
    for gateway in gateways:
        await gateway.refresh()
    jobs = [{dict(labels)["job"] for labels, _, _ in sink.book("default").samples} for sink in sinks]
    assert jobs == [{"job1"}, {"job0", "job2"}]
