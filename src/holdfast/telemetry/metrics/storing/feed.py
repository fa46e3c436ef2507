"""Tells whoever remembers something of the store what this process has just put into it.

The news come after the store has accepted the rows and before the sender gets its answer, so that a sender reads what
it wrote. What other processes write is not told here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.labels import Labels


class Announced(NamedTuple):
    """These series live at least from `first_ms` to `last_ms`."""

    tenant: TenantId
    labels: Sequence[Labels]
    ids: npt.NDArray[np.uint64]
    first_ms: npt.NDArray[np.int64]
    last_ms: npt.NDArray[np.int64]


class Stored(NamedTuple):
    """These samples may be in the store now.

    `values` is None where more than numbers was written; `has_starts` tells that start times were, too.
    """

    tenant: TenantId
    ids: npt.NDArray[np.uint64]
    ts_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64] | None
    has_starts: bool = False


class Feed:
    """The news of one sink, for those who follow."""

    def __init__(self) -> None:
        self._of_series: list[Callable[[Announced], None]] = []
        self._of_samples: list[Callable[[Stored], None]] = []

    def follow_series(self, take: Callable[[Announced], None]) -> None:
        """Tell `take` from now on which series there are."""
        self._of_series.append(take)

    def follow_samples(self, take: Callable[[Stored], None]) -> None:
        """Tell `take` from now on what is written."""
        self._of_samples.append(take)

    def tell_series(self, news: Announced) -> None:
        """Tell everybody which series there are."""
        for take in self._of_series:
            take(news)

    def tell_samples(self, news: Stored) -> None:
        """Tell everybody what was written."""
        for take in self._of_samples:
            take(news)
