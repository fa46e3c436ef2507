"""Columns: ClickHouse's engine, embedded as chDB in a folder by default, or a server when a URL says so.

Owns clients, schema, batches, back-pressure, retention and query limits. Refuses to know what a metric, a log or a
check is: rooms declare a `Schema`, write through a `Writer` and read with `Store.query`.
"""

from holdfast.store.columns import (
    BOOL,
    FLOAT64,
    INT64,
    LABEL,
    LABELS,
    STRING,
    TIME_MS,
    TIME_NS,
    TIME_S,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    Column,
    Kind,
    array,
    fixed,
    keep_latest,
    keep_max,
    keep_min,
    keep_sum,
    mapping,
    nullable,
)
from holdfast.store.limits import QueryLimits
from holdfast.store.retention import Retention
from holdfast.store.schema import Index, Migration, Schema, Table
from holdfast.store.settings import SECTION, StoreSettings
from holdfast.store.store import Store
from holdfast.store.wiring import StoreRoom, wire
from holdfast.store.writer import Writer

__all__ = [
    "BOOL",
    "FLOAT64",
    "INT64",
    "LABEL",
    "LABELS",
    "SECTION",
    "STRING",
    "TIME_MS",
    "TIME_NS",
    "TIME_S",
    "UINT8",
    "UINT16",
    "UINT32",
    "UINT64",
    "Column",
    "Index",
    "Kind",
    "Migration",
    "QueryLimits",
    "Retention",
    "Schema",
    "Store",
    "StoreRoom",
    "StoreSettings",
    "Table",
    "Writer",
    "array",
    "fixed",
    "keep_latest",
    "keep_max",
    "keep_min",
    "keep_sum",
    "mapping",
    "nullable",
    "wire",
]
