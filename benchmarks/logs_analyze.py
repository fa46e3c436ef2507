"""How fast `holdfast logs analyze` counts, beside reading the file and `grep -c` over it.

An access log (ids in paths, addresses, forty agents, durations), a Python log with tracebacks, JSON lines and logfmt
are made. Printed are megabytes of file per second of clock and of processor, all processes together; the aim is
200 MB/s on two cores for counting patterns.
Run alone on the machine: python benchmarks/logs_analyze.py [--mb 500] [--folder /tmp]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from holdfast.telemetry.logs.files import analysing
from holdfast.telemetry.logs.files.texts import TextReader

MB: Final = 10**6
AGENTS: Final = [
    f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/{n}.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36"
    for n in range(80, 120)
]
PATHS: Final = (*(f"/api/v1/{each}/%d" for each in ("orders", "users", "carts", "items", "search")), "/", "/health")
BEGIN_S: Final = 1_790_000_000


def access(rng: random.Random) -> Iterator[str]:
    """Give lines of a combined access log with durations."""
    number = 0
    while True:
        number += 1
        at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(BEGIN_S + number // 200))
        path = rng.choice(PATHS).replace("%d", str(rng.randrange(10**6)))
        status = rng.choice((200,) * 40 + (404, 500))
        yield (
            f"10.{rng.randrange(4)}.{rng.randrange(256)}.{rng.randrange(256)} - - [{at}] "
            f'"GET {path} HTTP/1.1" {status} {rng.randrange(10**5)} "-" "{rng.choice(AGENTS)}" {rng.random():.3f}\n'
        )


def python(rng: random.Random) -> Iterator[str]:
    """Give lines of Python's logging, a traceback now and then."""
    number = 0
    while True:
        number += 1
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(BEGIN_S + number // 200))
        head = f"{at},{number % 1000:03d}"
        if number % 200 == 0:
            trace = 'Traceback (most recent call last):\n  File "a.py", line 3\nKeyError: 7\n'
            yield f"{head} ERROR shop cannot place order {number}\n{trace}"
        elif number % 3 == 0:
            client = f"10.0.0.{number % 256}"
            yield f"{head} INFO shop.http request {rng.getrandbits(64):016x} from {client} took {rng.random():.3f} s\n"
        else:
            customer = rng.randrange(10**5)
            yield f"{head} INFO shop.orders placed order {number} of customer {customer} for {rng.random():.2f} EUR\n"


def objects(rng: random.Random) -> Iterator[str]:
    """Give JSON lines of requests."""
    number = 0
    while True:
        number += 1
        row = {
            "ts": BEGIN_S + number / 200,
            "level": "error" if number % 50 == 0 else "info",
            "msg": f"request {number} done",
            "trace_id": f"{rng.getrandbits(128):032x}",
            "path": f"/orders/{rng.randrange(10**6)}",
            "status": 500 if number % 50 == 0 else 200,
            "duration_ms": rng.random() * 100,
        }
        yield json.dumps(row) + "\n"


def pairs(rng: random.Random) -> Iterator[str]:
    """Give lines of logfmt."""
    number = 0
    while True:
        number += 1
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(BEGIN_S + number // 200))
        yield (
            f"ts={at} level={'error' if number % 50 == 0 else 'info'} caller=orders.go:{number % 90} "
            f'msg="order {number} placed" path=/orders/{rng.randrange(10**6)} status=200 took={rng.randrange(400)}ms\n'
        )


def write(path: Path, lines: Iterator[str], size: int) -> Path:
    """Write a file: 16 MB of made lines, again and again."""
    piece: list[str] = []
    while sum(map(len, piece[-1:])) < 1 or len(piece) % 1000 or sum(map(len, piece)) < min(size, 16 * MB):
        piece.append(next(lines))
    body = "".join(piece).encode()
    with path.open("wb") as out:
        while out.tell() < size:
            out.write(body)
    return path


def measure(name: str, size: int, work: Callable[[], object]) -> None:
    """Print the better of two rounds."""
    best: tuple[float, float] | None = None
    for _ in range(2):
        began, used = time.perf_counter(), os.times()
        work()
        after = os.times()
        clock = time.perf_counter() - began
        cpu = sum(after[:4]) - sum(used[:4])
        best = min(best or (clock, cpu), (clock, cpu))
    assert best is not None
    rate, per_cpu = size / best[0] / MB, size / max(best[1], 1e-3) / MB
    print(f"{name:44} {rate:7.0f} MB/s  {per_cpu:7.0f} MB per CPU second", flush=True)


def shapes_only(path: Path) -> None:
    """Count patterns of whole lines, whatever the format is."""
    sample = path.read_bytes()[: 1 << 16].split(b"\n")[:-1]
    chosen = analysing.reader_of  # children are copies of this process, so they find what is put in its place
    analysing.reader_of = lambda _: TextReader(sample)
    try:
        analysing.analyse([path], processes=2)
    finally:
        analysing.reader_of = chosen


def main() -> None:
    """Make the files and measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="holdfast-logs-", dir=given.folder) as scratch:
        rng, folder = random.Random(1), Path(scratch)
        log = write(folder / "access.log", access(rng), given.mb * MB)
        others = {
            "Python log with tracebacks": write(folder / "python.log", python(rng), given.mb * MB // 5),
            "JSON lines": write(folder / "json.log", objects(rng), given.mb * MB // 5),
            "logfmt": write(folder / "pairs.log", pairs(rng), given.mb * MB // 5),
        }
        size = log.stat().st_size
        print(f"access log of {size / MB:.0f} MB, others of {given.mb // 5} MB; {os.cpu_count()} processors")
        measure("read it (cat)", size, lambda: subprocess.run(["cat", str(log)], stdout=subprocess.DEVNULL, check=True))
        grep = ["grep", "-c", " 500 ", str(log)]
        measure("grep -c ' 500 '", size, lambda: subprocess.run(grep, capture_output=True, check=True))
        measure("access log, everything, 2 processes", size, lambda: analysing.analyse([log], processes=2))
        measure("access log, everything, 1 process", size, lambda: analysing.analyse([log], processes=1))
        measure("access log, patterns of lines, 2 processes", size, lambda: shapes_only(log))
        for name, path in others.items():
            work = partial(analysing.analyse, [path], processes=2)
            measure(f"{name}, 2 processes", path.stat().st_size, work)


if __name__ == "__main__":
    main()
