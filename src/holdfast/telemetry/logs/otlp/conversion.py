"""One request of OTLP logs as columns: a resource becomes a stream and shared metadata, each record a row.

Columns are filled list by list, not record by record: that is twice as fast with the messages that protobuf gives.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.crowds import refuse_crowded_attributes
from holdfast.telemetry.logs.arrivals import REFUSED, Refusal
from holdfast.telemetry.logs.intake import SERVICE_NAME, KnownStream, with_service_name
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.otlp import to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.telemetry.logs.arrivals import StreamBook
    from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory
    from holdfast.telemetry.logs.otlp.attributes import Names
    from holdfast.telemetry.logs.otlp.settings import OtlpLogsSettings

SLICE: Final = 500  # records converted before the event loop gets its turn, some milliseconds
_MOST_AT_ONCE: Final = 5_000  # attributes
_MOST_SEVERITY: Final = 255


@dataclass(frozen=True, slots=True)
class Conversion:
    """Converts requests of one door; `max_labels` bounds the labels of a stream."""

    settings: OtlpLogsSettings
    names: Names
    max_labels: int

    def walk(self, request: Any, book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> Iterator[None]:
        """Fill the columns, yielding after each slice.

        Raises:
            TooLargeError: one thing has more attributes than anybody means to send.
        """
        dropped = frozenset(self.settings.drop_attributes)
        for part in request.resource_logs:
            refuse_crowded_attributes(part.resource.attributes)
            known = self._stream(part, book, memory, columns)
            if known is None:
                continue
            ref, rest = known
            for scoped in part.scope_logs:
                refuse_crowded_attributes(scoped.scope.attributes)
                shared = columns.share(labels_of(dict(rest) | self._scope(scoped.scope, dropped)))
                records = scoped.log_records
                for begin in range(0, len(records), SLICE):
                    yield from self._add(records[begin : begin + SLICE], ref, shared, columns, dropped)
                    yield

    def _stream(self, part: Any, book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> KnownStream | None:
        """Give the stream of a resource; None, and its records refused, if it has too many labels."""
        resource = part.resource
        key = resource.SerializeToString()
        known = memory.streams.get(key)
        if known is not None:
            return known
        wanted, dropped = set(self.settings.label_attributes), frozenset(self.settings.drop_attributes)
        labels = dict(self.names.pairs([each for each in resource.attributes if each.key in wanted]))
        rest = dict(self.names.pairs([each for each in resource.attributes if each.key not in wanted], dropped))
        if resource.dropped_attributes_count:
            rest["resource_dropped_attributes_count"] = str(resource.dropped_attributes_count)
        stream = labels_of(with_service_name(labels))
        if len(stream) > self.max_labels:
            columns.refusals.add(
                Refusal.LABELS,
                sum(len(scoped.log_records) for scoped in part.scope_logs),
                f"a stream has {len(stream)} labels, more than logs.max_labels = {self.max_labels}",
                dict(stream)[SERVICE_NAME],
            )
            return None
        found = KnownStream(book.ref(stream, origin=f"otlp:{dict(stream)[SERVICE_NAME]}"), labels_of(rest))
        if found.ref > REFUSED:
            memory.streams[key] = found
        return found

    def _scope(self, scope: Any, dropped: frozenset[str]) -> dict[str, str]:
        pairs = dict(self.names.pairs(scope.attributes, dropped))
        if scope.name:
            pairs["scope_name"] = scope.name
        if scope.version:
            pairs["scope_version"] = scope.version
        if scope.dropped_attributes_count:
            pairs["scope_dropped_attributes_count"] = str(scope.dropped_attributes_count)
        return pairs

    def _add(
        self, records: Sequence[Any], ref: int, shared: int, columns: RecordColumns, dropped: frozenset[str]
    ) -> Iterator[None]:
        count = len(records)
        observed = [each.observed_time_unix_nano for each in records]
        times = [each.time_unix_nano for each in records]
        if not all(times):
            now_ns = time.time_ns()
            # As Loki does: a record without a time happened when it was observed, or now, and was observed no more.
            observed = [seen if at else 0 for at, seen in zip(times, observed, strict=True)]
            times = [each.time_unix_nano or each.observed_time_unix_nano or now_ns for each in records]
        columns.refs += [ref] * count
        columns.shared_refs += [shared] * count
        columns.ts_ns += times if max(times) < 2**63 else [min(at, 2**63 - 1) for at in times]
        columns.observed_ns += observed if max(observed) < 2**63 else [seen if seen < 2**63 else 0 for seen in observed]
        columns.bodies += [each.body.string_value or to_text(each.body) for each in records]
        columns.severities += [min(max(each.severity_number, 0), _MOST_SEVERITY) for each in records]
        columns.severity_texts += [each.severity_text for each in records]
        columns.trace_ids += [each.trace_id.hex() for each in records]
        columns.span_ids += [each.span_id.hex() for each in records]
        columns.levels += [""] * count
        keys, values, offsets, extend = columns.keys, columns.values, columns.offsets, self.names.extend
        paused_at = len(keys)
        for each in records:
            attributes = each.attributes
            refuse_crowded_attributes(attributes)
            if len(keys) - paused_at > _MOST_AT_ONCE:
                paused_at = len(keys)
                yield
            extend(attributes, dropped, keys, values)
            if each.flags or each.dropped_attributes_count or each.event_name:
                _add_rare(each, keys, values)
            offsets.append(len(keys))


def _add_rare(record: Any, keys: list[str], values: list[str]) -> None:
    for name in ("flags", "dropped_attributes_count", "event_name"):
        said = getattr(record, name)
        if said:
            keys.append(name)
            values.append(str(said))
