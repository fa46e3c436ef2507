"""Keeps the number of label values bounded, because every new value is a new time series for ever."""

from __future__ import annotations

from typing import Final

OTHER: Final = "other"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY"})


class BoundedLabel:
    """Lets the first `most` different values through; the rest become "other". `refused` counts those."""

    __slots__ = ("_known", "most", "refused")

    def __init__(self, most: int) -> None:
        self.most = most
        self.refused = 0
        self._known: set[str] = set()

    def admit(self, value: str) -> str:
        """Give the value to use as label for `value`."""
        if value in self._known:
            return value
        if len(self._known) >= self.most:
            self.refused += 1
            return OTHER
        self._known.add(value)
        return value


def label_method(method: str) -> str:
    """Give the label of an HTTP method; clients may send anything as one."""
    return method if method in METHODS else OTHER
