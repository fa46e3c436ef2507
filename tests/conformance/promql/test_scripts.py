"""Prometheus' test scripts give Prometheus' results; what does not stands in the ledger, which is compared exactly."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from conformance.promql.running import Runner, Samples
from conformance.promql.scripts import Command, read_script
from fixtures.conformance import cases
from holdfast.kernel.ids import TenantId
from holdfast.telemetry.metrics.memory import MemorySource
from holdfast.telemetry.metrics.promql import Engine, EngineOptions

LEDGER = Path(__file__).with_name("ledger.toml")


def listed(name: str) -> dict[int, str]:
    """Give the reasons of the evaluations that do not pass, by line."""
    entries = tomllib.loads(LEDGER.read_text()).get(name, {})
    return {int(line): reason for line, reason in entries.items()}


@pytest.fixture
def script(path: Path) -> list[Command]:
    return read_script(path.read_text())


@pytest.mark.parametrize("path", cases("promql", "*.test"))
async def test_a_script_gives_what_prometheus_gives(path: Path, script: list[Command], record_property) -> None:
    source = MemorySource()

    async def put(tenant: TenantId, samples: Samples) -> None:
        for labels, row in samples.items():
            for ts_ms, (value, start_ms) in row.items():
                source.add(tenant, labels, [(ts_ms, value)], start_ms=start_ms)

    options = EngineOptions(has_type_labels=path.stem == "type_and_unit")
    runner = Runner(Engine(source, options=options), put, path.stem)
    count, failures = await runner.run(script)
    record_property("promql", f"{path.name}: {count - len(failures)} of {count} evaluations pass")
    known = listed(path.name)
    new = "\n".join(f"{path.name}:{line}: {failures[line]}" for line in sorted(failures.keys() - known.keys()))
    struck = sorted(known.keys() - failures.keys())
    assert not new, f"these fail and are not in the ledger:\n{new}"
    assert not struck, f"these pass and must be struck from the ledger: {path.name} {struck}"
