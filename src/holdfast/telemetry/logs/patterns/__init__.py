"""Patterns: lines that differ only in numbers, ids, times and the like, mined as they arrive, with counts over time.

Owns the masks, the clusters, their table and the events about them. Refuses to know formats of files and LogQL.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.telemetry.logs.patterns.clusters import Cluster, ClusterTree
    from holdfast.telemetry.logs.patterns.keeping import PatternKeeping, PatternScope, PatternSeries
    from holdfast.telemetry.logs.patterns.masks import GAP, mask, shapes_of
    from holdfast.telemetry.logs.patterns.mining import PatternMiner
    from holdfast.telemetry.logs.patterns.tables import SCHEMA
    from holdfast.telemetry.logs.patterns.wiring import PatternsRoom, wire

__all__ = [
    "GAP",
    "SCHEMA",
    "Cluster",
    "ClusterTree",
    "PatternKeeping",
    "PatternMiner",
    "PatternScope",
    "PatternSeries",
    "PatternsRoom",
    "mask",
    "shapes_of",
    "wire",
]

_HOMES = {
    "clusters": "Cluster ClusterTree",
    "keeping": "PatternKeeping PatternScope PatternSeries",
    "masks": "GAP mask shapes_of",
    "mining": "PatternMiner",
    "tables": "SCHEMA",
    "wiring": "PatternsRoom wire",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
