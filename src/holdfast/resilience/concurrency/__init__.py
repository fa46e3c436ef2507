"""Work done side by side, within bounds: worker pools, producer and consumers, parallel maps, pools of resources.

Owns what programs build on threads, processes and tasks again and again, on the standard library. Refuses to schedule
or to remember work: what must survive a crash is a run of the server's.
"""

from holdfast.resilience.concurrency.errors import PoolClosed, PoolExhausted
from holdfast.resilience.concurrency.feeding import feed, feed_sync
from holdfast.resilience.concurrency.mapping import (
    Chunk,
    Outcome,
    map_csv,
    map_csv_async,
    map_each,
    map_each_async,
    map_files,
    map_files_async,
    read_chunks,
)
from holdfast.resilience.concurrency.resources import AsyncResourcePool, Lease, ResourcePool
from holdfast.resilience.concurrency.workers import WorkerPool, cpu_pool, io_pool

__all__ = [
    "AsyncResourcePool",
    "Chunk",
    "Lease",
    "Outcome",
    "PoolClosed",
    "PoolExhausted",
    "ResourcePool",
    "WorkerPool",
    "cpu_pool",
    "feed",
    "feed_sync",
    "io_pool",
    "map_csv",
    "map_csv_async",
    "map_each",
    "map_each_async",
    "map_files",
    "map_files_async",
    "read_chunks",
]
