"""Tells whoever remembers something of the store what this process has just put into it.

The news come after the store has accepted the rows and before the sender gets its answer, so that a sender reads what
it wrote. What other processes write is not told here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.metrics.labels import Labels


class Follower(Protocol):
    """Somebody who remembers."""

    def series_announced(
        self,
        tenant: TenantId,
        labels: Sequence[Labels],
        ids: npt.NDArray[np.uint64],
        first_ms: npt.NDArray[np.int64],
        last_ms: npt.NDArray[np.int64],
    ) -> None:
        """Take that these series live at least from `first_ms` to `last_ms`."""
        ...

    def samples_stored(
        self,
        tenant: TenantId,
        ids: npt.NDArray[np.uint64],
        ts_ms: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64] | None,
        *,
        has_starts: bool = False,
    ) -> None:
        """Take that these samples may be in the store now.

        `values` is None where more than numbers was written; `has_starts` tells that start times were, too.
        """
        ...


class Feed:
    """The followers of one sink."""

    def __init__(self) -> None:
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> None:
        """Tell `follower` from now on."""
        self._followers.append(follower)

    def series_announced(
        self,
        tenant: TenantId,
        labels: Sequence[Labels],
        ids: npt.NDArray[np.uint64],
        first_ms: npt.NDArray[np.int64],
        last_ms: npt.NDArray[np.int64],
    ) -> None:
        """Tell everybody."""
        for follower in self._followers:
            follower.series_announced(tenant, labels, ids, first_ms, last_ms)

    def samples_stored(
        self,
        tenant: TenantId,
        ids: npt.NDArray[np.uint64],
        ts_ms: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64] | None,
        *,
        has_starts: bool = False,
    ) -> None:
        """Tell everybody."""
        for follower in self._followers:
            follower.samples_stored(tenant, ids, ts_ms, values, has_starts=has_starts)
