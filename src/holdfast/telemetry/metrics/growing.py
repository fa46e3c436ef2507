"""Numpy columns that grow at their end: room doubles, so that growing costs the same at any length."""

from __future__ import annotations

from collections.abc import Sized
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


class Alongside(Generic[Number]):
    """A column that is as long as something else, and costs nothing while that grows; new places hold `fill`."""

    __slots__ = ("_array", "_fill", "_rows")

    def __init__(self, kind: type[Number], fill: int, rows: Sized) -> None:
        self._array: npt.NDArray[Number] = np.full(16, fill, kind)
        self._fill = fill
        self._rows = rows

    @property
    def live(self) -> npt.NDArray[Number]:
        """The values; may be written to."""
        length = len(self._rows)
        if length > len(self._array):
            wider = np.full(max(length, 2 * len(self._array)), self._fill, self._array.dtype)
            wider[: len(self._array)] = self._array
            self._array = wider
        return self._array[:length]
