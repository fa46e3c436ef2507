"""`status/self_metrics` of Prometheus' HTTP API: what this process measures of itself, as JSON.

The members are those of client_model's `MetricFamily` in the JSON of protobuf: whole numbers of 64 bits are texts, and
so are numbers that JSON does not have. Source: prometheus/client_model, io/prometheus/client/metrics.proto.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.envelope import success
from holdfast.telemetry.metrics.api.parameters import Parameters
from holdfast.telemetry.metrics.matching import whole_match

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric
    from prometheus_client.samples import Sample

    from holdfast.telemetry.metrics.matching import Question

Operator = Annotated[Identity, Depends(requires("web.metrics"))]

_KINDS: Final = {
    "counter": "COUNTER",
    "gauge": "GAUGE",
    "histogram": "HISTOGRAM",
    "summary": "SUMMARY",
    "info": "GAUGE",
}
_SUFFIXES: Final = {"counter": "_total", "info": "_info"}
_EDGES: Final = {"histogram": "le", "summary": "quantile"}


@dataclass(frozen=True, slots=True)
class SelfMetricRoutes:
    """The handler, over what is measured."""

    registry: CollectorRegistry

    def add_to(self, router: APIRouter) -> None:
        """Put it on the router."""
        router.add_api_route("/status/self_metrics", self.metrics, methods=["GET"])

    async def metrics(self, request: Request, _: Operator) -> Response:
        """Give the families whose whole name fits a pattern."""
        given = await Parameters.of(request)
        try:
            fits = whole_match(given.text("metric_name_pattern") or ".*")
        except InvalidError as error:
            raise InvalidError(f'invalid parameter "metric_name_pattern": {error.message}', hint=error.hint) from error
        return success(await asyncio.to_thread(_describe_all, self.registry, fits))


def _describe_all(registry: CollectorRegistry, fits: Question) -> list[dict[str, Any]]:
    told = [(family.name + _SUFFIXES.get(family.type, ""), family) for family in registry.collect() if family.samples]
    chosen = sorted((each for each in told if fits(each[0])), key=lambda each: each[0])
    return [_describe(name, family) for name, family in chosen]


def _describe(name: str, family: Metric) -> dict[str, Any]:
    kind, edge = _KINDS.get(family.type, "UNTYPED"), _EDGES.get(family.type, "")
    samples = [sample for sample in family.samples if not sample.name.endswith("_created")]

    def own_labels(sample: Sample) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((label, value) for label, value in sample.labels.items() if label != edge))

    metrics = []
    for labels, group in groupby(sorted(samples, key=own_labels), own_labels):
        pairs, of_one = [{"name": label, "value": value} for label, value in labels], list(group)
        told = _describe_value(of_one, edge) if edge else {"value": _number(of_one[0].value)}
        metrics.append(({"label": pairs} if pairs else {}) | {kind.lower(): told})
    return {"name": name, "help": family.documentation, "type": kind, "metric": metrics}


def _describe_value(samples: Iterable[Sample], edge: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    edges: list[dict[str, Any]] = []
    for sample in samples:
        if sample.name.endswith("_count"):
            told["sampleCount"] = str(int(sample.value))
        elif sample.name.endswith("_sum"):
            told["sampleSum"] = _number(sample.value)
        elif edge == "le":
            bound = _number(float(sample.labels[edge]))
            edges.append({"cumulativeCount": str(int(sample.value)), "upperBound": bound})
        else:
            edges.append({"quantile": float(sample.labels[edge]), "value": _number(sample.value)})
    return told | {"bucket" if edge == "le" else "quantile": edges}


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
