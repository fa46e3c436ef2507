"""Joins scraping to the app: the ops folder's `prometheus.yml`, the job that scrapes, the route of targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.kernel.http import OutboundSettings
from holdfast.kernel.ids import TenantId
from holdfast.kernel.wiring import Ground, Job, OpsSection, Wiring
from holdfast.telemetry.metrics.scrape.board import TargetBoard
from holdfast.telemetry.metrics.scrape.calling import Callers
from holdfast.telemetry.metrics.scrape.metrics import ScrapeMetrics
from holdfast.telemetry.metrics.scrape.routes import routes
from holdfast.telemetry.metrics.scrape.scraping import ScrapeGround, Scraping
from holdfast.telemetry.metrics.scrape.settings import ScrapeSettings

if TYPE_CHECKING:
    from holdfast.kernel.members import Membership
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.metrics.arrivals import ArrivalSink
    from holdfast.telemetry.metrics.otlp import OtlpOptions


@dataclass(frozen=True, slots=True)
class ScrapeRoom:
    """Scraping and how it is wired; `board` tells of its targets."""

    scraping: Scraping
    tenant: TenantId
    board: TargetBoard
    wiring: Wiring

    def otlp_options(self, tenant: TenantId) -> OtlpOptions | None:
        """Give what `prometheus.yml` says of OTLP metrics of its tenant."""
        return self.scraping.configuration.otlp if tenant == self.tenant else None


def wire(ground: Ground, sink: ArrivalSink, members: Membership, ledger: Notes) -> ScrapeRoom:
    """Build the room over the sink; targets are spread over `members`."""
    callers = Callers(ground.settings[OutboundSettings], ground.secrets, ground.clock, ground.proxies, ground.variables)
    settings, metrics = ground.settings[ScrapeSettings], ScrapeMetrics(ground.metrics, ledger)
    scraping = Scraping(
        ScrapeGround(
            sink,
            TenantId(settings.tenant),
            ground.clock,
            callers,
            metrics,
            linger_s=settings.linger,
            owns=members.owns,
            variables=ground.variables,
        )
    )
    members.watch(scraping.share_anew)
    wiring = Wiring(
        name="telemetry.scrape",
        routers=(routes(scraping.board),),
        jobs=(Job("telemetry.scrape", scraping.run, "ingest"),),
        ops=OpsSection("scrape", scraping.prepare),
    )
    return ScrapeRoom(scraping, TenantId(settings.tenant), scraping.board, wiring)
