"""Range functions: what a window of samples says. Knows windows and arrays, nothing of queries."""

from holdfast.telemetry.metrics.promql.evaluation.ranges import edges, extremes, rates, spreads, totals, trends, turns
from holdfast.telemetry.metrics.promql.evaluation.ranges.extended import ANCHORED, SMOOTHED
from holdfast.telemetry.metrics.promql.evaluation.ranges.kernel import Kernel

KERNELS: dict[str, Kernel] = {
    **edges.KERNELS,
    **extremes.KERNELS,
    **rates.KERNELS,
    **spreads.KERNELS,
    **totals.KERNELS,
    **trends.KERNELS,
    **turns.KERNELS,
}

__all__ = ["ANCHORED", "KERNELS", "SMOOTHED", "Kernel"]
