"""What was acknowledged outlives `kill -9`, and a full disk stops ingest, not queries."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from fixtures.forks import Forked
from flow.trials.doors import Answer, Door, Doors
from flow.trials.server import Server

KILLS = 2
ACKNOWLEDGED = 5  # by each door before the server is killed
TRIES = 300
MIB = 1024 * 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def trial(folder: Path, **environ: str) -> AsyncIterator[tuple[Server, Doors]]:
    target = f"127.0.0.1:{free_port()}"
    server = Server(folder, {"HOLDFAST_OTLP_GRPC_LISTEN": target, **environ}, start=Forked)
    doors = Doors(server.url, target)
    try:
        await server.start()
        yield server, doors
    finally:
        await doors.close()
        server.kill()


async def send_until_killed(door: Door, first: int, has_enough: asyncio.Event) -> None:
    """Send until the server is gone; an answer that was cut off counts as none."""
    taken = 0
    with suppress(httpx.TransportError):
        for number in range(first, first + 100_000):
            answer = await door.send(door, number)
            if not answer.accepted:  # over gRPC a server that is gone is a status
                assert answer.status == "UNAVAILABLE", (door.name, answer)
                if taken:
                    return
                continue
            door.acknowledged.add(number)
            taken += 1
            if taken == ACKNOWLEDGED:
                has_enough.set()


@pytest.mark.slow
async def test_no_door_loses_what_it_acknowledged_by_kill_9(tmp_path: Path) -> None:
    async with trial(tmp_path) as (server, doors):
        for kill in range(KILLS):
            enough = [asyncio.Event() for _ in doors.all]
            sending = [
                asyncio.create_task(send_until_killed(door, 1 + kill * 1_000_000, event))
                for door, event in zip(doors.all, enough, strict=True)
            ]
            waiting = asyncio.gather(*(event.wait() for event in enough))
            done, _ = await asyncio.wait({waiting, *sending}, return_when=asyncio.FIRST_COMPLETED)
            assert waiting in done, [task.exception() for task in sending if task.done()]
            server.kill()
            await asyncio.gather(*sending)
            await server.start()
        for door in doors.all:
            kept = await doors.kept(door)
            assert len(door.acknowledged) >= KILLS * ACKNOWLEDGED
            assert door.acknowledged <= kept, door.name


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and shutil.which("mount")
    if (
        not mounted
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "none", place], check=False).returncode
    ):
        pytest.skip("only a user who may mount can make a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


async def send_until(door: Door, first: int, *, accepted: bool) -> Answer:
    """Send until the door answers so."""
    for number in range(first, first + TRIES):
        answer = await door.send(door, number)
        if answer.accepted:
            door.acknowledged.add(number)
        if answer.accepted is accepted:
            return answer
        if not answer.accepted:  # the room is looked at once a second
            await asyncio.sleep(0.1)
    raise AssertionError(f"{door.name} still says {answer}")


@pytest.mark.slow
async def test_a_full_disk_stops_every_door_but_no_query(small_disk: Path) -> None:
    async with trial(small_disk, HOLDFAST_TELEMETRY_RESERVE="64MiB") as (_, doors):
        for door in doors.all:
            await send_until(door, 1, accepted=True)
        stat = os.statvfs(small_disk)
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, stat.f_bavail * stat.f_frsize - 32 * MIB)
        for door in doors.all:
            answer = await send_until(door, 1000, accepted=False)
            assert answer.status in {"503", "507", "UNAVAILABLE"}, (door.name, answer)
            assert answer.retry_after or answer.status == "507", (door.name, answer)
        for door in doors.all:
            assert door.acknowledged == await doors.kept(door), door.name
        ballast.unlink()
        for door in doors.all:
            await send_until(door, 2000, accepted=True)
            assert door.acknowledged == await doors.kept(door), door.name
