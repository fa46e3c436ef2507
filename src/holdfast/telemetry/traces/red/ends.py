"""Ends of calls, as the spans of a request bring them; those of one request share their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.traces.red.tallies import Example
from holdfast.telemetry.traces.spans import SpanKind, SpanStatus

if TYPE_CHECKING:
    import numpy.typing as npt

    from holdfast.telemetry.traces.spans import Spans

_NS_PER_MS: Final = 10**6
_MESSAGING: Final = (SpanKind.PRODUCER, SpanKind.CONSUMER)


@dataclass(frozen=True, slots=True)
class Ends:
    """N ends; every sequence has N entries.

    Attributes:
        until_ms: how long they wait for the other ends.
        services: whose span it is.
        peers: who is called, as the caller says; empty if it does not.
        durations_ns, weights: of the spans.
        ended_ms: when they ended.
        failed: whether the span failed.
        messaging: whether it sends or takes a message.
        trace_ids, span_ids: of the spans.
    """

    until_ms: int
    services: Sequence[str]
    peers: Sequence[str]
    durations_ns: Sequence[int]
    weights: Sequence[float]
    ended_ms: Sequence[int]
    failed: Sequence[bool]
    messaging: Sequence[bool]
    trace_ids: Sequence[bytes]
    span_ids: Sequence[bytes]

    @classmethod
    def of(cls, spans: Spans, rows: npt.NDArray[np.intp], peers: dict[int, str], until_ms: int) -> Ends:
        """Give the ends in some rows."""
        numbers = rows.tolist()
        durations, services = spans.durations_ns[rows], spans.services.values
        return cls(
            until_ms,
            [services[code] for code in spans.services.codes[rows].tolist()],
            [peers.get(row, "") for row in numbers] if peers else [""] * len(numbers),
            durations.tolist(),
            spans.weights[rows].tolist(),
            ((spans.starts_ns[rows] + durations) // _NS_PER_MS).tolist(),
            (spans.statuses[rows] == SpanStatus.ERROR).tolist(),
            np.isin(spans.kinds[rows], _MESSAGING).tolist(),
            [spans.trace_ids[row] for row in numbers],
            [spans.span_ids[row] for row in numbers],
        )

    def __len__(self) -> int:
        return len(self.services)

    def example(self, row: int) -> Example:
        """Give the span of an end as an example."""
        duration_ms = self.durations_ns[row] / _NS_PER_MS
        return Example(self.trace_ids[row].hex(), self.span_ids[row].hex(), duration_ms, self.ended_ms[row])


End = tuple[Ends, int]
"""One of them: its columns and its row."""
