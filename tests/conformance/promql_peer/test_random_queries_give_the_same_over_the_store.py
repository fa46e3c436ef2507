"""Random queries, at any times and steps, over samples in memory and in the real store: the same answer or refusal."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator

import pytest

from conformance.promql.worlds import put
from conformance.promql_peer.generating import BEGIN_S, Queries, Samples
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics.api.results import Form, write_answer
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.metrics.promql import Engine

SEED = 5
COUNT = 200
LENGTHS_S = (0, 60, 599, 1800)
STEPS_MS = (0, 1000, 7000, 15_000, 60_000, 61_000, 300_000)

Points = dict[str, list[tuple[float, float]]]


@pytest.fixture
async def engines(store: Store) -> AsyncIterator[tuple[Engine, Engine]]:
    """The same samples in memory and in the store."""
    await store.register(SCHEMA)
    sink, memory = MetricSink(store), MemorySource()
    samples = {
        labels_of(one.labels): {ts * 1000: (value, 0) for ts, value in one.samples} for one in Samples(SEED).series()
    }
    await put(sink, DEFAULT_TENANT, samples)
    await put(MemorySink(memory), DEFAULT_TENANT, samples)
    yield Engine(memory), Engine(MetricSource(store, feed=sink.feed))
    await sink.close()


async def ask(engine: Engine, query: str, times: tuple[int, int, int]) -> tuple[Points, tuple[str, ...]] | str:
    """Give the points and what is said about them, or why the query is refused; a step of 0 asks at the start."""
    try:
        if times[2]:
            answer = await engine.range(DEFAULT_TENANT, query, *times)
        else:
            answer = await engine.instant(DEFAULT_TENANT, query, times[0])
    except HoldfastError as error:
        return error.message
    rows = json.loads(b"".join(write_answer(answer, Form(is_range=times[2] > 0))))["data"]["result"]
    points = {
        json.dumps(row["metric"]): [(ts, float(value)) for ts, value in row.get("values") or [row["value"]]]
        for row in rows
    }
    return points, (*answer.warnings, *answer.infos)


@pytest.mark.slow
async def test_random_queries_give_the_same_over_the_store(engines):
    memory, store = engines
    chance, queries, wrong = random.Random(SEED), Queries(SEED), []
    for number in range(COUNT):
        query = queries.vector(1 + number % 3)
        start_ms = (BEGIN_S + chance.randrange(-600, 8000)) * 1000 + chance.choice((0, 0, 1, 500))
        times = start_ms, start_ms + chance.choice(LENGTHS_S) * 1000, chance.choice(STEPS_MS)
        one, two = await ask(memory, query, times), await ask(store, query, times)
        if not is_same(one, two):
            wrong.append(f"{query} at {times}: {one!s:.200} in memory, {two!s:.200} in the store")
    assert not wrong, "\n".join(wrong[:10])


def is_same(one: tuple[Points, tuple[str, ...]] | str, two: tuple[Points, tuple[str, ...]] | str) -> bool:
    if isinstance(one, str) or isinstance(two, str):
        return one == two
    if one[1] != two[1] or one[0].keys() != two[0].keys():
        return False
    return all(
        [ts for ts, _ in row] == [ts for ts, _ in two[0][labels]]
        and [value for _, value in row]
        == pytest.approx([value for _, value in two[0][labels]], rel=1e-9, abs=1e-9, nan_ok=True)
        for labels, row in one[0].items()
    )
