"""A program that writes and says what was acknowledged, until somebody kills it. Run by `test_durability`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from store.samples import SAMPLES, SCHEMA, rows


async def write_forever(folder: Path, first: int) -> None:
    """Write numbers from `first` on, several writes on their way at a time."""
    store = Store(StoreSettings(linger=0.001), folder=folder)
    await store.register(SCHEMA)
    await store.open()

    async def lane(number: int) -> None:
        while True:
            await store.writer(SAMPLES).write(rows([number]), tenant=DEFAULT_TENANT)
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()
            number += 8

    await asyncio.gather(*(lane(first + offset) for offset in range(8)))


if __name__ == "__main__":
    asyncio.run(write_forever(Path(sys.argv[1]), int(sys.argv[2])))
