"""Which series there are, in memory: labels as small numbers per metric, so that matching asks no store."""

from holdfast.telemetry.metrics.indexing.chosen import Chosen
from holdfast.telemetry.metrics.indexing.group import Group
from holdfast.telemetry.metrics.indexing.index import SeriesIndex, alive
from holdfast.telemetry.metrics.indexing.matching import verdict

__all__ = ["Chosen", "Group", "SeriesIndex", "alive", "verdict"]
