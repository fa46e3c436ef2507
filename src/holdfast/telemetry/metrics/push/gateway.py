"""Takes pushes in and keeps their series alive: every group is written again each interval until it is deleted.

What a push takes away, and what a deleted group held, ends at once with stale markers.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from holdfast import journal
from holdfast.kernel.errors import ConflictError, HoldfastError, InvalidError
from holdfast.telemetry.crowds import refuse_crowded_text
from holdfast.telemetry.metrics.arrivals import MetricMetadata
from holdfast.telemetry.metrics.exposition import Family, Protocol, negotiated, parse_page
from holdfast.telemetry.metrics.histograms import Histogram
from holdfast.telemetry.metrics.intake import (
    STALE,
    Columns,
    IntakeMeters,
    LabelLimits,
)
from holdfast.telemetry.metrics.push.groups import METADATA, OURS, Group, check_pushed
from holdfast.telemetry.metrics.push.shelf import GroupKey, Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.arrivals import ArrivalSink, SeriesBook
    from holdfast.telemetry.metrics.labels import Labels

DOOR: Final = "push"
ATTEMPTS: Final = 3
_log = journal.get_logger("holdfast.push")


class Gateway:
    """The door of pushed metrics."""

    def __init__(
        self,
        sink: ArrivalSink,
        shelf: Shelf,
        clock: Clock,
        *,
        interval_s: float = 15.0,
        limits: LabelLimits | None = None,
        meters: IntakeMeters | None = None,
        owns: Callable[[str], bool] = lambda _key: True,
    ) -> None:
        self._sink = sink
        self._shelf = shelf
        self._clock = clock
        self._interval_s = interval_s
        self._limits = limits or LabelLimits()
        self._meters = meters or IntakeMeters()
        self._owns = owns
        self._groups: dict[GroupKey, Group] = {}
        self._ending: dict[GroupKey, Group] = {}  # as they were before; until the store has heard what of them ended

    async def push(
        self, tenant: TenantId, labels: Labels, body: bytes, content_type: str, *, is_replacing: bool
    ) -> None:
        """Take a push; when this returns, the group is on the disk and its samples are in the store.

        Raises:
            InvalidError: the body is no page of metrics, or holds what cannot be pushed; the group stays as it was.
            LimitError: there are too many groups, or the body has more lines than one push may (`TooLargeError`).
        """
        now = self._clock.now()
        try:
            protocol = negotiated(content_type, Protocol.TEXT)
            # Reading strictly takes a second for some megabytes: not on the loop that everybody waits for.
            refuse_crowded_text(body)
            families = await asyncio.to_thread(_read_page, body, protocol, labels)
        except InvalidError as error:
            self._meters.failed.labels(DOOR, error.code).inc()
            _, after = await self._shelf.change(tenant, labels, lambda group: group.failed(now))
            await self._write(tenant, [after], [])
            raise
        before, after = await self._shelf.change(
            tenant, labels, lambda group: group.pushed(families, now, is_replacing=is_replacing)
        )
        await self._write(tenant, [after], [before] if before else [])

    async def delete(self, tenant: TenantId, labels: Labels) -> None:
        """Delete a group, if there is one, and end its series."""
        before = await self._shelf.delete(tenant, labels)
        if before is not None:
            await self._write(tenant, [], [before])

    async def groups(self, tenant: TenantId) -> list[Group]:
        """Give all groups of a tenant."""
        return await self._shelf.groups(tenant)

    async def run(self) -> None:
        """Write every group again each interval, until cancelled."""
        while True:
            await self._clock.sleep(self._interval_s)
            try:
                await self.refresh()
            except HoldfastError as error:  # the store is away: the next round writes the same
                _log.warning("push.refresh_failed", error=str(error))

    async def refresh(self) -> None:
        """Write every group as of now that is this process' to write; `owns` tells, by tenant and key of the group.

        Ends what changed or deleted groups had, too: a push that met a busy store, or this at its work, did not.
        """
        known = {key: group.changed_at for key, group in self._groups.items()}
        for key, group in (await self._shelf.changed(known)).items():
            if (before := self._groups.pop(key, None)) is not None:
                self._ending.setdefault(key, before)
            if group is not None:
                self._groups[key] = group
        groups, ending = self._ours(self._groups), self._ours(self._ending)
        for tenant in {**groups, **ending}:
            await self._write(tenant, groups.get(tenant, []), ending.get(tenant, []))
            self._ending = {key: group for key, group in self._ending.items() if key[0] != tenant}
        self._ending.clear()

    def _ours(self, groups: dict[GroupKey, Group]) -> dict[TenantId, list[Group]]:
        found: dict[TenantId, list[Group]] = {}
        for (tenant, name), group in groups.items():
            if self._owns(f"push\0{tenant}\0{name}"):
                found.setdefault(tenant, []).append(group)
        return found

    async def _write(self, tenant: TenantId, groups: list[Group], ended: list[Group]) -> None:
        """Write `groups` as of now, and the end of what only `ended` had."""
        for attempt in range(ATTEMPTS):
            book = self._sink.book(tenant)
            writing = _Writing(book, self._limits, int(self._clock.now().timestamp() * 1000))
            for group in groups:
                writing.add(group)
            for group in ended:
                writing.end(group)
            try:
                written = await self._sink.append(tenant, writing.columns.arrival(book.generation))
            except ConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
                continue
            refusals = writing.columns.refusals
            refusals.add_all(written.refused)
            self._meters.note(tenant, DOOR, written, refusals)
            return


def _read_page(body: bytes, protocol: Protocol, labels: Labels) -> tuple[Family, ...]:
    page = parse_page(body, protocol, is_native=True)
    families = tuple(family for family in page.families if family.name not in OURS)  # a gateway's page has them
    check_pushed(families, labels)
    return families


class _Writing:
    """Columns of groups at one time."""

    def __init__(self, book: SeriesBook, limits: LabelLimits, now_ms: int) -> None:
        self.columns = Columns()
        self._book = book
        self._limits = limits
        self._now_ms = now_ms
        self._alive: set[Labels] = set()

    def add(self, group: Group) -> None:
        for labels, sample in group.samples():
            self._alive.add(labels)
            ref = self._ref(labels)
            if sample.histogram is None:
                self.columns.add(ref, self._now_ms, sample.value, sample.start_ms)
            else:
                self.columns.add_histogram(ref, self._now_ms, sample.histogram, sample.start_ms)
            for each in (sample.exemplar,) if sample.exemplar else sample.exemplars:  # none of what the disk gave
                at_ms = self._now_ms if each.ts_ms is None else each.ts_ms
                self.columns.add_exemplar(ref, at_ms, each.value, each.labels)
        for labels, value in group.times():
            self._alive.add(labels)
            self.columns.add(self._ref(labels), self._now_ms, value)
        for said in METADATA:
            self.columns.metadata[said.family] = said
        for family in group.families:
            said = MetricMetadata(family.name, family.type, family.help, family.unit)
            self.columns.metadata[family.name] = said

    def end(self, group: Group) -> None:
        held = [(labels, sample.histogram) for labels, sample in group.samples()]
        for labels, histogram in (*held, *((labels, None) for labels, _ in group.times())):
            if labels in self._alive:
                continue
            ref = self._ref(labels)
            if histogram is None:
                self.columns.add(ref, self._now_ms, STALE)
            else:
                self.columns.add_histogram(ref, self._now_ms, Histogram(sum=STALE))

    def _ref(self, labels: Labels) -> int:
        return self.columns.enter(self._book, labels, self._limits, f"push:{dict(labels)['job']}")
