"""The streams of one tenant that this process writes to: label sets become small numbers, numbers index columns.

Telling the store which streams there are is here as well: before their first record, and once an hour how long they
have lived; between two announcements records come up to an hour later than the life says, which readers allow for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.ledger import Services
from holdfast.telemetry.logs.arrivals import REFUSED
from holdfast.telemetry.metrics.growing import Growing

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.hooks import Scrubber
    from holdfast.telemetry.metrics.labels import Labels

ANNOUNCE_EVERY_NS: Final = 3600 * 10**9
_ANNOUNCE_EVERY_S: Final = ANNOUNCE_EVERY_NS // 10**9
_NEVER_FIRST: Final = 2**62  # the life of a stream of which the store has not heard
_NEVER_LAST: Final = -(2**62)

KeepSeconds = Callable[["TenantId", "Labels"], int]


class StreamWatch(Protocol):
    """Somebody who knows which streams there are."""

    def streams_announced(
        self,
        tenant: TenantId,
        labels: Sequence[Labels],
        ids: npt.NDArray[np.uint64],
        first_ns: npt.NDArray[np.int64],
        last_ns: npt.NDArray[np.int64],
    ) -> None:
        """Take that these streams live at least from `first_ns` to `last_ns`."""
        ...


@dataclass(frozen=True, slots=True)
class Lives:
    """What is to be announced: streams by reference, and from when to when they live."""

    generation: int
    refs: npt.NDArray[np.int64]
    first_ns: npt.NDArray[np.int64]
    last_ns: npt.NDArray[np.int64]


def stream_id(labels: Labels) -> int:
    """Give the id of a stream within its tenant: 64 bits, the same in every process and after every restart."""
    whole = b"\xff".join(part.encode(errors="surrogatepass") for pair in labels for part in pair)
    return int.from_bytes(blake2b(whole, digest_size=8).digest(), "big")


class TenantStreams:
    """The book of one tenant; a `StreamBook`."""

    def __init__(self, tenant: TenantId, max_streams: int, scrubber: Scrubber, keep_s: KeepSeconds) -> None:
        self.tenant = tenant
        self.refused = 0
        self._max_streams = max_streams
        self._scrubber = scrubber
        self._keep_s = keep_s
        self._generation = 1
        self.services = Services()
        self._empty()

    def _empty(self) -> None:
        self._refs: dict[Labels, int] = {}
        self.labels: list[Labels] = []
        self.ids: Growing[np.uint64] = Growing(np.uint64)
        self.keep_s: Growing[np.int64] = Growing(np.int64)
        self.service_codes: Growing[np.int32] = Growing(np.int32)
        self.first_ns: Growing[np.int64] = Growing(np.int64)
        self.last_ns: Growing[np.int64] = Growing(np.int64)
        self.announced_s: Growing[np.int64] = Growing(np.int64)
        self.used_s: Growing[np.int64] = Growing(np.int64)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def generation(self) -> int:
        """Changes when idle streams were forgotten."""
        return self._generation

    def ref(self, labels: Labels, *, origin: str) -> int:
        """Give the reference of a stream, made known if it is new; over the limit less than `REFUSED`."""
        del origin
        known = self._refs.get(labels)
        if known is not None:
            return known
        if len(self.labels) >= self._max_streams:
            self.refused += 1
            return REFUSED - 1 - self.services.code(self._scrubber.scrub_labels(self.tenant, labels))
        ref = self._refs[labels] = len(self.labels)
        kept = self._scrubber.scrub_labels(self.tenant, labels)
        self.labels.append(kept)
        self.ids.append(stream_id(kept))
        self.keep_s.append(self._keep_s(self.tenant, kept))
        self.service_codes.append(self.services.code(kept))
        self.first_ns.append(_NEVER_FIRST)
        self.last_ns.append(_NEVER_LAST)
        self.announced_s.append(0)
        self.used_s.append(0)
        return ref

    def due(self, refs: npt.NDArray[np.int64], ts_ns: npt.NDArray[np.int64], now_s: int) -> Lives | None:
        """Give what must be announced before these records are written; None if the store knows enough."""
        self.used_s.live[refs] = now_s
        first, last = self.first_ns.live[refs], self.last_ns.live[refs]
        is_due = (ts_ns < first) | (ts_ns >= last + ANNOUNCE_EVERY_NS)
        is_due |= self.announced_s.live[refs] <= now_s - _ANNOUNCE_EVERY_S
        if not is_due.any():
            return None
        fresh, place = np.unique(refs[is_due], return_inverse=True)
        begin, end = self.first_ns.live[fresh].copy(), self.last_ns.live[fresh].copy()
        np.minimum.at(begin, place, ts_ns[is_due])
        np.maximum.at(end, place, ts_ns[is_due])
        return Lives(self._generation, fresh, begin, end)

    def remember(self, lives: Lives, now_s: int) -> None:
        """Take that the store has heard of these lives."""
        if lives.generation != self._generation:
            return
        refs = lives.refs
        self.first_ns.live[refs] = np.minimum(self.first_ns.live[refs], lives.first_ns)
        self.last_ns.live[refs] = np.maximum(self.last_ns.live[refs], lives.last_ns)
        self.announced_s.live[refs] = now_s

    def forget_idle(self, before_s: int, least: int) -> bool:
        """Forget all streams if `least` of them or more have no record since `before_s`; those in use come again."""
        if int((self.used_s.live < before_s).sum()) < least:
            return False
        self._generation += 1
        self._empty()
        return True
