"""The `grafana` kind: `GET /api/health`, which says whether Grafana reaches its database."""

from dataclasses import dataclass
from typing import Final

from holdfast.health.probes.attempts import Attempt, fact, observe, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.http import Call
from holdfast.health.probes.products.access import HttpAccess, call_of, fetch_ok
from holdfast.health.probes.products.documents import need, pick


@dataclass(frozen=True, slots=True)
class GrafanaSpec(HttpAccess):
    """A Grafana server."""


@dataclass(frozen=True, slots=True)
class GrafanaProbe:
    """Reads Grafana's health."""

    call: Call

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        health = (await fetch_ok(attempt, self.call, 503)).json  # 503: the database fails, as the body says
        database = need(str, health, "database")
        attempt.facts["database"] = fact(database)
        version = pick(health, "version")
        if isinstance(version, str):  # left out where anonymous users may not know it
            attempt.facts["version"] = fact(version)
        if database != "ok":
            attempt.down(f"expected Grafana's database to be ok, found {quote(database)}")
        return f"Grafana {attempt.facts.get('version', '')} reaches its database".replace("  ", " ")


def build(spec: GrafanaSpec) -> GrafanaProbe:
    """Make the probe of a spec."""
    return GrafanaProbe(call_of(spec, "api/health"))


KIND: Final = ProbeKind("grafana", GrafanaSpec, build)
