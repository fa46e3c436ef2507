"""What scraping tells of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from holdfast.kernel.errors import InvalidError, LimitError
from holdfast.kernel.http import AnswerTooLargeError
from holdfast.telemetry.ledger import NO_LEDGER, Reason, Signal, service_of

if TYPE_CHECKING:
    from holdfast.kernel.errors import HoldfastError
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.metrics.labels import Labels

_LATENESS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0)


class ScrapeMetrics:
    """The instruments, registered once per registry."""

    def __init__(self, registry: CollectorRegistry | None, ledger: Notes = NO_LEDGER) -> None:
        self._ledger = ledger
        self.targets = Gauge("holdfast_scrape_targets", "Targets that are scraped.", ("job",), registry=registry)
        self.scrapes = Counter(
            "holdfast_scrape_scrapes_total",
            "Scrapes by outcome: ok, or why the target counts as down.",
            ("outcome",),
            registry=registry,
        )
        self.pages = Counter(
            "holdfast_scrape_pages_total",
            "Pages by how they were read: known series by a template, others by the strict parser.",
            ("way",),
            registry=registry,
        )
        self.samples = Counter("holdfast_scrape_samples_total", "Samples handed to the store.", registry=registry)
        self.lost = Counter(
            "holdfast_scrape_lost_samples_total",
            "Samples that the store did not take, by error code; they are not sent again.",
            ("reason",),
            registry=registry,
        )
        self.unconverted = Counter(
            "holdfast_scrape_unconverted_histograms_total",
            "Classic histograms that stayed what they are, against convert_classic_histograms_to_nhcb: their buckets "
            "contradict each other.",
            ("job",),
            registry=registry,
        )
        self.lateness = Histogram(
            "holdfast_scrape_lateness_seconds",
            "Time from when a scrape was due to when it began.",
            buckets=_LATENESS,
            registry=registry,
        )
        self.skipped = Counter(
            "holdfast_scrape_skipped_total", "Scrapes left out because the one before had not ended.", registry=registry
        )
        self.refreshes = Counter(
            "holdfast_scrape_discovery_failures_total",
            "Discoveries that failed; the targets found before stay.",
            ("kind",),
            registry=registry,
        )

    def note_failure(self, tenant: TenantId, target: Labels, job: str, error: HoldfastError) -> None:
        """Tell the ledger of a page that was left out whole; a target that does not answer has left nothing out.

        Its service is that of the target's labels, or its job where relabelling took those away.
        """
        if isinstance(error, LimitError | AnswerTooLargeError):
            reason = Reason.SCRAPE_LIMIT
        elif isinstance(error, InvalidError):
            reason = Reason.MALFORMED
        else:
            return
        self._ledger.note(tenant, Signal.METRICS, _service(target, job), reason, records=0)

    def note_ahead(self, tenant: TenantId, target: Labels, job: str, samples: int) -> None:
        """Tell the ledger of samples whose times lie too far ahead."""
        self._ledger.note(tenant, Signal.METRICS, _service(target, job), Reason.OUT_OF_RANGE, records=samples)

    def note_lost(self, tenant: TenantId, target: Labels, job: str, code: str, samples: int) -> None:
        """Count samples that the store did not take."""
        self.lost.labels(code).inc(samples)
        self._ledger.note(tenant, Signal.METRICS, _service(target, job), Reason.SCRAPE_LOST, records=samples)


def _service(target: Labels, job: str) -> str:
    return service_of(target) or service_of((("job", job),))
