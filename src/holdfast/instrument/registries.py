"""One set of metrics per registry, made when it is first asked for: two middlewares in a process share theirs.

What is watched twice in one registry counts once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from weakref import WeakKeyDictionary

from prometheus_client import Counter

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

T = TypeVar("T")


class PerRegistry(Generic[T]):
    """Calls `make` once for each registry and remembers what it gave, as long as the registry lives."""

    def __init__(self, make: Callable[[CollectorRegistry], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[CollectorRegistry, T] = WeakKeyDictionary()
        self._alone = threading.RLock()

    def __call__(self, registry: CollectorRegistry) -> T:
        """Give the registry's set."""
        found = self._made.get(registry)
        if found is None:
            with self._alone:
                found = self._made.get(registry)
                if found is None:
                    found = self._made[registry] = self._make(registry)
        return found


def _make_folded(registry: CollectorRegistry) -> Counter:
    return Counter(
        "instrument_label_values_folded",
        'Times that a label\'s value was counted as "other", because the label has all the values that it may have.',
        ["label"],
        registry=registry,
    )


_FOLDED = PerRegistry(_make_folded)


def count_folded(registry: CollectorRegistry, label: str) -> Callable[[], None]:
    """Give a function to be called when a value of `label` (`http_route`, ...) was folded; it counts that."""
    return _FOLDED(registry).labels(label).inc


_ENDS: Final = "_holdfast_ends"


def watch_once(target: Any, registry: CollectorRegistry, begin: Callable[[], Callable[[], None]]) -> Callable[[], None]:
    """Begin to watch `target` in `registry`, if it is not watched there; give the function that ends it.

    It stands on the target itself, and goes with it. To end what has ended does nothing.
    """
    ends: WeakKeyDictionary[CollectorRegistry, Callable[[], None]] = vars(target).setdefault(_ENDS, WeakKeyDictionary())
    found = ends.get(registry)
    if found is not None:
        return found
    stop = begin()

    def end() -> None:
        for key in [key for key, value in ends.items() if value is end]:  # the registry itself is not kept alive here
            del ends[key]
            stop()

    ends[registry] = end
    return end
