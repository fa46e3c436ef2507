"""The table of patterns: how many lines of each came, by service, level and ten seconds."""

from __future__ import annotations

from typing import Final

from holdfast.store import (
    LABEL,
    STRING,
    TIME_S,
    UINT64,
    Column,
    Schema,
    Table,
    keep_latest,
    keep_sum,
)

BUCKET_S: Final = 10  # as Loki's

PATTERNS: Final = Table(
    "log_patterns",
    (
        Column("service", LABEL),
        Column("level", LABEL),
        Column("pattern_id", UINT64, "ZSTD"),
        Column("bucket", TIME_S, "DoubleDelta, ZSTD"),
        Column("pattern", keep_latest(STRING), "ZSTD"),
        Column("sample", keep_latest(STRING), "ZSTD"),
        Column("lines", keep_sum(UINT64), "ZSTD"),
    ),
    order_by=("service", "level", "pattern_id", "bucket"),
    time="bucket",
    stream="logs",
    engine="AggregatingMergeTree",
)

SCHEMA: Final = Schema("log_patterns", (PATTERNS,))
