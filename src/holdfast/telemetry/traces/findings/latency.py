"""How long the spans of a search took over time: counts by time and duration, for a heat map of which a part is chosen.

Durations fall into six buckets per power of ten, whose bounds have two digits: a search from a bucket's lower
to its upper bound finds the spans that were counted in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.traces.conditions import LAST_NS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.findings.counting import SpanCounts
    from holdfast.telemetry.traces.selection import TraceSearch

_STEPS: Final = (10, 15, 22, 32, 46, 68)  # about as far from each other, and short to write
_DECADES: Final = 9  # from a microsecond up
BOUNDS_NS: Final = (0, *(100 * 10**decade * step for decade in range(_DECADES) for step in _STEPS), 10**12)
_NICE_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_NS: Final = 10**9
_CELLS: Final = (
    "SELECT intDiv(start_ns, {step:Int64}) AS at, roundDown(duration_ns, {bounds:Array(Int64)}) AS low,"
    " sum(weight) AS spans, sumIf(weight, status = 2) AS failed FROM {rows} GROUP BY at, low ORDER BY at, low"
)
_TOTALS: Final = (
    "SELECT sum(weight) AS spans, sumIf(weight, status = 2) AS failed,"
    " quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ns, toUInt64(greatest(round(weight), 1))) AS durations"
    " FROM {rows}"
)


@dataclass(frozen=True, slots=True)
class LatencyMap:
    """Counts by time and duration, as columns of cells that hold anything.

    Attributes:
        start_ns, step_ns: column n begins at start_ns + n * step_ns.
        columns: how many there are.
        bounds_ns: row n holds durations from bounds_ns[n], below bounds_ns[n + 1].
        times, rows: the column and the row of each cell.
        spans, failed: how many spans are in it, and how many of them failed.
        total, total_failed: of all cells.
        percentiles_ns: p50, p95, p99; None without spans.
        share: of the traces that were counted; counts are scaled to all.
    """

    start_ns: int
    step_ns: int
    columns: int
    bounds_ns: Sequence[int]
    times: Sequence[int]
    rows: Sequence[int]
    spans: Sequence[float]
    failed: Sequence[float]
    total: float
    total_failed: float
    percentiles_ns: Sequence[float] | None
    share: float


async def map_latency(
    counts: SpanCounts, tenant: TenantId, search: TraceSearch, columns: int, *, has_singles: bool = True
) -> LatencyMap:
    """Count the spans of a search in about `columns` steps of time; without `has_singles` as `SpanCounts.select`."""
    step_ns = _step(search.end_ns - search.start_ns, columns)
    first, last = search.start_ns // step_ns, (search.end_ns - 1) // step_ns
    chosen = await counts.select(tenant, search, has_singles=has_singles)
    rows = chosen.rows("start_ns, duration_ns, status, weight")
    values = {**chosen.values, "step": step_ns, "bounds": list(BOUNDS_NS)}
    table = await counts.ask(tenant, _CELLS.replace("{rows}", rows), values)
    totals = (await counts.ask(tenant, _TOTALS.replace("{rows}", rows), chosen.values)).to_pylist()[0]
    lows = table.column("low").to_pylist()
    base = _row(min(lows)) if lows else 0
    top = _row(max(lows)) + 1 if lows else 0
    scale = chosen.one_of
    return LatencyMap(
        first * step_ns,
        step_ns,
        last - first + 1,
        _bounds(base, top) if lows else [],
        [at - first for at in table.column("at").to_pylist()],
        [_row(low) - base for low in lows],
        [spans * scale for spans in table.column("spans").to_pylist()],
        [failed * scale for failed in table.column("failed").to_pylist()],
        totals["spans"] * scale,
        totals["failed"] * scale,
        totals["durations"] if lows else None,
        1 / scale,
    )


def _bounds(base: int, top: int) -> list[int]:
    return [*BOUNDS_NS[base : top + 1], *([LAST_NS] if top == len(BOUNDS_NS) else [])]


def _row(low: int) -> int:
    return bisect_right(BOUNDS_NS, low) - 1


def _step(length_ns: int, columns: int) -> int:
    """Give a step of time that people count in, so that columns stay where they are while time goes on."""
    least = -(-length_ns // columns)
    found = next((step * _NS for step in _NICE_S if step * _NS >= least), None)
    return found or -(-least // (_NICE_S[-1] * _NS)) * _NICE_S[-1] * _NS
