"""What is asked for its figures when somebody looks: pools, caches, shippers.

Watching keeps none of them alive. Several that have the same label are added up: a page may hold a series only once.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterator
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
Figures = tuple[float | None, ...]
"""What one of them says; None is what it does not know."""


class Looks(Generic[K]):
    """Things by their label, each with the function that reads its figures."""

    def __init__(self) -> None:
        self._things: dict[K, list[tuple[Callable[[], Any], Callable[[Any], Figures | None]]]] = {}

    def add(self, label: K, thing: object, read: Callable[[Any], Figures | None]) -> Callable[[], None]:
        """Ask `thing` from now on, once however often it is added; give the function that ends it."""
        try:
            reference: Callable[[], Any] = weakref.ref(thing)
        except TypeError:  # its class has slots, and none for that
            reference = lambda: thing  # noqa: E731 -- beside the other one
        self._keep(label, lambda other: other is not thing)
        self._things.setdefault(label, []).append((reference, read))
        return lambda: self._keep(label, lambda other: other is not reference())

    def figures(self) -> Iterator[tuple[K, Figures]]:
        """Give the sums of every label; None where one of several does not know."""
        for label in list(self._things):
            self._keep(label, lambda other: other is not None)
            things = [(reference(), read) for reference, read in self._things.get(label, ())]
            read_all = [_read(thing, read) for thing, read in things if thing is not None]
            known = [figures for figures in read_all if figures is not None]
            if known:
                yield label, tuple(map(_add, zip(*known, strict=True)))

    def _keep(self, label: K, is_kept: Callable[[Any], bool]) -> None:
        left = [pair for pair in self._things.get(label, ()) if is_kept(pair[0]())]
        if left:
            self._things[label] = left
        else:
            self._things.pop(label, None)


def _read(thing: Any, read: Callable[[Any], Figures | None]) -> Figures | None:
    try:
        return read(thing)
    except Exception:  # noqa: BLE001 -- the fence of a plugin: one broken thing must not hide all other metrics
        return None


def _add(figures: tuple[float | None, ...]) -> float | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if len(known) == len(figures) else None
