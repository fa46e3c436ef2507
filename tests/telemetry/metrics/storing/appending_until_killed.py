"""A program that appends samples of old and new series and says what was acknowledged, until somebody kills it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry import SCHEMA, MetricSink
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.labels import labels_of

LANES = 4


async def append_forever(folder: Path, first: int) -> None:
    """Append one sample per number, its series named by the number's last digits."""
    async with Store(StoreSettings(linger=0.001), folder=folder) as store:
        await store.register(SCHEMA)
        sink = MetricSink(store)
        book = sink.book(DEFAULT_TENANT)

        async def lane(number: int) -> None:
            while True:
                ref = book.ref(labels_of({"__name__": "m", "n": str(number // LANES % 50)}), origin="x")
                values = np.array([float(number)])
                await sink.append(DEFAULT_TENANT, Arrival(1, np.array([ref]), np.array([number]), values))
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()
                number += LANES

        await asyncio.gather(*(lane(first + offset) for offset in range(LANES)))


if __name__ == "__main__":
    asyncio.run(append_forever(Path(sys.argv[1]), int(sys.argv[2])))
