"""Reads series out of the store: one row per series, its label set shared with whoever has it already."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from holdfast.kernel.errors import LimitError
from holdfast.store import QueryLimits, Store
from holdfast.telemetry.metrics.labels import METRIC_NAME, Labels

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId

_SERIES: Final = """
    SELECT name, series_id, labels,
      toUnixTimestamp64Milli(first_seen) AS first_ms, toUnixTimestamp64Milli(last_seen) AS last_ms
    FROM metric_series FINAL WHERE tenant = {{tenant:String}} {condition}"""
# FINAL takes half the time where all is read, and would read all where little is new.
_NEWS: Final = """
    SELECT name, series_id, anyLast(labels) AS labels,
      toUnixTimestamp64Milli(min(first_seen)) AS first_ms, toUnixTimestamp64Milli(max(last_seen)) AS last_ms
    FROM metric_series WHERE tenant = {{tenant:String}} {condition} GROUP BY name, series_id"""

_AT_ONCE: Final = 2_000  # rows that are read on the loop; of more, each takes some microseconds beside it


class SeriesRow(NamedTuple):
    """One series as the store knows it."""

    name: str
    labels: Labels
    identity: int
    first_ms: int
    last_ms: int


async def load(
    store: Store, tenant: TenantId, names: list[str] | None, *, most: int, heard_since_s: int = 0
) -> list[SeriesRow]:
    """Give the series of these metrics (all if None) of which the store has heard since then.

    Raises:
        LimitError: there are more than `most`.
    """
    condition = "" if names is None else "AND name IN {names:Array(String)}"
    sql = _NEWS if heard_since_s else _SERIES
    if heard_since_s:
        condition += " AND heard_at >= {heard:DateTime('UTC')}"
    limits = replace(QueryLimits.of(store.settings), rows=most, size_bytes=2**40)
    values = {"names": names or [], "heard": heard_since_s}
    try:
        table = await store.query(sql.format(condition=condition), values, tenant=tenant, limits=limits)
    except LimitError as error:
        raise LimitError(
            f"the selector looks at more than {most} series: {error.message}",
            hint="name the metric in the selector, or raise metrics.indexed_series",
        ) from error
    return list(_rows(table)) if table.num_rows <= _AT_ONCE else await asyncio.to_thread(lambda: list(_rows(table)))


def _rows(table: pa.Table) -> Iterator[SeriesRow]:
    table = table.combine_chunks()
    if not table.num_rows:
        return
    labels = table["labels"].chunk(0)
    pairs, codes = _pairs(labels)
    offsets = (labels.offsets.to_numpy() - labels.offsets[0].as_py()).tolist()
    columns = [table[name].to_pylist() for name in ("name", "series_id", "first_ms", "last_ms")]
    for number, (name, identity, first_ms, last_ms) in enumerate(zip(*columns, strict=True)):
        own = [pairs[code] for code in codes[offsets[number] : offsets[number + 1]]]
        if name:
            own.append((METRIC_NAME, name))
        yield SeriesRow(name, tuple(sorted(own)), identity, first_ms, last_ms)


def _pairs(labels: pa.MapArray) -> tuple[list[tuple[str, str]], list[int]]:
    """Give the distinct pairs, so that each is in memory once, and which of them stand where."""
    keys, values = _encoded(labels, "keys"), _encoded(labels, "items")
    codes = keys[1] * max(len(values[0]), 1) + values[1]
    distinct, places = np.unique(codes, return_inverse=True)
    width = max(len(values[0]), 1)
    return [(keys[0][code // width], values[0][code % width]) for code in distinct.tolist()], places.tolist()


def _encoded(labels: pa.MapArray, part: str) -> tuple[list[str], Any]:
    first, last = labels.offsets[0].as_py(), labels.offsets[-1].as_py()
    encoded = getattr(labels, part)[first:last].dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)
