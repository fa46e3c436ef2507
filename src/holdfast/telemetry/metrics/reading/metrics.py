"""What the caches of queries tell of themselves: they count without an instrument and are asked when somebody looks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

    from holdfast.telemetry.metrics.indexing import SeriesIndex
    from holdfast.telemetry.metrics.reading.cache import BlockCache


class CacheFigures(Collector):
    """The blocks of samples and the labels of series that queries have read before."""

    def __init__(self, registry: CollectorRegistry, index: SeriesIndex, blocks: BlockCache) -> None:
        self._index = index
        self._blocks = blocks
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Look at both."""
        blocks, index = self._blocks, self._index
        of = "holdfast_query_block_cache"
        yield CounterMetricFamily(f"{of}_hits", "Blocks of samples that a query found in memory.", blocks.hits)
        yield CounterMetricFamily(f"{of}_misses", "Blocks of samples that a query had to read.", blocks.misses)
        yield GaugeMetricFamily(f"{of}_bytes", "Memory in blocks of samples.", blocks.nbytes)
        yield GaugeMetricFamily(f"{of}_max_bytes", "The most that blocks of samples may take.", blocks.most_bytes)
        of = "holdfast_query_label_cache"
        yield CounterMetricFamily(f"{of}_hits", "Selectors whose series were known.", index.hits)
        yield CounterMetricFamily(f"{of}_misses", "Selectors for which series were read.", index.misses)
        yield GaugeMetricFamily(f"{of}_series", "Series whose labels are in memory.", index.remembered)
        yield GaugeMetricFamily(f"{of}_max_series", "The most series of one tenant that are kept there.", index.most)
