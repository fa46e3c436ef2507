"""Kubernetes' objects become targets with the labels of Prometheus, and follow what the cluster tells."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import orjson
import pytest
from prometheus_client import CollectorRegistry

from fixtures.clocks import advance_until
from holdfast.kernel import decoding
from holdfast.kernel.clock import FakeClock, SystemClock
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.scrape.config import KubernetesDiscovery
from holdfast.telemetry.metrics.scrape.discovery import Failures
from holdfast.telemetry.metrics.scrape.discovery.kubernetes import ClusterTargets
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.access import IN_CLUSTER, find_access
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.roles import RoleTargets
from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics
from telemetry.scrape.discovery.clusters import ApiServer, pod

PODS = "/api/v1/pods"
M = "__meta_kubernetes_"


def targets_of(role, cluster):
    return RoleTargets(role).of(cluster)


@pytest.fixture
async def api():
    async with ApiServer().listening() as server:
        yield server


@pytest.fixture
async def follow(api, callers):
    tasks = []

    def start(**fields):
        given = {"api_server": f"http://127.0.0.1:{api.port}", "bearer_token": "t0k3n", **fields}
        section = decoding.decode(KubernetesDiscovery, given)
        told: dict[str, list] = {}
        metrics = ScrapeMetrics(CollectorRegistry())
        cluster = ClusterTargets(section, callers, Path(), SystemClock(), Failures(metrics, SystemClock()))
        tasks.append(asyncio.create_task(cluster.run(lambda source, found: told.update({source: list(found)}))))
        return told

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _until(condition):
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - what is waited for happens over a connection
            await asyncio.sleep(0.02)


async def test_pods_are_listed_page_by_page_then_watched(api, follow):
    api.objects[PODS] = [pod("a", "10.1.0.1"), pod("b", "10.1.0.2")]
    told = follow(role="pod", selectors=[{"role": "pod", "label": "app=web", "field": "status.phase=Running"}])
    await _until(lambda: len(told) == 2 and api.watches.get(PODS))
    assert [one["__address__"] for one in told["pod/shop/a"]] == ["10.1.0.1:8080", "10.1.0.1:9090", "10.1.0.1"]
    api.tell(PODS, "ADDED", pod("c", "10.1.0.3"))
    await _until(lambda: "pod/shop/c" in told)
    api.tell(PODS, "MODIFIED", pod("c", "10.1.0.33"))
    await _until(lambda: told["pod/shop/c"][0]["__address__"] == "10.1.0.33:8080")
    api.tell(PODS, "DELETED", pod("a", "10.1.0.1"))
    await _until(lambda: told["pod/shop/a"] == [])
    path, query, headers = next(asked for asked in api.asked if "watch" in asked[1])
    assert (path, query["resourceVersion"], headers["authorization"]) == (PODS, ["7"], "Bearer t0k3n")
    assert (query["labelSelector"], query["fieldSelector"]) == (["app=web"], ["status.phase=Running"])


async def test_a_watch_that_is_too_old_is_listed_again(api, follow):
    api.objects[PODS] = [pod("a", "10.1.0.1")]
    told = follow(role="pod")
    await _until(lambda: api.watches.get(PODS))
    api.objects[PODS] = [pod("z", "10.1.0.9")]
    api.tell(PODS, "ERROR", {"code": 410, "message": "too old resource version"})
    await _until(lambda: "pod/shop/z" in told)
    assert told["pod/shop/a"] == []


async def test_a_watch_that_is_cut_off_at_once_is_asked_for_again_after_a_growing_pause(api, callers):
    api.objects[PODS], api.cuts_off = [pod("a", "10.1.0.1")], True
    given = {"api_server": f"http://127.0.0.1:{api.port}", "role": "pod"}
    clock, metrics = FakeClock(), ScrapeMetrics(CollectorRegistry())
    cluster = ClusterTargets(
        decoding.decode(KubernetesDiscovery, given), callers, Path(), clock, Failures(metrics, clock)
    )
    task = asyncio.create_task(cluster.run(lambda _source, _found: None))

    def watches():
        return [query for _, query, _ in api.asked if "watch" in query]

    await _until(watches)
    for _ in range(20):
        await asyncio.sleep(0.01)
    assert len(watches()) == 1
    began_s = clock.monotonic()
    await advance_until(clock, lambda: len(watches()) == 6, pause_s=0.02)
    assert clock.monotonic() - began_s > 10
    api.cuts_off = False
    await advance_until(clock, lambda: api.watches.get(PODS))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_only_the_namespaces_that_are_named_are_asked_for(api, follow):
    follow(role="service", namespaces={"names": ["shop", "ops"]})
    paths = {"/api/v1/namespaces/shop/services", "/api/v1/namespaces/ops/services"}
    await _until(lambda: {path for path, _, _ in api.asked} == paths)


def test_a_pod_has_the_labels_of_prometheus():
    found = targets_of("pod", {"pod": {"shop/a": pod("a", "10.1.0.1")}})["pod/shop/a"]
    assert found[0] == {
        "__address__": "10.1.0.1:8080",
        f"{M}namespace": "shop",
        f"{M}pod_name": "a",
        f"{M}pod_ip": "10.1.0.1",
        f"{M}pod_ready": "true",
        f"{M}pod_phase": "Running",
        f"{M}pod_node_name": "node-a",
        f"{M}pod_host_ip": "10.0.0.1",
        f"{M}pod_uid": "uid-a",
        f"{M}pod_label_app_kubernetes_io_name": "web",
        f"{M}pod_labelpresent_app_kubernetes_io_name": "true",
        f"{M}pod_controller_kind": "ReplicaSet",
        f"{M}pod_controller_name": "web-1",
        f"{M}pod_container_name": "web",
        f"{M}pod_container_id": "containerd://abc",
        f"{M}pod_container_image": "web:1",
        f"{M}pod_container_init": "false",
        f"{M}pod_container_port_name": "http",
        f"{M}pod_container_port_number": "8080",
        f"{M}pod_container_port_protocol": "TCP",
    }
    assert found[2][f"{M}pod_container_init"] == "true"


def test_a_node_is_reached_at_its_internal_address_and_named_by_itself():
    node = {
        "metadata": {"name": "node-a", "labels": {"zone": "x"}},
        "status": {
            "addresses": [{"type": "Hostname", "address": "node-a"}, {"type": "InternalIP", "address": "10.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10251}},
        },
    }
    (found,) = targets_of("node", {"node": {"/node-a": node}})["node//node-a"]
    assert (found["__address__"], found["instance"]) == ("10.0.0.1:10251", "node-a")
    assert found[f"{M}node_address_Hostname"] == "node-a"
    assert found[f"{M}node_label_zone"] == "x"


SERVICE = {
    "metadata": {"name": "web", "namespace": "shop", "annotations": {"prometheus.io/scrape": "true"}},
    "spec": {"type": "ClusterIP", "clusterIP": "10.2.0.1", "ports": [{"name": "http", "port": 80}]},
}


def test_a_service_is_reached_by_its_name():
    (found,) = targets_of("service", {"service": {"shop/web": SERVICE}})["service/shop/web"]
    assert found["__address__"] == "web.shop.svc:80"
    assert (found[f"{M}service_cluster_ip"], found[f"{M}service_type"]) == ("10.2.0.1", "ClusterIP")
    assert found[f"{M}service_annotation_prometheus_io_scrape"] == "true"


def test_endpoints_bear_their_service_and_their_pods_and_bring_the_other_ports():
    endpoints = {
        "metadata": {"name": "web", "namespace": "shop"},
        "subsets": [
            {
                "addresses": [{"ip": "10.1.0.1", "nodeName": "node-a", "targetRef": {"kind": "Pod", "name": "a"}}],
                "notReadyAddresses": [{"ip": "10.1.0.7"}],
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
            }
        ],
    }
    cluster = {"endpoints": {"shop/web": endpoints}, "service": {"shop/web": SERVICE}}
    cluster["pod"] = {"shop/a": pod("a", "10.1.0.1")}
    ready, waiting, other = targets_of("endpoints", cluster)["endpoints/shop/web"]
    assert (ready["__address__"], ready[f"{M}endpoint_ready"]) == ("10.1.0.1:8080", "true")
    assert (ready[f"{M}service_name"], ready[f"{M}pod_name"]) == ("web", "a")
    assert ready[f"{M}pod_container_port_name"] == "http"
    assert (waiting["__address__"], waiting[f"{M}endpoint_ready"]) == ("10.1.0.7:8080", "false")
    assert (other["__address__"], f"{M}endpoint_ready" in other) == ("10.1.0.1:9090", False)


def test_slices_tell_the_conditions_of_their_endpoints():
    found = {
        "metadata": {"name": "web-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": "IPv6",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["fd00::1"], "conditions": {"ready": True}, "zone": "z1"}],
    }
    cluster = {"endpointslice": {"shop/web-x": found}, "service": {"shop/web": SERVICE}, "pod": {}}
    (target,) = targets_of("endpointslice", cluster)["endpointslice/shop/web-x"]
    assert target["__address__"] == "[fd00::1]:8080"
    assert target[f"{M}endpointslice_endpoint_conditions_ready"] == "true"
    assert (target[f"{M}endpointslice_endpoint_zone"], target[f"{M}service_name"]) == ("z1", "web")


def test_a_port_without_a_number_and_conditions_that_are_not_known_are_left_open():
    found = {
        "metadata": {"name": "web-x", "namespace": "shop"},
        "ports": [{"name": "", "port": None}],
        "endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": False, "serving": None}}],
    }
    cluster = {"endpointslice": {"shop/web-x": found}, "service": {}, "pod": {}}
    (target,) = targets_of("endpointslice", cluster)["endpointslice/shop/web-x"]
    assert target["__address__"] == "10.1.0.1"
    assert target[f"{M}endpointslice_endpoint_conditions_ready"] == "false"
    assert f"{M}endpointslice_endpoint_conditions_serving" not in target


@pytest.mark.parametrize("behind", [{"nodeName": "node-a"}, {"targetRef": {"kind": "Node", "name": "node-a"}}])
def test_addresses_without_a_pod_bear_the_labels_of_their_node_too(behind):
    slices = {
        "metadata": {"name": "web-x", "namespace": "shop"},
        "ports": [{"port": 80}],
        "endpoints": [{"addresses": ["10.1.0.1"], **behind}],
    }
    subsets = [{"addresses": [{"ip": "10.1.0.1", **behind}], "ports": [{"port": 80}]}]
    cluster = {
        "endpointslice": {"shop/web-x": slices},
        "endpoints": {"shop/web": {"metadata": {"name": "web", "namespace": "shop"}, "subsets": subsets}},
        "service": {},
        "pod": {},
        "attached": {"/node-a": {"metadata": {"name": "node-a", "labels": {"zone": "x"}}}},
    }
    for role in ("endpointslice", "endpoints"):
        ((target,),) = targets_of(role, cluster).values()
        assert (target[f"{M}node_name"], target[f"{M}node_label_zone"]) == ("node-a", "x")


async def test_labels_of_namespaces_are_attached_where_they_are_asked_for(api, follow):
    api.objects[PODS] = [pod("a", "10.1.0.1")]
    api.objects["/api/v1/namespaces"] = [
        {"metadata": {"name": "shop", "labels": {"team.io/name": "blue"}, "annotations": {"cost": "7"}}},
        {"metadata": {"name": "other", "labels": {"team.io/name": "red"}}},
    ]
    told = follow(role="pod", attach_metadata={"namespace": "true"})
    await _until(lambda: told.get("pod/shop/a"))
    found = told["pod/shop/a"][0]
    assert found[f"{M}namespace_label_team_io_name"] == "blue"
    assert found[f"{M}namespace_labelpresent_team_io_name"] == "true"
    assert (found[f"{M}namespace"], found[f"{M}namespace_annotation_cost"]) == ("shop", "7")


def test_an_ingress_is_a_target_for_each_host_and_path():
    ingress = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "tls": [{"hosts": ["*.example.com"]}],
            "rules": [
                {"host": "a.example.com", "http": {"paths": [{"path": "/x"}, {"path": "/y"}]}},
                {"host": "plain.org"},
                {"http": {"paths": [{"path": "/all"}]}},
            ],
        },
    }
    found = targets_of("ingress", {"ingress": {"shop/web": ingress}})["ingress/shop/web"]
    told = [(one["__address__"], one[f"{M}ingress_scheme"], one[f"{M}ingress_path"]) for one in found]
    assert told == [
        ("a.example.com", "https", "/x"),
        ("a.example.com", "https", "/y"),
        ("plain.org", "http", "/"),
        ("", "http", "/all"),
    ]


def test_inside_a_cluster_the_pods_own_account_is_taken():
    url, client = find_access(KubernetesDiscovery(role="pod"), Path())
    assert url == IN_CLUSTER
    assert client.authorization is not None
    assert client.authorization.credentials_file.endswith("/token")
    for host, url in (("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")):
        told = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443"}
        assert find_access(KubernetesDiscovery(role="pod"), Path(), told)[0] == url


def test_a_kubeconfig_file_names_server_and_token(tmp_path):
    (tmp_path / "config").write_text(
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
        "clusters: [{name: k, cluster: {server: 'https://k:6443/'}}]\nusers: [{name: u, user: {token: abc}}]\n"
    )
    url, client = find_access(KubernetesDiscovery(role="pod", kubeconfig_file="config"), tmp_path)
    assert url == "https://k:6443"
    assert client.authorization is not None
    assert client.authorization.credentials.reveal() == "abc"
    (tmp_path / "config").write_text("current-context: other")
    with pytest.raises(InvalidError, match="contexts has no 'other'"):
        find_access(KubernetesDiscovery(role="pod", kubeconfig_file="config"), tmp_path)


def test_a_kubeconfig_file_may_hold_its_certificates_and_name_a_file_of_the_token(tmp_path):
    own = {name: base64.b64encode(name.encode()).decode() for name in ("ca", "cert", "key")}
    cluster = {"server": "https://k", "certificate-authority-data": own["ca"], "proxy-url": "http://p:3128"}
    user = {"client-certificate-data": own["cert"], "client-key-data": own["key"], "token": "x", "tokenFile": "t"}

    def access():
        parts = {"clusters": [{"name": "k", "cluster": cluster}], "users": [{"name": "u", "user": user}]}
        whole = {"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}], **parts}
        (tmp_path / "config").write_bytes(orjson.dumps(whole))
        return find_access(KubernetesDiscovery(role="pod", kubeconfig_file="config"), tmp_path)[1]

    client = access()
    assert (client.tls_config.ca, client.tls_config.cert, client.tls_config.key.reveal()) == ("ca", "cert", "key")
    assert (client.authorization.credentials_file, client.proxy_url) == (str(tmp_path / "t"), "http://p:3128")
    assert not client.authorization.credentials
    user = {"username": "me", "password": "word"}
    assert access().basic_auth.username == "me"
    cluster["certificate-authority-data"] = "no base64"
    with pytest.raises(InvalidError, match="certificate-authority-data is no base64"):
        access()
    user = {"exec": {"command": "aws"}}
    with pytest.raises(InvalidError, match="exec is not supported"):
        access()
