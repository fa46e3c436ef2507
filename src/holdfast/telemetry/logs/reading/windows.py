"""The span in which the next page is looked for: short first, longer while pages are not full, then by density."""

from __future__ import annotations

from typing import Final

_FIRST_NS: Final = 10 * 10**9
_LEAST_NS: Final = 10**7
_GROWTH: Final = 40
_SPARE: Final = 2


class Window:
    """Moves over [start_ns, end_ns) in a direction; false when it is through."""

    def __init__(self, start_ns: int, end_ns: int, *, is_backward: bool) -> None:
        self.is_backward = is_backward
        self._start_ns = start_ns
        self._end_ns = end_ns
        self._length_ns = _FIRST_NS

    def __bool__(self) -> bool:
        return self._start_ns < self._end_ns

    @property
    def span(self) -> tuple[int, int]:
        """From when until before when to look now."""
        if self.is_backward:
            return max(self._start_ns, self._end_ns - self._length_ns), self._end_ns
        return self._start_ns, min(self._end_ns, self._start_ns + self._length_ns)

    def advance(self, found: int, wanted: int, last_ns: int) -> None:
        """Go on behind the span, or where `wanted` were found, behind the last of them; what is found tells how far."""
        begin_ns, stop_ns = self.span
        is_full = found >= wanted
        if not is_full:
            growth = min(max(_SPARE * wanted // found, _SPARE), _GROWTH) if found else _GROWTH
            covered_ns = self._length_ns * growth
        else:
            covered_ns = max((stop_ns - last_ns if self.is_backward else last_ns + 1 - begin_ns) * _SPARE, _LEAST_NS)
        if self.is_backward:
            self._end_ns = last_ns if is_full else begin_ns
        else:
            self._start_ns = last_ns + 1 if is_full else stop_ns
        self._length_ns = covered_ns
