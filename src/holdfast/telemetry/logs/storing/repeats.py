"""Records that were stored a short while ago, by 64-bit keys, so that what a sender repeats is stored once.

A sender that did not get its answer sends the same request again, perhaps while the first one is still being written:
then the second waits for the first. Keys are remembered per process; over a restart, `earlier` looks into the store.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.records import Records

Keys = npt.NDArray[np.int64]
_NOTHING: Final = hash(())  # of a record that shares nothing, whatever the others do
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # 2^64 by the golden ratio: products of it spread over all bits
_HALF: Final = np.uint64(32)
_LAST: Final = 2**64 - 1
_PARTS: Final = 8  # the oldest part of the keys is forgotten at once


def keys_of(tenant: TenantId, records: Records, ids: npt.NDArray[np.uint64]) -> Keys:
    """Give a key for each record: of tenant, stream, time, body and structured metadata.

    It is the same however the metadata came: pair by pair, or as numbers of pairs that differ.
    """
    keys = ids * _ODD ^ np.uint64(hash(tenant) & _LAST)
    shared = np.array([hash(pairs) for pairs in records.shared] or [_NOTHING], np.int64)
    columns = (
        records.ts_ns,
        _hashes(records.bodies),
        None if records.trace_ids is None else _hashes(records.trace_ids),
        None if records.span_ids is None else _hashes(records.span_ids),
        _attribute_hashes(records),
        shared[records.shared_refs] if records.shared_refs is not None else np.full(len(records), _NOTHING),
    )
    for column in columns:
        if column is not None:
            keys ^= column.view(np.uint64)
        keys *= _ODD
        keys ^= keys >> _HALF
    return keys.view(np.int64)


def _hashes(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """Give a hash for each; 0 for the empty one, as for what nobody has."""
    return np.fromiter(map(hash, texts), np.int64, len(texts))


def _attribute_hashes(records: Records) -> npt.NDArray[np.int64] | None:
    """Give a hash for each record of its pairs in their order; 0 for none."""
    given = records.attributes
    if given is None or not given.keys:
        return None
    each = given.pairs or given
    pairs = (_hashes(each.keys).view(np.uint64) * _ODD ^ _hashes(each.values).view(np.uint64)) * _ODD
    pairs ^= pairs >> _HALF
    if given.pairs is not None:
        pairs = pairs[given.pairs.codes]
    lengths = np.diff(given.offsets)
    places = np.arange(len(pairs)) - np.repeat(given.offsets[:-1], lengths)
    pairs *= np.cumprod(np.full(int(lengths.max()), _ODD))[places]
    sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(pairs)))
    found: npt.NDArray[np.uint64] = sums[given.offsets[1:]] - sums[given.offsets[:-1]]
    return found.view(np.int64)


class _Flight:
    __slots__ = ("keys", "landed")

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self.landed = asyncio.Event()


class Repeats:
    """The keys of one sink; `most` bounds how many are remembered, at 8 bytes each."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._sorted: list[Keys] = []  # oldest first; small ones are merged, so that there are few
        self._flying: dict[int, _Flight] = {}  # by key: where many requests come at once, one look finds any of them

    def __len__(self) -> int:
        return sum(map(len, self._sorted))

    def note(self, keys: Keys) -> None:
        """Take that these are stored; sorted."""
        if len(keys) and self._most:
            self._remember(keys)

    async def begin(self, keys: Keys) -> tuple[npt.NDArray[np.int64], _Flight]:
        """Give the places of the records that are new, and the flight that `end` takes."""
        numbers = keys.tolist()
        while (other := self._overlapping(numbers)) is not None:
            await other.landed.wait()
        different, first = np.unique(keys, return_index=True)
        are_new = ~self._are_known(different)  # sorted ones are looked up side by side
        flight = _Flight(different[are_new])
        self._flying.update(dict.fromkeys(flight.keys.tolist(), flight))
        return np.sort(first[are_new]), flight

    def end(self, flight: _Flight, *, is_stored: bool) -> None:
        """Take what became of a flight."""
        for key in flight.keys.tolist():
            del self._flying[key]
        if is_stored:
            self.note(flight.keys)
        flight.landed.set()

    def _overlapping(self, keys: list[int]) -> _Flight | None:
        if self._flying.keys().isdisjoint(keys):
            return None
        return next(self._flying[key] for key in keys if key in self._flying)

    def _are_known(self, keys: Keys) -> npt.NDArray[np.bool_]:
        known = np.zeros(len(keys), np.bool_)
        for each in self._sorted:
            known |= _contains(each, keys)
        return known

    def _remember(self, keys: Keys) -> None:
        while self._sorted and len(self._sorted[-1]) < 2 * len(keys) and len(keys) < self._most // _PARTS:
            keys = np.sort(np.concatenate((self._sorted.pop(), keys)), kind="stable")
        self._sorted.append(keys)
        while len(self) > self._most and len(self._sorted) > 1:
            self._sorted.pop(0)


def _contains(known: Keys, keys: Keys) -> npt.NDArray[np.bool_]:
    places = np.searchsorted(known, keys)
    places[places == len(known)] = 0
    found: npt.NDArray[np.bool_] = known[places] == keys
    return found
