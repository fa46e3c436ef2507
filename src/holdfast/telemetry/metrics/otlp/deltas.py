"""Sums of delta streams: every point is added to what came before it, so that PromQL sees a counter.

A point counts once: one that begins before the last one's end was sent twice or came out of order. After a restart of
ours the sums begin at zero again, which a counter may. Sums change only when the store has taken the points.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Total(Generic[Value]):
    """The sum of a stream up to `end_ns`, counted since `start_ns`."""

    start_ns: int
    end_ns: int
    value: Value
    touched_s: float


class LateError(Exception):
    """The point begins before the end of the last one."""


class FullError(Exception):
    """No more streams are taken."""


@dataclass(slots=True)
class Deltas:
    """The sums of one tenant, the stream that was quiet for the longest time first."""

    most: int
    idle_s: float
    _totals: OrderedDict[Hashable, Total[object]] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._totals)

    def expire(self, now_s: float) -> None:
        """Forget the streams that were quiet for too long."""
        while self._totals and next(iter(self._totals.values())).touched_s < now_s - self.idle_s:
            self._totals.popitem(last=False)

    def open(self, now_s: float) -> DeltaChange:
        """Begin to add the points of one request; see `DeltaChange.commit`."""
        self.expire(now_s)
        return DeltaChange(self, now_s)


@dataclass(slots=True)
class DeltaChange:
    """What one request changes."""

    deltas: Deltas
    now_s: float
    _changed: dict[Hashable, Total[object]] = field(default_factory=dict)

    def add(
        self,
        stream: Hashable,
        interval_ns: tuple[int, int],
        value: Value,
        add: Callable[[Value, Value], Value],
    ) -> Total[Value]:
        """Give the sum of a stream with this point.

        Args:
            stream: what tells it from others.
            interval_ns: from when (0 if unknown) to when the point counts.
            value: what was counted.
            add: gives the sum of two values.

        Raises:
            LateError: the point begins before the end of the last one; it is not added.
            FullError: the stream is new, and there are too many.
        """
        start, end = interval_ns
        known: Total[Value] | None = self._changed.get(stream) or self.deltas._totals.get(stream)  # type: ignore[assignment]  # noqa: SLF001 -- a stream keeps one kind of value
        if known is None:
            if len(self.deltas) + len(self._changed) >= self.deltas.most:
                raise FullError
            total = Total(start or end, end, value, self.now_s)
        elif end <= known.end_ns or (start and start < known.end_ns):
            raise LateError
        else:
            total = Total(known.start_ns, end, add(known.value, value), self.now_s)
        self._changed[stream] = total  # type: ignore[assignment]  # as above
        return total

    def commit(self) -> None:
        """Make it so: the store has taken the points."""
        totals = self.deltas._totals  # noqa: SLF001 -- the two halves of one thing
        for stream, total in self._changed.items():
            totals[stream] = total
            totals.move_to_end(stream)
