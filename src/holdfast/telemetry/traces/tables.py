"""The table of spans. Sorted by slots of an hour, in them by trace, so that a trace lies together and packs well.

A trace is found in the few granules of each slot that its id may be in; a search reads narrow columns of the slots that
it asks for, and attributes only where their values may be. A span that comes twice is one row once parts are merged,
and one span for whoever reads before.
"""

from __future__ import annotations

from typing import Final

from holdfast.store import (
    FLOAT64,
    INT64,
    LABEL,
    STRING,
    UINT8,
    Column,
    Index,
    Kind,
    Migration,
    Schema,
    Table,
    fixed,
    mapping,
)

STREAM: Final = "traces"
SLOT_NS: Final = 3600 * 10**9
INT32: Final = Kind("Int32", "int32")

VALUES: Final = Index("attribute_values", "mapValues(attributes)", "bloom_filter(0.01)")

SPANS: Final = Table(
    "trace_spans",
    (
        Column("slot", INT32, "ZSTD"),
        Column("trace_id", fixed(16), "ZSTD"),
        Column("start_ns", INT64, "Delta(8), ZSTD"),
        Column("span_id", fixed(8), "ZSTD"),
        Column("parent_id", fixed(8), "ZSTD"),
        Column("duration_ns", INT64, "ZSTD"),
        Column("service", LABEL, "ZSTD"),
        Column("name", LABEL, "ZSTD"),
        Column("kind", UINT8, "ZSTD"),
        Column("status", UINT8, "ZSTD"),
        Column("status_message", STRING, "ZSTD"),
        Column("attributes", mapping(LABEL, STRING), "ZSTD"),
        Column("types", LABEL, "ZSTD"),
        Column("resource", LABEL, "ZSTD"),
        Column("scope", LABEL, "ZSTD"),
        Column("events", STRING, "ZSTD"),
        Column("links", STRING, "ZSTD"),
        Column("trace_state", LABEL, "ZSTD"),
        Column("weight", FLOAT64, "ZSTD"),
    ),
    order_by=("slot", "trace_id", "start_ns", "span_id"),
    time="start_ns",
    stream=STREAM,
    engine="ReplacingMergeTree",
    indexes=(
        Index("services", "service", "set(100)"),
        Index("traces", "trace_id", "bloom_filter(0.001)"),
        VALUES,
    ),
)

_ADD_VALUES: Final = f"ALTER TABLE trace_spans ADD {VALUES.ddl.replace('INDEX', 'INDEX IF NOT EXISTS', 1)}"
SCHEMA: Final = Schema("traces", (SPANS,), (Migration(1, "an index of the values of attributes", (_ADD_VALUES,)),))
