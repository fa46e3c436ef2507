"""The tables of logs: streams with their labels, and records with an index of the parts of words in their bodies.

Records are sorted by slots of an hour before the stream, so that the newest page reads one slot, and lines of one
stream lie together, where they pack best. Why bodies have an index of parts of words and not of words, and which
codecs: docs/decisions/0027. What many records share of structured metadata is one text of few values.
"""

from __future__ import annotations

from typing import Final

from holdfast.store import (
    INT64,
    LABEL,
    LABELS,
    STRING,
    TIME_MS,
    TIME_S,
    UINT8,
    UINT64,
    Column,
    Index,
    Kind,
    Schema,
    Table,
    keep_latest,
    keep_max,
    keep_min,
    mapping,
)

STREAM: Final = "logs"
SLOT_NS: Final = 3600 * 10**9
INT32: Final = Kind("Int32", "int32")
NOT_OBSERVED: Final = -(2**63)  # in `lag_ns`: nobody says when a collector saw it

STREAMS: Final = Table(
    "log_streams",
    (
        Column("stream_id", UINT64),
        Column("labels", keep_latest(LABELS), "ZSTD"),
        Column("first_seen", keep_min(TIME_MS)),
        Column("last_seen", keep_max(TIME_MS)),
        Column("heard_at", keep_max(TIME_S), "ZSTD"),
    ),
    order_by=("stream_id",),
    time="last_seen",
    stream=STREAM,
    engine="AggregatingMergeTree",
    partition_by="",  # the rows of a stream are merged into one only within a partition
)

RECORDS: Final = Table(
    "log_records",
    (
        Column("slot", INT32, "ZSTD"),
        Column("stream_id", UINT64, "ZSTD"),
        Column("ts_ns", INT64, "Delta(8), T64('bit'), ZSTD"),
        Column("lag_ns", INT64, "ZSTD"),
        Column("level", LABEL, "ZSTD"),
        Column("severity", UINT8, "ZSTD"),
        Column("severity_text", LABEL, "ZSTD"),
        Column("trace_id", STRING, "ZSTD"),
        Column("span_id", STRING, "ZSTD"),
        Column("body", STRING, "ZSTD(8)"),
        Column("attributes", mapping(LABEL, STRING), "ZSTD"),
        Column("shared", LABEL, "ZSTD"),
    ),
    order_by=("slot", "stream_id", "ts_ns"),
    time="ts_ns",
    stream=STREAM,
    indexes=(
        Index("parts", "body", "ngrambf_v1(5, 24576, 1, 0)"),
        Index("traces", "trace_id", "bloom_filter(0.01)"),
    ),
)

SCHEMA: Final = Schema("logs", (STREAMS, RECORDS))
