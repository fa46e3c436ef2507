"""Rows of `log_records` as a page of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson

from holdfast.telemetry.logs.records import Attributes, RecordPage, Records
from holdfast.telemetry.logs.tables import NOT_OBSERVED
from holdfast.telemetry.metrics.labels import labels_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from holdfast.telemetry.metrics.labels import Labels

COLUMNS: Final = (
    "stream_id, ts_ns, lag_ns, level, severity, severity_text, trace_id, span_id, body,"
    " mapKeys(attributes) AS keys, mapValues(attributes) AS texts, shared"
)


def read_page(table: pa.Table, labels: Mapping[int, Labels]) -> RecordPage:
    """Give the page; `labels` are those of the streams by id."""
    ids, refs = np.unique(_numbers(table, "stream_id"), return_inverse=True)
    ts_ns, lag_ns = _numbers(table, "ts_ns"), _numbers(table, "lag_ns")
    shared, shared_refs = _shared(table)
    records = Records(
        refs.astype(np.int64),
        ts_ns,
        _texts(table, "body"),
        levels=_texts(table, "level"),
        trace_ids=_texts(table, "trace_id"),
        span_ids=_texts(table, "span_id"),
        severities=_numbers(table, "severity"),
        severity_texts=_texts(table, "severity_text"),
        observed_ns=np.where(lag_ns == NOT_OBSERVED, 0, ts_ns + lag_ns),
        attributes=_attributes(table),
        shared=shared,
        shared_refs=shared_refs,
    )
    return RecordPage([labels[identity] for identity in ids.tolist()], records)


def _numbers(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks().to_numpy(zero_copy_only=False)


def _texts(table: pa.Table, name: str) -> list[str]:
    texts: list[str] = table.column(name).to_pylist()
    return texts


def _attributes(table: pa.Table) -> Attributes:
    keys, texts = table.column("keys").combine_chunks(), table.column("texts").combine_chunks()
    lengths = keys.value_lengths().to_numpy(zero_copy_only=False)
    offsets = np.concatenate((np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)))
    return Attributes(offsets, keys.flatten().to_pylist(), texts.flatten().to_pylist())


def _shared(table: pa.Table) -> tuple[list[Labels], Any]:
    import pyarrow as pa  # noqa: PLC0415 -- heavy; a process without a store never pays

    column = table.column("shared").combine_chunks().cast(pa.string()).dictionary_encode()
    sets = [labels_of(orjson.loads(text)) if text else () for text in column.dictionary.to_pylist()]
    return sets, column.indices.to_numpy().astype(np.int32)
