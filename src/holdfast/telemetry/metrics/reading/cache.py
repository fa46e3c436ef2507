"""Blocks that queries have read, kept in memory up to a bound and true to what this process writes after them.

What is written is noted by slot and put behind the blocks when they are next asked for; what comes late is
sorted in. What cannot be, such as native histograms, makes the blocks worthless. Least recently used ones go first.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from holdfast.telemetry.metrics.reading.assembling import BEGINNING_MS, END_MS, as_block, assemble, joined, united
from holdfast.telemetry.metrics.reading.blocks import (
    Block,
    Floats,
    Ids,
    Ints,
    Loose,
    block_of,
    narrowed,
    without_starts,
)
from holdfast.telemetry.metrics.tables import SLOT_MS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

_TAILS: Final = 8  # pieces of one slot before they are made one block
_NAME_SHIFT: Final = np.uint64(48)
_RECENT_SHARE: Final = 8  # of the memory, for what was written since
_PIECE_BYTES: Final = 450  # what three arrays take besides what they hold: many a write brings one sample
_versions: Final = itertools.count(1)


class Key(NamedTuple):
    """Whose blocks: one metric's (or one set of metrics') of one tenant, in one slot."""

    tenant: TenantId
    slot: int
    family: str


class _News(NamedTuple):
    """Samples that were written."""

    ids: Ids
    ts_ms: Ints
    values: Floats
    has_starts: bool  # whether start times were written, too; they are not here


class Entry:
    """The blocks of one key."""

    def __init__(self, ids: Ids, blocks: list[Block], seen: int, *, has_starts: bool = False) -> None:
        self.seen = seen  # how much of what was written to the slot is in the blocks
        self._whole: Ids | None = None  # the array of ids lately looked for of which all are here
        self.has_starts = has_starts  # whether start times are in the blocks, if there are any at all
        self._take(ids, [narrowed(block) for block in united(blocks)])

    def _take(self, ids: Ids, blocks: list[Block]) -> None:
        self.ids = ids
        self.blocks = blocks
        self.version = next(_versions)
        self.nbytes = ids.nbytes + sum(block.nbytes for block in blocks)
        self._last_ms = np.full(len(ids), np.iinfo(np.int64).min)
        for block in blocks:
            if len(block.ids):
                rows = np.searchsorted(ids, block.ids)
                self._last_ms[rows] = np.maximum(self._last_ms[rows], block.last_ms())

    def lacks(self, ids: Ids) -> Ids:
        """Give those of some ascending ids that are not here; the same array is looked at once."""
        if ids is self._whole or (len(ids) == len(self.ids) and bool((ids == self.ids).all())):
            return ids[:0]
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)  # few are looked for among many
        lacking: Ids = ids[self.ids[places] != ids] if len(self.ids) else ids
        if not len(lacking):
            self._whole = ids
        return lacking

    def add_series(self, ids: Ids, blocks: Sequence[Block]) -> None:
        """Take the blocks of other series."""
        self._take(np.union1d(self.ids, ids), [*self.blocks, *blocks])

    def drop_starts(self) -> None:
        """Give up start times, of which there are newer ones that are not here."""
        self.has_starts = False
        self._take(self.ids, [without_starts(block) for block in self.blocks])

    def append(self, ids: Ids, ts_ms: Ints, values: Floats) -> bool:
        """Take samples of any series; False if these blocks cannot."""
        rows = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        is_ours = self.ids[rows] == ids
        if not is_ours.any():
            return True
        if any(block.histograms is not None for block in self.blocks):
            return False
        rows, ts_ms, values = rows[is_ours], ts_ms[is_ours], values[is_ours]
        if (ts_ms <= self._last_ms[rows]).any():
            self._insert(rows, ts_ms, values)
            return True
        touched, places = np.unique(rows, return_inverse=True)
        blocks = [*self.blocks, block_of(self.ids[touched], Loose(places, ts_ms, values))]
        self._take(self.ids, [joined(blocks)] if len(blocks) > _TAILS else blocks)
        return True

    def _insert(self, rows: Ints, ts_ms: Ints, values: Floats) -> None:
        """Sort late samples in, and those that were read already while they were being written.

        They have no start times: who took some with them, `drop_starts` has been called before.
        """
        since_ms = int(ts_ms.min()) - 1
        before = assemble(self.blocks, self.ids, BEGINNING_MS, since_ms)
        after = assemble(self.blocks, self.ids, since_ms, END_MS)
        starts_ms = None if after.starts_ms is None else np.concatenate((after.starts_ms, np.zeros_like(ts_ms)))
        loose = Loose(
            np.concatenate((np.repeat(np.arange(len(self.ids)), np.diff(after.offsets)), rows)),
            np.concatenate((after.ts_ms, ts_ms)),
            np.concatenate((after.values, values)),
            None,
            starts_ms,
        )
        self._take(self.ids, [as_block(self.ids, before), block_of(self.ids, loose)])


class _Slot:
    """What was written to one slot of one tenant since somebody began to remember blocks of it."""

    def __init__(self) -> None:
        self.names = np.zeros(0, np.uint64)  # sorted upper bits of ids: metrics of which blocks are remembered
        self.written: list[_News | None] = []  # None: something that cannot be put behind
        self.begin = 0  # how many are gone from the front
        self.nbytes = 0
        self.keys: set[Key] = set()
        self.readers = 0  # that are reading blocks now

    @property
    def end(self) -> int:
        return self.begin + len(self.written)

    def add(self, news: _News | None) -> int:
        """Take what was written; give the memory that it takes."""
        self.written.append(news)
        size = _bytes_of(news)
        self.nbytes += size
        return size

    def forget_older_half(self) -> int:
        """Give up the older half, and with it the blocks that have not taken that yet; give the memory that it took.

        Blocks that are asked for again and again stay, for they have.
        """
        count = freed = 0
        while 2 * freed < self.nbytes:
            freed += _bytes_of(self.written[count])
            count += 1
        del self.written[:count]
        self.begin += count
        self.nbytes -= freed
        return freed


def _bytes_of(news: _News | None) -> int:
    arrays = 0 if news is None else news.ids.nbytes + news.ts_ms.nbytes + news.values.nbytes
    return _PIECE_BYTES + arrays


class BlockCache:
    """Blocks by key."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.hits = 0
        self.misses = 0
        self._entries: OrderedDict[Key, Entry] = OrderedDict()
        self._slots: dict[tuple[TenantId, int], _Slot] = {}
        self._nbytes = 0
        self._recent_bytes = 0

    @property
    def nbytes(self) -> int:
        """The memory in use."""
        return self._nbytes + self._recent_bytes

    def begin(self, tenant: TenantId, slots: Sequence[int], ids: Ids) -> dict[int, int]:
        """Say that blocks of these series will be read now, until `end`; gives for each slot what `put` wants."""
        names = np.unique(ids >> _NAME_SHIFT)
        marks = {}
        for number in slots:
            slot = self._slots.setdefault((tenant, number), _Slot())
            slot.readers += 1
            slot.names = np.union1d(slot.names, names)
            marks[number] = slot.end
        return marks

    def end(self, tenant: TenantId, slots: Iterable[int]) -> None:
        """Say that reading has ended, well or not."""
        for number in slots:
            slot = self._slots[tenant, number]
            slot.readers -= 1
            self._tidy((tenant, number), slot)

    def _tidy(self, where: tuple[TenantId, int], slot: _Slot) -> None:
        if not slot.keys and not slot.readers:
            self._recent_bytes -= slot.nbytes
            del self._slots[where]

    def has(self, key: Key) -> bool:
        """Tell whether blocks of a key are remembered, be they current or not."""
        return key in self._entries

    def get(self, key: Key) -> Entry | None:
        """Give the blocks of a key as they are now."""
        entry = self._entries.get(key)
        if entry is None:
            self.misses += 1
            return None
        before = entry.nbytes
        is_current = self._is_current(key, entry)
        self._nbytes += entry.nbytes - before
        if not is_current:
            self._drop(key)
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return entry

    def _is_current(self, key: Key, entry: Entry) -> bool:
        slot = self._slots[key.tenant, key.slot]
        if entry.seen == slot.end:
            return True
        if entry.seen < slot.begin:
            return False
        written = slot.written[entry.seen - slot.begin :]
        news = [one for one in written if one is not None]
        if len(news) < len(written):
            return False
        if entry.has_starts and any(one.has_starts for one in news):
            entry.drop_starts()
        ids, ts_ms, values = (np.concatenate(column) for column in zip(*(one[:3] for one in news), strict=True))
        is_near = (ids >= entry.ids[0]) & (ids <= entry.ids[-1])
        is_current = entry.append(ids[is_near], ts_ms[is_near], values[is_near])
        if is_current:
            entry.seen = slot.end
        return is_current

    def put(self, key: Key, ids: Ids, blocks: list[Block], mark: int, *, has_starts: bool = False) -> Entry | None:
        """Remember the blocks of all these series, also those without samples; between `begin` and `end`.

        Blocks with start times are remembered instead of those without, all others beside what is remembered already.
        Gives what is remembered now, with what was written meanwhile; None if these blocks cannot take that.
        """
        known = self._entries.get(key)
        if known is not None:
            self._drop(key)
        fresh = Entry(ids, blocks, mark, has_starts=has_starts)
        if not self._is_current(key, fresh):
            return None
        if known is not None and (known.has_starts or not has_starts) and self._is_current(key, known):
            if known.has_starts != fresh.has_starts:
                known.drop_starts()
                fresh.drop_starts()
            fresh.add_series(known.ids, known.blocks)
        self._entries[key] = fresh
        self._nbytes += fresh.nbytes
        self._slots[key.tenant, key.slot].keys.add(key)
        self._shrink()
        return fresh

    def note(self, tenant: TenantId, ids: Ids, ts_ms: Ints, values: Floats | None, *, has_starts: bool = False) -> None:
        """Take what was written."""
        if not self._slots or not len(ts_ms):
            return
        slots = ts_ms // SLOT_MS
        first, last = int(slots.min()), int(slots.max())
        if first == last:
            self._note(tenant, first, None if values is None else _News(ids, ts_ms, values, has_starts), ids)
            return
        for slot in np.unique(slots).tolist():
            if (tenant, slot) in self._slots:
                is_in = slots == slot
                news = None if values is None else _News(ids[is_in], ts_ms[is_in], values[is_in], has_starts)
                self._note(tenant, slot, news, ids[is_in])

    def _note(self, tenant: TenantId, number: int, news: _News | None, ids: Ids) -> None:
        slot = self._slots.get((tenant, number))
        if slot is None or not len(slot.names):
            return
        names = ids >> _NAME_SHIFT
        is_near = slot.names.take(np.searchsorted(slot.names, names), mode="clip") == names
        if not is_near.any():
            return
        if news is not None and not is_near.all():
            news = _News(ids[is_near], news.ts_ms[is_near], news.values[is_near], news.has_starts)
        self._recent_bytes += slot.add(news)
        if self._recent_bytes > self.most_bytes // _RECENT_SHARE:
            self._recent_bytes -= sum(each.forget_older_half() for each in self._slots.values())

    def forget(self, tenant: TenantId) -> None:
        """Forget all blocks of a tenant; something was deleted."""
        for key in [key for key in self._entries if key.tenant == tenant]:
            self._drop(key)
        for (owner, _), slot in self._slots.items():
            if owner == tenant:  # what is being read now may hold what is gone
                self._recent_bytes += slot.add(None)

    def _drop(self, key: Key) -> None:
        entry = self._entries.pop(key)
        self._nbytes -= entry.nbytes
        slot = self._slots[key.tenant, key.slot]
        slot.keys.discard(key)
        self._tidy((key.tenant, key.slot), slot)

    def _shrink(self) -> None:
        while self._nbytes > self.most_bytes and len(self._entries) > 1:
            self._drop(next(iter(self._entries)))
