"""The columns of one request, grown record by record; what a door knows of a record has a column or is an attribute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from holdfast.telemetry.logs.arrivals import LogArrival
from holdfast.telemetry.logs.records import DETECTED_LEVEL, Attributes, Records, fits_column
from holdfast.telemetry.metrics.intake import Refusals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.telemetry.metrics.labels import Labels


@dataclass(slots=True)
class RecordColumns:
    """What a request holds so far; the columns of one record are appended together.

    A door gives the pairs of each record one after the other as `keys` and `values`; or those that differ, and `codes`.
    """

    refs: list[int] = field(default_factory=list)
    ts_ns: list[int] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)
    trace_ids: list[str] = field(default_factory=list)
    span_ids: list[str] = field(default_factory=list)
    severities: list[int] = field(default_factory=list)
    severity_texts: list[str] = field(default_factory=list)
    observed_ns: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    shared: list[Labels] = field(default_factory=lambda: [()])
    shared_refs: list[int] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)

    def __len__(self) -> int:
        return len(self.bodies)

    def add(self, ref: int, ts_ns: int, body: str, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Add a record that is a line with pairs of structured metadata; known fields go to their columns."""
        self.refs.append(ref)
        self.ts_ns.append(ts_ns)
        self.bodies.append(body)
        known: dict[str, str] = {}
        for name, value in pairs:
            if fits_column(name, value):
                known[name] = value
            else:
                self.keys.append(name)
                self.values.append(value)
        self.offsets.append(len(self.keys))
        self.levels.append(known.get(DETECTED_LEVEL, ""))
        self.trace_ids.append(known.get("trace_id", ""))
        self.span_ids.append(known.get("span_id", ""))
        self.severities.append(int(known.get("severity_number", 0)))
        self.severity_texts.append(known.get("severity_text", ""))
        self.observed_ns.append(int(known.get("observed_timestamp", 0)))
        self.shared_refs.append(0)

    def share(self, pairs: Labels) -> int:
        """Give the place of a set of structured metadata that the next records have in common."""
        if self.shared[-1] != pairs:
            self.shared.append(pairs)
        return len(self.shared) - 1

    def arrival(self, generation: int) -> LogArrival:
        """Give all of it as columns."""

        def texts(column: list[str]) -> list[str] | None:
            return column if any(column) else None

        def numbers(column: list[int], kind: Any) -> Any:
            return np.array(column, kind) if any(column) else None

        records = Records(
            np.array(self.refs, np.int64),
            np.array(self.ts_ns, np.int64),
            self.bodies,
            levels=texts(self.levels),
            trace_ids=texts(self.trace_ids),
            span_ids=texts(self.span_ids),
            severities=numbers(self.severities, np.uint8),
            severity_texts=texts(self.severity_texts),
            observed_ns=numbers(self.observed_ns, np.int64),
            attributes=self._attributes(),
            shared=self.shared,
            shared_refs=np.array(self.shared_refs, np.int32) if len(self.shared) > 1 else None,
        )
        return LogArrival(generation, records)

    def _attributes(self) -> Attributes | None:
        if not self.offsets[-1]:
            return None
        offsets = np.array(self.offsets, np.int32)
        count = len(self.keys)
        if not self.codes or (len(self.codes) == count and self.codes == list(range(count))):  # no pair repeats
            return Attributes(offsets, self.keys, self.values)
        return Attributes.coded(offsets, np.array(self.codes, np.int32), self.keys, self.values)
