"""Makes it visible that an answer is less than it should be, and why: to the caller, not to the logs only.

`fallbacks` reports here. Code that answers people asks `degradations()` and tells them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_PER_BLOCK: Final = 1000  # a loop over a million items must not keep a million records


class DegradedTo(StrEnum):
    """What was answered instead."""

    VALUE = "value"
    FUNCTION = "function"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Degraded:
    """One answer that is not the real one.

    Attributes:
        policy: The name of the fallback that gave it.
        to: What was answered instead.
        reason: Why, in a few words.
        error: The error that it hides; None where the call was not made.
        age_s: How old a stale answer is, in seconds.
    """

    policy: str
    to: DegradedTo
    reason: str
    error: Exception | None = None
    age_s: float | None = None


class Collector:
    """What was degraded inside one block, and inside those around it."""

    __slots__ = ("found", "outer")

    def __init__(self, outer: Collector | None) -> None:
        self.found: list[Degraded] = []
        self.outer = outer


_COLLECTOR: Final[ContextVar[Collector | None]] = ContextVar("holdfast.resilience.degradations", default=None)


@contextmanager
def degradations() -> Iterator[list[Degraded]]:
    """Collect what is degraded inside the block.

    For instance `with degradations() as found: page = await build()`, then tell the reader of the page what `found`
    holds. Tasks started inside count too. At most 1,000 records are kept.
    """
    collector = Collector(_COLLECTOR.get())
    token = _COLLECTOR.set(collector)
    try:
        yield collector.found
    finally:
        _COLLECTOR.reset(token)


def report(degraded: Degraded) -> None:
    """Tell every block around."""
    collector = _COLLECTOR.get()
    while collector is not None:
        if len(collector.found) < MOST_PER_BLOCK:
            collector.found.append(degraded)
        collector = collector.outer
