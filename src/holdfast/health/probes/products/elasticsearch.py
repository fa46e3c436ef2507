"""The `elasticsearch` kind: the cluster's own verdict, `GET /_cluster/health`. OpenSearch speaks it too."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from holdfast.health.probes.attempts import Attempt, fact, observe, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.http import Call
from holdfast.health.probes.products.access import HttpAccess, call_of, fetch_ok
from holdfast.health.probes.products.documents import need, number, pick

_COUNTS: Final = (
    "number_of_nodes",
    "number_of_data_nodes",
    "active_shards",
    "relocating_shards",
    "initializing_shards",
    "unassigned_shards",
    "number_of_pending_tasks",
)


@dataclass(frozen=True, slots=True)
class ElasticsearchSpec(HttpAccess):
    """A cluster: green is up, yellow degraded, red down.

    Attributes:
        allow_yellow: true where replicas cannot be placed by design, as on a single node.
        min_nodes: the fewest nodes that the cluster must have.
    """

    allow_yellow: bool = False
    min_nodes: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class ElasticsearchProbe:
    """Reads the cluster's health."""

    spec: ElasticsearchSpec
    call: Call

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        # 408: the cluster could not say in time, but what it knows is in the body.
        health = (await fetch_ok(attempt, self.call, 408)).json
        status = need(str, health, "status")
        name = fact(pick(health, "cluster_name") or "")
        attempt.facts.update(cluster_name=name, status=fact(status))
        attempt.facts.update({count: number(health, count) for count in _COUNTS})
        unassigned = attempt.facts["unassigned_shards"]
        found = f"{status} with {unassigned} unassigned shards"
        if status == "red":
            attempt.down(f"expected cluster {quote(name)} to be green, found {found}: some data cannot be reached")
        elif status == "yellow" and not self.spec.allow_yellow:
            attempt.degraded(f"expected cluster {quote(name)} to be green, found {found}: some replicas are missing")
        elif status not in {"green", "yellow"}:
            attempt.down(f"expected cluster {quote(name)} to be green, found {quote(status)}")
        nodes = number(health, "number_of_nodes")
        if nodes < self.spec.min_nodes:
            attempt.degraded(f"expected at least {self.spec.min_nodes} nodes, found {nodes}")
        if pick(health, "timed_out") is True:
            attempt.degraded("the cluster took too long to tell its health")
        return f"cluster {quote(name)} is {status} with {nodes} nodes"


def build(spec: ElasticsearchSpec) -> ElasticsearchProbe:
    """Make the probe of a spec."""
    return ElasticsearchProbe(spec, call_of(spec, "_cluster/health"))


KIND: Final = ProbeKind("elasticsearch", ElasticsearchSpec, build)
