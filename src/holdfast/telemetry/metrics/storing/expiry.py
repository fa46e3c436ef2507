"""When a sample leaves: so long after it came, or after its own time where the settings say so.

Counting from the arrival keeps what is imported from years ago; see docs/decisions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from holdfast.kernel.clock import Clock

if TYPE_CHECKING:
    import pyarrow as pa

_DAY_S: Final = 86_400
_LAST_DAY_S: Final = (2**32 - 1) // _DAY_S * _DAY_S  # the engine's DateTime ends in 2106


class Expiry:
    """Gives `expires_at`, rounded up to a day, which packs to nothing; rows leave by the week anyway."""

    def __init__(self, clock: Clock, *, from_event: bool = False) -> None:
        """Prepare.

        Args:
            clock: tells when a sample arrives.
            from_event: count from the sample's own time, so that what is older than the retention is not kept at all.
        """
        self._clock = clock
        self._from_event = from_event

    def now_s(self) -> int:
        """Give the time of arrival."""
        return int(self._clock.now().timestamp())

    def seconds(self, ts_ms: npt.NDArray[np.int64], keep_s: npt.NDArray[np.int64] | int) -> npt.NDArray[np.int64]:
        """Give the second at which each sample leaves."""
        since = ts_ms // 1000
        if not self._from_event:
            since = np.maximum(since, self.now_s())
        ends: npt.NDArray[np.int64] = -(-(since + keep_s) // _DAY_S) * _DAY_S
        return ends.clip(0, _LAST_DAY_S)

    def are_past(
        self, ts_ms: npt.NDArray[np.int64], keep_s: npt.NDArray[np.int64] | int
    ) -> npt.NDArray[np.bool_] | None:
        """Tell which samples leave as they come; None if none does, as where their time counts from the arrival."""
        if not self._from_event:
            return None
        are_past: npt.NDArray[np.bool_] = self.seconds(ts_ms, keep_s) <= self.now_s()
        return are_past if are_past.any() else None

    def column(self, ts_ms: npt.NDArray[np.int64], keep_s: npt.NDArray[np.int64] | int) -> pa.Array:
        """Give the column `expires_at`."""
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        return pa.array(self.seconds(ts_ms, keep_s)).cast(pa.timestamp("s", tz="UTC"))
