"""Meets the series of a request that its sender's memory does not hold: lets them in, or keeps them out for little.

Where a limit keeps out every new series of a metric, its id tells whether a series is one: nothing is decoded, and
nothing is remembered. What was kept out is counted once the request was decoded to its end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.ledger import service_of
from holdfast.telemetry.metrics.arrivals import REFUSED, RefusedSeries
from holdfast.telemetry.metrics.intake import LIMIT
from holdfast.telemetry.metrics.labels import METRIC_NAME
from holdfast.telemetry.metrics.series import JOINT, identity_of

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.arrivals import SeriesBook
    from holdfast.telemetry.metrics.intake import Refusals
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.remote.usual import Parts, UsualLabels

_NAMING: Final = tuple(name.encode() + JOINT for name in ("service_name", "service", "job", "app"))
_FIRST: Final = frozenset(name[0] for name in _NAMING)  # most labels are told by their first letter
_SHOWN: Final = 8  # one in so many of the kept out is shown to whoever counts values of labels


@dataclass(slots=True)
class _KeptOut:
    reason: str
    count: int = 0
    examples: list[Parts] = field(default_factory=list)


class Newcomers:
    """The new series of one request; `refused` counts those that were kept out."""

    def __init__(self, book: SeriesBook, origin: str, usual: UsualLabels, refusals: Refusals) -> None:
        self.refusals = refusals
        self._codes: dict[bytes, int] = {}
        self._book = book
        self._origin = origin
        self._usual = usual
        self._open: set[bytes] = set()  # metrics of which new series may come in, as far as was asked
        self._kept_out: dict[bytes, _KeptOut] = {}
        self.refused = 0

    def meet(self, parts: Parts) -> int:
        """Give the reference of a series, or what `Refusals.code` gives for its service.

        Raises:
            UnicodeDecodeError: a label is no UTF-8; not told of those that are kept out.
        """
        metric = parts[0]
        identity = identity_of(parts)
        kept_out = self._kept_out.get(metric)
        if kept_out is None and metric not in self._open:
            kept_out = self._ask(metric)
        if kept_out is None or self._book.has(identity):
            ref = self._book.admit(self._usual.labels(parts), identity, self._origin)
            return self._code(parts) if ref == REFUSED else ref
        if not kept_out.count % _SHOWN:
            kept_out.examples.append(parts)
        kept_out.count += 1
        self.refused += 1
        return self._code(parts)

    def _code(self, parts: Parts) -> int:
        # From behind, for labels are sorted, and the last of those that name a service counts; see `service_of`.
        named = b""
        for part in reversed(parts):
            if part[0] in _FIRST and part.startswith(_NAMING):
                named = part
                break
        found = self._codes.get(named)
        if found is None:
            name, _, value = named.decode(errors="replace").partition(JOINT.decode(errors="replace"))
            found = self._codes[named] = self.refusals.code(LIMIT, service_of(((name, value),)))
        return found

    def _ask(self, metric: bytes) -> _KeptOut | None:
        reason = self._book.keeps_out(metric.decode(), self._origin)
        if reason:
            return self._kept_out.setdefault(metric, _KeptOut(reason))
        self._open.add(metric)
        return None

    def renew(self) -> None:
        """Ask the book anew about metrics of which series came in; others ran meanwhile."""
        self._open.clear()

    def count(self) -> None:
        """Tell the book what was kept out."""
        for metric, each in self._kept_out.items():
            examples = [_shown(parts) for parts in each.examples]
            if each.count:
                self._book.refuse(RefusedSeries(metric.decode(), self._origin, each.reason, each.count, examples))
        self._kept_out.clear()


def _shown(parts: Parts) -> Labels:
    """Give labels to look at, whatever is wrong with their letters."""
    found = [(METRIC_NAME, parts[0].decode(errors="replace"))]
    for part in parts[1:]:
        name, _, value = part.partition(JOINT)
        found.append((name.decode(errors="replace"), value.decode(errors="replace")))
    return tuple(found)
