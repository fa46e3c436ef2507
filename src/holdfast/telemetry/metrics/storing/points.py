"""An arrival's numbers as Arrow columns, built straight from numpy: no object per sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from holdfast.telemetry.metrics.storing.expiry import Expiry
from holdfast.telemetry.metrics.tables import SLOT_MS

if TYPE_CHECKING:
    import pyarrow as pa

LAST_MS: Final = SLOT_MS * (2**31 - 1)  # a slot is an int32
_CHUNK: Final = 100_000


@dataclass(frozen=True, slots=True)
class PointColumns:
    """Samples by the 64-bit ids of their series."""

    ids: npt.NDArray[np.uint64]
    ts_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    starts_ms: npt.NDArray[np.int64]
    keep_s: npt.NDArray[np.int64]

    def batches(self, expiry: Expiry) -> Iterator[dict[str, pa.Array]]:
        """Give the rows of `metric_points`, in parts that the store's queue takes."""
        import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

        for begin in range(0, len(self.ids), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            ts_ms = self.ts_ms[part]
            yield {
                **place_columns(self.ids[part], ts_ms, self.starts_ms[part]),
                "value": pa.array(self.values[part]),
                "expires_at": expiry.column(ts_ms, self.keep_s[part]),
            }


def place_columns(
    ids: npt.NDArray[np.uint64], ts_ms: npt.NDArray[np.int64], starts_ms: npt.NDArray[np.int64]
) -> dict[str, pa.Array]:
    """Give the columns that say whose and when: the same in every table of samples."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

    return {
        "slot": pa.array((ts_ms // SLOT_MS).astype(np.int32)),
        "series_id": pa.array(ids),
        "ts_ms": pa.array(ts_ms),
        "start_ms": pa.array(starts_ms),
    }
