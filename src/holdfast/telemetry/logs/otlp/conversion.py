"""One request of OTLP logs as columns: a resource becomes a stream and shared metadata, each record a row.

Columns are filled list by list, not record by record, and each different attribute of a request is read once: that is
three times as fast as to ask the messages of protobuf for each.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, chain, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.crowds import refuse_crowded_attributes
from holdfast.telemetry.logs.arrivals import REFUSED, Refusal
from holdfast.telemetry.logs.intake import SERVICE_NAME, KnownStream, with_service_name
from holdfast.telemetry.logs.otlp.attributes import PairCodes
from holdfast.telemetry.logs.otlp.wire import Parts
from holdfast.telemetry.metrics.labels import labels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from holdfast.telemetry.logs.arrivals import StreamBook
    from holdfast.telemetry.logs.intake import RecordColumns, StreamMemory
    from holdfast.telemetry.logs.otlp.attributes import Names
    from holdfast.telemetry.logs.otlp.settings import OtlpLogsSettings

SLICE: Final = 500  # records converted before the event loop gets its turn, some milliseconds
_MOST_AT_ONCE: Final = 5_000  # attributes
_MOST_SEVERITY: Final = 255
_RARE: Final = ("flags", "dropped_attributes_count", "event_name")
_FIELDS: Final = attrgetter(
    *("time_unix_nano", "observed_time_unix_nano", "severity_number", "severity_text", "body", "trace_id", "span_id"),
    *("attributes", *_RARE),
)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Converts requests of one door; `max_labels` bounds the labels of a stream."""

    settings: OtlpLogsSettings
    names: Names
    max_labels: int

    def walk(self, request: Any, book: StreamBook, memory: StreamMemory, columns: RecordColumns) -> Iterator[None]:
        """Fill the columns from a request of our class (`messages`), yielding after each slice.

        Raises:
            InvalidError: an attribute, resource, scope or body is none.
            TooLargeError: one thing has more attributes than anybody means to send.
        """
        parts, dropped = Parts(), frozenset(self.settings.drop_attributes)
        pairs = PairCodes(self.names, parts, dropped)
        columns.keys, columns.values = pairs.names, pairs.texts
        for part in request.resource_logs:
            known = self._stream(part, book, memory, parts, columns)
            if known is None:
                continue
            ref, rest = known
            for scoped in part.scope_logs:
                shared = columns.share(labels_of(dict(rest) | self._scope(parts.scope(scoped.scope), dropped)))
                records = scoped.log_records
                for begin in range(0, len(records), SLICE):
                    yield from _add(records[begin : begin + SLICE], ref, shared, columns, pairs)
                    yield

    def _stream(
        self, part: Any, book: StreamBook, memory: StreamMemory, parts: Parts, columns: RecordColumns
    ) -> KnownStream | None:
        """Give the stream of a resource; None, and its records refused, if it has too many labels."""
        known = memory.streams.get(part.resource)
        if known is not None:
            return known
        resource = parts.resource(part.resource)
        refuse_crowded_attributes(resource.attributes)
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
            memory.streams[part.resource] = found
        return found

    def _scope(self, scope: Any, dropped: frozenset[str]) -> dict[str, str]:
        refuse_crowded_attributes(scope.attributes)
        pairs = dict(self.names.pairs(scope.attributes, dropped))
        if scope.name:
            pairs["scope_name"] = scope.name
        if scope.version:
            pairs["scope_version"] = scope.version
        if scope.dropped_attributes_count:
            pairs["scope_dropped_attributes_count"] = str(scope.dropped_attributes_count)
        return pairs


def _add(records: Sequence[Any], ref: int, shared: int, columns: RecordColumns, pairs: PairCodes) -> Iterator[None]:
    count = len(records)
    times, observed, severities, texts, bodies, trace_ids, span_ids, attributes, *rare = _columns(records)
    refuse_crowded_attributes(max(attributes, key=len))
    if not all(times):
        now_ns = time.time_ns()
        # As Loki does: a record without a time happened when it was observed, or now, and was observed no more.
        seen_ns, observed = observed, [seen if at else 0 for at, seen in zip(times, observed, strict=True)]
        times = [at or seen or now_ns for at, seen in zip(times, seen_ns, strict=True)]
    columns.refs += [ref] * count
    columns.shared_refs += [shared] * count
    columns.ts_ns += times if max(times) < 2**63 else [min(at, 2**63 - 1) for at in times]
    columns.observed_ns += observed if max(observed) < 2**63 else [seen if seen < 2**63 else 0 for seen in observed]
    columns.bodies += pairs.parts.bodies(bodies)
    columns.severities += [min(max(number, 0), _MOST_SEVERITY) for number in severities]
    columns.severity_texts += texts
    columns.trace_ids += map(bytes.hex, trace_ids)
    columns.span_ids += map(bytes.hex, span_ids)
    columns.levels += [""] * count
    ends = list(accumulate(map(len, attributes), initial=0))
    begin = 0
    while begin < count:
        end = max(begin + 1, bisect_right(ends, ends[begin] + _MOST_AT_ONCE) - 1)
        if begin:
            yield
        _add_pairs(attributes[begin:end], [column[begin:end] for column in rare], columns, pairs)
        begin = end


def _columns(records: Sequence[Any]) -> list[Sequence[Any]]:
    return list(zip(*map(_FIELDS, records), strict=True))


def _add_pairs(
    attributes: Sequence[Sequence[bytes]], rare: Sequence[Sequence[Any]], columns: RecordColumns, pairs: PairCodes
) -> None:
    codes, lengths = pairs.of(list(chain.from_iterable(attributes))), list(map(len, attributes))
    if min(codes, default=0) < 0 or any(map(any, rare)):
        numbered = iter(codes)
        rows = [_codes_of(row, numbered, pairs) for row in attributes]
        for name, values in zip(_RARE, rare, strict=True):
            for row, said in zip(rows, values, strict=True):
                if said:
                    row.append(pairs.of_field(name, str(said)))
        codes, lengths = list(chain.from_iterable(rows)), list(map(len, rows))
    columns.offsets += list(accumulate(lengths, initial=len(columns.codes)))[1:]
    columns.codes += codes


def _codes_of(attributes: Sequence[bytes], numbered: Iterator[int], pairs: PairCodes) -> list[int]:
    """Give the numbers of all pairs of one record; those of its attributes come next in `numbered`."""
    codes = list(islice(numbered, len(attributes)))
    if min(codes, default=0) >= 0:
        return codes
    both = zip(attributes, codes, strict=True)
    return [each for content, code in both for each in ((code,) if code >= 0 else pairs.several[content])]
