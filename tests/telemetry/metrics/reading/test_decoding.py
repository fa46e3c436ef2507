"""Many samples are read as bare columns, fewer as lists, few as rows; all give the same."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, Matcher, MatchOp, MetricSink, MetricSource
from holdfast.telemetry.metrics.arrivals import Arrival
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.reading import fetching
from holdfast.telemetry.metrics.selection import Selection
from holdfast.telemetry.metrics.tables import SLOT_MS


@pytest.mark.parametrize("is_doubled", [False, True])
@pytest.mark.parametrize("has_starts", [False, True])
async def test_columns_lists_and_rows_give_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch, is_doubled: bool, has_starts: bool
):
    await store.register(SCHEMA)
    sink = MetricSink(store)
    book = sink.book(DEFAULT_TENANT)
    rng = np.random.default_rng(1)
    refs = np.array([book.ref(labels_of({"__name__": "m", "n": str(n)}), origin="x") for n in range(20)])
    of, ts_ms = rng.integers(0, 20, 3000), rng.integers(0, 40, 3000) * (SLOT_MS // 16)
    ts_ms += of % 3  # three clocks, more or less full
    _, once = np.unique(of * 10**9 + ts_ms, return_index=True)
    for part in np.array_split(once, 3):
        starts = ts_ms[part] // 2 if has_starts else None
        await sink.append(DEFAULT_TENANT, Arrival(1, refs[of[part]], ts_ms[part], rng.random(len(part)), starts))
    if is_doubled:
        await sink.append(DEFAULT_TENANT, Arrival(1, refs[of[once]], ts_ms[once], rng.random(len(once))))
    wish = Selection(
        (Matcher("__name__", MatchOp.EQUAL, "m"), Matcher("n", MatchOp.MATCHES, "1?[2-7]")),
        SLOT_MS // 2,
        2 * SLOT_MS,
        needs_starts=has_starts,
    )
    answers = []
    for big, small in ((0, 0), (10**9, 0), (10**9, 10**9)):
        monkeypatch.setattr(fetching, "_BIG", big)
        monkeypatch.setattr(fetching, "_SMALL", small)
        answers += await MetricSource(store).select(DEFAULT_TENANT, [wish])
    columns, lists, rows = answers
    assert len(columns.labels) == 12
    assert list(columns.labels) == list(lists.labels) == list(rows.labels)
    for name in ("offsets", "ts_ms", "values", "starts_ms"):
        np.testing.assert_array_equal(getattr(columns, name), getattr(lists, name))
        np.testing.assert_array_equal(getattr(rows, name), getattr(lists, name))
    await sink.close()
