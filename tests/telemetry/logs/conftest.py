from __future__ import annotations

from dataclasses import dataclass

import pytest

from holdfast.telemetry.logs import SCHEMA, LogSink, LogSource, MemoryLogSink, MemoryLogSource, RecordSink, RecordSource


@dataclass(frozen=True)
class Logs:
    """A sink and the source that reads what it stored."""

    sink: RecordSink
    source: RecordSource


@pytest.fixture
def memory_logs():
    source = MemoryLogSource()
    return Logs(MemoryLogSink(source), source)


@pytest.fixture
async def stored_logs(store):
    await store.register(SCHEMA)
    source = LogSource(store)
    return Logs(LogSink(store, watches=(source.directory,)), source)


@pytest.fixture
async def served_logs(open_store, server_url):
    store = await open_store(server_url, SCHEMA)
    source = LogSource(store)
    return Logs(LogSink(store, watches=(source.directory,)), source)


@pytest.fixture(params=["memory", "stored"])
def logs(request):
    return request.getfixturevalue(f"{request.param}_logs")
