"""Spans as rows of their table, in Arrow columns, and rows as spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.traces.columns import Pairs, Texts
from holdfast.telemetry.traces.spans import Spans
from holdfast.telemetry.traces.tables import SLOT_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from holdfast.telemetry.traces.columns import Codes

COLUMNS: Final = (
    "trace_id, start_ns, span_id, parent_id, duration_ns, service, name, kind, status, status_message,"
    " mapKeys(attributes) AS keys, mapValues(attributes) AS texts, types, resource, scope, events, links, trace_state,"
    " weight"
)


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


def read_spans(table: pa.Table) -> Spans:
    """Give the spans of an answer that has `COLUMNS`."""
    resources = _read_texts(table, "resource")
    return Spans(
        _read_ids(table, "trace_id", 16),
        _read_ids(table, "span_id", 8),
        _read_ids(table, "parent_id", 8),
        _read_texts(table, "service"),
        _read_texts(table, "name"),
        table.column("kind").to_numpy(),
        table.column("start_ns").to_numpy(),
        table.column("duration_ns").to_numpy(),
        table.column("status").to_numpy(),
        _read_texts(table, "status_message"),
        _read_pairs(table),
        [labels_of(orjson.loads(text or "{}")) for text in resources.values],
        resources.codes,
        _read_texts(table, "scope"),
        _read_texts(table, "events"),
        _read_texts(table, "links"),
        _read_texts(table, "trace_state"),
        table.column("weight").to_numpy(),
    )


def _read_ids(table: pa.Table, name: str, size: int) -> list[bytes]:
    column = table.column(name).combine_chunks()
    if not len(column):
        return []
    start = column.offset * size
    content = column.buffers()[1].to_pybytes()
    return [content[at : at + size] for at in range(start, start + len(column) * size, size)]


def _read_texts(table: pa.Table, name: str) -> Texts:
    return _coded(table.column(name).combine_chunks())


def _coded(column: pa.Array) -> Texts:
    each = column.dictionary_encode()
    return Texts(each.indices.to_numpy(), each.dictionary.to_pylist())


def _read_pairs(table: pa.Table) -> Pairs:
    """Give the attributes with each different one once."""
    keys, texts = table.column("keys").combine_chunks(), table.column("texts").combine_chunks()
    bounds = keys.offsets.to_numpy()
    offsets = bounds - bounds[0]
    names, values = _coded(keys.flatten()), _coded(texts.flatten())
    letters = _read_letters(_read_texts(table, "types"), np.diff(offsets))
    marks = (names.codes.astype(np.int64) * max(len(values.values), 1) + values.codes) * 256 + letters
    each, codes = np.unique(marks, return_inverse=True)
    above, types = np.divmod(each, 256)
    at_keys, at_values = np.divmod(above, max(len(values.values), 1))
    return Pairs(
        offsets,
        codes.astype(np.int32),
        [names.values[at] for at in at_keys.tolist()],
        [values.values[at] for at in at_values.tolist()],
        types.astype(np.uint8).tobytes().decode(),
    )


def _read_letters(types: Texts, counts: Codes) -> npt.NDArray[np.uint8]:
    """Give the letter of each attribute's type; spans from before there were types have texts only."""
    content = "".join(told or "s" * count for told, count in zip(types, counts.tolist(), strict=True))
    return np.frombuffer(content.encode(), np.uint8)
