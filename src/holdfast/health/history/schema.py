"""The columns that results live in: each run for a while, and hours of up and down for long.

`hours` is kept by the recorder itself, so that uptime over 90 days never reads 90 days of runs.
"""

from __future__ import annotations

from typing import Final

from holdfast.store import (
    BOOL,
    FLOAT64,
    LABEL,
    STRING,
    TIME_MS,
    TIME_S,
    UINT8,
    Column,
    Schema,
    Table,
    keep_sum,
    nullable,
)

PHASES: Final = ("dns_s", "connect_s", "tls_s", "first_byte_s", "transfer_s")

RESULTS: Final = Table(
    name="check_results",
    columns=(
        Column("check_name", LABEL),
        Column("at", TIME_MS, "DoubleDelta, ZSTD"),
        Column("verdict", LABEL),
        Column("observed", LABEL),
        Column("message", STRING, "ZSTD"),
        Column("duration_s", FLOAT64, "ZSTD"),
        *(Column(phase, nullable(FLOAT64), "ZSTD") for phase in PHASES),
        Column("attempts", UINT8),
        Column("facts", STRING, "ZSTD"),
        Column("blocked_by", LABEL),
        Column("held_verdict", LABEL),
        Column("held_s", FLOAT64, "ZSTD"),
        Column("is_maintenance", BOOL),
    ),
    order_by=("check_name", "at"),
    time="at",
    stream="checks",
)

HOURS: Final = Table(
    name="check_hours",
    columns=(
        Column("check_name", LABEL),
        Column("hour", TIME_S, "DoubleDelta, ZSTD"),
        Column("up_s", keep_sum(FLOAT64)),
        Column("degraded_s", keep_sum(FLOAT64)),
        Column("down_s", keep_sum(FLOAT64)),
        Column("unknown_s", keep_sum(FLOAT64)),
    ),
    order_by=("check_name", "hour"),
    time="hour",
    stream="check_hours",
    engine="AggregatingMergeTree",
)

SCHEMA: Final = Schema("health", (RESULTS, HOURS))
