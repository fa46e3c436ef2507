"""Exemplars that the page before did not have: a target shows each until it has another, and one is stored once.

Source: Prometheus 3, model/exemplar (Equals): without a time of their own, value and labels tell two apart.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.telemetry.metrics.arrivals import Exemplar
from holdfast.telemetry.metrics.exposition import PageExemplar


class FreshExemplars:
    """Those of one target."""

    def __init__(self) -> None:
        self._before: frozenset[tuple[int, PageExemplar]] = frozenset()

    def of(self, found: Iterable[tuple[int, int, PageExemplar]]) -> tuple[Exemplar, ...]:
        """Give what is new of the exemplars of a page, each with its series and the time of its sample."""
        whole = list(found)
        before, self._before = self._before, frozenset((ref, each) for ref, _, each in whole)
        return tuple(
            Exemplar(ref, ts_ms if each.ts_ms is None else each.ts_ms, each.value, each.labels)
            for ref, ts_ms, each in whole
            if (ref, each) not in before
        )

    def forget(self) -> None:
        """Forget the page before: its references mean something else now."""
        self._before = frozenset()
