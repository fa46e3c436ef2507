"""From a request to the sink: decodes in slices, and once more when the book has forgotten its streams meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import BusyError, ConflictError, HoldfastError
from holdfast.telemetry.arriving import through
from holdfast.telemetry.logs.arrivals import LogsWritten
from holdfast.telemetry.logs.intake.columns import RecordColumns

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.arrivals import RecordSink, StreamBook
    from holdfast.telemetry.logs.intake.known import KnownStreams, StreamMemory
    from holdfast.telemetry.logs.intake.meters import LogMeters
    from holdfast.telemetry.metrics.intake import Refusals

ATTEMPTS: Final = 3

# Fills columns from a request, and yields where the event loop may have its turn.
Walk = Callable[["StreamBook", "StreamMemory", "RecordColumns"], Iterator[None]]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a request."""

    written: LogsWritten
    refusals: Refusals


async def deliver(
    tenant: TenantId, walk: Walk, *, sink: RecordSink, known: KnownStreams, door: str, meters: LogMeters
) -> Delivered:
    """Decode by `walk` and store; when this returns, the store has accepted all that was not refused.

    Raises:
        InvalidError: nothing of it could be read, and nothing was stored.
        BusyError, LimitError, StorageFullError, UnavailableError: nothing is acknowledged, the same may be sent again.
    """
    try:
        with through(door):
            delivered = await _deliver(tenant, walk, sink, known, meters.decoding.labels(door).observe)
    except HoldfastError as error:
        meters.failed.labels(door, error.code).inc()
        raise
    meters.note(tenant, door, delivered.written, delivered.refusals)
    return delivered


async def _deliver(
    tenant: TenantId, walk: Walk, sink: RecordSink, known: KnownStreams, observe: Callable[[float], None]
) -> Delivered:
    for _ in range(ATTEMPTS):
        book, columns = sink.book(tenant), RecordColumns()
        memory = known.of(tenant, book.generation)
        spent_s, started_s = 0.0, time.perf_counter()
        for _turn in walk(book, memory, columns):
            spent_s += time.perf_counter() - started_s
            await asyncio.sleep(0)
            started_s = time.perf_counter()
            if book.generation != memory.generation:
                break
        observe(spent_s + time.perf_counter() - started_s)
        if book.generation != memory.generation:
            continue
        try:
            written = await sink.append(tenant, columns.arrival(memory.generation)) if columns else LogsWritten()
        except ConflictError:
            continue
        columns.refusals.add_all(written.refused)
        return Delivered(written, columns.refusals)
    raise BusyError("the known streams changed several times during this request", hint="send it again")
