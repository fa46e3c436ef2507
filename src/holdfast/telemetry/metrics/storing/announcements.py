"""Tells the store which series there are, before it gets their samples, and once an hour how long they have lived.

A series is announced with labels and life; between two announcements its samples come up to an hour later than the
life says, which readers allow for.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from holdfast.store import Store
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels, name_of
from holdfast.telemetry.metrics.storing.book import Book
from holdfast.telemetry.metrics.storing.expiry import Expiry
from holdfast.telemetry.metrics.storing.feed import Announced, Feed
from holdfast.telemetry.metrics.tables import SERIES

if TYPE_CHECKING:
    import pyarrow as pa

ANNOUNCE_EVERY_MS: Final = 3_600_000
_CHUNK: Final = 20_000
_FIRST_MS: Final = -2_208_988_800_000  # the engine's DateTime64 reaches from 1900
_LAST_MS: Final = 10_413_791_999_000  # to 2299
_HOUR_S: Final = ANNOUNCE_EVERY_MS // 1000


@dataclass(frozen=True, slots=True)
class Lives:
    """What is to be announced of a book: series by reference, and from when to when they live."""

    generation: int
    refs: npt.NDArray[np.int64]
    first_ms: npt.NDArray[np.int64]
    last_ms: npt.NDArray[np.int64]


def due(book: Book, refs: npt.NDArray[np.int64], ts_ms: npt.NDArray[np.int64], now_s: int) -> Lives | None:
    """Give what must be announced before these samples are written; None if the store knows enough."""
    first, last = book.first_ms.live[refs], book.last_ms.live[refs]
    is_due = (ts_ms < first) | (ts_ms >= last + ANNOUNCE_EVERY_MS) | (book.announced_s.live[refs] <= now_s - _HOUR_S)
    if not is_due.any():
        return None
    fresh, place = np.unique(refs[is_due], return_inverse=True)
    begin, end = book.first_ms.live[fresh].copy(), book.last_ms.live[fresh].copy()
    np.minimum.at(begin, place, ts_ms[is_due])
    np.maximum.at(end, place, ts_ms[is_due])
    return Lives(book.generation, fresh, begin, end)


class Announcements:
    """Announces the series of every book."""

    def __init__(self, store: Store, expiry: Expiry, feed: Feed) -> None:
        self._store = store
        self._expiry = expiry
        self._feed = feed

    async def announce(self, book: Book, lives: Lives) -> None:
        """Announce; returns when the store has accepted it. Raises as `Writer.write` does."""
        labels = [book.labels[ref] for ref in lives.refs.tolist()]
        ids, keep_s = book.ids.live[lives.refs], book.keep_s.live[lives.refs]
        for begin in range(0, len(labels), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            rows = await asyncio.to_thread(self._rows, labels[part], ids[part], lives, keep_s[part], part)
            await self._store.writer(SERIES).write(rows, tenant=book.tenant)
        self._remember(book, lives)
        self._feed.tell_series(Announced(book.tenant, labels, ids, lives.first_ms, lives.last_ms))

    def _rows(
        self,
        labels: list[Labels],
        ids: npt.NDArray[np.uint64],
        lives: Lives,
        keep_s: npt.NDArray[np.int64],
        part: slice,
    ) -> dict[str, pa.Array]:
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        def moments(values: npt.NDArray[np.int64]) -> pa.Array:
            return pa.array(np.clip(values, _FIRST_MS, _LAST_MS)).cast(pa.timestamp("ms", tz="UTC"))

        now_s = self._expiry.now_s()
        last_ms = lives.last_ms[part]
        return {
            "name": pa.array([name_of(one) for one in labels], pa.string()),
            "series_id": pa.array(ids),
            "labels": label_maps(labels),
            "first_seen": moments(lives.first_ms[part]),
            "last_seen": moments(last_ms),
            "heard_at": pa.array(np.full(len(labels), now_s)).cast(pa.timestamp("s", tz="UTC")),
            # A series must outlive its samples, the last of which come up to one announcement later.
            "expires_at": self._expiry.column(last_ms, keep_s + _HOUR_S),
        }

    def _remember(self, book: Book, lives: Lives) -> None:
        if book.generation != lives.generation:
            return
        refs = lives.refs
        book.first_ms.live[refs] = np.minimum(book.first_ms.live[refs], lives.first_ms)
        book.last_ms.live[refs] = np.maximum(book.last_ms.live[refs], lives.last_ms)
        book.announced_s.live[refs] = self._expiry.now_s()


def label_maps(labels: list[Labels]) -> pa.Array:
    """Give label sets as a column of maps, without the metric's name, which has a column of its own."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

    rows = [[pair for pair in pairs if pair[0] != METRIC_NAME] for pairs in labels]
    keys = [name for pairs in rows for name, _ in pairs]
    values = [value for pairs in rows for _, value in pairs]
    offsets = np.zeros(len(rows) + 1, np.int32)
    offsets[1:] = np.cumsum([len(pairs) for pairs in rows])
    return pa.MapArray.from_arrays(pa.array(offsets), pa.array(keys, pa.string()), pa.array(values, pa.string()))
