"""What has arrived, kept for those who follow: one ring of batches per tenant, from which each reads at its own pace.

The way in only appends: filtering is the readers' own work. When the ring is full the oldest batch goes, and readers
that had not come to it learn how many of their lines it held.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.records import Records
    from holdfast.telemetry.logs.tailing.meters import TailMeters
    from holdfast.telemetry.metrics.labels import Labels

_RECORD_BYTES: Final = 250  # of a record in memory besides its letters
_MOST_MISSED: Final = 1000  # streams that are told by name, as many as Loki tells


class Missed(NamedTuple):
    """Lines of one stream that a reader did not get, the newest of them at `ts_ns`."""

    lines: int
    ts_ns: int


@dataclass(frozen=True)
class Batch:
    """Records that the store accepted together; `labels` are those of each reference."""

    number: int
    records: Records
    labels: dict[int, Labels]
    at_s: float

    @cached_property
    def size(self) -> int:
        """Bytes in memory, about."""
        return int(self.records.sizes.sum()) + _RECORD_BYTES * len(self.records)

    @cached_property
    def totals(self) -> dict[Labels, Missed]:
        """How many records of each stream there are, and when the newest of them was."""
        refs, places, counts = np.unique(self.records.refs, return_inverse=True, return_counts=True)
        newest = np.zeros(len(refs), np.int64)
        np.maximum.at(newest, places, self.records.ts_ns)
        columns = zip(refs.tolist(), counts.tolist(), newest.tolist(), strict=True)
        return {self.labels[ref]: Missed(count, ts_ns) for ref, count, ts_ns in columns}


class Reader:
    """One reader's place in a ring."""

    def __init__(self, ring: _Ring, wants: Callable[[Labels], bool]) -> None:
        self._ring = ring
        self._wants = wants
        self._next = ring.end
        self._news = asyncio.Event()
        self._missed: dict[Labels, Missed] = {}
        self._missed_lines = 0

    async def wait(self) -> Batch:
        """Give the next batch, without taking it, as soon as there is one."""
        while (batch := self._ring.at(self._next)) is None:
            self._news.clear()
            await self._news.wait()
        return batch

    def take(self, *, until_s: float, most: int) -> list[Batch]:
        """Take batches that came until `until_s`, in their order, of `most` records together or a few more."""
        taken: list[Batch] = []
        while most > 0 and (batch := self._ring.at(self._next)) is not None and batch.at_s <= until_s:
            taken.append(batch)
            most -= len(batch.records)
            self._next = batch.number + 1
        return taken

    def take_missed(self) -> tuple[int, dict[Labels, Missed]]:
        """Give how many lines were missed since this was asked last, and of which streams."""
        told = self._missed_lines, self._missed
        self._missed_lines, self._missed = 0, {}
        return told

    def wake(self) -> None:
        """Go and look."""
        self._news.set()

    def has_not_read(self, batch: Batch) -> bool:
        """Tell whether a batch is still to be taken."""
        return batch.number >= self._next

    def lose(self, batch: Batch) -> int:
        """Learn that a batch goes; give how many lines of it are missed."""
        if not self.has_not_read(batch):
            return 0
        self._next = batch.number + 1
        lost = 0
        for labels, total in batch.totals.items():
            if not self._wants(labels):
                continue
            lost += total.lines
            before = self._missed.get(labels)
            if before is not None:
                self._missed[labels] = Missed(before.lines + total.lines, max(before.ts_ns, total.ts_ns))
            elif len(self._missed) < _MOST_MISSED:
                self._missed[labels] = total
        self._missed_lines += lost
        return lost


@dataclass(slots=True)
class _Ring:
    batches: deque[Batch] = field(default_factory=deque)
    readers: list[Reader] = field(default_factory=list)
    end: int = 0
    size: int = 0

    def at(self, number: int) -> Batch | None:
        if not self.batches:
            return None
        place = number - self.batches[0].number
        return self.batches[place] if 0 <= place < len(self.batches) else None

    def is_awaited(self, batch: Batch) -> bool:
        return any(reader.has_not_read(batch) for reader in self.readers)


class Arriving:
    """The rings of all tenants that somebody follows; a `RecordFollower`."""

    def __init__(self, clock: Clock, meters: TailMeters, *, most_bytes: int) -> None:
        self._clock = clock
        self._meters = meters
        self._most_bytes = most_bytes
        self._rings: dict[TenantId, _Ring] = {}

    def records_stored(self, tenant: TenantId, records: Records, streams: Sequence[Labels]) -> None:
        """Keep records for those who follow the tenant's logs, if anybody does."""
        ring = self._rings.get(tenant)
        if ring is None or not len(records):
            return
        labels = {ref: streams[ref] for ref in np.unique(records.refs).tolist()}
        batch = Batch(ring.end, records, labels, self._clock.monotonic())
        ring.end += 1
        ring.batches.append(batch)
        ring.size += batch.size
        self._bound(ring)
        for reader in ring.readers:
            reader.wake()

    def reader(self, tenant: TenantId, wants: Callable[[Labels], bool]) -> Reader:
        """Give a reader of what comes from now on; `wants` tells whose lines count as missed. `leave` it."""
        ring = self._rings.setdefault(tenant, _Ring())
        reader = Reader(ring, wants)
        ring.readers.append(reader)
        return reader

    def leave(self, tenant: TenantId, reader: Reader) -> None:
        """Keep nothing for a reader any more."""
        ring = self._rings[tenant]
        ring.readers.remove(reader)
        if not ring.readers:
            del self._rings[tenant]
        self._tell_size()

    def _bound(self, ring: _Ring) -> None:
        most = self._most_bytes // len(self._rings)
        while len(ring.batches) > 1 and (ring.size > most or not ring.is_awaited(ring.batches[0])):
            batch = ring.batches.popleft()
            ring.size -= batch.size
            self._meters.dropped.inc(sum(reader.lose(batch) for reader in ring.readers))
        self._tell_size()

    def _tell_size(self) -> None:
        self._meters.waiting.set(sum(ring.size for ring in self._rings.values()))
