from __future__ import annotations

from dataclasses import dataclass

import pytest

from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource, RecordSink, RecordSource


@dataclass(frozen=True)
class Logs:
    """A sink and the source that reads what it stored."""

    sink: RecordSink
    source: RecordSource


@pytest.fixture(params=["memory"])
def logs(request):
    source = MemoryLogSource()
    return Logs(MemoryLogSink(source), source)
