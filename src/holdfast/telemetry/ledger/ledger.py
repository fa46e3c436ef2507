"""The ledger: adds in memory what is noted, and puts the sums into the store every 15 seconds and at the end.

A crash loses what was noted since. A store that does not answer stops nobody: the sums stay until it does, and are
bounded, for services beyond a number go together.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry.ledger.calls import tell_call
from holdfast.telemetry.ledger.noting import parts
from holdfast.telemetry.ledger.services import OTHERS
from holdfast.telemetry.ledger.signals import Signal
from holdfast.telemetry.ledger.tables import HOURS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import numpy.typing as npt

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.ledger.reasons import Reason

WRITE_EVERY_S: Final = 15.0
MOST_SERVICES: Final = 2000  # of a tenant in an hour, by this process; those beyond are told as one
_LONGEST: Final = 200  # letters of a service's name
_HOUR_S: Final = 3600

Key = tuple[int, str, str, str]  # hour, signal, service, reason
Sums = dict[Key, list[int]]  # records, bytes, requests


class Ledger:
    """The counts of this process, on their way into the store; a `Notes`."""

    def __init__(self, store: Store, clock: Clock, metrics: CollectorRegistry | None = None) -> None:
        self._store = store
        self._clock = clock
        self._noted: dict[TenantId, Sums] = {}
        self._services: dict[TenantId, set[str]] = {}
        self._hour = 0
        self._since: float | None = None
        self._writing = asyncio.Lock()  # whoever reads after a write must find what another one took along
        self._writes: set[asyncio.Task[BaseException | None]] = set()
        registry = metrics or CollectorRegistry()
        self._written = Counter(
            "holdfast_ledger_rows_written", "Rows of the ledger of usage that the store accepted.", registry=registry
        )
        self._failed = Counter(
            "holdfast_ledger_failures",
            "Times that the store did not take the ledger's rows, by error code; they are tried again.",
            ("code",),
            registry=registry,
        )
        waiting = Gauge("holdfast_ledger_waiting_rows", "Rows that are not in the store yet.", registry=registry)
        waiting.set_function(lambda: sum(map(len, self._noted.values())))
        behind = Gauge(
            "holdfast_ledger_behind_seconds", "How old the oldest count is that is not in the store.", registry=registry
        )
        behind.set_function(self.behind_s)

    def behind_s(self) -> float:
        """Give how old the oldest count is that the store does not have; 0 when it has all."""
        return 0.0 if self._since is None else max(0.0, self._clock.monotonic() - self._since)

    def knows(self, tenant: TenantId) -> bool:
        """Tell whether anything of a tenant was noted in this hour."""
        return tenant in self._services

    def note(
        self,
        tenant: TenantId,
        signal: Signal,
        service: str,
        reason: Reason | None,
        *,
        records: int,
        size: int = 0,
        requests: int = 1,
        hour: datetime | None = None,
    ) -> None:
        """Add to one count."""
        if reason is not None:
            tell_call()
        now_hour = self._now_hour()
        at = now_hour if hour is None else int(hour.timestamp()) // _HOUR_S * _HOUR_S
        self._add(tenant, at, signal, reason, [(service, records, size)], requests)

    def note_each(
        self,
        tenant: TenantId,
        signal: Signal,
        reason: Reason | None,
        *,
        services: Sequence[str],
        codes: npt.NDArray[Any],
        sizes: npt.NDArray[Any] | int = 0,
    ) -> None:
        """Add a batch."""
        if not len(codes):
            return
        if reason is not None:
            tell_call()
        self._add(tenant, self._now_hour(), signal, reason, parts(services, codes, sizes), 1)

    def _now_hour(self) -> int:
        hour = int(self._clock.now().timestamp()) // _HOUR_S * _HOUR_S
        if hour != self._hour:
            self._hour = hour
            self._services.clear()
        return hour

    def _add(
        self,
        tenant: TenantId,
        hour: int,
        signal: Signal,
        reason: Reason | None,
        counted: Sequence[tuple[str, int, int]],
        requests: int,
    ) -> None:
        if self._since is None:
            self._since = self._clock.monotonic()
        why = "" if reason is None else str(reason)
        noted = self._noted.setdefault(tenant, {})
        known = self._services.setdefault(tenant, set())
        for name, records, size in counted:
            service = name[:_LONGEST]
            if service not in known:
                if len(known) >= MOST_SERVICES:
                    service = OTHERS
                else:
                    known.add(service)
            key = (hour, signal.value, service, why)
            sums = noted.get(key)
            if sums is None:
                noted[key] = [records, size, requests]
            else:
                sums[0] += records
                sums[1] += size
                sums[2] += requests

    async def write(self) -> None:
        """Put what was noted into the store, all that was noted before; what it does not take stays noted.

        Whoever is cancelled here leaves the write to go on: what is on its way is neither lost nor counted twice.

        Raises:
            HoldfastError: the store did not take all of it.
        """
        _raise_any(await asyncio.shield(self._begin_write()))

    async def finish(self) -> None:
        """Write for the last time, after earlier writes; who is cancelled here waits for the store's answer first.

        Raises:
            HoldfastError: the store did not take all of it, and the rest is lost with the process.
        """
        writing = self._begin_write()
        try:
            answer = await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait((writing,))
            raise
        _raise_any(answer)

    def _begin_write(self) -> asyncio.Task[BaseException | None]:
        writing = asyncio.create_task(self._write(), name="ledger-write")
        self._writes.add(writing)
        writing.add_done_callback(self._writes.discard)
        return writing

    async def _write(self) -> BaseException | None:
        """Write all tenants' sums; gives the first error instead of raising it, for nobody may be waiting any more."""
        async with self._writing:
            noted, self._noted = self._noted, {}
            since, self._since = self._since, None
            answers = await asyncio.gather(
                *(self._put(tenant, sums) for tenant, sums in noted.items()), return_exceptions=True
            )
            for (tenant, sums), answer in zip(noted.items(), answers, strict=True):
                if answer is None:
                    self._written.inc(len(sums))
                    continue
                self._take_back(tenant, sums, since)
                if isinstance(answer, HoldfastError):
                    self._failed.labels(answer.code).inc()
        return next((answer for answer in answers if answer is not None), None)

    async def _put(self, tenant: TenantId, sums: Sums) -> None:
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        hours, signals, services, reasons = zip(*sums, strict=True)
        records, sizes, requests = zip(*sums.values(), strict=True)
        rows = {
            "hour": pa.array(hours, pa.int64()).cast(pa.timestamp("s", tz="UTC")),
            "signal": pa.array(signals, pa.string()),
            "service": pa.array(services, pa.string()),
            "reason": pa.array(reasons, pa.string()),
            "records": pa.array(records, pa.int64()),
            "bytes": pa.array(sizes, pa.int64()),
            "requests": pa.array(requests, pa.int64()),
        }
        await self._store.writer(HOURS).write(rows, tenant=tenant)

    def _take_back(self, tenant: TenantId, sums: Sums, since: float | None) -> None:
        noted = self._noted.setdefault(tenant, {})
        for key, more in sums.items():
            before = noted.get(key)
            noted[key] = more if before is None else [one + other for one, other in zip(before, more, strict=True)]
        if since is not None:
            self._since = since if self._since is None else min(self._since, since)

    async def keep_written(self) -> None:
        """Write every 15 seconds, until cancelled; what the store does not take is counted, and tried again then."""
        while True:
            await self._clock.sleep(WRITE_EVERY_S)
            try:
                await self.write()
            except HoldfastError:  # counted and kept by `write`; ingest goes on without the ledger
                continue


def _raise_any(answer: BaseException | None) -> None:
    if answer is not None:
        raise answer
