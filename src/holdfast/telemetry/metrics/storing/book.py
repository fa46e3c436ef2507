"""The series of one tenant that this process writes to: label sets become small numbers, numbers index columns.

Asking for a known series is one look into a dict. A new one is admitted or refused by `Admission`; nothing is
remembered of a refused one. Announcing them to the store is `announcements`' work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.ledger import OURS, Services
from holdfast.telemetry.metrics.arrivals import REFUSED, RefusedSeries
from holdfast.telemetry.metrics.growing import Alongside, Growing
from holdfast.telemetry.metrics.labels import Labels, name_of
from holdfast.telemetry.metrics.series import series_id
from holdfast.telemetry.metrics.settings import OWN_ORIGIN

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId

NEVER_FIRST: Final = 2**62  # the life of a series of which the store has not heard
NEVER_LAST: Final = -(2**62)
COLLISION: Final = "id_collision"
_NOWHERE: Final = np.empty(0, np.int64)

KeepSeconds = Callable[["TenantId", Labels], int]


@dataclass(slots=True)
class Tally:
    """How many series are active, in all, by metric and by who sends them."""

    total: int = 0
    by_metric: Counter[str] = field(default_factory=Counter)
    by_origin: Counter[str] = field(default_factory=Counter)


class Admission(Protocol):
    """Decides on new series; asked for each one that comes in, so it must be cheap."""

    def refusal(self, tenant: TenantId, metric: str, origin: str, tally: Tally) -> str:
        """Give why new series of a metric from a sender are kept out; empty if one may come in.

        Once there is a reason, it must stay until the tally shrinks.
        """
        ...

    def refused(self, tenant: TenantId, refused: RefusedSeries) -> None:
        """Count series that are kept out, here or for a reason found elsewhere."""
        ...


class Everybody:
    """Lets every series in."""

    def refusal(self, tenant: TenantId, metric: str, origin: str, tally: Tally) -> str:
        """Give no reason."""
        del tenant, metric, origin, tally
        return ""

    def refused(self, tenant: TenantId, refused: RefusedSeries) -> None:
        """Count nothing."""


class Book:
    """The real `SeriesBook`. Its columns are indexed by reference; `live` views of them are short-lived."""

    def __init__(self, tenant: TenantId, admission: Admission, keep_s: KeepSeconds) -> None:
        self.tenant = tenant
        self._admission = admission
        self._keep_s = keep_s
        self._generation = 1
        self._moved: tuple[int, npt.NDArray[np.int64]] = (0, _NOWHERE)
        self.services = Services()
        self._empty()

    def _empty(self) -> None:
        self._refs: dict[Labels, int] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._taken: set[int] = set()
        self.tally = Tally()
        self.labels: list[Labels] = []
        self.origins: list[str] = []
        self.ids = Growing(np.uint64)
        self.keep_s = Growing(np.int64)
        self.service_codes = Growing(np.int32)
        self.first_ms = Alongside(np.int64, NEVER_FIRST, self.labels)
        self.last_ms = Alongside(np.int64, NEVER_LAST, self.labels)
        self.announced_s = Alongside(np.int64, 0, self.labels)
        self.used_s = Alongside(np.int64, 0, self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def generation(self) -> int:
        """Changes when references lose their meaning."""
        return self._generation

    def renumbered(self, refs: npt.NDArray[np.int64], generation: int) -> npt.NDArray[np.int64]:
        """Give what references of a generation are now, without those that mean nothing any more."""
        if generation == self._generation:
            return refs
        before, places = self._moved
        if generation != before:
            return refs[:0]
        found = places[refs]
        return found[found >= 0]

    def ref(self, labels: Labels, *, origin: str) -> int:
        """Give the reference of a series, or `REFUSED`."""
        found = self._refs.get(labels)
        return found if found is not None else self._admit(labels, None, origin)

    def keeps_out(self, metric: str, origin: str) -> str:
        """Give why every new series of a metric from a sender is kept out, until the generation changes."""
        return self._admission.refusal(self.tenant, metric, origin, self.tally)

    def has(self, identity: int) -> bool:
        """Tell whether a series with this id is known."""
        return identity in self._taken

    def admit(self, labels: Labels, identity: int, origin: str) -> int:
        """Give the reference of a series whose id is known already, or `REFUSED`."""
        found = self._refs.get(labels)
        return found if found is not None else self._admit(labels, identity, origin)

    def refuse(self, refused: RefusedSeries) -> None:
        """Count series that were kept out without asking for each."""
        self._admission.refused(self.tenant, refused)

    def known(self, labels: Labels) -> Labels:
        """Give the equal label set that the book holds, so that memory has it once; `labels` if it has none."""
        found = self._refs.get(labels)
        return labels if found is None else self.labels[found]

    def _admit(self, labels: Labels, identity: int | None, origin: str) -> int:
        metric = name_of(labels)
        reason = self.keeps_out(metric, origin)
        if not reason:
            identity = series_id(labels) if identity is None else identity
            reason = COLLISION if identity in self._taken else ""
        if identity is None or reason:
            self.refuse(RefusedSeries(metric, origin, reason, 1, (labels,)))
            return REFUSED
        return self._enter(labels, identity, metric, origin)

    def _enter(self, labels: Labels, identity: int, metric: str, origin: str) -> int:
        ref = len(self.labels)
        labels = self._shared(labels)
        self._refs[labels] = ref
        self._taken.add(identity)
        self.labels.append(labels)
        self.origins.append(origin)
        self.ids.append(identity)
        self.keep_s.append(self._keep_s(self.tenant, labels))
        self.service_codes.append(self.services.code(labels, OURS if origin == OWN_ORIGIN else ""))
        self.tally.total += 1
        self.tally.by_metric[metric] += 1
        self.tally.by_origin[origin] += 1
        return ref

    def _shared(self, labels: Labels) -> Labels:
        """Give the label set with the pairs that other series have, too: most pairs of a series are not its own."""
        pairs = self._pairs
        return tuple([pairs.setdefault(pair, pair) for pair in labels])

    def distinct_pairs(self) -> list[tuple[str, str]]:
        """Give each pair of a label and its value once, however many of the series have it."""
        return list(self._pairs)

    def forget_idle(self, before_s: int) -> int:
        """Forget the series without a sample since `before_s`, renumber the others, and tell how many went."""
        used_s = self.used_s.live
        kept = np.flatnonzero(used_s >= before_s)
        forgotten = len(self) - len(kept)
        if forgotten:
            self._keep_only(kept.tolist())
        return forgotten

    def forget_these(self, ids: Collection[int]) -> None:
        """Forget the series with these ids, of which the store has lost the labels, and renumber the others."""
        gone = self._taken.intersection(ids)
        if gone:
            self._keep_only([ref for ref, identity in enumerate(self.ids.live.tolist()) if identity not in gone])

    def forget_all(self) -> None:
        """Forget every series, so that each is admitted and announced anew; the settings or the store have changed."""
        self._moved = (0, _NOWHERE)
        self._generation += 1
        self._empty()

    def _keep_only(self, kept: list[int]) -> None:
        labels, origins = self.labels, self.origins
        columns = [(c, c.live[kept].copy()) for c in (self.first_ms, self.last_ms, self.announced_s, self.used_s)]
        ids = self.ids.live[kept].tolist()
        places = np.full(len(self), -1, np.int64)
        places[kept] = np.arange(len(kept))
        self._moved = (self._generation, places)
        self._generation += 1
        self._empty()
        for ref, identity in zip(kept, ids, strict=True):
            self._enter(labels[ref], identity, name_of(labels[ref]), origins[ref])
        columns_now = (self.first_ms, self.last_ms, self.announced_s, self.used_s)
        for column, (_, values) in zip(columns_now, columns, strict=True):
            column.live[:] = values
