"""Patterns: lines that differ only in numbers, ids, times and the like, mined as they arrive, with counts over time.

Owns the masks, the clusters, their table and the events about them. Refuses to know formats of files and LogQL.
"""

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
