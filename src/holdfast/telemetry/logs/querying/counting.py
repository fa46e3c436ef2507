"""Counts that the store's engine makes itself: `sum by (level) (rate({..} |= "x" [5m]))` reads no line.

Only where the pipeline goes down whole and the labels that stay are asked for by name. Windows that overlap are sums of
smaller steps.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.logs.logql.nodes import RangeAggregation
from holdfast.telemetry.logs.pipeline.entries import SUFFIX
from holdfast.telemetry.logs.querying.pushing import split
from holdfast.telemetry.logs.selection import RecordSelection, RecordSource
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Grid

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.querying.limits import Meter
    from holdfast.telemetry.logs.querying.windows import Ints

_COUNTED: Final = frozenset({"count_over_time", "rate", "bytes_over_time", "bytes_rate"})
_MOST_STEPS: Final = 50_000


def is_countable(node: RangeAggregation) -> bool:
    """Tell whether the engine can answer this alone."""
    if node.op not in _COUNTED or node.unwrap is not None or node.grouping is None or node.grouping.is_without:
        return False
    if any(label.endswith(SUFFIX) for label in node.grouping.labels):  # of metadata, whose name the stream has
        return False
    return not split(node.selector.stages).rest


async def count(
    source: RecordSource, tenant: TenantId, inner: RangeAggregation, ends_ns: Ints, meter: Meter
) -> Grid | None:
    """Give the sums at each moment; None if that would take too many steps."""
    ends = ends_ns - inner.offset_ns
    distance = int(ends[1] - ends[0]) if len(ends) > 1 else inner.range_ns
    step = math.gcd(distance, inner.range_ns)
    begin, end = int(ends[0]) - inner.range_ns + 1, int(ends[-1]) + 1  # (t - range, t] in whole nanoseconds
    steps = (end - begin) // step
    if steps > _MOST_STEPS:
        return None
    parts = split(inner.selector.stages)
    by = inner.grouping.labels if inner.grouping else ()
    wanted = RecordSelection(inner.selector.matchers, begin, end, parts.lines, parts.fields)
    found = await source.counts(tenant, wanted, step_ns=step, by=by)
    meter.note(int(found.records.sum()), int(found.body_bytes.sum()))
    groups = sorted(set(found.groups))
    meter.check_series(len(groups))
    places = {group: row for row, group in enumerate(groups)}
    is_sized = inner.op.startswith("bytes_")
    columns = (found.begins_ns - begin) // step
    rows = np.array([places[group] for group in found.groups], dtype=np.int64)
    sums, counts = (np.zeros((len(groups), steps + 1), dtype=np.int64) for _ in range(2))
    np.add.at(sums, (rows, columns + 1), found.body_bytes if is_sized else found.records)
    np.add.at(counts, (rows, columns + 1), found.records)
    last = (ends - ends[0]) // step + inner.range_ns // step
    first = last - inner.range_ns // step
    total = np.cumsum(sums, axis=1)
    present = np.cumsum(counts, axis=1)
    values = (total[:, last] - total[:, first]).astype(np.float64)
    if inner.op in {"rate", "bytes_rate"}:
        values /= inner.range_ns / 1e9
    labels = [labels_of(zip(by, group, strict=True)) for group in groups]
    return Grid(labels, values, (present[:, last] - present[:, first]) > 0)
