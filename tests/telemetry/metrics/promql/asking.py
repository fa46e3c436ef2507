"""A source with few series and an engine over it, for tests that ask it things."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from holdfast.telemetry.metrics.memory import MemorySource
from holdfast.telemetry.metrics.promql.engine import Engine
from holdfast.telemetry.metrics.promql.parser import parse
from holdfast.telemetry.metrics.promql.series_notation import parse_series

TENANT = "t"


def labels_of(text):
    node = parse(text)
    return tuple(sorted((matcher.label, matcher.value) for matcher in node.matchers))


@dataclass
class Bench:
    source: MemorySource = field(default_factory=MemorySource)

    def put(self, series, *values, step_s=60, first_s=0):
        """Put values, one every step; None leaves a gap."""
        points = [
            ((first_s + place * step_s) * 1000, float(value)) for place, value in enumerate(values) if value is not None
        ]
        self.source.add(TENANT, labels_of(series), points)

    def note(self, series, step_s=60, start_s=0):
        """Put what stands in the notation of rule tests; `start_s` is since when all samples count, 0 if unknown."""
        noted = parse_series(series)
        points = [(place * step_s * 1000, each.value) for place, each in enumerate(noted.values)]
        present = [(ts_ms, value) for ts_ms, value in points if value is not None]
        self.source.add(TENANT, noted.labels, present, start_ms=start_s * 1000)

    def engine(self, **options):
        return Engine(self.source, **options)

    def answer(self, query, at_s):
        return asyncio.run(self.engine().instant(TENANT, query, at_s * 1000))

    def at(self, query, at_s):
        """Evaluate at one moment; give values by labels."""
        grid = self.answer(query, at_s).grid
        return {show(labels): value for labels, (value,) in zip(grid.labels, grid.values.tolist(), strict=True)}

    def over(self, query, start_s, end_s, step_s=60):
        """Evaluate over a range; give lists of values by labels, None where there is none."""
        answer = asyncio.run(self.engine().range(TENANT, query, start_s * 1000, end_s * 1000, step_s * 1000))
        grid = answer.grid
        return {
            show(labels): [value if there else None for value, there in zip(values, present, strict=True)]
            for labels, values, present in zip(grid.labels, grid.values.tolist(), grid.present.tolist(), strict=True)
        }


def show(labels):
    name = dict(labels).get("__name__", "")
    rest = ",".join(f"{label}={value}" for label, value in labels if label != "__name__")
    return f"{name}{{{rest}}}"
