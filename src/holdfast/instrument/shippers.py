"""Watches shippers of the journal: what waits, what was sent, dropped, refused and tried again.

Asked when somebody looks, so that a line that is logged costs nothing more. A shipper that is gone takes its series
with it; watching keeps none alive.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from holdfast.instrument.labels import BoundedLabel
from holdfast.instrument.looks import Figures, Looks
from holdfast.instrument.registries import PerRegistry, count_folded

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

    from holdfast.journal import Shipper

MOST_SHIPPERS: Final = 50


class ShipperGauges(Collector):
    """Asks the shippers when somebody looks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._names = BoundedLabel(MOST_SHIPPERS, count_folded(registry, "shipper"))
        self._shippers: Looks[str] = Looks()
        registry.register(self)

    def add(self, name: str, shipper: Shipper) -> Callable[[], None]:
        """Show `shipper` under `name`; give the function that ends it."""
        return self._shippers.add(self._names.admit(name), shipper, _read)

    def describe(self) -> Iterable[Metric]:
        """Give the families, without samples."""
        return self._families()

    def collect(self) -> Iterable[Metric]:
        """Look at every shipper."""
        families = self._families()
        for label, figures in self._shippers.figures():
            for family, figure in zip(families, figures, strict=True):
                family.add_metric([label], figure or 0)
        return families

    @staticmethod
    def _families() -> tuple[Any, ...]:
        of = ["shipper"]
        return (
            CounterMetricFamily("journal_lines_shipped", "Lines that the server took.", labels=of),
            CounterMetricFamily(
                "journal_lines_dropped", "Lines lost here: queue or spool full, or cut off.", labels=of
            ),
            CounterMetricFamily("journal_lines_refused", "Lines that the server refused for good.", labels=of),
            CounterMetricFamily("journal_ship_retries", "Requests that were sent again.", labels=of),
            GaugeMetricFamily("journal_lines_waiting", "Lines in the queue in memory.", labels=of),
            GaugeMetricFamily("journal_spool_bytes", "What waits on the disk.", labels=of),
        )


def _read(shipper: Shipper) -> Figures:
    now = shipper.shipped
    return now.sent, now.dropped, now.refused, now.retries, now.waiting, now.spooled_bytes


_GAUGES: Final = PerRegistry(ShipperGauges)


def watch_shipper(
    shipper: Shipper, registry: CollectorRegistry | None = None, *, name: str = "journal"
) -> Callable[[], None]:
    """Show how a shipper of `holdfast.journal` fares; give the function that ends it.

    Args:
        shipper: what `configure(ship=[...])` was given.
        registry: where it is shown; prometheus_client's own if not given.
        name: its label `shipper`; several of one name are added up.
    """
    return _GAUGES(REGISTRY if registry is None else registry).add(name, shipper)
