"""A numpy column that grows at its end: room doubles, so that an append costs the same at any length."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", bound=np.generic)


class Growing(Generic[Number]):
    """One column; `live` is the part in use, a view that the next append may leave behind."""

    __slots__ = ("_array", "_length")

    def __init__(self, kind: type[Number], room: int = 16) -> None:
        self._array: npt.NDArray[Number] = np.zeros(room, kind)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, value: float) -> None:
        """Add one value."""
        if self._length == len(self._array):
            self._reserve(self._length + 1)
        self._array[self._length] = value
        self._length += 1

    def extend(self, values: npt.NDArray[Number]) -> None:
        """Add values."""
        end = self._length + len(values)
        self._reserve(end)
        self._array[self._length : end] = values
        self._length = end

    def _reserve(self, room: int) -> None:
        if room > len(self._array):
            wider = np.zeros(max(room, 2 * len(self._array)), self._array.dtype)
            wider[: self._length] = self._array[: self._length]
            self._array = wider

    @property
    def live(self) -> npt.NDArray[Number]:
        """The values; may be written to."""
        return self._array[: self._length]
