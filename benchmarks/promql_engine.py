"""How long the engine of PromQL computes, without a store: 1,000 counters over a day at 15 s, 1,441 steps of a minute.

Run it with `python benchmarks/promql_engine.py`. Three cases: all series share one clock, ten targets' series stand
interleaved, every series has a clock of its own. Beside Prometheus, with a store, see the other scripts here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.promql import Engine
from holdfast.telemetry.metrics.selection import Selection, SelectionLimits, SeriesColumns

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SERIES, SAMPLES, STEP_MS, ROUNDS = 1000, 5760, 15_000, 4
QUERIES = (
    "sum by (job) (rate(m_total[5m]))",
    "rate(m_total[5m])",
    'max_over_time(m_total{few="1"}[1h])',
    "quantile(0.9, rate(m_total[5m]))",
    "m_total",
    "sum_over_time(m_total[5m])",
    "avg_over_time(m_total[1h])",
    "topk(5, rate(m_total[5m]))",
    'quantile_over_time(0.9, m_total{few="1"}[5m])',
)


class Columns:
    """A source whose samples are columns already; a tenth of the series for selectors with the label `few`."""

    def __init__(self, clocks: int) -> None:
        random = np.random.default_rng(1)
        values = np.cumsum(random.random((SERIES, SAMPLES)) * 10, axis=1)
        for row in range(0, SERIES, 50):
            at = int(random.integers(100, SAMPLES - 100))
            values[row, at:] -= values[row, at]
        shifts = random.integers(0, STEP_MS, clocks) if clocks > 1 else np.zeros(1, dtype=np.int64)
        clock_of = np.arange(SERIES) % clocks
        ts = (np.arange(SAMPLES) * STEP_MS + shifts[clock_of][:, None]).reshape(-1)
        self._all = columns_of(SERIES, ts, values, clock_of)
        few = SERIES // 10
        self._few = columns_of(few, ts[: few * SAMPLES], values[:few], clock_of[:few])

    async def select(
        self, tenant: TenantId, selections: Sequence[Selection], limits: SelectionLimits | None = None
    ) -> list[SeriesColumns]:
        """Answer at once."""
        del tenant, limits
        return [self._few if any(m.label == "few" for m in wish.matchers) else self._all for wish in selections]


def columns_of(count: int, ts: Ints, values: Floats, clock_of: Ints) -> SeriesColumns:
    """Put series of a name, ten jobs and as many instances into columns."""
    labels = [labels_of({"__name__": "m_total", "job": f"j{i % 10}", "instance": f"i{i}"}) for i in range(count)]
    offsets = np.arange(count + 1) * SAMPLES
    return SeriesColumns(labels, offsets, ts, values.reshape(-1), clocks=clock_of.astype(np.int32))


async def measure(engine: Engine, query: str) -> tuple[float, float]:
    """Give the best wall time and the best processor time in milliseconds."""
    walls, busy = [], []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        await engine.range(TenantId("t"), query, 0, 1440 * 60_000, 60_000)
        walls.append(time.perf_counter() - wall)
        busy.append(time.process_time() - cpu)
    return min(walls) * 1000, min(busy) * 1000


async def main() -> None:
    for name, clocks in (("one clock", 1), ("ten clocks, interleaved", 10), ("each its own clock", SERIES)):
        engine = Engine(Columns(clocks))
        print(f"{name}\n{'wall ms':>9} {'cpu ms':>9}")
        for query in QUERIES:
            wall, cpu = await measure(engine, query)
            print(f"{wall:9.1f} {cpu:9.1f}  {query}")


if __name__ == "__main__":
    asyncio.run(main())
