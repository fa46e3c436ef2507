"""What many traces tell together: latencies over time, groups of slow and failed spans, what sets traces apart, drift.

Owns counts in the engine, of all spans or of a share that it tells. Refuses to draw them.
"""

from holdfast.telemetry.traces.findings.comparison import (
    Comparison,
    Contrast,
    Growth,
    Side,
    TraceComparison,
    the_rest,
)
from holdfast.telemetry.traces.findings.counting import SpanCounts
from holdfast.telemetry.traces.findings.drift import Change, Drift, EdgeDrift, EdgeState, find_drift
from holdfast.telemetry.traces.findings.groups import (
    MOST_GROUPS,
    Example,
    SpanGroup,
    SpanGroups,
    find_failed,
    find_slow,
)
from holdfast.telemetry.traces.findings.latency import LatencyMap, map_latency

__all__ = [
    "MOST_GROUPS",
    "Change",
    "Comparison",
    "Contrast",
    "Drift",
    "EdgeDrift",
    "EdgeState",
    "Example",
    "Growth",
    "LatencyMap",
    "Side",
    "SpanCounts",
    "SpanGroup",
    "SpanGroups",
    "TraceComparison",
    "find_drift",
    "find_failed",
    "find_slow",
    "map_latency",
    "the_rest",
]
