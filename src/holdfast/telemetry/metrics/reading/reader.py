"""Answers what samples chosen series have: out of the cache, out of the engine, or a part from each.

Whole slots are read and remembered where they fit into the cache; what does not fit, and what other processes may
still be writing, is read as asked and forgotten.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import LimitError
from holdfast.store import Store
from holdfast.telemetry.metrics.indexing import Chosen
from holdfast.telemetry.metrics.reading.assembling import Assembled, assemble
from holdfast.telemetry.metrics.reading.blocks import Block, Ids, without_starts
from holdfast.telemetry.metrics.reading.cache import BlockCache, Key
from holdfast.telemetry.metrics.reading.decoding import pick_rows
from holdfast.telemetry.metrics.reading.fetching import SCRAPE_MS, Fetcher, Wanted
from holdfast.telemetry.metrics.storing import ANNOUNCE_EVERY_MS
from holdfast.telemetry.metrics.tables import SLOT_MS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

_MOST_SLOTS: Final = 1500  # a longer span is not remembered slot by slot
_BIG: Final = 200_000  # samples from which on joining them leaves the event loop
_ANSWERS: Final = 16
_GLIMPSE: Final = 3  # times as much as asked must be in the slots for the rest of them to be left out
_MOST_GLIMPSED: Final = 1000

_Answer = tuple[tuple[int, ...], Assembled]


class _Part(NamedTuple):
    """What is known of one slot; version 0 is not remembered."""

    version: int
    blocks: list[Block]


class SampleReader:
    """Reads samples of chosen series."""

    def __init__(self, store: Store, clock: Clock, cache: BlockCache | None, *, margin_s: float) -> None:
        """Prepare.

        Args:
            store: where samples are.
            clock: tells what is young.
            cache: None where nobody tells what is written.
            margin_s: samples younger than this may still be written by others; 0 if there are none.
        """
        self._clock = clock
        self._cache = cache
        self._margin_s = margin_s
        self._fetcher = Fetcher(store, is_told=self.is_remembering_all)
        self._locks: WeakValueDictionary[tuple[TenantId, str], asyncio.Lock] = WeakValueDictionary()  # while held
        self._answers: OrderedDict[tuple[object, ...], _Answer] = OrderedDict()
        self._answer_bytes = 0
        self._glimpsed: OrderedDict[Key, None] = OrderedDict()  # what was asked for once

    @property
    def cache(self) -> BlockCache | None:
        """The blocks in memory."""
        return self._cache

    def note_histograms(self, tenant: TenantId) -> None:
        """Take that the tenant has native histograms."""
        self._fetcher.note_histograms(tenant)

    def forget(self, tenant: TenantId) -> None:
        """Forget what is remembered of a tenant; something was deleted."""
        if self._cache is not None:
            self._cache.forget(tenant)

    @property
    def is_remembering_all(self) -> bool:
        """Tell whether even the youngest samples are remembered."""
        return self._cache is not None and not self._margin_s

    async def remember(
        self, tenant: TenantId, metrics: Sequence[Chosen], slots: Sequence[int], *, is_whole: bool = False
    ) -> None:
        """Read slots of whole metrics at once, so that the first query about them finds them in memory.

        `is_whole` says that these are all the metrics between the first and the last one.
        """
        cache = self._cache
        if cache is None or not metrics:
            return
        ids = np.sort(np.concatenate([chosen.ids for chosen in metrics]))
        async with AsyncExitStack() as held:
            for chosen in metrics:
                lock = self._locks.setdefault((tenant, chosen.family), asyncio.Lock())
                await held.enter_async_context(lock)
            marks = cache.begin(tenant, slots, ids)
            try:
                found = await self._fetcher.fetch(
                    tenant, Wanted(ids, slots, is_whole, has_starts=True), cache.most_bytes // 8
                )
                for chosen in metrics:
                    for slot in slots:
                        key, living = Key(tenant, slot, chosen.family), _living(chosen, slot)
                        if len(living) and not cache.has(key):
                            cache.put(key, living, _of(found, slot, living), marks[slot], has_starts=True)
            finally:
                cache.end(tenant, slots)

    async def read(
        self, tenant: TenantId, chosen: Chosen, span: tuple[int, int], *, has_starts: bool = False, most: int = 2**62
    ) -> Assembled:
        """Give the samples of the chosen series in (start, end].

        Raises:
            LimitError: there are more than `most`.
        """
        start_ms = max(span[0], chosen.lives.first_begun_ms - 1)
        end_ms = min(span[1], chosen.lives.last_heard_ms + ANNOUNCE_EVERY_MS)
        slots = range((start_ms + 1) // SLOT_MS, end_ms // SLOT_MS + 1)
        if start_ms >= end_ms:
            return assemble((), chosen.ids, start_ms, end_ms)
        old, young = self._split(chosen, slots)
        span = (start_ms, end_ms)
        if not old or (not young and self._is_glimpse(tenant, chosen, old, span)):
            wanted = Wanted(chosen.ids, slots, chosen.is_whole, span, has_starts)
            blocks = [block for _, block in await self._fetcher.fetch(tenant, wanted, most)]
            # Whether a histogram goes on from the one before it, only the whole slot says.
            if not old or all(block.histograms is None for block in blocks):
                return await _assemble(blocks, chosen.ids, span, most)
        versions, blocks = await self._remembered(tenant, chosen, old, has_starts)
        if young:
            wanted = Wanted(chosen.ids, young, chosen.is_whole, span, has_starts)
            blocks += [block for _, block in await self._fetcher.fetch(tenant, wanted, most)]
            return await _assemble(blocks, chosen.ids, span, most)
        has_any = any(block.starts_ms is not None for block in blocks)
        return await self._answer((tenant, chosen.ids.tobytes(), span, has_any), versions, blocks, chosen.ids, most)

    def _is_glimpse(self, tenant: TenantId, chosen: Chosen, slots: list[int], span: tuple[int, int]) -> bool:
        """Tell whether a little is asked for the first time: then whole slots would take far longer than it does."""
        cache = self._cache
        if cache is None or _GLIMPSE * (span[1] - span[0]) > len(slots) * SLOT_MS:
            return False
        lacking = [slot for slot in slots if not cache.has(Key(tenant, slot, chosen.family))]
        marks = {Key(tenant, slot, chosen.family) for slot in lacking} - self._glimpsed.keys()
        self._glimpsed.update(dict.fromkeys(marks))
        while len(self._glimpsed) > _MOST_GLIMPSED:
            self._glimpsed.popitem(last=False)
        return bool(marks)

    def _split(self, chosen: Chosen, slots: range) -> tuple[list[int], list[int]]:
        """Give the slots to be remembered, and those to be read once."""
        guess = _lived_ms(chosen, slots) // SCRAPE_MS * 8
        if self._cache is None or len(slots) > _MOST_SLOTS or guess > self._cache.most_bytes // 2:
            return [], list(slots)
        if not self._margin_s:
            return list(slots), []
        last = int((self._clock.now().timestamp() - self._margin_s) * 1000) // SLOT_MS
        return [slot for slot in slots if slot < last], [slot for slot in slots if slot >= last]

    async def _remembered(
        self,
        tenant: TenantId,
        chosen: Chosen,
        slots: list[int],
        has_starts: bool,  # noqa: FBT001
    ) -> tuple[tuple[int, ...], list[Block]]:
        cache = self._cache
        assert cache is not None  # for the types: `_split` has seen it
        async with self._locks.setdefault((tenant, chosen.family), asyncio.Lock()):
            parts: dict[int, _Part] = {}
            missing: dict[tuple[bytes, bool], tuple[Ids, list[int]]] = {}
            for slot in slots:
                entry = cache.get(Key(tenant, slot, chosen.family))
                lacking = living = _living(chosen, slot)
                wants_starts = has_starts
                if entry is not None and (entry.has_starts or not has_starts):
                    parts[slot] = _Part(entry.version, entry.blocks)
                    lacking = entry.lacks(living)
                    wants_starts = entry.has_starts
                if len(lacking):
                    missing.setdefault((lacking.tobytes(), wants_starts), (lacking, []))[1].append(slot)
            for (_, wants_starts), (ids, lacking_slots) in missing.items():
                most = max(len(_living(chosen, slot)) for slot in lacking_slots)
                is_whole = chosen.is_whole and 2 * len(ids) > most
                wanted = Wanted(ids, lacking_slots, is_whole, None, wants_starts)
                await self._read_missing(tenant, chosen, wanted, parts)
        known = [parts[slot] for slot in slots if slot in parts]
        blocks = [block for part in known for block in part.blocks]
        return tuple(part.version for part in known), blocks if has_starts else [*map(without_starts, blocks)]

    async def _read_missing(self, tenant: TenantId, chosen: Chosen, wanted: Wanted, parts: dict[int, _Part]) -> None:
        """Read what is not in memory, and put it to what is known of each slot."""
        cache = self._cache
        assert cache is not None  # for the types
        marks = cache.begin(tenant, wanted.slots, wanted.ids)
        try:
            found = await self._fetcher.fetch(tenant, wanted, cache.most_bytes // 8)
            for slot in wanted.slots:
                blocks = [block for number, block in found if number == slot]
                key = Key(tenant, slot, chosen.family)
                entry = cache.put(key, wanted.ids, blocks, marks[slot], has_starts=wanted.has_starts)
                if (
                    entry is not None
                    and entry.has_starts == wanted.has_starts
                    and not len(entry.lacks(_living(chosen, slot)))
                ):
                    parts[slot] = _Part(entry.version, entry.blocks)
                else:  # what was known is gone again, or what was read did not go with what was written meanwhile
                    parts[slot] = _Part(0, [*(parts[slot].blocks if slot in parts else ()), *blocks])
        finally:
            cache.end(tenant, wanted.slots)

    async def _answer(
        self, key: tuple[object, ...], versions: tuple[int, ...], blocks: Sequence[Block], ids: Ids, most: int
    ) -> Assembled:
        """Join blocks, or give what was joined for the same question when nothing has changed since."""
        span: tuple[int, int] = key[2]  # type: ignore[assignment]  # as `read` makes it
        if not all(versions):
            return await _assemble(blocks, ids, span, most)
        known = self._answers.get(key)
        if known is not None and known[0] == versions:
            self._answers.move_to_end(key)
            if len(known[1].values) > most:
                raise LimitError(f"{len(known[1].values)} samples")
            return known[1]
        made = await _assemble(blocks, ids, span, most)
        if self._cache is not None and made.nbytes < self._cache.most_bytes // 2:
            self._answers[key] = versions, made
            self._answer_bytes += made.nbytes - (known[1].nbytes if known else 0)
            while self._answer_bytes > self._cache.most_bytes // 2 or len(self._answers) > _ANSWERS:
                _, (_, gone) = self._answers.popitem(last=False)
                self._answer_bytes -= gone.nbytes
        return made


def _living(chosen: Chosen, slot: int) -> Ids:
    if chosen.lives.are_within(slot * SLOT_MS, (slot + 1) * SLOT_MS - 1):
        return chosen.ids
    is_living = (chosen.first_ms < (slot + 1) * SLOT_MS) & (chosen.last_ms + ANNOUNCE_EVERY_MS >= slot * SLOT_MS)
    return chosen.ids if is_living.all() else chosen.ids[is_living]


def _lived_ms(chosen: Chosen, slots: range) -> int:
    """Give how long the series live within slots, summed over them: those that come and go live for little of it."""
    begun = np.maximum(chosen.first_ms, slots.start * SLOT_MS)
    heard = np.minimum(chosen.last_ms + ANNOUNCE_EVERY_MS, slots.stop * SLOT_MS)
    return int(np.maximum(heard - begun, 0).sum())


def _of(found: Sequence[tuple[int, Block]], slot: int, ids: Ids) -> list[Block]:
    """Give what blocks of a slot hold of some series."""
    places = [(block, np.flatnonzero(np.isin(block.ids, ids))) for number, block in found if number == slot]
    return [pick_rows(block, rows) for block, rows in places if len(rows)]


async def _assemble(blocks: Sequence[Block], ids: Ids, span: tuple[int, int], most: int) -> Assembled:
    if sum(_share(block, ids, span) for block in blocks) < _BIG:
        return assemble(blocks, ids, *span, most=most)
    return await asyncio.to_thread(assemble, blocks, ids, *span, most=most)


def _share(block: Block, ids: Ids, span: tuple[int, int]) -> float:
    """Give about how many samples some series have in a part of a block's slot."""
    series = min(len(ids) / len(block.ids), 1) if len(block.ids) else 0
    return len(block.values) * series * min((span[1] - span[0]) / SLOT_MS, 1)
