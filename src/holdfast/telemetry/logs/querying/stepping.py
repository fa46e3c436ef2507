"""Range aggregations put together from short steps: what the engine of the store takes out of lines, and odd lines too.

What stands behind the parser is done once for each combination of labels, not for each line.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.logs.pipeline import Entry, Pipeline
from holdfast.telemetry.logs.querying.planning import Plan, plan
from holdfast.telemetry.logs.querying.reading import Span, read_entries
from holdfast.telemetry.logs.querying.sampling import Sampler
from holdfast.telemetry.logs.querying.windows import Windows
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
_KEPT: Final = {"max_over_time": np.maximum, "min_over_time": np.minimum}


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
        values, counts = np.zeros(shape), np.zeros(shape)
        ends = times_ns - node.offset_ns
        for place, parts in enumerate(self.samples):
            if not parts:
                continue
            ts_ns, numbers, records = (np.concatenate(columns) for columns in zip(*parts, strict=True))
            kept = _KEPT.get(node.op)
            weighed = numbers if kept else numbers * records
            values[place] = Windows(ts_ns, weighed, ends, node.range_ns).reduce(kept or np.add)
            counts[place] = Windows(ts_ns, records.astype(np.float64), ends, node.range_ns).reduce(np.add)
        if node.op == "avg_over_time":
            values /= np.maximum(counts, 1)
        if node.op in {"rate", "bytes_rate"}:
            values /= node.range_ns / 1e9
        return Grid(list(self.rows), values, counts > 0)


async def step_by_step(
    source: RecordSource, tenant: TenantId, node: RangeAggregation, times_ns: Ints, meter: Meter
) -> Grid | None:
    """Give the values at each moment; None if the engine cannot parse for it.

    Raises:
        PipelineError: lines with errors would be counted.
        LimitError, TimedOutError: it costs too much.
    """
    found = plan(node)
    steps = Steps.of(node, times_ns)
    if found is None or steps.count > _MOST_STEPS:
        return None
    span = Span(steps.begin_ns, steps.end_ns, Direction.FORWARD)
    parts = found.parts
    wanted = RecordSelection(
        node.selector.matchers, span.start_ns, span.end_ns, parts.lines, parts.fields, hints=parts.hints
    )
    taken = await source.extracts(tenant, wanted, found.extraction, step_ns=steps.step_ns, most=_MOST_ROWS)
    if taken is None:
        return None
    is_plain = ~taken.is_odd
    meter.note(int(taken.records[is_plain].sum()), int(taken.body_bytes[is_plain].sum()))
    sums, sampler = Sums(meter), Sampler(node, meter)
    await asyncio.to_thread(_add_taken, taken, found, steps.step_ns, sampler, sums)
    if taken.is_odd.any():
        begins = taken.begins_ns[taken.is_odd]
        odd = replace(span, start_ns=int(begins.min()), end_ns=int(begins.max()) + steps.step_ns)
        async for entries in read_entries(source, tenant, node.selector, odd, meter, odd_for=found.extraction):
            sampler.add(entries)
        for labels, (ts_ns, numbers) in sampler.series.items():
            columns = np.array(ts_ns, np.int64), np.array(numbers), np.ones(len(ts_ns), np.int64)
            sums.samples[sums.row(labels)].append(columns)
    return await asyncio.to_thread(sums.grid, node, times_ns)


def _add_taken(taken: Extracted, found: Plan, step_ns: int, sampler: Sampler, sums: Sums) -> None:
    """Do what stands behind the parser for each combination of labels, then add up the records of each series."""
    plain = np.flatnonzero(~taken.is_odd)
    if not len(plain):
        return
    streams = [dict(labels) for labels in taken.labels]
    pipeline = Pipeline(found.behind)
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
            samples.append(_sample(key, found, streams, pipeline, sampler, sums))
        which[place] = at
    rows = np.array([row for row, _ in samples])[which[plain]]
    values = np.array([value for _, value in samples])[which[plain]]
    ends_ns, records = taken.begins_ns[plain] + step_ns - 1, taken.records[plain]
    if sampler.is_sized:
        values = taken.body_bytes[plain] / records
    order = np.argsort(rows, kind="stable")
    starts = np.searchsorted(rows[order], np.arange(len(sums.rows) + 1))
    for row in range(len(sums.rows)):
        own = order[starts[row] : starts[row + 1]]
        if len(own):
            sums.samples[row].append((ends_ns[own], values[own], records[own]))


def _sample(
    key: tuple[int | str | None, ...],
    found: Plan,
    streams: list[dict[str, str]],
    pipeline: Pipeline,
    sampler: Sampler,
    sums: Sums,
) -> tuple[int, float]:
    """Give the series of a combination, negative if it has none, and its value."""
    extraction = found.extraction
    cut = 1 + len(extraction.fields)
    metadata = {
        name: value for name, value in zip(extraction.metadata, key[cut:], strict=True) if isinstance(value, str)
    }
    entry = Entry(0, "", streams[int(key[0] or 0)], metadata)
    for name, value in zip(extraction.fields, key[1:cut], strict=True):
        if isinstance(value, str):
            entry.put_parsed(name, value)
    if not pipeline.apply(entry):
        return -1, 0.0
    sample = sampler.sample(entry)
    return (-1, 0.0) if sample is None else (sums.row(sample[0]), sample[1])
