"""Keeps the number of label values bounded, because every new value is a new time series for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

OTHER: Final = "other"
MOST_LETTERS: Final = 256
"""Of a value; scrapers have limits of their own for them."""
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "QUERY"})


class BoundedLabel:
    """Lets the first `most` different values through; the rest become "other". `refused` counts those.

    `tell` is called for each of the refused; `known` are values that are let through from the start.
    """

    __slots__ = ("_alone", "_known", "_tell", "most", "refused")

    def __init__(
        self, most: int, tell: Callable[[], object] | None = None, known: frozenset[str] = frozenset()
    ) -> None:
        self.most = most
        self.refused = 0
        self._known = set(known)
        self._tell = tell
        self._alone = threading.Lock()

    def admit(self, value: str) -> str:
        """Give the value to use as label for `value`."""
        if value in self._known:
            return value
        value = writable(value)
        with self._alone:  # two threads must not both take the last place
            if len(self._known) < self.most or value in self._known:
                self._known.add(value)
                return value
            self.refused += 1
        if self._tell is not None:
            self._tell()
        return OTHER


def writable(value: str) -> str:
    """Give a value that a page can hold: not too long, and without halves of letters, as JSON from outside may have."""
    return value[:MOST_LETTERS].encode("utf-8", "replace").decode()


def label_method(method: str) -> str:
    """Give the label of an HTTP method; clients may send anything as one."""
    return method if method in METHODS else OTHER


def label_error(error: BaseException) -> str:
    """Give the label of an error: its class, as OpenTelemetry's `error.type` has it, without the module."""
    return type(error).__name__
