"""Counts spans by service, operation, kind and status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from holdfast.telemetry.traces.red.tallies import Example, Tallies, Tally, add_groups
from holdfast.telemetry.traces.spans import SpanKind, SpanStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from holdfast.telemetry.traces.spans import Spans

_NS_PER_MS: Final = 10**6
_KINDS: Final = [f"SPAN_KIND_{kind.name}" for kind in SpanKind]
_STATUSES: Final = [f"STATUS_CODE_{status.name}" for status in SpanStatus]


class OperationKey(NamedTuple):
    """What spans are counted by; `name` and the rest are empty where there was no room for more of a service."""

    service: str
    name: str
    kind: str
    status: str

    @property
    def labels(self) -> dict[str, str]:
        """Give the labels of its series."""
        if not self.kind:
            return {"service_name": self.service, "otel_metric_overflow": "true"}
        return {
            "service_name": self.service,
            "span_name": self.name,
            "span_kind": self.kind,
            "status_code": self.status,
        }


class Operations:
    """The counts of one tenant."""

    def __init__(self, most: int) -> None:
        self.tallies: Tallies[OperationKey] = Tallies(most)
        self.overflow: Tallies[OperationKey] = Tallies(most)  # one key per service

    def add(self, spans: Spans, now_ms: int) -> float:
        """Count spans; give how many found no room even among the overflow."""
        if not len(spans):
            return 0.0
        firsts, groups = _groups(spans)
        tallies = [self._find(spans, row, now_ms) for row in firsts]
        _give_examples(spans, tallies, groups)
        return add_groups(tallies, groups, spans.durations_ns, spans.weights)

    def _find(self, spans: Spans, row: int, now_ms: int) -> Tally | None:
        service, kind, status = spans.services[row], _KINDS[spans.kinds[row]], _STATUSES[spans.statuses[row]]
        found = self.tallies.find(OperationKey(service, spans.names[row], kind, status), now_ms)
        return found or self.overflow.find(OperationKey(service, "", "", ""), now_ms)


def _groups(spans: Spans) -> tuple[list[int], npt.NDArray[np.intp]]:
    """Give the first row of each group of spans that count together, in that order, and the group of every row."""
    keys = spans.services.codes.astype(np.int64) * len(spans.names.values) + spans.names.codes
    keys = (keys * len(_KINDS) + spans.kinds) * len(_STATUSES) + spans.statuses
    _, firsts, groups = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(firsts)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return firsts[order].tolist(), places[groups]


def _give_examples(spans: Spans, tallies: Sequence[Tally | None], groups: npt.NDArray[np.intp]) -> None:
    """Give each count its longest span as an example, unless it has a longer one that was not written yet."""
    order = np.argsort(spans.durations_ns, kind="stable")
    longest = np.zeros(len(tallies), np.intp)
    longest[groups[order]] = order
    for tally, row in zip(tallies, longest.tolist(), strict=True):
        duration_ms = float(spans.durations_ns[row]) / _NS_PER_MS
        if tally is None or (tally.example is not None and tally.example.duration_ms >= duration_ms):
            continue
        ended_ms = int(spans.starts_ns[row] + spans.durations_ns[row]) // _NS_PER_MS
        tally.example = Example(spans.trace_ids[row].hex(), spans.span_ids[row].hex(), duration_ms, ended_ms)
