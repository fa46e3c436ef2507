"""Range aggregations put together from short steps: what the engine of the store takes out of lines, and odd lines too.

What stands behind the parser is done once for each combination of labels, not for each line.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.logs.querying.combining import Combinations, UnreadLineError
from holdfast.telemetry.logs.querying.planning import plan
from holdfast.telemetry.logs.querying.reading import Span, read_entries
from holdfast.telemetry.logs.querying.sampling import PipelineError, Sampler
from holdfast.telemetry.logs.querying.windows import Windows, aggregate
from holdfast.telemetry.logs.selection import Direction, RecordSelection
from holdfast.telemetry.metrics.promql import Grid

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.extraction import Extracted
    from holdfast.telemetry.logs.logql.nodes import RangeAggregation
    from holdfast.telemetry.logs.querying.limits import Meter
    from holdfast.telemetry.logs.querying.windows import Floats, Ints
    from holdfast.telemetry.logs.selection import RecordSource
    from holdfast.telemetry.metrics.labels import Labels

_MOST_STEPS: Final = 50_000
_MOST_ROWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Steps:
    """The time cut into the longest steps of which every window is made; windows are open at the left."""

    begin_ns: int
    end_ns: int
    step_ns: int

    @classmethod
    def of(cls, node: RangeAggregation, times_ns: Ints) -> Steps:
        """Give the steps of an evaluation."""
        first, last = int(times_ns[0]) - node.offset_ns, int(times_ns[-1]) - node.offset_ns
        distance = int(times_ns[1] - times_ns[0]) if len(times_ns) > 1 else node.range_ns
        return cls(first - node.range_ns + 1, last + 1, math.gcd(distance, node.range_ns))

    @property
    def count(self) -> int:
        """How many steps there are."""
        return (self.end_ns - self.begin_ns) // self.step_ns


@dataclass(slots=True)
class Sums:
    """Samples by series: a time, a value, and how many records have it."""

    meter: Meter
    rows: dict[Labels, int] = field(default_factory=dict)
    samples: list[list[tuple[Ints, Floats, Ints]]] = field(default_factory=list)

    def row(self, labels: Labels) -> int:
        """Give the place of a series."""
        place = self.rows.get(labels)
        if place is None:
            place = self.rows[labels] = len(self.rows)
            self.meter.check_series(len(self.rows))
            self.samples.append([])
        return place

    def grid(self, node: RangeAggregation, times_ns: Ints) -> Grid:
        """Give the values of the windows."""
        shape = len(self.rows), len(times_ns)
        values, counts = np.zeros(shape), np.zeros(shape, np.int64)
        ends = times_ns - node.offset_ns
        for place, parts in enumerate(self.samples):
            if not parts:
                continue
            ts_ns, numbers, records = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            windows = Windows(ts_ns, numbers, ends, node.range_ns, records=records)
            values[place] = aggregate(node.op, windows, param=node.param, is_unwrapped=node.unwrap is not None)
            counts[place] = windows.counts
        return Grid(list(self.rows), values, counts > 0)


async def step_by_step(
    source: RecordSource, tenant: TenantId, node: RangeAggregation, times_ns: Ints, meter: Meter
) -> Grid | None:
    """Give the values at each moment; None if lines must be read for it.

    Raises:
        LogqlError: a stage cannot work.
        PipelineError: lines with errors would be counted.
        LimitError, TimedOutError: it costs too much.
    """
    found = plan(node)
    steps = Steps.of(node, times_ns)
    if found is None or steps.count > _MOST_STEPS:
        return None
    combinations = Combinations(found)
    span = Span(steps.begin_ns, steps.end_ns, Direction.FORWARD)
    pushed = found.split
    wanted = RecordSelection(
        node.selector.matchers, span.start_ns, span.end_ns, pushed.lines, pushed.fields, hints=pushed.hints
    )
    taken = await source.extracts(tenant, wanted, found.extraction, step_ns=steps.step_ns, most=_MOST_ROWS)
    if taken is None:
        return None
    sums, sampler = Sums(meter), Sampler(node, meter)
    try:
        await asyncio.to_thread(_add_taken, taken, combinations, sampler, sums)
    except (UnreadLineError, PipelineError):  # lines say the error with all their labels
        return None
    is_plain = ~taken.is_odd
    meter.note(int(taken.records[is_plain].sum()), int(taken.body_bytes[is_plain].sum()))
    if taken.is_odd.any():
        begins = taken.begins_ns[taken.is_odd]
        odd = replace(span, start_ns=int(begins.min()), end_ns=int(begins.max()) + steps.step_ns)
        async for entries in read_entries(source, tenant, node.selector, odd, meter, odd_for=found.extraction):
            sampler.add(entries)
        for labels, (ts_ns, numbers) in sampler.series.items():
            columns = np.array(ts_ns, np.int64), np.array(numbers), np.ones(len(ts_ns), np.int64)
            sums.samples[sums.row(labels)].append(columns)
    return await asyncio.to_thread(sums.grid, node, times_ns)


def _add_taken(taken: Extracted, combinations: Combinations, sampler: Sampler, sums: Sums) -> None:
    """Do what the engine did not for each combination of labels, then add up the records of each series."""
    plain = np.flatnonzero(~taken.is_odd)
    if not len(plain):
        return
    streams = [dict(labels) for labels in taken.labels]
    keys = zip(taken.refs.tolist(), *taken.fields, *taken.metadata, strict=True)
    known: dict[tuple[int | str | None, ...], int] = {}
    samples: list[tuple[int, float]] = []
    which = np.empty(len(taken.refs), np.int64)
    for place, key in enumerate(keys):
        if taken.is_odd[place]:
            continue
        at = known.get(key)
        if at is None:
            at = known[key] = len(samples)
            entry = combinations.entry(streams[int(key[0] or 0)], key[1:])
            sample = None if entry is None else sampler.sample(entry)
            samples.append((-1, 0.0) if sample is None else (sums.row(sample[0]), sample[1]))
        which[place] = at
    rows = np.array([row for row, _ in samples])[which[plain]]
    values = np.array([value for _, value in samples])[which[plain]]
    times_ns, records = taken.times_ns[plain], taken.records[plain]
    if sampler.is_sized and not combinations.is_formatted:
        values = taken.body_bytes[plain] / records
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(len(sums.rows) + 1))
    for row in range(len(sums.rows)):
        own = order[starts[row] : starts[row + 1]]
        if len(own):
            sums.samples[row].append((times_ns[own], values[own], records[own]))
