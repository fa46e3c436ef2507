"""Products that speak HTTP, against servers that replay their documented answers, good and bad."""

from __future__ import annotations

import asyncio
import json

import pytest

from fixtures import peers
from fixtures.peers import http, routes
from holdfast.health.verdict import Verdict


def page(document, status="200 OK"):
    return http(json.dumps(document), status, Content_Type="application/json")


async def ask_product(ask, kind, table, **fields):
    async with peers.peer(routes(table)) as port:
        return await ask(kind, url=f"http://127.0.0.1:{port}", **fields)


def cluster(status="green", **changes):
    document = {
        "cluster_name": "search",
        "status": status,
        "timed_out": False,
        "number_of_nodes": 3,
        "number_of_data_nodes": 3,
        "active_primary_shards": 20,
        "active_shards": 40,
        "relocating_shards": 0,
        "initializing_shards": 0,
        "unassigned_shards": 0,
        "delayed_unassigned_shards": 0,
        "number_of_pending_tasks": 0,
        "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0,
        "active_shards_percent_as_number": 100.0,
    }
    return {"/_cluster/health": page({**document, **changes})}


@pytest.mark.parametrize(
    ("table", "fields", "verdict", "message"),
    [
        (cluster(), {}, Verdict.UP, 'cluster "search" is green with 3 nodes'),
        (cluster("yellow"), {"allow_yellow": True}, Verdict.UP, 'cluster "search" is yellow with 3 nodes'),
        (
            cluster("yellow", unassigned_shards=5),
            {},
            Verdict.DEGRADED,
            'expected cluster "search" to be green, found yellow with 5 unassigned shards: some replicas are missing',
        ),
        (
            cluster("red", unassigned_shards=7),
            {},
            Verdict.DOWN,
            'expected cluster "search" to be green, found red with 7 unassigned shards: some data cannot be reached',
        ),
        (cluster(), {"min_nodes": 5}, Verdict.DEGRADED, "expected at least 5 nodes, found 3"),
        (
            cluster(timed_out=True),
            {},
            Verdict.DEGRADED,
            "the cluster took too long to tell its health",
        ),
        (cluster("purple"), {}, Verdict.DOWN, 'expected cluster "search" to be green, found "purple"'),
    ],
)
async def test_elasticsearch_says_its_colour(ask, table, fields, verdict, message):
    seen = await ask_product(ask, "elasticsearch", table, **fields)
    assert (seen.verdict, seen.message) == (verdict, message)
    assert seen.facts["number_of_nodes"] == 3


async def test_elasticsearch_below_a_path_with_an_api_key(ask):
    asked: list[bytes] = []
    async with peers.peer(routes({"/es/_cluster/health": page({"status": "green"})}, seen=asked)) as port:
        seen = await ask(
            "elasticsearch",
            url=f"http://127.0.0.1:{port}/es/",
            headers={"Authorization": "ApiKey ${env:TOKEN}"},
        )
    assert seen.verdict is Verdict.UP
    assert b"Authorization: ApiKey t0ken-of-tests" in asked[0]


KIBANA_8 = {
    "name": "kibana",
    "version": {"number": "8.15.0"},
    "status": {
        "overall": {"level": "degraded", "summary": "1 service is degraded: fleet"},
        "core": {"elasticsearch": {"level": "available"}, "savedObjects": {"level": "available"}},
        "plugins": {"fleet": {"level": "degraded"}, "alerting": {"level": "available"}},
    },
}


@pytest.mark.parametrize(
    ("answer", "verdict", "message"),
    [
        (page({"status": {"overall": {"level": "available"}}}), Verdict.UP, "Kibana is available"),
        (
            page(KIBANA_8),
            Verdict.DEGRADED,
            "expected Kibana to be available, found degraded: 1 service is degraded: fleet (fleet)",
        ),
        (
            page({"status": {"overall": {"level": "unavailable"}}}, "503 Service Unavailable"),
            Verdict.DOWN,
            "expected Kibana to be available, found unavailable",
        ),
        (
            page({"status": {"overall": {"level": "critical"}}}, "503 Service Unavailable"),
            Verdict.DOWN,
            "expected Kibana to be available, found critical",
        ),
        (page({"status": {"overall": {"state": "green"}}}), Verdict.UP, "Kibana is green"),
        (
            page({"status": {"overall": {"state": "red", "title": "Red"}}}),
            Verdict.DOWN,
            "expected Kibana to be available, found red: Red",
        ),
        (
            page({"status": {"overall": {"level": ["a"]}}}),
            Verdict.DOWN,
            "expected Kibana to be available, found \"['a']\"",
        ),
        (
            page({"status": {"overall": {"level": "degraded"}, "plugins": {"a": 1}, "core": None}}),
            Verdict.DEGRADED,
            "expected Kibana to be available, found degraded",
        ),
    ],
)
async def test_kibana_says_its_level(ask, answer, verdict, message):
    seen = await ask_product(ask, "kibana", {"/api/status": answer})
    assert (seen.verdict, seen.message) == (verdict, message)


@pytest.mark.parametrize(
    ("answer", "verdict", "message"),
    [
        (
            page({"database": "ok", "version": "11.2.0", "commit": "abc"}),
            Verdict.UP,
            "Grafana 11.2.0 reaches its database",
        ),
        (page({"database": "ok"}), Verdict.UP, "Grafana reaches its database"),
        (
            page({"database": "failing"}, "503 Service Unavailable"),
            Verdict.DOWN,
            'expected Grafana\'s database to be ok, found "failing"',
        ),
    ],
)
async def test_grafana_says_whether_it_reaches_its_database(ask, answer, verdict, message):
    seen = await ask_product(ask, "grafana", {"/api/health": answer})
    assert (seen.verdict, seen.message) == (verdict, message)


def prometheus(**changes):
    table = {
        "/-/healthy": http("Prometheus Server is Healthy.\n"),
        "/-/ready": http("Prometheus Server is Ready.\n"),
        "/api/v1/status/runtimeinfo": page({"status": "success", "data": {"reloadConfigSuccess": True}}),
        "/api/v1/status/buildinfo": page({"status": "success", "data": {"version": "3.1.0"}}),
    }
    return {**table, **{key.replace("_", "/"): answer for key, answer in changes.items()}}


def vector(*values):
    result = [{"metric": {}, "value": [1, value]} for value in values]
    return page({"status": "success", "data": {"resultType": "vector", "result": result}})


QUERY = "/api/v1/query"


@pytest.mark.parametrize(
    ("table", "fields", "verdict", "message"),
    [
        (prometheus(), {}, Verdict.UP, "Prometheus 3.1.0 is healthy and ready"),
        (
            {"/-/healthy": http("ok"), "/-/ready": http("ok")},
            {},
            Verdict.UP,
            "Prometheus is healthy and ready",
        ),
        (
            {**prometheus(), "/-/ready": http("Service Unavailable", "503 Service Unavailable")},
            {},
            Verdict.DOWN,
            'expected Prometheus to be ready, found 503 Service Unavailable: "Service Unavailable"',
        ),
        (
            {**prometheus(), "/api/v1/status/runtimeinfo": page({"data": {"reloadConfigSuccess": False}})},
            {},
            Verdict.DEGRADED,
            "the last reload of the configuration failed: Prometheus runs with an older one",
        ),
        (
            {**prometheus(), QUERY: vector("1", "3.5")},
            {"queries": [{"query": "up", "min": 1, "max": 3.5}]},
            Verdict.UP,
            "Prometheus 3.1.0 is healthy and ready",
        ),
        (
            {**prometheus(), QUERY: vector("1", "0", "7")},
            {"queries": [{"query": "sum by (job) (up)", "min": 1, "max": 5}]},
            Verdict.DOWN,
            (
                'expected "sum by (job) (up)" to be at least 1, found 0; '
                'expected "sum by (job) (up)" to be at most 5, found 7'
            ),
        ),
        (
            {**prometheus(), QUERY: vector("NaN")},
            {"queries": [{"query": "a/b", "min": 1}]},
            Verdict.DOWN,
            'expected "a/b" to be at least 1, found nan',
        ),
        (
            {**prometheus(), QUERY: vector()},
            {"queries": [{"query": "up == 0"}]},
            Verdict.DOWN,
            'expected a value of "up == 0", found none',
        ),
        (
            {**prometheus(), QUERY: vector()},
            {"queries": [{"query": "up == 0", "empty": True}]},
            Verdict.UP,
            "Prometheus 3.1.0 is healthy and ready",
        ),
        (
            {**prometheus(), QUERY: page({"status": "error", "error": "parse error"}, "400 Bad Request")},
            {"queries": [{"query": "up("}]},
            Verdict.DOWN,
            'expected an answer to "up(", found parse error',
        ),
        (
            {**prometheus(), QUERY: page({"status": "success", "data": {"resultType": "matrix"}})},
            {"queries": [{"query": "up[5m]"}]},
            Verdict.DOWN,
            'expected a vector or a scalar, found "matrix"',
        ),
        (
            {**prometheus(), QUERY: vector(None)},
            {"queries": [{"query": "up"}]},
            Verdict.DOWN,
            "the answer to a query is not as Prometheus writes it",
        ),
    ],
)
async def test_prometheus_says_how_it_is(ask, table, fields, verdict, message):
    seen = await ask_product(ask, "prometheus", table, **fields)
    assert (seen.verdict, seen.message) == (verdict, message)


KINDS = {
    "elasticsearch": "/_cluster/health",
    "kibana": "/api/status",
    "grafana": "/api/health",
    "prometheus": "/-/healthy",
    "kubernetes": "/api/v1/nodes",
}
K8S_OK = {"/livez": http("ok"), "/readyz": http("ok")}
JSON_KINDS = {kind: path for kind, path in KINDS.items() if kind != "prometheus"}


@pytest.mark.parametrize(("kind", "path"), KINDS.items())
async def test_a_refusal_is_down_with_the_reason(ask, kind, path):
    refusal = http("who are you?", "401 Unauthorized")
    seen = await ask_product(ask, kind, {**K8S_OK, path: refusal})
    assert seen.verdict is Verdict.DOWN
    assert 'to answer 200 OK, found 401 Unauthorized: "who are you?"' in seen.message


@pytest.mark.parametrize(("kind", "path"), JSON_KINDS.items())
@pytest.mark.parametrize(
    "answer",
    [
        http("<html>Bad gateway</html>"),
        http('{"status": {"overall": '),
        http(""),
        page([1, 2, 3]),
        page({"status": 7, "database": {}, "items": "none"}),
        page(None),
        page({"items": [1, None]}),
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"\x00\xff\x00\xff",
    ],
    ids=["html", "cut json", "empty", "list", "wrong types", "null", "wrong items", "cut body", "binary"],
)
async def test_a_malformed_answer_is_never_up_and_never_an_exception(ask, kind, path, answer):
    seen = await ask_product(ask, kind, {**K8S_OK, path: answer}, **NO_WORKLOADS.get(kind, {}))
    if kind == "kubernetes" and answer in (page([1, 2, 3]), page(None)):
        return  # an object without items is an empty list to the API
    assert seen.verdict is Verdict.DOWN
    assert seen.message


NO_WORKLOADS = {"kubernetes": {"workloads": False}}


@pytest.mark.parametrize("kind", KINDS)
async def test_resets_and_drips_are_down(ask, kind):
    async def drip(reader, writer):
        await peers.read_request(reader)
        for byte in http("x" * 500):
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.01)

    for talk in (peers.resets, drip):
        async with peers.peer(talk) as port:
            seen = await ask(kind, url=f"http://127.0.0.1:{port}", timeout_s=0.1)
        assert seen.verdict is Verdict.DOWN


def node(name, *, ready="True", pressure="", cordoned=False):
    conditions = [{"type": "Ready", "status": ready}]
    conditions += [{"type": pressure, "status": "True"}] if pressure else []
    spec = {"unschedulable": True} if cordoned else {}
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": conditions}}


def workload(name, wanted, ready, *, namespace="shop", daemon=False):
    meta = {"metadata": {"name": name, "namespace": namespace}}
    if daemon:
        return {**meta, "status": {"desiredNumberScheduled": wanted, "numberReady": ready}}
    status = {"readyReplicas": ready} if ready else {}
    return {**meta, "spec": {"replicas": wanted}, "status": status}


def kubernetes(nodes=(), deployments=(), statefulsets=(), daemonsets=(), **pages):
    return {
        **K8S_OK,
        "/api/v1/nodes": page({"items": list(nodes)}),
        "/apis/apps/v1/deployments": page({"items": list(deployments)}),
        "/apis/apps/v1/statefulsets": page({"items": list(statefulsets)}),
        "/apis/apps/v1/daemonsets": page({"items": list(daemonsets)}),
        **pages,
    }


READYZ = """[+]ping ok
[-]etcd failed: reason withheld
[+]informer-sync ok
[-]poststarthook/rbac failed: not finished
readyz check failed
"""


@pytest.mark.parametrize(
    ("table", "verdict", "message"),
    [
        (
            kubernetes([node("a"), node("b", cordoned=True)], [workload("web", 2, 2)]),
            Verdict.UP,
            "the API server is ready, 2 nodes ready, 1 workloads ready",
        ),
        (
            {**kubernetes([node("a")]), "/readyz": http(READYZ, "500 Internal Server Error")},
            Verdict.DOWN,
            "expected the API server to be ready, found 500 Internal Server Error: etcd, poststarthook/rbac failed",
        ),
        (
            kubernetes([node("a"), node("b", ready="False"), node("c", ready="Unknown")]),
            Verdict.DEGRADED,
            "expected 3 ready nodes, not ready: b, c",
        ),
        (kubernetes([node("a", ready="False")]), Verdict.DOWN, "no node is ready: a"),
        (
            kubernetes([node("a", pressure="DiskPressure")]),
            Verdict.DEGRADED,
            "nodes under pressure: a DiskPressure",
        ),
        (
            kubernetes(
                [node("a")],
                [workload("web", 3, 2), workload("off", 0, 0)],
                [workload("db", 1, 0)],
                [workload("agent", 5, 4, daemon=True, namespace="ops")],
            ),
            Verdict.DOWN,
            (
                "workloads with no ready pod: StatefulSet shop/db 0/1; "
                "workloads with too few ready pods: Deployment shop/web 2/3, DaemonSet ops/agent 4/5"
            ),
        ),
    ],
)
async def test_kubernetes_names_what_is_not_ready(ask, table, verdict, message):
    seen = await ask_product(ask, "kubernetes", table)
    assert (seen.verdict, seen.message) == (verdict, message)


async def test_kubernetes_reads_every_page_of_chosen_namespaces(ask):
    asked: list[bytes] = []
    path = "/apis/apps/v1/namespaces/shop/deployments"
    first = page({"metadata": {"continue": "to/ken"}, "items": [workload("a", 1, 1)]})
    last = page({"metadata": {}, "items": [workload("b", 1, 0)]})
    empty = page({"items": []})
    table = {
        **K8S_OK,
        f"{path}?limit=100&labelSelector=tier%3Dweb": first,
        f"{path}?limit=100&labelSelector=tier%3Dweb&continue=to%2Fken": last,
        "/apis/apps/v1/namespaces/shop/statefulsets": empty,
        "/apis/apps/v1/namespaces/shop/daemonsets": empty,
    }
    async with peers.peer(routes(table, seen=asked)) as port:
        seen = await ask(
            "kubernetes",
            url=f"http://127.0.0.1:{port}",
            auth={"bearer": "${env:TOKEN}"},
            nodes=False,
            namespaces=["shop"],
            selector="tier=web",
        )
    assert seen.message == "workloads with no ready pod: Deployment shop/b 0/1"
    assert (seen.facts["workloads"], seen.facts["workloads_not_ready"]) == (2, 1)
    assert all(b"Authorization: Bearer t0ken-of-tests" in request for request in asked)


async def test_kubernetes_without_an_address_takes_the_pods_account(ask):
    seen = await ask("kubernetes", timeout_s=1)
    assert seen.verdict is Verdict.UNKNOWN
    assert "/var/run/secrets/kubernetes.io/serviceaccount/token" in seen.message
