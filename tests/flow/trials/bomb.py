"""The cardinality bomb: a sender whose every sample is a new series, beside good traffic whose latencies are measured.

The bomb is sent by a process of its own, from another loopback address, and never waits for the good. The whole is
benchmarks/metrics_cardinality_bomb.py.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from flow.trials.requests import HEADERS, Encoder, Latencies
from flow.trials.server import QUERY, WRITE, Server
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.labels import labels_of
from holdfast.telemetry.metrics.remote import Protocol
from holdfast.telemetry.metrics.remote.messages import labels_field, message, sample_field

GOOD, BAD = "good_total", "bomb_total"
BAD_ADDRESS = "127.0.0.2"
PER_BODY = 2_000
AT_ONCE = 4
WRITE_EVERY_S = 0.25
ASK_EVERY_S = 0.25
LOOK_EVERY_S = 0.25
REACH_S = 360  # how far queries look back: as many samples must lie there before the bomb as after it
PLACE = b"000000000000"
_TOLD = re.compile(r"(\d+) samples were refused")


@dataclass(slots=True)
class Sent:
    """What became of the bomb, as its sender heard it."""

    offered: int = 0
    refused: int = 0
    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Phase:
    """The good traffic of one stretch of time."""

    writes: Latencies = field(default_factory=Latencies)
    queries: Latencies = field(default_factory=Latencies)
    failed: int = 0


@dataclass(slots=True)
class Report:
    """What a bomb did; memory is a list of seconds since its first byte and resident bytes."""

    before: Phase = field(default_factory=Phase)
    during: Phase = field(default_factory=Phase)
    after: Phase = field(default_factory=Phase)
    sent: Sent = field(default_factory=Sent)
    admitted: int = 0
    cardinality: dict[str, Any] = field(default_factory=dict)
    memory: list[tuple[float, int]] = field(default_factory=list)
    memory_before: int = 0
    memory_after: int = 0
    memory_told: int = 0  # the most while the cardinality was told

    def slowdown(self, kind: str, percent: float) -> float:
        """Give by what factor an answer of this kind took longer while the bomb went on."""
        during, before = getattr(self.during, kind), getattr(self.before, kind)
        return float(during.at(percent) / before.at(percent))

    def peak_bytes(self, first: float = 0.0, last: float = 1.0) -> int:
        """Give the most resident memory within shares of the bomb's time."""
        end_s = self.memory[-1][0]
        return max((size for at_s, size in self.memory if first * end_s <= at_s <= last * end_s), default=0)

    def growth(self) -> float:
        """Give by what factor memory grew in the second half, when nothing new is let in any more."""
        return self.peak_bytes(0.5, 1.0) / self.peak_bytes(0.0, 0.5)


class GoodTraffic:
    """Known series that get a sample each quarter of a second, and queries over them."""

    def __init__(self, client: httpx.AsyncClient, series: int) -> None:
        self._client = client
        self._count = series
        rows = [{"__name__": GOOD, "job": f"job{n % 5}", "instance": f"i{n % 50}", "n": str(n)} for n in range(series)]
        self._encoders = {protocol: Encoder(protocol, rows) for protocol in Protocol}
        self._protocols = itertools.cycle(Protocol)
        self._turn = 0
        self.phase = Phase()

    async def remember(self, seconds: float) -> None:
        """Write what the series would have had before now."""
        turns = int(seconds / WRITE_EVERY_S)
        begin_ms = int((time.time() - seconds) * 1000)
        for first in range(0, turns, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, turns))
            await asyncio.gather(*(self._post(begin_ms + int(number * WRITE_EVERY_S * 1000)) for number in numbers))

    async def write(self) -> None:
        while True:
            began_s = time.perf_counter()
            await self._post(int(time.time() * 1000))
            await asyncio.sleep(max(0.0, began_s + WRITE_EVERY_S - time.perf_counter()))

    async def _post(self, ts_ms: int) -> None:
        protocol = next(self._protocols)
        body = self._encoders[protocol].body(ts_ms, [float(self._turn)] * self._count)
        self._turn += 1
        await self._note(self._client.post(WRITE, content=body, headers=HEADERS[protocol]), self.phase.writes)

    async def ask(self) -> None:
        for turn in itertools.count():
            began_s = time.perf_counter()
            now_s = int(time.time())
            query = {"query": f"sum by (job) (rate({GOOD}[1m]))"}
            path = QUERY
            if turn % 2:
                path, query = f"{QUERY}_range", {**query, "start": str(now_s - 300), "end": str(now_s), "step": "15"}
            await self._note(self._client.get(path, params=query), self.phase.queries)
            await asyncio.sleep(max(0.0, began_s + ASK_EVERY_S - time.perf_counter()))

    async def _note(self, asking: Any, into: Latencies) -> None:
        began_s, phase = time.perf_counter(), self.phase
        answer = await asking
        if answer.is_success:
            into.seconds.append(time.perf_counter() - began_s)
        else:
            phase.failed += 1


def bodies(series: int, metrics: int, label: str) -> Iterator[tuple[int, bytes]]:
    """Give the number of new series and the plain body of each request; no series is ever in two of them."""
    metric_names = [BAD if metrics == 1 else f"{BAD}_{n}" for n in range(metrics)]
    heads = [
        labels_field(labels_of({"__name__": name, "job": "careless", label: PLACE.decode()})) for name in metric_names
    ]
    parts = [head.split(PLACE) for head in heads]
    for first in range(0, series, PER_BODY):
        sample = sample_field(int(time.time() * 1000), 1.0)
        numbers = range(first, min(first + PER_BODY, series))
        rows = []
        for number in numbers:
            head, tail = parts[number % metrics]
            rows.append(message(1, head + b"%012d" % number + tail + sample))
        yield len(numbers), b"".join(rows)


async def drop(url: str, series: int, seconds: float, metrics: int, label: str) -> Sent:
    """Send all of the bomb, in step with the clock; late requests follow as fast as they are answered."""
    sent, free = Sent(), asyncio.Semaphore(AT_ONCE)
    transport = httpx.AsyncHTTPTransport(local_address=BAD_ADDRESS)

    async def send(client: httpx.AsyncClient, count: int, body: bytes) -> None:
        try:
            answer = await client.post(WRITE, content=snappy.compress(body), headers=HEADERS[Protocol.V1])
        except httpx.TransportError as error:
            status, refused = type(error).__name__, 0
        else:
            status, told = str(answer.status_code), _TOLD.search(answer.text)
            refused = int(told[1]) if told else 0
        finally:
            free.release()
        sent.offered += count
        sent.refused += refused
        sent.statuses[status] = sent.statuses.get(status, 0) + 1

    async with httpx.AsyncClient(base_url=url, timeout=60, transport=transport) as client, asyncio.TaskGroup() as group:
        began_s, launched = time.monotonic(), 0
        for count, body in bodies(series, metrics, label):
            await free.acquire()
            group.create_task(send(client, count, body))
            launched += count
            await asyncio.sleep(max(0.0, began_s + seconds * launched / series - time.monotonic()))
    sent.seconds = time.monotonic() - began_s
    return sent


async def blow(url: str, series: int, seconds: float, metrics: int, label: str) -> Sent:
    """Run `drop` in a process of its own."""
    program = f"""
import asyncio, dataclasses, json, sys
sys.path[:] = {sys.path!r}
from flow.trials.bomb import drop
print(json.dumps(dataclasses.asdict(asyncio.run(drop({url!r}, {series}, {seconds}, {metrics}, {label!r})))))
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the bomb's sender failed; its error stands above")
    return Sent(**json.loads(output))


async def watch_memory(server: Server, into: list[tuple[float, int]]) -> None:
    began_s = time.monotonic()
    while True:
        into.append((time.monotonic() - began_s, server.resident_bytes()))
        await asyncio.sleep(LOOK_EVERY_S)


@contextmanager
def going_on(*work: Any) -> Iterator[None]:
    """Let coroutines run until the block ends; one that fails is told at the end."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            if task.done() and not task.cancelled() and (error := task.exception()):
                raise error


async def bombard(
    folder: Path,
    *,
    series: int,
    seconds: float,
    calm_s: float,
    history_s: float = REACH_S,
    good: int = 1000,
    metrics: int = 1,
    label: str = "user_id",
    environ: Mapping[str, str] | None = None,
) -> Report:
    """Run a whole bomb.

    Args:
        folder: scratch, for the data.
        series: new series in all.
        seconds: in how long they are sent.
        calm_s: seconds of good traffic alone, before and after.
        history_s: seconds before now for which the good series get their samples first.
        good: series of the good traffic.
        metrics: names over which the bomb is spread.
        label: the label that differs.
        environ: settings as `HOLDFAST_...`.
    """
    report, server = Report(), Server(folder, environ)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            traffic = GoodTraffic(client, good)
            await traffic.remember(history_s)
            with going_on(traffic.write(), traffic.ask()):
                await asyncio.sleep(min(5.0, calm_s))  # the first answers warm up, and count for nothing
                traffic.phase = report.before
                await asyncio.sleep(calm_s)
                report.memory_before = server.resident_bytes()
                traffic.phase = report.during
                with going_on(watch_memory(server, report.memory)):
                    report.sent = await blow(server.url, series, seconds, metrics, label)
                traffic.phase = report.after
                await asyncio.sleep(calm_s)
                report.memory_after = server.resident_bytes()
            telling: list[tuple[float, int]] = []
            with going_on(watch_memory(server, telling)):
                report.cardinality = (await client.get("/api/v1/metrics/cardinality", params={"top": 5})).json()
            report.memory_told = max([server.resident_bytes(), *(size for _, size in telling)])
            origins = {row["origin"]: row["active"] for row in report.cardinality["origins"]}
            report.admitted = origins.get(f"remote_write:{BAD_ADDRESS}", 0)
    finally:
        server.kill()
    return report
