"""The health room of `fixtures.healthrooms` over a real store, and a port to watch."""

from __future__ import annotations

import asyncio

import pytest

from fixtures.healthrooms import open_room
from holdfast.telemetry import SCHEMA as METRICS


@pytest.fixture
async def room(store, tmp_path):
    await store.register(METRICS)
    async with open_room(store, tmp_path) as opened:
        yield opened


@pytest.fixture
async def listener():
    """A TCP port that takes connections until closed."""

    async def greet(reader, writer):
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    server.port = server.sockets[0].getsockname()[1]
    yield server
    server.close()
    await server.wait_closed()
