"""Meets the series of a request that its sender's memory does not hold: lets them in, or keeps them out for little.

Where a limit keeps out every new series of a metric, its id tells whether a series is one: no label set is made, and
nothing is remembered. What was kept out is counted once the request was decoded to its end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.metrics.arrivals import REFUSED, RefusedSeries
from holdfast.telemetry.metrics.series import identity_of

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.arrivals import SeriesBook
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.remote.usual import Label

_NAME: Final = b"__name__"
_LOOKED: Final = 8  # one in so many of the kept out is shown to whoever counts values of labels


@dataclass(slots=True)
class _KeptOut:
    count: int = 0
    examples: list[Labels] = field(default_factory=list)


class Newcomers:
    """The new series of one request."""

    def __init__(self, book: SeriesBook, origin: str) -> None:
        self._book = book
        self._origin = origin
        self._verdicts: dict[bytes, str] = {}
        self._kept_out: dict[tuple[bytes, str], _KeptOut] = {}

    def meet(self, labels: list[Label]) -> int:
        """Give the reference of a series, or `REFUSED`."""
        parts = [b"", *[label[2] for label in labels if label[0] != _NAME]]
        parts[0] = metric = next(label[2] for label in labels if label[0] == _NAME)
        identity = identity_of(parts)
        reason = self._verdicts.get(metric)
        if reason is None:
            reason = self._verdicts[metric] = self._book.keeps_out(metric.decode(), self._origin)
        if reason and not self._book.has(identity):
            self._keep_out(metric, reason, labels)
            return REFUSED
        return self._book.admit(tuple([label[1] for label in labels]), identity, self._origin)

    def _keep_out(self, metric: bytes, reason: str, labels: list[Label]) -> None:
        kept_out = self._kept_out.get((metric, reason))
        if kept_out is None:
            kept_out = self._kept_out[metric, reason] = _KeptOut()
        if not kept_out.count % _LOOKED:
            kept_out.examples.append(tuple([label[1] for label in labels]))
        kept_out.count += 1

    def renew(self) -> None:
        """Ask the book anew about metrics of which series came in; others ran meanwhile."""
        self._verdicts = {metric: reason for metric, reason in self._verdicts.items() if reason}

    def count(self) -> None:
        """Tell the book what was kept out."""
        for (metric, reason), each in self._kept_out.items():
            self._book.refuse(RefusedSeries(metric.decode(), self._origin, reason, each.count, each.examples))
        self._kept_out.clear()
