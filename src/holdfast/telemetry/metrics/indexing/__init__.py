"""Which series there are, in memory: labels as small numbers per series, so that matching asks no store.

By metric for queries, and all of a tenant together for what is asked of no single metric.
"""

from holdfast.telemetry.metrics.indexing.census import Census
from holdfast.telemetry.metrics.indexing.chosen import Chosen
from holdfast.telemetry.metrics.indexing.columns import Ordinals
from holdfast.telemetry.metrics.indexing.group import Group
from holdfast.telemetry.metrics.indexing.index import SeriesIndex, alive, exact_name
from holdfast.telemetry.metrics.indexing.matching import verdict

__all__ = ["Census", "Chosen", "Group", "Ordinals", "SeriesIndex", "alive", "exact_name", "verdict"]
