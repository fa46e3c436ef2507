"""The `kubernetes` kind: the API server's own checks, nodes that are not ready, workloads that are not.

Inside a cluster it needs no address and no token of yours: leave `url` out and it takes the pod's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote as percent_encode

from pydantic import ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, fact, listed, observe
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http import Auth, UrlText, fetch
from holdfast.health.probes.network import Family, TlsOptions
from holdfast.health.probes.products.access import HttpAccess, call_of, fetch_ok
from holdfast.health.probes.products.documents import number, objects, pick

_POD: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
_PAGE: Final = 100
_MAX_PAGES: Final = 100
_PRESSURES: Final = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"})
# Kind, its plural in the API, and where its status says how many pods are wanted and how many are ready.
_WORKLOADS: Final = (
    ("Deployment", "deployments", ("spec", "replicas"), ("status", "readyReplicas")),
    ("StatefulSet", "statefulsets", ("spec", "replicas"), ("status", "readyReplicas")),
    ("DaemonSet", "daemonsets", ("status", "desiredNumberScheduled"), ("status", "numberReady")),
)


@dataclass(frozen=True, slots=True)
class KubernetesSpec:
    """A cluster.

    Attributes:
        url: the API server; leave it out inside a cluster, with `auth` and `tls`.
        auth: usually `bearer: ${file:/path/to/token}`.
        headers: further request headers.
        tls: whom to trust and who we are.
        ip: which addresses of the name to use: `any`, `4` or `6`.
        nodes: whether to look at nodes.
        workloads: whether to look at deployments, stateful sets and daemon sets.
        namespaces: whose workloads to look at; empty for all.
        selector: a label selector for workloads.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    url: UrlText | None = None
    auth: Auth | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tls: TlsOptions = field(default_factory=TlsOptions)
    ip: Family = Family.ANY
    nodes: bool = True
    workloads: bool = True
    namespaces: tuple[Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")], ...] = ()
    selector: str = ""


@dataclass(frozen=True, slots=True)
class KubernetesProbe:
    """Asks an API server."""

    spec: KubernetesSpec
    access: HttpAccess

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        await self._judge_api(attempt, "livez", "alive")
        await self._judge_api(attempt, "readyz", "ready")
        found = ["the API server is ready"]
        if self.spec.nodes:
            found.append(_judge_nodes(attempt, await self._list(attempt, "api/v1/nodes", "")))
        if self.spec.workloads:
            found.append(await self._judge_workloads(attempt))
        return ", ".join(found)

    async def _judge_api(self, attempt: Attempt, path: str, state: str) -> None:
        answer = await fetch(attempt, call_of(self.access, f"{path}?verbose"))
        attempt.facts[f"{path}_status"] = answer.status
        if answer.status == 200:
            return
        failing = [line[3:].split(" ")[0] for line in answer.text.splitlines() if line.startswith("[-]")]
        because = f": {listed(failing)} failed" if failing else f": {answer.excerpt()}"
        attempt.down(f"expected the API server to be {state}, found {answer.status_text}{because}")

    async def _list(self, attempt: Attempt, path: str, selector: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        following = ""
        for _ in range(_MAX_PAGES):
            query = f"limit={_PAGE}" + (f"&labelSelector={percent_encode(selector, safe='')}" if selector else "")
            query += f"&continue={percent_encode(following, safe='')}" if following else ""
            answer = await fetch_ok(attempt, call_of(self.access, f"{path}?{query}"))
            items += objects(answer.json, "items")
            following = pick(answer.json, "metadata", "continue") or ""
            if not following:
                return items
        raise FaultError(f"{path} has more than {_PAGE * _MAX_PAGES} entries: choose namespaces or a selector")

    async def _judge_workloads(self, attempt: Attempt) -> str:
        total = 0
        short: list[tuple[str, int, int]] = []
        for kind, plural, wanted_at, ready_at in _WORKLOADS:
            paths = [f"apis/apps/v1/namespaces/{name}/{plural}" for name in self.spec.namespaces]
            for path in paths or [f"apis/apps/v1/{plural}"]:
                for item in await self._list(attempt, path, self.spec.selector):
                    total += 1
                    wanted, ready = number(item, *wanted_at), number(item, *ready_at)
                    if ready < wanted:
                        short.append((f"{kind} {_name(item)} {ready}/{wanted}", ready, wanted))
        attempt.facts.update(workloads=total, workloads_not_ready=len(short))
        dead = [text for text, ready, _ in short if ready == 0]
        limping = [text for text, ready, _ in short if ready > 0]
        if dead:
            attempt.down(f"workloads with no ready pod: {listed(dead)}")
        if limping:
            attempt.degraded(f"workloads with too few ready pods: {listed(limping)}")
        return f"{total} workloads ready"


def _name(item: Any) -> str:
    return fact(f"{pick(item, 'metadata', 'namespace')}/{pick(item, 'metadata', 'name')}")


def _judge_nodes(attempt: Attempt, nodes: list[dict[str, Any]]) -> str:
    unready, pressed = [], []
    for node in nodes:
        name = str(pick(node, "metadata", "name"))
        conditions = {str(entry.get("type")): entry.get("status") for entry in objects(node, "status", "conditions")}
        if conditions.get("Ready") != "True":
            unready.append(name)
        pressed += [f"{name} {kind}" for kind in sorted(_PRESSURES) if conditions.get(kind) == "True"]
    cordoned = sum(pick(node, "spec", "unschedulable") is True for node in nodes)
    attempt.facts.update(nodes=len(nodes), nodes_not_ready=len(unready), nodes_cordoned=cordoned)
    if unready and len(unready) == len(nodes):
        attempt.down(f"no node is ready: {listed(unready)}")
    elif unready:
        attempt.degraded(f"expected {len(nodes)} ready nodes, not ready: {listed(unready)}")
    if pressed:
        attempt.degraded(f"nodes under pressure: {listed(pressed)}")
    return f"{len(nodes)} nodes ready"


def build(spec: KubernetesSpec) -> KubernetesProbe:
    """Make the probe of a spec, with the pod's own account where no address is given."""
    if spec.url is None:
        access = HttpAccess(
            "https://kubernetes.default.svc",
            spec.auth or Auth(bearer=f"${{file:{_POD}/token}}"),
            spec.headers,
            spec.tls if spec.tls != TlsOptions() else TlsOptions(ca_file=f"{_POD}/ca.crt"),
            spec.ip,
        )
    else:
        access = HttpAccess(spec.url, spec.auth, spec.headers, spec.tls, spec.ip)
    return KubernetesProbe(spec, access)


KIND: Final = ProbeKind("kubernetes", KubernetesSpec, build)
