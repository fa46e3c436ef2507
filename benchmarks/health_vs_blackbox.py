"""HTTP checks at saturation: our probe beside Debian's prometheus-blackbox-exporter, same run, same loopback target.

Both open a connection per check; the target is four system calls in a loop. The exporter is driven over HTTP, as
Prometheus drives it, and writes a page of metrics; our probe gives its observation to the caller, and what the engine
and the store add is in `health_schedule.py`. CPU per 1,000 checks counts the prober alone.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import re
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvloop

from holdfast.health.probes import KINDS, Probe, ProbeContext
from holdfast.kernel import decoding
from holdfast.kernel.processes import settle_collector

BODY = b'{"status":"ok","checks":{"database":"ok","cache":"ok"}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
MODULES = """
modules:
  status: {prober: http, timeout: 5s, http: {preferred_ip_protocol: ip4, follow_redirects: false}}
  body:
    prober: http
    timeout: 5s
    http:
      preferred_ip_protocol: ip4
      follow_redirects: false
      fail_if_body_not_matches_regexp: ['"database":"ok"']
"""
CHUNK = re.compile(rb"\r\n[0-9a-f]+\r\n")  # a chunk may begin in the middle of a line
CHECKS: dict[str, dict[str, Any]] = {
    "status": {"redirects": 0},
    "body": {"redirects": 0, "expect": {"body": {"matches": '"database":"ok"'}}},
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What one prober did in one run."""

    prober: str
    check: str
    done: int
    failed: int
    took_s: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Checks per second."""
        return self.done / self.took_s

    @property
    def cost_s(self) -> float:
        """CPU seconds per 1,000 checks."""
        return self.cpu_s / self.done * 1000


def serve_target(ports: multiprocessing.Queue[int]) -> None:
    """Accept, read, answer, close, for ever; the kernel accepts only connections that have sent something."""
    answer = ANSWER % (len(BODY), BODY)
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as server:
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
        ports.put(server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.send(answer)


def used_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run_ours(check: str, port: int, seconds: float, concurrency: int, results: multiprocessing.Queue[Any]) -> None:
    """Ask as fast as it goes, in this process."""
    kind = KINDS["http"]
    assert kind.build is not None
    probe = kind.build(decoding.decode(kind.spec, {"url": f"http://127.0.0.1:{port}/health", **CHECKS[check]}))
    results.put(uvloop.run(saturate(probe, seconds, concurrency)))


async def saturate(probe: Probe, seconds: float, concurrency: int) -> tuple[int, int, float, float]:
    context = ProbeContext(5.0, str)
    done = failed = 0
    stops_at = time.perf_counter() + 0.5

    async def work() -> None:
        nonlocal done, failed
        while time.perf_counter() < stops_at:
            seen = await probe.observe(context)
            done += 1
            failed += seen.verdict != "up"

    await asyncio.gather(*(work() for _ in range(concurrency)))  # warms up
    settle_collector()
    done = failed = 0
    began_s, before_s = time.perf_counter(), used_s()
    stops_at = began_s + seconds
    await asyncio.gather(*(work() for _ in range(concurrency)))
    return done, failed, time.perf_counter() - began_s, used_s() - before_s


def measure_ours(check: str, port: int, options: argparse.Namespace, processes: int) -> Figures:
    results: multiprocessing.Queue[Any] = multiprocessing.Queue()
    share = max(1, options.concurrency // processes)
    workers = [
        multiprocessing.Process(target=run_ours, args=(check, port, options.seconds, share, results))
        for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    outcomes = [results.get(timeout=options.seconds + 30) for _ in workers]
    for worker in workers:
        worker.join()
    done, failed, took, cpu = zip(*outcomes, strict=True)
    return Figures(
        f"holdfast, {processes} process{'es' * (processes > 1)}", check, sum(done), sum(failed), max(took), sum(cpu)
    )


class Driver(asyncio.Protocol):
    """Asks the exporter for one probe after another on a kept connection."""

    def __init__(self, request: bytes, counts: list[int]) -> None:
        self.request, self.counts, self.buffer = request, counts, b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first time."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        """Count a whole answer, which ends with the last chunk or has a length, and ask again."""
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        chunked = b"chunked" in head
        if not (body.endswith(b"0\r\n\r\n") if chunked else len(body) >= length_of(head)):
            return
        self.counts[0] += 1
        self.counts[1] += b"\nprobe_success 1" not in CHUNK.sub(b"", body)
        self.buffer = b""
        assert self.transport is not None
        self.transport.write(self.request)


def length_of(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


def run_driver(port: int, path: str, seconds: float, concurrency: int, results: multiprocessing.Queue[Any]) -> None:
    uvloop.run(drive(port, path, seconds, concurrency, results))


async def drive(port: int, path: str, seconds: float, concurrency: int, results: multiprocessing.Queue[Any]) -> None:
    """Drive for a while; tell the counts and times at the beginning and the end of the measured part."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    counts = [0, 0]
    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(concurrency):
        transport, _ = await loop.create_connection(lambda: Driver(request, counts), "127.0.0.1", port)
        transports.append(transport)
    await asyncio.sleep(0.5)  # warms up
    results.put((counts[0], counts[1], time.perf_counter()))
    await asyncio.sleep(seconds)
    results.put((counts[0], counts[1], time.perf_counter()))
    for transport in transports:
        transport.abort()


@contextmanager
def exporter_running(folder: Path) -> Iterator[tuple[int, int]]:
    """Run the exporter; give its process id and its port."""
    binary = shutil.which("prometheus-blackbox-exporter")
    if binary is None:
        raise SystemExit("prometheus-blackbox-exporter is not installed: apt-get install prometheus-blackbox-exporter")
    config = folder / "blackbox.yml"
    config.write_text(MODULES)
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    argv = [binary, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                with suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                time.sleep(0.05)
            yield process.pid, port
        finally:
            process.terminate()


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_exporter(check: str, target: int, options: argparse.Namespace, pid: int, port: int) -> Figures:
    path = f"/probe?module={check}&target=http://127.0.0.1:{target}/health"
    results: multiprocessing.Queue[Any] = multiprocessing.Queue()
    arguments = (port, path, options.seconds, options.concurrency, results)
    driver = multiprocessing.Process(target=run_driver, args=arguments)
    driver.start()
    before, cpu_before_s = results.get(timeout=30), cpu_of(pid)
    after, cpu_after_s = results.get(timeout=options.seconds + 30), cpu_of(pid)
    driver.join()
    took_s = after[2] - before[2]
    cpu_s = cpu_after_s - cpu_before_s
    return Figures("blackbox exporter", check, after[0] - before[0], after[1] - before[1], took_s, cpu_s)


def tell(rows: list[Figures]) -> None:
    print(f"{'prober':24} {'check':8} {'checks/s':>9} {'CPU s/1,000':>12} {'failed':>7}")
    for row in rows:
        print(f"{row.prober:24} {row.check:8} {row.rate:9.0f} {row.cost_s:12.3f} {row.failed:7}")
    for check in CHECKS:
        theirs = next(row for row in rows if row.check == check and row.prober.startswith("blackbox"))
        for ours in (row for row in rows if row.check == check and row is not theirs):
            faster, cheaper = ours.rate / theirs.rate, theirs.cost_s / ours.cost_s
            print(f"{check}: {ours.prober} does {faster:.2f} x the checks/s for {1 / cheaper:.2f} x the CPU per check")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="how long to measure each row")
    parser.add_argument("--concurrency", type=int, default=64, help="checks under way at a time")
    options = parser.parse_args()
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    target = multiprocessing.Process(target=serve_target, args=(ports,), daemon=True)
    target.start()
    port = ports.get(timeout=10)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {options.concurrency} checks under way at a time")
    rows: list[Figures] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="holdfast-bench-") as scratch,
            exporter_running(Path(scratch)) as (
                pid,
                exporter,
            ),
        ):
            for check in CHECKS:
                rows.append(measure_exporter(check, port, options, pid, exporter))
                rows += [measure_ours(check, port, options, processes) for processes in (1, 2)]
    finally:
        target.terminate()
    tell(rows)
    raise SystemExit(1 if any(row.failed for row in rows) else 0)


if __name__ == "__main__":
    main()
