"""Many senders of large bodies at one door while the store accepts nothing: what the server's memory does meanwhile.

The senders are a process of their own, and know no manners: told to come back, they do so at once. The whole is
benchmarks/doors_under_pressure.py.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import grpc.aio
import httpx

from flow.trials.loads import Load
from flow.trials.requests import Latencies
from flow.trials.server import QUERY, Server

LOOK_EVERY_S = 0.05
ASK_EVERY_S = 0.1
BACK_AFTER_S = 0.2
SETTLE_S = 4.0
_OWN_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


@dataclass(slots=True)
class Report:
    """What one door did under pressure; bytes are resident memory of the server."""

    name: str
    body: int
    before: int = 0
    peak: int = 0
    after: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    queries: Latencies = field(default_factory=Latencies)
    unanswered: int = 0

    @property
    def growth(self) -> int:
        return self.peak - self.before


async def press(url: str, target: str, load: Load, senders: int, seconds: float) -> dict[str, int]:
    """Send from all senders until the time is over; gives how often each status was heard."""
    heard: Counter[str] = Counter()
    until_s = time.monotonic() + seconds

    async def keep_sending(send: Callable[[], Awaitable[str]]) -> None:
        while (rest_s := until_s - time.monotonic()) > 0:
            try:
                status = await asyncio.wait_for(send(), rest_s)
            except TimeoutError:
                status = "none"
            heard[status] += 1
            if not status.startswith(("2", "OK")):
                await asyncio.sleep(BACK_AFTER_S)

    if load.is_grpc:
        await asyncio.gather(*(_over_grpc(target, load, keep_sending) for _ in range(senders)))
        return dict(heard)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60, limits=limits, verify=False) as client:

        async def send() -> str:
            try:
                return str((await client.post(load.path, content=load.body, headers=load.headers)).status_code)
            except httpx.TransportError as error:
                return type(error).__name__

        await asyncio.gather(*(keep_sending(send) for _ in range(senders)))
    return dict(heard)


async def _over_grpc(target: str, load: Load, keep_sending: Callable[..., Awaitable[None]]) -> None:
    async with grpc.aio.insecure_channel(target, _OWN_CONNECTION) as channel:
        method = channel.unary_unary(load.path)

        async def send() -> str:
            try:
                await method(load.body, timeout=60)
            except grpc.aio.AioRpcError as error:
                return str(error.code().name)
            return "OK"

        await keep_sending(send)


async def press_from_outside(url: str, target: str, load: Load, senders: int, seconds: float) -> dict[str, int]:
    """Run `press` in a process of its own."""
    program = f"""
import asyncio, json, pickle, sys
sys.path[:] = {sys.path!r}
from flow.trials.pressure import press
load = pickle.loads(sys.stdin.buffer.read())
print(json.dumps(asyncio.run(press({url!r}, {target!r}, load, {senders}, {seconds}))))
"""
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdin=pipe, stdout=pipe)
    output, _ = await process.communicate(pickle.dumps(load))
    if process.returncode:
        raise RuntimeError("the senders failed; their error stands above")
    return dict(json.loads(output))


async def watch(server: Server, report: Report) -> None:
    while True:
        report.peak = max(report.peak, server.resident_bytes())
        await asyncio.sleep(LOOK_EVERY_S)


async def ask(client: httpx.AsyncClient, report: Report) -> None:
    """Ask a query again and again: the good traffic beside."""
    while True:
        began_s = time.perf_counter()
        try:
            answer = await client.get(QUERY, params={"query": "up"})
        except httpx.TransportError:
            report.unanswered += 1
        else:
            report.unanswered += not answer.is_success
            report.queries.seconds.append(time.perf_counter() - began_s)
        await asyncio.sleep(ASK_EVERY_S)


async def trial(
    folder: Path, load: Load, *, senders: int, seconds: float, environ: Mapping[str, str] | None = None
) -> Report:
    """Start a server, stop its store, let `senders` press the door, and let the store go on."""
    file, report = folder / "stalled", Report(load.name, len(load.body))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {"HOLDFAST_OTLP_GRPC_LISTEN": target, "HOLDFAST_TRIAL_STALL": str(file), **(environ or {})}
    server = Server(folder, settings, program="flow.trials.stalling")
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, trust_env=False, timeout=60) as client:
            await asyncio.sleep(2)  # rooms that are loaded late
            report.before = report.peak = server.resident_bytes()
            file.touch()
            tasks = [asyncio.ensure_future(watch(server, report)), asyncio.ensure_future(ask(client, report))]
            report.statuses = await press_from_outside(server.url, target, load, senders, seconds)
            file.unlink()
            await asyncio.sleep(SETTLE_S)
            for task in tasks:
                task.cancel()
            report.after = server.resident_bytes()
    finally:
        server.kill()
    return report
