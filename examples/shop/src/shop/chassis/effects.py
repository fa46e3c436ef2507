"""What a fault really does to the process: burn a core, take memory, hold every connection.

Each is an async context manager that gives back everything when it is left. Bounds: one burning thread, 512 MiB.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator

from shop.chassis.faults import FaultPlan

LEAK_LIMIT_BYTES = 512 << 20
_SLICE_S = 0.05


@contextlib.asynccontextmanager
async def burn_cpu(plan: FaultPlan) -> AsyncIterator[None]:
    """Keep one thread busy for the plan's share of each 50 ms; requests feel it through the interpreter lock."""
    is_over = threading.Event()

    def burn() -> None:
        while not is_over.is_set():
            until = time.perf_counter() + _SLICE_S * plan.cpu
            while time.perf_counter() < until:
                pass
            is_over.wait(_SLICE_S * (1 - plan.cpu))

    thread = threading.Thread(target=burn, name="fault-cpu", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        await asyncio.to_thread(thread.join)


@contextlib.asynccontextmanager
async def leak_memory(plan: FaultPlan) -> AsyncIterator[None]:
    """Take memory at the plan's rate, twice a second, until the limit."""
    leaked: list[bytearray] = []

    async def leak() -> None:
        held = 0
        while held < LEAK_LIMIT_BYTES:
            # 0xA5 touches every page: memory that is only reserved would not show as resident.
            leaked.append(bytearray(b"\xa5") * (plan.leak_bytes_per_s // 2))
            held += plan.leak_bytes_per_s // 2
            await asyncio.sleep(0.5)

    task = asyncio.create_task(leak(), name="fault-leak")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        leaked.clear()
