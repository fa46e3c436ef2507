"""Hostile requests at every door of `holdfast up`: bombs, depth, numbers of things, lengths that lie.

Prints for each: bytes sent, the answer, how long it took, how far resident memory grew, and how long a line that was
sent and a query that was asked beside it took at most.
Run: python benchmarks/doors_bombarded.py [--only WORDS] [--grpc]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import httpx  # noqa: E402 -- the tests' folder is on the path only now

from flow.test_doors_keep_what_they_acknowledge import free_port  # noqa: E402 -- as above
from flow.trials.bombs import Blast, bombs, bombs_by_grpc, by_grpc, drop  # noqa: E402 -- as above
from flow.trials.server import Server  # noqa: E402 -- as above

MB = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="bombs whose name or path holds this")
    parser.add_argument("--grpc", action="store_true", help="those that come over OTLP/gRPC")
    given = parser.parse_args()
    asyncio.run(bombard(given.only, is_by_grpc=given.grpc))


async def bombard(only: str, *, is_by_grpc: bool) -> None:
    target = f"127.0.0.1:{free_port()}"
    send = by_grpc(target) if is_by_grpc else None
    with tempfile.TemporaryDirectory(prefix="bombs-") as folder:
        server = Server(Path(folder), {"HOLDFAST_OTLP_GRPC_LISTEN": target if is_by_grpc else ""})
        await server.start()
        try:
            async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
                await asyncio.sleep(2)  # rooms that are loaded late
                for bomb in bombs_by_grpc() if is_by_grpc else bombs():
                    if only in f"{bomb.name} {bomb.path}":
                        print(line(await drop(server, client, bomb, send)), flush=True)
        finally:
            server.kill()


def line(blast: Blast) -> str:
    memory = f"{blast.before // MB:5} + {max(0, blast.peak - blast.before) // MB:4} MB"
    beside = f"beside {max(blast.good.seconds, default=0):5.2f} s, {blast.failed} failed"
    named = f"{blast.path.partition('?')[0]:24} {blast.name:34} {blast.sent / MB:5.1f} MB"
    return f"{named}  {blast.status:>4} {blast.seconds:6.2f} s  {memory}  {beside}  {blast.said}"


if __name__ == "__main__":
    main()
