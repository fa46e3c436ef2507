"""A query for lines, applied to what arrives: streams first, then bodies, then the rest of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.logs.lines import line_test
from holdfast.telemetry.logs.pipeline import Entry, Pipeline
from holdfast.telemetry.logs.querying import split
from holdfast.telemetry.metrics.matching import chosen, question_of

if TYPE_CHECKING:
    from holdfast.telemetry.logs.logql.nodes import LogSelector
    from holdfast.telemetry.logs.tailing.arriving import Batch
    from holdfast.telemetry.metrics.labels import Labels

_MOST_REMEMBERED: Final = 100_000


class Matching:
    """One query of one tail; what its pipeline remembers (`distinct`) it remembers from batch to batch."""

    def __init__(self, query: LogSelector) -> None:
        """Compile.

        Raises:
            InvalidError: an expression, path, pattern or template is none.
        """
        parts = split(query.stages)
        self._matchers = query.matchers
        self._lines = [line_test(one) for one in parts.lines]
        self._fields = [(one.label, question_of(one)) for one in parts.fields]
        self._pipeline = Pipeline(parts.rest)
        self._known: dict[Labels, bool] = {}
        self.wants(())  # so that an expression that is no RE2 is told now

    def wants(self, labels: Labels) -> bool:
        """Tell whether a stream is asked for."""
        known = self._known.get(labels)
        if known is None:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            known = self._known[labels] = bool(chosen((labels,), self._matchers))
        return known

    def entries(self, batch: Batch, since_ns: int) -> list[Entry]:
        """Give the entries of a batch that stay, none older than `since_ns`.

        Raises:
            LogqlError: a stage cannot work.
        """
        records = batch.records
        streams = {ref: dict(labels) for ref, labels in batch.labels.items() if self.wants(labels)}
        if not streams:
            return []
        is_wanted = records.ts_ns >= since_ns
        if len(streams) < len(batch.labels):
            is_wanted &= np.isin(records.refs, list(streams))
        found = []
        for row in np.flatnonzero(is_wanted).tolist():
            body = records.bodies[row]
            if not all(test(body) for test in self._lines):
                continue
            metadata = records.metadata(row)
            if not all(question(metadata.get(label, "")) for label, question in self._fields):
                continue
            entry = Entry(int(records.ts_ns[row]), body, streams[int(records.refs[row])], metadata)
            if self._pipeline.apply(entry):
                found.append(entry)
        return found
