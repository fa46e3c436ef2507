"""Scraping a million samples a minute: CPU seconds of Holdfast and of Prometheus for the same targets, same intervals.

Both read the same `prometheus.yml`; targets change every value between two scrapes. What is measured is the process'
own CPU time over a window, storing included, after each has read all targets twice: new series cost more.
Run: python benchmarks/metrics_scrape.py [--targets 20] [--series 5000]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from holdfast.telemetry.metrics.exposition import make_template, parse_text

INTERVAL_S = 6
WARM_S = 20.0
LONGEST_WARM_S = 90.0


def make_page(series: int, tick: int) -> bytes:
    """Give a page of counters whose values all depend on `tick`."""
    head = b"# HELP bench_requests_total Requests.\n# TYPE bench_requests_total counter\n"
    line = 'bench_requests_total{method="GET",path="/api/v1/items/%d",code="%d"} %d\n'
    lines = (line % (number, 200 + number % 5, tick * (1 + number % 97)) for number in range(series))
    return head + "".join(lines).encode()


def serve(ports: list[int], series: int) -> None:
    """Serve a changing page on every port, for ever."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                page = pages[int(time.time()) // INTERVAL_S % len(pages)]
                head = (
                    f"HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\ncontent-length: {len(page)}\r\n\r\n"
                )
                writer.write(head.encode() + page)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def run() -> None:
        servers = [await asyncio.start_server(answer, "127.0.0.1", port) for port in ports]
        await asyncio.gather(*(server.serve_forever() for server in servers))

    pages = [make_page(series, tick) for tick in range(1000, 1020)]
    asyncio.run(run())


def free_ports(count: int) -> list[int]:
    """Give ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def cpu_s(pid: int) -> float:
    """Give the CPU time that a process has used, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Give the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process until the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def warm_up(api: httpx.Client, name: str, samples: int) -> None:
    """Wait until so many samples were taken, and as long as starting takes in any case."""
    start = time.monotonic()
    time.sleep(WARM_S)
    while scraped(api, name) < samples:
        if time.monotonic() - start > LONGEST_WARM_S:
            sys.exit(f"{name} has not taken {samples} samples in {LONGEST_WARM_S:g} s")
        time.sleep(0.5)


def measure(name: str, command: list[str], url: str, folder: Path, options: argparse.Namespace) -> dict[str, float]:
    """Start `command`, let it read every target twice, and give its CPU time per million samples."""
    with running(command, folder / f"{name}.log") as process, httpx.Client(base_url=url, timeout=10.0) as api:
        warm_up(api, name, 2 * options.targets * options.series)
        before, count, start = cpu_s(process.pid), scraped(api, name), time.monotonic()
        time.sleep(options.window)
        used, samples, took = cpu_s(process.pid) - before, scraped(api, name) - count, time.monotonic() - start
        memory = resident_mib(process.pid)
    return {
        "samples_per_minute": samples / took * 60,
        "cpu_s_per_million_samples": used / samples * 1e6,
        "cores": used / took,
        "resident_mib": memory,
    }


def scraped(api: httpx.Client, name: str) -> float:
    """Give how many samples the process says that it has taken."""
    metric = "holdfast_scrape_samples_total" if name == "holdfast" else "prometheus_tsdb_head_samples_appended_total"
    lines = api.get("/metrics").raise_for_status().text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(metric))


def template_rate(series: int) -> float:
    """Give the samples per CPU second at which a known page is read."""
    first, second = make_page(series, 1000), make_page(series, 1001)
    made = make_template(first, parse_text(first), is_openmetrics=False)
    assert made is not None
    start = time.process_time()
    rounds = 20
    for _ in range(rounds):
        assert made[0].read(second) is not None
    return series * rounds / (time.process_time() - start)


def main() -> None:
    """Measure both and print the figures with their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--series", type=int, default=5000)
    parser.add_argument("--window", type=float, default=30.0)
    options = parser.parse_args()
    *ports, own, peer = free_ports(options.targets + 2)
    results: dict[str, object] = {"template_samples_per_cpu_s": round(template_rate(options.series))}
    targets = multiprocessing.Process(target=serve, args=(ports, options.series), daemon=True)
    targets.start()
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name:
        folder = Path(name)
        addresses = [f"127.0.0.1:{port}" for port in ports]
        config = {
            "global": {"scrape_interval": f"{INTERVAL_S}s", "scrape_timeout": f"{INTERVAL_S}s"},
            "scrape_configs": [{"job_name": "bench", "static_configs": [{"targets": addresses}]}],
        }
        ops = folder / "ops"
        ops.mkdir()
        (ops / "prometheus.yml").write_text(json.dumps(config))
        up = [sys.executable, "-m", "holdfast.cli", "up", "--data", str(folder / "data"), "--ops", str(ops)]
        up += ["--auth", "off", "--listen", f"127.0.0.1:{own}"]
        results["holdfast"] = ours = measure("holdfast", up, f"http://127.0.0.1:{own}", folder, options)
        if prometheus := shutil.which("prometheus"):
            command = [prometheus, f"--config.file={ops / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
            command += [f"--web.listen-address=127.0.0.1:{peer}"]
            results["prometheus"] = theirs = measure("prometheus", command, f"http://127.0.0.1:{peer}", folder, options)
            results["cpu_ratio"] = ours["cpu_s_per_million_samples"] / theirs["cpu_s_per_million_samples"]
    targets.terminate()
    sys.stdout.write(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
