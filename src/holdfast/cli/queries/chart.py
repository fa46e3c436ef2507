"""Lines of dots in a terminal: Braille characters, which are two dots wide and four high, a colour for each series.

Knows numbers and cells only; what they mean stands in `drawing`.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.text import Text

COLOURS: Final = ("cyan", "yellow", "magenta", "green", "blue", "red", "bright_cyan", "bright_yellow")
_BLANK: Final = 0x2800  # the Braille pattern without a dot; dots are bits added to it
_BITS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_WIDE: Final = 2
_HIGH: Final = 4
_MOST: Final = sys.float_info.max / 4  # the distance of two such is still a number

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What part of the plane is shown."""

    left: float
    right: float
    low: float
    high: float

    @classmethod
    def around(cls, lines: Sequence[Points], left: float, right: float) -> Bounds:
        """Give the bounds that hold every finite value, never of no height."""
        values = [max(-_MOST, min(_MOST, value)) for line in lines for _, value in line if math.isfinite(value)]
        low, high = min(values, default=0.0), max(values, default=1.0)
        if low == high:
            low, high = low - (abs(low) or 1.0) * 0.5, high + (abs(high) or 1.0) * 0.5
        return cls(left, right if right > left else left + 1, low, high)


class Canvas:
    """Cells to draw on."""

    def __init__(self, columns: int, rows: int, bounds: Bounds) -> None:
        self._columns, self._rows, self._bounds = columns, rows, bounds
        self._dots = [[0] * columns for _ in range(rows)]
        self._colours = [[""] * columns for _ in range(rows)]
        self._marks: dict[tuple[int, int], str] = {}

    def draw(self, points: Points, colour: str) -> None:
        """Draw a line through the points; a value that is not finite leaves a gap."""
        before: tuple[int, int] | None = None
        for at, value in points:
            if not math.isfinite(value):
                before = None
                continue
            spot = self._spot(at, value)
            self._connect(before or spot, spot, colour)
            before = spot

    def mark(self, points: Points, letter: str, colour: str) -> None:
        """Write a letter on the line, at its end and twice before; two lines never share a cell for it."""
        cells = [self._cell(at, value) for at, value in points if math.isfinite(value)]
        for third in range(1, 4):
            cell = next((cell for cell in cells[len(cells) * third // 3 - 1 :: -1] if cell not in self._marks), None)
            if cells and cell is not None:
                self._marks[cell] = letter
                self._colours[cell[0]][cell[1]] = colour

    def _cell(self, at: float, value: float) -> tuple[int, int]:
        x, y = self._spot(at, value)
        return y // _HIGH, x // _WIDE

    def _spot(self, at: float, value: float) -> tuple[int, int]:
        bounds = self._bounds
        x = (at - bounds.left) / (bounds.right - bounds.left)
        y = (bounds.high - max(bounds.low, min(bounds.high, value))) / (bounds.high - bounds.low)
        return round(x * (self._columns * _WIDE - 1)), round(y * (self._rows * _HIGH - 1))

    def _connect(self, start: tuple[int, int], end: tuple[int, int], colour: str) -> None:
        steps = max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1)
        for step in range(steps + 1):
            x = round(start[0] + (end[0] - start[0]) * step / steps)
            y = round(start[1] + (end[1] - start[1]) * step / steps)
            row, column = y // _HIGH, x // _WIDE
            if 0 <= row < self._rows and 0 <= column < self._columns:
                self._dots[row][column] |= _BITS[y % _HIGH][x % _WIDE]
                self._colours[row][column] = colour

    def rows(self) -> list[Text]:
        """Give the lines of text, the highest first."""
        lines = []
        for row, (dots, colours) in enumerate(zip(self._dots, self._colours, strict=True)):
            line = Text()
            for column, (dot, colour) in enumerate(zip(dots, colours, strict=True)):
                cell = self._marks.get((row, column)) or (chr(_BLANK + dot) if dot else " ")
                line.append(cell, style=colour or None)
            lines.append(line)
        return lines
