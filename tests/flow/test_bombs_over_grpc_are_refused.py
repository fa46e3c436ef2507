"""Bombs over OTLP/gRPC, packed with gzip, are refused in gRPC's words, within bounded memory, beside good traffic."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from fixtures.forks import Forked
from flow.test_doors_keep_what_they_acknowledge import free_port
from flow.trials.bombs import METHODS, bombs_by_grpc, by_grpc, drop
from flow.trials.doors import Doors
from flow.trials.server import Server

MB = 1_000_000
MOST_BYTES = 1000 * MB  # that they all may take together: messages of many empty things need the most, for a while
REFUSED = {
    "200 MB of zeros": "RESOURCE_EXHAUSTED",
    "a little too large": "RESOURCE_EXHAUSTED",
    "deep protobuf": "INVALID_ARGUMENT",
    "length of 4 GB": "INVALID_ARGUMENT",
    "length of 2^63": "INVALID_ARGUMENT",
    "empty scopes": "RESOURCE_EXHAUSTED",
    "empty attributes": "RESOURCE_EXHAUSTED",
}


@pytest.mark.slow
async def test_each_is_refused_and_its_neighbours_are_served(tmp_path: Path) -> None:
    target = f"127.0.0.1:{free_port()}"
    server, send = Server(tmp_path, {"HOLDFAST_OTLP_GRPC_LISTEN": target}, start=Forked), by_grpc(target)
    doors = Doors(server.url, target)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
            dropped, before = 0, server.resident_bytes()
            for bomb in bombs_by_grpc():
                status = REFUSED.get(bomb.name.partition(",")[0])
                if status is None:
                    continue
                blast = await drop(server, client, bomb, send)
                dropped += 1
                assert (blast.status, blast.failed) == (status, 0), blast
                assert blast.peak - before < MOST_BYTES, blast
            assert dropped == len(REFUSED) * len(METHODS)
        for number, door in enumerate((each for each in doors.all if "grpc" in each.name), 1):
            assert (await door.send(door, number)).accepted
            assert await doors.kept(door) == {number}
    finally:
        await doors.close()
        server.kill()
