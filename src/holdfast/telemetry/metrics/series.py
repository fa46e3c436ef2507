"""The identity of a series: 64 bits, the same in every process and after every restart.

The upper 16 bits come from the metric's name, so that the series of one metric lie side by side in the sort key and a
query for one metric reads neighbours; the lower 48 come from the labels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Final, NamedTuple

from holdfast.kernel.ids import TenantId

_LABEL_BITS: Final = 48

SeriesKey = tuple[TenantId, str, tuple[tuple[str, str], ...]]


def series_key(tenant: TenantId, name: str, labels: Mapping[str, str]) -> SeriesKey:
    """Give what tells this series from every other; empty labels are the same as missing ones."""
    return tenant, name, tuple(sorted((label, value) for label, value in labels.items() if value))


def series_id(key: SeriesKey) -> int:
    """Give the id of a series within its tenant.

    Two of 100,000 series of one metric share an id with a chance of 2 in 100,000. The parts are joined by a byte that
    UTF-8 never has, so that no two label sets read the same.
    """
    _, name, labels = key
    upper = int.from_bytes(blake2b(name.encode(), digest_size=2).digest(), "big")
    whole = b"\xff".join(part.encode() for pair in ((name,), *labels) for part in pair)
    return upper << _LABEL_BITS | int.from_bytes(blake2b(whole, digest_size=6).digest(), "big")


class Life(NamedTuple):
    """From when to when a series is known to have samples."""

    first: datetime
    last: datetime

    def stretched(self, at: datetime) -> Life:
        """Give the life that also holds `at`."""
        return Life(min(self.first, at), max(self.last, at))


class SeriesCache:
    """Remembers the ids of the series seen lately, and what the store has heard of their lives."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._known: OrderedDict[SeriesKey, tuple[int, Life | None]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def find(self, key: SeriesKey) -> tuple[int, Life | None]:
        """Give the id, and the life that was announced; None if none was."""
        known = self._known.get(key)
        if known is None:
            return series_id(key), None
        self._known.move_to_end(key)
        return known

    def announced(self, key: SeriesKey, life: Life) -> None:
        """Remember that the store has heard of this; forgets the series that was not seen for the longest time."""
        identity, before = self.find(key)
        self._known[key] = identity, before.stretched(life.first).stretched(life.last) if before else life
        if len(self._known) > self._size:
            self._known.popitem(last=False)
