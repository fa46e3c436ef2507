"""The tables of metrics: one row per series and its life, one row per sample.

Packing is measured: `Delta(8), ZSTD` beats `Gorilla` on counters, timestamps pack best with `DoubleDelta, ZSTD`.
"""

from __future__ import annotations

from typing import Final

from holdfast.store import (
    FLOAT64,
    LABEL,
    LABELS,
    TIME_MS,
    UINT64,
    Column,
    Schema,
    Table,
    keep_latest,
    keep_max,
    keep_min,
)

STREAM: Final = "metrics"

SERIES: Final = Table(
    "metric_series",
    (
        Column("name", LABEL),
        Column("series_id", UINT64),
        Column("labels", keep_latest(LABELS), "ZSTD"),
        Column("first_seen", keep_min(TIME_MS)),
        Column("last_seen", keep_max(TIME_MS)),
    ),
    order_by=("name", "series_id"),
    time="last_seen",
    stream=STREAM,
    engine="AggregatingMergeTree",
    partition_by="",  # the rows of a series are merged into one only within a partition
)

SAMPLES: Final = Table(
    "metric_samples",
    (
        Column("series_id", UINT64, "Delta(8), ZSTD"),
        Column("ts", TIME_MS, "DoubleDelta, ZSTD"),
        Column("value", FLOAT64, "Delta(8), ZSTD"),
    ),
    order_by=("series_id", "ts"),
    time="ts",
    stream=STREAM,
)

SCHEMA: Final = Schema("telemetry", (SERIES, SAMPLES))
