"""The two layouts in which nearly every sample comes, read for a whole request at once with numpy.

A sample of today takes 18 bytes: its tag, its length, a tag and 8 bytes of value, a tag and 6 bytes of time. A value of
zero is left out, which makes 9. Whether a place really holds one is checked here, for all places in a few operations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Columns = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]

TIME_BYTES: Final = 6  # a varint of 6 bytes holds 2**35 to 2**42 ms: from 1971-02 to 2109
FULL: Final = b"\x12\x10\x09........\x10"
ZERO: Final = b"\x12\x07\x10"
FULL_BYTES: Final = len(FULL) + TIME_BYTES
ZERO_BYTES: Final = len(ZERO) + TIME_BYTES
_SHIFTS: Final = 1 << (7 * np.arange(TIME_BYTES, dtype=np.int64))


class LayoutError(Exception):
    """A sample that is not laid out as guessed; the careful walk will say what it is."""


@dataclass(slots=True)
class Places:
    """Samples of one layout: their references, and where in the request each of them ends."""

    layout: bytes = FULL
    refs: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def read(self, data: bytes) -> Columns:
        """Give references, times in ms and values of all places.

        Raises:
            LayoutError: one of them holds something else.
        """
        if not self.refs:
            return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64)
        size = len(self.layout) + TIME_BYTES
        rows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(data, np.uint8), size)
        rows = rows[np.array(self.ends, np.int64) - size]
        self._check(rows)
        times = rows[:, -TIME_BYTES:]
        ts_ms = (times & 0x7F).astype(np.int64) @ _SHIFTS
        if self.layout is FULL:
            values = np.ascontiguousarray(rows[:, 3:11]).view("<f8")[:, 0].astype(np.float64, copy=False)
        else:
            values = np.zeros(len(rows), np.float64)
        return np.array(self.refs, np.int64), ts_ms, values

    def _check(self, rows: npt.NDArray[np.uint8]) -> None:
        fixed = [place for place, byte in enumerate(self.layout) if byte != ord(".")]
        expected = np.frombuffer(self.layout, np.uint8)[fixed]
        is_going_on = rows[:, -TIME_BYTES:] >= 0x80
        is_right = (rows[:, fixed] == expected).all() and is_going_on[:, :-1].all() and not is_going_on[:, -1].any()
        if not is_right:
            raise LayoutError
