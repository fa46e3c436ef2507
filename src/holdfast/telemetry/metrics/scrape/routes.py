"""`GET /metrics/targets`: what is scraped, and how that goes. Prometheus' own route of targets is made elsewhere."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from holdfast.kernel.auth import Identity, requires
from holdfast.telemetry.metrics import permissions
from holdfast.telemetry.metrics.scrape.board import State, TargetBoard

Reader = Annotated[Identity, Depends(requires(permissions.READ.name))]


class ActiveTargetOut(BaseModel):
    """A target that is scraped."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    discovered_labels: dict[str, str]
    labels: dict[str, str]
    scrape_pool: str
    scrape_url: str
    global_url: str
    last_error: str
    last_scrape: str
    last_scrape_duration: float
    health: str
    scrape_interval: str
    scrape_timeout: str


class DroppedTargetOut(BaseModel):
    """A target that relabelling drops."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    discovered_labels: dict[str, str]
    scrape_pool: str


class DiscoveryFailureOut(BaseModel):
    """A source of targets that fails now: a file, a URL, a name, a kind of objects of a cluster."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    scrape_pool: str
    kind: str
    source: str
    error: str
    since: str


class TargetsOut(BaseModel):
    """All targets, in the words of Prometheus' API, and what keeps more from being found."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    active_targets: list[ActiveTargetOut]
    dropped_targets: list[DroppedTargetOut]
    dropped_target_counts: dict[str, int]
    discovery_failures: list[DiscoveryFailureOut]


def routes(board: TargetBoard) -> APIRouter:
    """Build the router."""
    router = APIRouter(tags=["metrics"])

    @router.get("/metrics/targets", operation_id="listScrapeTargets")
    async def list_targets(
        *,
        identity: Reader,
        state: Annotated[State, Query(description="Only those that are scraped, or only dropped ones.")] = "any",
        pool: Annotated[str, Query(description="Only those of this job.")] = "",
    ) -> TargetsOut:
        """Give the targets of `prometheus.yml`: active ones with their health, and those that relabelling drops."""
        seen = board.seen_by(identity.tenant)
        return TargetsOut.model_validate({**seen.targets(state, pool), "discoveryFailures": seen.failures(pool)})

    return router
