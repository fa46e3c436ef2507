"""A program that appends log records of old and new streams and says what was acknowledged, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.logs import SCHEMA, LogArrival, LogSink, Records
from holdfast.telemetry.metrics.labels import labels_of

LANES = 4


async def append_forever(folder: Path, first: int) -> None:
    """Append one record per number, its stream named by the number's last digits."""
    async with Store(StoreSettings(linger=0.001), folder=folder) as store:
        await store.register(SCHEMA)
        sink = LogSink(store)
        book = sink.book(DEFAULT_TENANT)

        async def lane(number: int) -> None:
            while True:
                ref = book.ref(labels_of({"service_name": str(number // LANES % 50)}), origin="x")
                records = Records(np.array([ref]), np.array([number]), [str(number)])
                await sink.append(DEFAULT_TENANT, LogArrival(book.generation, records))
                sys.stdout.write(f"{number}\n")
                sys.stdout.flush()
                number += LANES

        await asyncio.gather(*(lane(first + offset) for offset in range(LANES)))


if __name__ == "__main__":
    asyncio.run(append_forever(Path(sys.argv[1]), int(sys.argv[2])))
