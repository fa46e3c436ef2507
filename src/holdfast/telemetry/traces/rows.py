"""Spans as rows of their table, in Arrow columns, and rows as spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.traces.spans import Span, SpanKind, SpanStatus
from holdfast.telemetry.traces.tables import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from holdfast.telemetry.traces.columns import Codes, Pairs, Texts
    from holdfast.telemetry.traces.spans import Spans

COLUMNS: Final = (
    "trace_id, start_ns, span_id, parent_id, duration_ns, service, name, kind, status, status_message,"
    " mapKeys(attributes) AS keys, mapValues(attributes) AS texts, types, resource, scope, events, links, trace_state,"
    " weight"
)
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "s": str,
    "i": int,
    "d": float,
    "b": lambda text: text == "true",
    "j": orjson.loads,
}


def span_rows(spans: Spans) -> dict[str, Any]:
    """Give the rows of `trace_spans`."""
    import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

    resources = [orjson.dumps(dict(resource)).decode() for resource in spans.resources]
    pairs = spans.attributes
    offsets = pa.array(pairs.offsets)
    keys, values = _repeated(pairs.codes, pairs.keys), _repeated(pairs.codes, pairs.values)
    return {
        "slot": (spans.starts_ns // SLOT_NS).astype(np.int32),
        "trace_id": _fixed(spans.trace_ids, 16),
        "start_ns": spans.starts_ns,
        "span_id": _fixed(spans.span_ids, 8),
        "parent_id": _fixed(spans.parent_ids, 8),
        "duration_ns": spans.durations_ns,
        "service": _texts(spans.services),
        "name": _texts(spans.names),
        "kind": spans.kinds,
        "status": spans.statuses,
        "status_message": _texts(spans.status_messages),
        "attributes": pa.MapArray.from_arrays(offsets, keys, values),
        "types": _letters(pairs),
        "resource": _repeated(spans.resource_refs, resources),
        "scope": _texts(spans.scopes),
        "events": _texts(spans.events),
        "links": _texts(spans.links),
        "trace_state": _texts(spans.trace_states),
        "weight": spans.weights,
    }


def _fixed(ids: Sequence[bytes], size: int) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 -- as above

    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(size), len(ids), [None, pa.py_buffer(b"".join(ids))])


def _texts(texts: Texts) -> pa.Array:
    return _repeated(texts.codes, texts.values)


def _repeated(codes: Codes, values: Sequence[str]) -> pa.Array:
    import pyarrow as pa  # noqa: PLC0415 -- as above

    return pa.array(values, pa.string()).take(pa.array(codes))


def _letters(pairs: Pairs) -> pa.Array:
    """Give the types of each span's attributes as one text: a letter each, so its bounds are those of the pairs."""
    import pyarrow as pa  # noqa: PLC0415 -- as above

    letters = np.frombuffer(pairs.letters.encode(), np.uint8)[pairs.codes]
    bounds, content = pa.py_buffer(pairs.offsets), pa.py_buffer(letters)
    return pa.StringArray.from_buffers(len(pairs.offsets) - 1, bounds, content)


def expiry(count: int, at_s: int) -> dict[str, Any]:
    """Give the column by which `count` rows expire at a second of Unix time."""
    import pyarrow as pa  # noqa: PLC0415 -- as above

    return {"expires_at": pa.repeat(pa.scalar(at_s, pa.int64()), count).cast(pa.timestamp("s", "UTC"))}


def read_spans(table: pa.Table) -> Iterator[Span]:
    """Give the spans of an answer that has `COLUMNS`."""
    resources: dict[str, Mapping[str, str]] = {}
    for row in table.to_pylist():
        resource = resources.get(row["resource"])
        if resource is None:
            resource = resources[row["resource"]] = orjson.loads(row["resource"] or b"{}")
        yield Span(
            row["trace_id"].hex(),
            row["span_id"].hex(),
            "" if row["parent_id"] == bytes(8) else row["parent_id"].hex(),
            row["service"],
            row["name"],
            SpanKind(row["kind"]),
            row["start_ns"],
            row["duration_ns"],
            SpanStatus(row["status"]),
            row["status_message"],
            typed(row["keys"], row["texts"], row["types"]),
            resource,
            row["scope"],
            orjson.loads(row["events"]) if row["events"] else (),
            orjson.loads(row["links"]) if row["links"] else (),
            row["trace_state"],
            row["weight"],
        )


def typed(keys: list[str], texts: list[str], types: str) -> dict[str, Any]:
    """Give attributes with their types."""
    kinds = types or "s" * len(keys)
    return {key: _READERS[kind](text) for key, text, kind in zip(keys, texts, kinds, strict=True)}
