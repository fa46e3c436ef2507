"""The soak: writers and readers go on over HTTP while the server is killed again and again; then all is read back.

Each value follows from its series and time, so that what was acknowledged is remembered exactly as a list of times.
A request without an answer is sent again, the same, as senders of remote write do. The whole is
benchmarks/metrics_soak.py.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt

from fixtures.prompb import v1
from flow.trials.requests import HEADERS, WRITTEN, Encoder, Latencies
from flow.trials.server import PATIENCE_S, QUERY, WRITE, Server
from holdfast.telemetry import snappy
from holdfast.telemetry.metrics.remote import Protocol

WRITERS = 4
EVERY_S = 0.5
CHURN = 60  # rounds after which one in ten series is replaced by a new one
CHUNK_MS = 60_000
MOST_READ_BYTES = 1 << 30
METRIC = "soak_total"


@dataclass(slots=True)
class Report:
    """What a soak did and found; `faults` are in words."""

    kills: int = 0
    acknowledged: int = 0
    series: int = 0
    lost: int = 0
    changed: int = 0
    invented: int = 0
    unseen: int = 0
    asked: int = 0
    sent_again: int = 0
    restarts_s: list[float] = field(default_factory=list)
    writes: Latencies = field(default_factory=Latencies)
    queries: dict[str, Latencies] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return self.acknowledged > 0 and not self.faults


class Writer:
    """Sends its own series each half second, and remembers what was acknowledged."""

    def __init__(self, place: int, count: int) -> None:
        self.name = f"w{place}"
        self.protocol = (Protocol.V1, Protocol.V2)[place % 2]
        self.count = count
        self.acknowledged: dict[int, list[int]] = {}  # by epoch of its series, the times of rounds
        self.sent: set[int] = set()
        self._encoder: tuple[int, Encoder] | None = None

    def labels(self, epoch: int) -> list[dict[str, str]]:
        """Give the series of an epoch: one in ten is a new one."""
        return [
            {"__name__": METRIC, "writer": self.name, "series": str(n), "pod": f"p{epoch if n % 10 == 0 else 0}"}
            for n in range(self.count)
        ]

    def values(self, ts_ms: int) -> npt.NDArray[np.float64]:
        return value_of(np.arange(self.count), np.full(self.count, ts_ms))

    async def write(self, client: httpx.AsyncClient, until_s: float, report: Report) -> None:
        rounds, last_ms = 0, 0
        while time.monotonic() < until_s:
            began_s = time.monotonic()
            epoch = rounds // CHURN
            if self._encoder is None or self._encoder[0] != epoch:
                self._encoder = epoch, Encoder(self.protocol, self.labels(epoch))
            last_ms = max(int(time.time() * 1000), last_ms + 1)
            self.sent.add(last_ms)
            await self._send(client, self._encoder[1].body(last_ms, self.values(last_ms).tolist()), report)
            self.acknowledged.setdefault(epoch, []).append(last_ms)
            rounds += 1
            await asyncio.sleep(max(0.0, began_s + EVERY_S - time.monotonic()))

    async def _send(self, client: httpx.AsyncClient, body: bytes, report: Report) -> None:
        """Send until it is acknowledged."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            began_s = time.perf_counter()
            try:
                answer = await client.post(WRITE, content=body, headers=HEADERS[self.protocol])
            except httpx.TransportError:
                report.sent_again += 1
                await asyncio.sleep(0.1)
                continue
            if answer.is_success:
                report.writes.seconds.append(time.perf_counter() - began_s)
                if self.protocol is Protocol.V2 and answer.headers.get(WRITTEN) != str(self.count):
                    report.faults.append(f"{self.name}: said to have written {answer.headers.get(WRITTEN)}")
                return
            if answer.status_code < 500 and answer.status_code != 429:
                raise RuntimeError(f"{self.name}: {answer.status_code} {answer.text[:300]}")
            report.sent_again += 1
            await asyncio.sleep(0.1)
        raise RuntimeError(f"{self.name}: not acknowledged within {PATIENCE_S:.0f} s")


def value_of(series: npt.NDArray[np.int64], ts_ms: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Give the value that a series has at a time, to be told from all near it."""
    return ((series * 7919 + ts_ms * 31) % 1_000_003).astype(np.float64)


async def ask(client: httpx.AsyncClient, path: str, params: dict[str, Any], into: Latencies, report: Report) -> Any:
    """Give the data of an answer, nothing while the server is gone; an error of the server's is a fault."""
    began_s = time.perf_counter()
    try:
        answer = await client.get(path, params=params)
    except httpx.TransportError:
        return None
    if answer.status_code == 200:
        into.seconds.append(time.perf_counter() - began_s)
        return answer.json()["data"]
    if answer.status_code not in {429, 503}:  # it may say that it is busy or on its way up
        report.faults.append(f"{path} answered {answer.status_code}: {answer.text[:200]}")
    return None


async def read(client: httpx.AsyncClient, writers: list[Writer], until_s: float, report: Report) -> None:
    """Ask for what was just acknowledged, which must be seen, then for a range and for names."""
    kinds = report.queries
    for kind in ("instant", "range", "label values"):
        kinds.setdefault(kind, Latencies())
    turn = 0
    while time.monotonic() < until_s:
        turn += 1
        writer = writers[turn % len(writers)]
        if writer.acknowledged:
            await look(client, writer, 1 + turn % 9 if writer.count > 9 else 1, report)
        now_s = int(time.time())
        span = {"query": f"sum by (writer) (rate({METRIC}[1m]))", "start": now_s - 600, "end": now_s, "step": 15}
        await ask(client, f"{QUERY}_range", span, kinds["range"], report)
        await ask(client, "/prometheus/api/v1/label/pod/values", {}, kinds["label values"], report)
        await asyncio.sleep(0.25)


async def look(client: httpx.AsyncClient, writer: Writer, series: int, report: Report) -> None:
    """Ask for the sample of one series that was acknowledged last."""
    ts_ms = writer.acknowledged[max(writer.acknowledged)][-1]
    query = f'{METRIC}{{writer="{writer.name}",series="{series}"}}'
    data = await ask(client, QUERY, {"query": query, "time": ts_ms / 1000}, report.queries["instant"], report)
    if data is None:
        return
    report.asked += 1
    expected = float(value_of(np.array([series]), np.array([ts_ms]))[0])
    if [float(row["value"][1]) for row in data["result"]] != [expected]:
        report.unseen += 1
        report.faults.append(f"{query} at {ts_ms} gave {data['result']} instead of {expected}")


async def torment(server: Server, kill_every_s: float, until_s: float, report: Report) -> None:
    """Kill and start again, by the clock, so that slow restarts make no fewer kills."""
    due_s = time.monotonic() + kill_every_s
    while due_s < until_s:
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        await restart(server, report)
        due_s = max(due_s + kill_every_s, time.monotonic() + kill_every_s / 4)  # it must live to take anything in


async def restart(server: Server, report: Report) -> None:
    server.kill()
    report.kills += 1
    report.restarts_s.append(await server.start())


async def read_back(client: httpx.AsyncClient, writer: Writer, report: Report) -> None:
    """Compare everything that was acknowledged with what remote read gives."""
    times = [ts_ms for own in writer.acknowledged.values() for ts_ms in own]
    found: dict[tuple[int, str], tuple[list[int], list[float]]] = {}
    for begin_ms in range(min(times), max(times) + 1, CHUNK_MS):
        for labels, ts_ms, values in await fetch(client, writer.name, begin_ms, begin_ms + CHUNK_MS - 1):
            own = found.setdefault((int(labels["series"]), labels["pod"]), ([], []))
            own[0].extend(ts_ms)
            own[1].extend(values)
    expected: dict[tuple[int, str], list[int]] = {}
    for epoch, own_ms in writer.acknowledged.items():
        for labels in writer.labels(epoch):
            expected.setdefault((int(labels["series"]), labels["pod"]), []).extend(own_ms)
    report.series += len(expected)
    for key, own_ms in expected.items():
        compare(writer, key, own_ms, found.pop(key, ([], [])), report)
    report.invented += sum(len(ts_ms) for ts_ms, _ in found.values())


def compare(
    writer: Writer, key: tuple[int, str], own_ms: list[int], found: tuple[list[int], list[float]], report: Report
) -> None:
    """Compare one series."""
    report.acknowledged += len(own_ms)
    got = dict(zip(*found, strict=True))
    missing = [ts_ms for ts_ms in own_ms if ts_ms not in got]
    values = value_of(np.full(len(own_ms), key[0]), np.array(own_ms))
    wrong = [
        (ts_ms, got[ts_ms], value)
        for ts_ms, value in zip(own_ms, values.tolist(), strict=True)
        if got.get(ts_ms, value) != value
    ]
    report.lost += len(missing)
    report.changed += len(wrong)
    report.invented += len(set(got) - writer.sent)
    if missing or wrong:
        report.faults.append(f"{writer.name} {key}: lost {missing[:5]}, changed {wrong[:5]}")


async def fetch(
    client: httpx.AsyncClient, writer: str, start_ms: int, end_ms: int
) -> list[tuple[dict[str, str], list[int], list[float]]]:
    """Give the raw samples of a writer's series by remote read."""
    question = v1.ReadRequest()
    query = question.queries.add(start_timestamp_ms=start_ms, end_timestamp_ms=end_ms)
    query.matchers.add(type=0, name="__name__", value=METRIC)
    query.matchers.add(type=0, name="writer", value=writer)
    body = snappy.compress(question.SerializeToString())
    answer = await client.post("/prometheus/api/v1/read", content=body)
    answer.raise_for_status()
    plain = snappy.decompress(answer.content, limit=MOST_READ_BYTES, setting="this trial")
    return [
        (
            {label.name: label.value for label in series.labels},
            [sample.timestamp for sample in series.samples],
            [sample.value for sample in series.samples],
        )
        for series in v1.ReadResponse.FromString(plain).results[0].timeseries
    ]


async def soak(folder: Path, *, seconds: float, kill_every_s: float, rate: int, readers: int = 2) -> Report:
    """Run a whole soak.

    Args:
        folder: scratch, for the data.
        seconds: how long writers and readers go on.
        kill_every_s: seconds from one SIGKILL to the next; it lives a quarter of that at least.
        rate: samples per second, over all writers.
        readers: how many ask at once.
    """
    report, server = Report(), Server(folder)
    writers = [Writer(place, max(1, int(rate * EVERY_S / WRITERS))) for place in range(WRITERS)]
    report.restarts_s.append(await server.start())
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            until_s = time.monotonic() + seconds
            async with asyncio.TaskGroup() as group:
                for writer in writers:
                    group.create_task(writer.write(client, until_s, report))
                for _ in range(readers):
                    group.create_task(read(client, writers, until_s, report))
                group.create_task(torment(server, kill_every_s, until_s, report))
            await restart(server, report)  # what is read back now was on the disk
            for writer in writers:
                await read_back(client, writer, report)
    finally:
        server.kill()
    if report.lost or report.changed or report.invented:
        report.faults.insert(0, f"lost {report.lost}, changed {report.changed}, invented {report.invented}")
    return report
