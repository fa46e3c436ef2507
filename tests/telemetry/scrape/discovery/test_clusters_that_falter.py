"""An API server that cuts watches off, says what is no event, refuses one namespace: what is known stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from fixtures.clocks import advance_until
from holdfast.kernel import decoding
from holdfast.kernel.clock import FakeClock, SystemClock
from holdfast.resilience import Backoff
from holdfast.telemetry.metrics.scrape.config import KubernetesDiscovery
from holdfast.telemetry.metrics.scrape.discovery import Failures
from holdfast.telemetry.metrics.scrape.discovery.kubernetes import ClusterTargets, access, cluster, watching
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.roles import RoleTargets
from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics
from telemetry.scrape.discovery.clusters import ApiServer, pod

PODS = "/api/v1/pods"
OF_SHOP, OF_OPS = "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/ops/pods"


class Followed:
    """What a discovery told, and whether it still runs."""

    def __init__(self):
        self.told, self.registry = {}, CollectorRegistry()
        self.metrics = ScrapeMetrics(self.registry)

    def tell(self, source, found):
        self.told[source] = [one["__address__"] for one in found]

    @property
    def failures(self):
        return self.registry.get_sample_value("holdfast_scrape_discovery_failures_total", {"kind": "kubernetes"}) or 0


@pytest.fixture
async def api():
    async with ApiServer().listening() as server:
        yield server


@pytest.fixture
async def follow(api, callers, tmp_path):
    tasks = []

    def start(**fields):
        followed = Followed()
        is_elsewhere = "kubeconfig_file" in fields or "own_namespace" in fields.get("namespaces", {})
        server = {} if is_elsewhere else {"api_server": f"http://127.0.0.1:{api.port}"}
        given = {"role": "pod", **server, **fields}
        section = decoding.decode(KubernetesDiscovery, given)
        targets = ClusterTargets(section, callers, tmp_path, SystemClock(), Failures(followed.metrics, SystemClock()))
        followed.task = asyncio.create_task(targets.run(followed.tell))
        tasks.append(followed.task)
        return followed

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until(condition, limit_s=15):
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - what is waited for happens over a connection
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("line", [b"{ no JSON\n", b"[1]\n", b'{"type": "ADDED", "object": null}\n', b"\xff\xfe\n"])
async def test_a_line_that_is_no_event_is_a_failure_and_no_crash(api, follow, line):
    api.objects[PODS] = [pod("a", "10.1.0.1")]
    followed = follow()
    await _until(lambda: api.watches.get(PODS))
    api.objects[PODS] = [pod("b", "10.1.0.2")]
    api.cut(PODS, line)
    await _until(lambda: "pod/shop/b" in followed.told)
    assert followed.told["pod/shop/a"] == []
    assert (followed.failures, followed.task.done()) == (1, False)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_line_that_is_cut_in_the_middle_costs_nothing_but_a_look(api, follow, chunked):
    api.chunked, api.objects[PODS] = chunked, [pod("a", "10.1.0.1")]
    followed = follow()
    await _until(lambda: api.watches.get(PODS))
    api.cut(PODS, b'{"type": "ADDED", "object": {"metad')
    await _until(lambda: api.watches.get(PODS))
    api.tell(PODS, "ADDED", pod("late", "10.1.0.9"))
    await _until(lambda: "pod/shop/late" in followed.told)
    assert not followed.task.done()


async def test_watches_that_lasted_and_were_cut_are_followed_by_short_pauses(api, follow, monkeypatch):
    monkeypatch.setattr(watching, "_SHORT_S", 0.05)
    monkeypatch.setattr(watching, "AGAIN", Backoff(base_s=0.1, cap_s=60.0, jitter="none"))
    api.chunked, api.objects[PODS] = True, [pod("a", "10.1.0.1")]
    followed = follow()
    for _ in range(8):  # pauses that grow would be 0.1, 0.2, ... 12.8 s
        await _until(lambda: api.watches.get(PODS), limit_s=2)
        await asyncio.sleep(0.1)
        api.cut(PODS, b"5\r\n{")
    await _until(lambda: followed.failures == 8)


@pytest.mark.parametrize("refusal", [b"", b"429 Too Many Requests\r\nretry-after: 1"])
async def test_a_watch_that_is_cut_after_a_while_goes_on_where_it_was(api, follow, monkeypatch, refusal):
    monkeypatch.setattr(watching, "_SHORT_S", 0.05)
    monkeypatch.setattr(watching, "AGAIN", Backoff(base_s=0.01, cap_s=0.01, jitter="none"))
    api.chunked, api.objects[PODS] = True, [pod("a", "10.1.0.1")]
    followed = follow()
    await _until(lambda: api.watches.get(PODS))
    api.tell(PODS, "ADDED", pod("b", "10.1.0.2", resourceVersion="12"))
    await _until(lambda: "pod/shop/b" in followed.told)
    api.refused = {PODS: refusal}
    api.cut(PODS, b"5\r\n{")
    if refusal:
        await _until(lambda: followed.failures == 2)
        api.refused.clear()
    await _until(lambda: api.watches.get(PODS))
    asked = [query.get("resourceVersion") for _, query, _ in api.asked]
    assert asked == [None, ["7"], ["12"]] + [["12"]] * bool(refusal)


async def test_a_server_that_has_too_much_to_do_is_left_alone_for_as_long_as_it_asks(api, callers):
    api.refused[PODS] = b"429 Too Many Requests\r\nretry-after: 100"
    clock, metrics = FakeClock(), ScrapeMetrics(CollectorRegistry())
    given = {"api_server": f"http://127.0.0.1:{api.port}", "role": "pod"}
    targets = ClusterTargets(
        decoding.decode(KubernetesDiscovery, given), callers, Path(), clock, Failures(metrics, clock)
    )
    task = asyncio.create_task(targets.run(lambda _source, _found: None))
    began_s = clock.monotonic()
    await advance_until(clock, lambda: len(api.asked) == 2, pause_s=0.02)
    assert clock.monotonic() - began_s >= 100
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_the_own_namespace_is_a_failure_until_it_is_known(api, follow, tmp_path, monkeypatch):
    monkeypatch.setattr(access, "ACCOUNT", tmp_path)
    monkeypatch.setattr(access, "IN_CLUSTER", f"http://127.0.0.1:{api.port}")
    monkeypatch.setattr(cluster, "AGAIN", Backoff(base_s=0.01, cap_s=0.01, jitter="none"))
    followed = follow(namespaces={"own_namespace": True})
    await _until(lambda: followed.failures)
    assert api.asked == []


async def test_one_namespace_that_is_refused_does_not_hold_the_others_up(api, follow):
    api.objects[OF_SHOP] = [pod("a", "10.1.0.1")]
    api.refused[OF_OPS] = b"403 Forbidden"
    followed = follow(namespaces={"names": ["shop", "ops"]})
    await _until(lambda: "pod/shop/a" in followed.told)
    api.refused.clear()
    api.objects[OF_OPS] = [pod("b", "10.1.0.2", namespace="ops")]
    await _until(lambda: "pod/ops/b" in followed.told)
    api.refused[OF_SHOP] = b"403 Forbidden"
    api.cut(OF_SHOP, b"no JSON\n")
    api.tell(OF_OPS, "DELETED", pod("b", "10.1.0.2", namespace="ops"))
    await _until(lambda: followed.told["pod/ops/b"] == [])
    assert followed.told["pod/shop/a"]


async def test_a_role_that_is_refused_keeps_its_namespace_waiting(api, follow):
    address = {"ip": "10.1.0.1", "targetRef": {"kind": "Pod", "name": "a"}}
    subsets = [{"addresses": [address], "ports": [{"port": 8080}]}]
    found = {"metadata": {"name": "web", "namespace": "shop"}, "subsets": subsets}
    api.objects["/api/v1/endpoints"], api.objects[PODS] = [found], [pod("a", "10.1.0.1")]
    api.refused[PODS] = b"403 Forbidden"
    followed = follow(role="endpoints")
    await _until(lambda: followed.failures)
    assert followed.told == {}
    api.refused.clear()
    await _until(lambda: followed.told.get("endpoints/shop/web") == ["10.1.0.1:8080", "10.1.0.1:9090"])


async def test_a_list_whose_rest_is_gone_is_begun_again(api, follow):
    api.objects[PODS], api.expired = [pod("a", "10.1.0.1"), pod("b", "10.1.0.2")], 1
    followed = follow()
    await _until(lambda: len(followed.told) == 2)
    assert followed.failures == 1


@pytest.mark.parametrize("status", [b"410 Gone", b"504 Gateway Timeout", b"500 Internal Server Error"])
async def test_a_watch_that_is_refused_is_followed_by_a_list(api, follow, status):
    api.objects[PODS] = [pod("a", "10.1.0.1")]
    followed = follow()
    await _until(lambda: api.watches.get(PODS))
    api.refused[PODS] = status
    api.cut(PODS)
    await _until(lambda: followed.failures)
    assert followed.told["pod/shop/a"]
    api.refused.clear()
    api.objects[PODS] = [pod("b", "10.1.0.2")]
    await _until(lambda: followed.told["pod/shop/a"] == [] and followed.told["pod/shop/b"])


async def test_a_token_that_is_written_anew_is_taken(api, follow, tmp_path):
    (tmp_path / "token").write_text("old")
    api.token, api.objects[PODS] = "new", [pod("a", "10.1.0.1")]
    followed = follow(authorization={"credentials_file": "token"})
    await _until(lambda: followed.failures)
    (tmp_path / "token").write_text("new")
    await _until(lambda: "pod/shop/a" in followed.told)


async def test_a_kubeconfig_file_that_comes_later_is_a_failure_until_then(api, follow, tmp_path):
    api.objects[PODS] = [pod("a", "10.1.0.1")]
    followed = follow(kubeconfig_file="config")
    await _until(lambda: followed.failures)
    (tmp_path / "config").write_text(
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nusers: [{name: u, user: {}}]\n"
        f"clusters: [{{name: k, cluster: {{server: 'http://127.0.0.1:{api.port}'}}}}]\n"
    )
    await _until(lambda: "pod/shop/a" in followed.told)


async def test_a_large_object_comes_through_the_watch(api, follow):
    followed = follow()
    await _until(lambda: api.watches.get(PODS))
    api.tell(PODS, "ADDED", pod("big", "10.1.0.1", annotations={"doc": "x" * 4_000_000}))
    await _until(lambda: "pod/shop/big" in followed.told)
    api.tell(PODS, "BOOKMARK", {"metadata": {"resourceVersion": "99"}})
    api.cut(PODS)
    await _until(lambda: api.watches.get(PODS))
    assert [q["resourceVersion"] for _, q, _ in api.asked if "watch" in q] == [["7"], ["99"]]
    assert followed.failures == 0


def test_only_the_targets_of_what_changed_are_made_anew():
    service = {"metadata": {"name": "web", "namespace": "shop"}}

    def behind(name):
        address = {"ip": "10.1.0.1", "targetRef": {"kind": "Pod", "name": name}}
        subsets = [{"addresses": [address], "ports": [{"port": 8080}]}]
        return {"metadata": {"name": f"of-{name}", "namespace": "shop"}, "subsets": subsets}

    cluster = {
        "endpoints": {f"shop/of-{name}": behind(name) for name in "abc"},
        "service": {"shop/of-c": service},
        "pod": {"shop/a": pod("a", "10.1.0.1")},
    }
    targets = RoleTargets("endpoints")
    first = targets.of(cluster)
    cluster["pod"] = {"shop/a": pod("a", "10.1.0.1", labels={"x": "1"}), "shop/b": pod("b", "10.1.0.1")}
    second = targets.of(cluster)
    del cluster["service"]["shop/of-c"], cluster["endpoints"]["shop/of-b"]
    third = targets.of(cluster)
    assert [first[key] is second[key] for key in first] == [False, False, True]
    assert [third[key] is second[key] for key in third] == [True, False]
    assert second["endpoints/shop/of-a"][0]["__meta_kubernetes_pod_label_x"] == "1"
    assert second["endpoints/shop/of-b"][0]["__meta_kubernetes_pod_name"] == "b"
