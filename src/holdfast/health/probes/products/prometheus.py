"""The `prometheus` kind: alive, ready, the configuration it runs with, and what it answers to queries."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import quote as percent_encode

from pydantic import ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, fact, observe, one_line, quote
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http import Call, fetch
from holdfast.health.probes.products.access import HttpAccess, call_of, fetch_ok
from holdfast.health.probes.products.documents import need, objects, pick


@dataclass(frozen=True, slots=True)
class QueryExpectation:
    """A PromQL query and what every value of its result must be.

    Attributes:
        query: an expression that gives a vector or a scalar.
        min: the least value.
        max: the greatest value.
        empty: whether an empty result is fine.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1)]
    min: float | None = None
    max: float | None = None
    empty: bool = False


@dataclass(frozen=True, slots=True)
class PrometheusSpec(HttpAccess):
    """A Prometheus server.

    Attributes:
        queries: queries that must have an answer within limits.
    """

    queries: tuple[QueryExpectation, ...] = ()


@dataclass(frozen=True, slots=True)
class PrometheusProbe:
    """Asks a Prometheus server how it is."""

    healthy: Call
    ready: Call
    runtime: Call
    version: Call
    queries: tuple[tuple[QueryExpectation, Call], ...]

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        await fetch_ok(attempt, self.healthy)
        ready = await fetch(attempt, self.ready)
        if ready.status != 200:
            attempt.down(f"expected Prometheus to be ready, found {ready.status_text}: {ready.excerpt()}")
            return ""
        await self._read_runtime(attempt)
        for expectation, call in self.queries:
            await _judge_query(attempt, expectation, call)
        return f"Prometheus {attempt.facts.get('version', '')} is healthy and ready".replace("  ", " ")

    async def _read_runtime(self, attempt: Attempt) -> None:
        """Read what only Prometheus itself offers; others that speak its API answer 404."""
        answer = await fetch(attempt, self.runtime)
        if answer.status == 200 and pick(answer.json, "data", "reloadConfigSuccess") is False:
            attempt.degraded("the last reload of the configuration failed: Prometheus runs with an older one")
        answer = await fetch(attempt, self.version)
        version = pick(answer.json, "data", "version") if answer.status == 200 else None
        if isinstance(version, str):
            attempt.facts["version"] = fact(version)


async def _judge_query(attempt: Attempt, expectation: QueryExpectation, call: Call) -> None:
    answer = await fetch(attempt, call)
    shown = quote(expectation.query, 60)
    if pick(answer.json, "status") != "success":
        reason = one_line(str(pick(answer.json, "error") or answer.status_text), 160)
        attempt.down(f"expected an answer to {shown}, found {reason}")
        return
    values = _values_of(answer.json)
    if not values and not expectation.empty:
        attempt.down(f"expected a value of {shown}, found none")
    too_low = [value for value in values if expectation.min is not None and not value >= expectation.min]
    too_high = [value for value in values if expectation.max is not None and not value <= expectation.max]
    if too_low:
        attempt.down(f"expected {shown} to be at least {expectation.min:g}, found {min(too_low):g}")
    if too_high:
        attempt.down(f"expected {shown} to be at most {expectation.max:g}, found {max(too_high):g}")


def _values_of(document: Any) -> list[float]:
    kind = need(str, document, "data", "resultType")
    pairs: list[Any]
    if kind == "scalar":
        pairs = [need(list, document, "data", "result")]
    elif kind == "vector":
        pairs = [series.get("value") for series in objects(document, "data", "result")]
    else:
        raise FaultError(f"expected a vector or a scalar, found {quote(kind)}")
    try:
        return [float(text) for _, text in pairs]
    except (TypeError, ValueError):
        raise FaultError("the answer to a query is not as Prometheus writes it") from None


def build(spec: PrometheusSpec) -> PrometheusProbe:
    """Make the probe of a spec."""
    queries = tuple(
        (expectation, call_of(spec, f"api/v1/query?query={percent_encode(expectation.query, safe='')}"))
        for expectation in spec.queries
    )
    return PrometheusProbe(
        call_of(spec, "-/healthy"),
        call_of(spec, "-/ready"),
        call_of(spec, "api/v1/status/runtimeinfo"),
        call_of(spec, "api/v1/status/buildinfo"),
        queries,
    )


KIND: Final = ProbeKind("prometheus", PrometheusSpec, build)
