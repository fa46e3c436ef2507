"""A small table that the tests of the store write to and read from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from holdfast.store import FLOAT64, LABELS, TIME_MS, UINT64, Column, Schema, Table

START = datetime(2026, 1, 1, tzinfo=UTC)
SAMPLES = Table(
    "samples",
    (
        Column("series", UINT64),
        Column("ts", TIME_MS, "DoubleDelta, ZSTD"),
        Column("value", FLOAT64, "Delta(8), ZSTD"),
        Column("labels", LABELS),
    ),
    order_by=("series", "ts"),
    time="ts",
)
SCHEMA = Schema("tests", (SAMPLES,))


def rows(values: Sequence[float], series: int = 1, at: datetime | None = None) -> dict[str, Any]:
    """Give one row per value."""
    count = len(values)
    return {
        "series": [series] * count,
        "ts": [at or datetime.now(UTC)] * count,
        "value": [float(value) for value in values],
        "labels": [{"host": "a"}] * count,
    }
