"""The table of the ledger: one row per hour, signal, service and reason once the engine has merged what was noted.

Rows are sums, so that any number of processes may write the same key, and a reader adds up.
"""

from __future__ import annotations

from typing import Final

from holdfast.store import INT64, LABEL, TIME_S, Column, Schema, Table, keep_sum

HOURS: Final = Table(
    "usage_hours",
    (
        Column("hour", TIME_S, "DoubleDelta, ZSTD"),
        Column("signal", LABEL, "ZSTD"),
        Column("service", LABEL, "ZSTD"),
        Column("reason", LABEL, "ZSTD"),  # empty for what was stored
        Column("records", keep_sum(INT64), "ZSTD"),
        Column("bytes", keep_sum(INT64), "ZSTD"),
        Column("requests", keep_sum(INT64), "ZSTD"),
    ),
    order_by=("hour", "signal", "service", "reason"),
    time="hour",
    engine="AggregatingMergeTree",
)
SCHEMA: Final = Schema("usage_hours", (HOURS,))
