"""Prometheus' test scripts give Prometheus' results; what does not stands in the ledger, which is compared exactly.

They run over samples in memory, and over the real store, which packs, caches and selects on its own.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from conformance.promql.running import Runner
from conformance.promql.scripts import Command, read_script
from conformance.promql.worlds import put
from fixtures.conformance import cases
from holdfast.store import Store
from holdfast.telemetry import SCHEMA, MetricSink, MetricSource
from holdfast.telemetry.metrics.arrivals import ArrivalSink
from holdfast.telemetry.metrics.memory import MemorySink, MemorySource
from holdfast.telemetry.metrics.promql import Engine, EngineOptions
from holdfast.telemetry.metrics.selection import SampleSource

LEDGER = Path(__file__).with_name("ledger.toml")


@pytest.fixture
def script(path: Path) -> list[Command]:
    return read_script(path.read_text())


@pytest.mark.parametrize("path", cases("promql", "*.test"))
async def test_a_script_gives_what_prometheus_gives(
    path: Path, script: list[Command], record_property: Callable[[str, object], None]
) -> None:
    source = MemorySource()
    count, failures = await play(path, script, MemorySink(source), source)
    record_property("promql", f"{path.name}: {count - len(failures)} of {count} evaluations pass")
    compare_with_ledger(path.name, failures, listed(path.name))


@pytest.mark.slow
@pytest.mark.parametrize("path", cases("promql", "*.test"))
async def test_a_script_gives_the_same_over_the_real_store(path: Path, script: list[Command], store: Store) -> None:
    await store.register(SCHEMA)
    sink = MetricSink(store)
    _, failures = await play(path, script, sink, MetricSource(store, feed=sink.feed))
    await sink.close()
    compare_with_ledger(path.name, failures, listed(path.name) | listed(f"{path.name} in the store"))


async def play(
    path: Path, script: list[Command], sink: ArrivalSink, source: SampleSource
) -> tuple[int, dict[int, str]]:
    """Give how many evaluations there were, and what is wrong with those that failed, by line."""
    options = EngineOptions(has_type_labels=path.stem == "type_and_unit")
    return await Runner(Engine(source, options=options), partial(put, sink), path.stem).run(script)


def listed(name: str) -> dict[int, str]:
    """Give the reasons of the evaluations that do not pass, by line."""
    entries = tomllib.loads(LEDGER.read_text()).get(name, {})
    return {int(line): reason for line, reason in entries.items()}


def compare_with_ledger(name: str, failures: dict[int, str], known: dict[int, str]) -> None:
    new = "\n".join(f"{name}:{line}: {failures[line]}" for line in sorted(failures.keys() - known.keys()))
    struck = sorted(known.keys() - failures.keys())
    assert not new, f"these fail and are not in the ledger:\n{new}"
    assert not struck, f"these pass and must be struck from the ledger: {name} {struck}"
