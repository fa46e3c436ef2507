"""Takes a request of remote write in: decompresses, decodes in slices, and waits until the store has accepted it.

Speaks no HTTP; `writing` turns what this gives and raises into the answers that the specifications ask for.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import BusyError, ConflictError, HoldfastError
from holdfast.telemetry import snappy
from holdfast.telemetry.crowds import LOOKED_AT_BYTES, Tree, refuse_crowd
from holdfast.telemetry.metrics.arrivals import Written
from holdfast.telemetry.metrics.intake import IntakeMeters, KnownSeries, LabelLimits, Refusals, admit_labels
from holdfast.telemetry.metrics.remote import version1, version2
from holdfast.telemetry.metrics.remote.batch import Batch
from holdfast.telemetry.metrics.remote.layouts import LayoutError
from holdfast.telemetry.metrics.remote.newcomers import Newcomers
from holdfast.telemetry.metrics.remote.settings import RemoteWriteSettings
from holdfast.telemetry.metrics.remote.usual import UsualLabels

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import Arrival, ArrivalSink, SeriesBook
    from holdfast.telemetry.metrics.intake import Memory

ATTEMPTS: Final = 3
FLOOD: Final = 20  # series kept out in one slice, from which on a request is a flood
REST: Final = 4.0  # floods get a fifth of the time at most, however many there are
MOST_RESTING: Final = 64
_THROUGH: Final = object()
_SETTING: Final = "remote_write.max_body"
_AT_ONCE_BYTES: Final = 1_000_000  # at most 10 ms, were it all repetition


class Protocol(StrEnum):
    """Which message a request holds; also the name of the door in metrics."""

    V1 = "remote_write_1"
    V2 = "remote_write_2"


_SERIES: Final[dict[Protocol, Tree]] = {Protocol.V1: {1: {}}, Protocol.V2: {5: {}}}
_WALKS: Final = {Protocol.V1: version1.walk, Protocol.V2: version2.walk}


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a request."""

    written: Written
    refusals: Refusals


class _AgedError(Exception):
    """Idle series were forgotten while we decoded: the references are worth nothing any more."""


class RemoteWriter:
    """The door of remote write."""

    def __init__(
        self,
        sink: ArrivalSink,
        *,
        settings: RemoteWriteSettings | None = None,
        meters: IntakeMeters | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._sink = sink
        self._settings = settings or RemoteWriteSettings()
        self._meters = meters or IntakeMeters()
        self._turn = asyncio.Lock()  # one slice per round of the event loop, whatever number of requests is decoded
        self._floods = asyncio.Lock()
        self._resting = 0
        self._known = {protocol: KnownSeries(self._settings.known_series, clock) for protocol in Protocol}
        most = self._settings
        self._limits = LabelLimits(most.max_labels, most.max_label_name, most.max_label_value, "remote_write")
        self._admit = partial(admit_labels, limits=self._limits)

    async def take(self, tenant: TenantId, body: bytes, protocol: Protocol, *, origin: str, is_plain: bool) -> Taken:
        """Store what a request holds; when this returns, the store has accepted all that was not refused.

        Args:
            tenant: whose.
            body: as it came.
            protocol: what is in it.
            origin: who sends, for the limits per sender.
            is_plain: the body is decompressed already.

        Raises:
            InvalidError: nothing of it could be read, and nothing was stored.
            BusyError, StorageFullError, UnavailableError: nothing was stored, the same may be sent again.
        """
        try:
            data = body if is_plain else await self._decompress(body)
            if len(data) > LOOKED_AT_BYTES:
                await asyncio.to_thread(refuse_crowd, data, _SERIES[protocol])
            self._meters.received_bytes.labels(protocol).inc(len(data))
            taken = await self._store(tenant, data, protocol, origin)
        except HoldfastError as error:
            self._meters.failed.labels(protocol, error.code).inc()
            raise
        self._meters.note(tenant, protocol, taken.written, taken.refusals)
        return taken

    def weigh(self, body: bytes) -> int:
        """Give the bytes that a compressed body takes with what is in it.

        Raises:
            InvalidError, TooLargeError: as `take` does.
        """
        return len(body) + snappy.announced_size(body, limit=self._settings.max_body, setting=_SETTING)

    async def _decompress(self, body: bytes) -> bytes:
        plain = partial(snappy.decompress, body, limit=self._settings.max_body, setting=_SETTING)
        return plain() if len(body) <= _AT_ONCE_BYTES else await asyncio.to_thread(plain)

    async def _store(self, tenant: TenantId, data: bytes, protocol: Protocol, origin: str) -> Taken:
        is_guessing = True
        for _ in range(ATTEMPTS):
            book = self._sink.book(tenant)
            batch = self._open_batch(tenant, book, protocol, origin)
            try:
                arrival = await self._decode(data, batch, protocol, book, is_guessing=is_guessing)
                written = await self._append(tenant, arrival)
            except LayoutError:
                is_guessing = False
            except (_AgedError, ConflictError):
                continue
            else:
                batch.refusals.add_all(written.refused)
                return Taken(written, batch.refusals)
        raise BusyError("the known series changed several times during this request", hint="send it again")

    def memory(self, tenant: TenantId, protocol: Protocol) -> Memory:
        """Give what is remembered of a tenant's series."""
        return self._known[protocol].of(tenant, self._sink.book(tenant).generation)

    def _open_batch(self, tenant: TenantId, book: SeriesBook, protocol: Protocol, origin: str) -> Batch:
        memory = self._known[protocol].of(tenant, book.generation)
        usual = UsualLabels(self._limits)
        refusals = Refusals()
        newcomers = Newcomers(book, origin, usual, refusals)
        return Batch(self._admit, partial(book.ref, origin=origin), memory, usual, newcomers, refusals=refusals)

    async def _decode(
        self, data: bytes, batch: Batch, protocol: Protocol, book: SeriesBook, *, is_guessing: bool
    ) -> Arrival:
        slices = _WALKS[protocol](data, batch, is_guessing=is_guessing)
        spent_s, is_through = 0.0, False
        while not is_through:
            refused = batch.newcomers.refused
            async with self._turn:
                started_s = time.perf_counter()
                batch.newcomers.renew()
                is_through = next(slices, _THROUGH) is _THROUGH
                slice_s = time.perf_counter() - started_s
                spent_s += slice_s
                await asyncio.sleep(0)
            if book.generation != batch.memory.generation:
                raise _AgedError
            if batch.newcomers.refused - refused >= FLOOD:
                await self._rest(slice_s)
        started_s = time.perf_counter()
        arrival = batch.arrival(data)
        self._meters.decoding.labels(protocol).observe(spent_s + time.perf_counter() - started_s)
        return arrival

    async def _rest(self, slice_s: float) -> None:
        """Leave the time to others after a slice that was kept out; all senders of floods share what is left to them.

        Raises:
            BusyError: too many of their requests wait already.
        """
        if self._resting >= MOST_RESTING:
            raise BusyError(
                f"{self._resting} requests full of series beyond the limit are being read already",
                hint="slow down; `holdfast metrics cardinality` names the label that exploded",
            )
        self._resting += 1
        try:
            async with self._floods:
                await asyncio.sleep(slice_s * REST)
        finally:
            self._resting -= 1

    async def _append(self, tenant: TenantId, arrival: Arrival) -> Written:
        if not (len(arrival.refs) or arrival.histograms or arrival.exemplars or arrival.metadata):
            return Written()
        return await self._sink.append(tenant, arrival)
