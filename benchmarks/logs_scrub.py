"""What scrubbing costs per line, in one thread: clean lines, lines with an address each, lines with a secret each.

python benchmarks/logs_scrub.py [--lines 100000]
"""

from __future__ import annotations

import argparse
import random
import time
from typing import Final

from holdfast.telemetry.scrub import Action, Kind, TextScrubber
from holdfast.telemetry.scrub.settings import DEFAULTS

RUNS: Final = 5


def clean(count: int, noise: random.Random) -> list[str]:
    """Give lines of access logs and of programs, by turns."""
    access = '10.0.{}.7 - - [10/Jun/2021:09:14:29 +0000] "GET /api/orders/{} HTTP/1.1" 200 {} "-" "Mozilla/5.0 (X11)"'
    program = (
        'ts=2026-11-28T20:14:46.{:09d}Z level=info caller=orders.go:{} msg="placed" trace_id={:032x} duration=12.5ms'
    )
    return [
        program.format(noise.randrange(10**9), noise.randrange(300), noise.getrandbits(128))
        if number % 2
        else access.format(noise.randrange(255), noise.randrange(10**5), noise.randrange(10**4))
        for number in range(count)
    ]


def rate(scrubber: TextScrubber, lines: list[str]) -> float:
    """Give lines per second, the best of some runs."""
    best = 0.0
    for _ in range(RUNS):
        begin = time.perf_counter()
        scrubber.scrub(lines)
        best = max(best, len(lines) / (time.perf_counter() - begin))
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    count = parser.parse_args().lines
    lines = clean(count, random.Random(1))
    usual = TextScrubber({str(kind): action for kind, action in DEFAULTS.items()}, (), b"salt")
    every = TextScrubber({str(kind): Action.MASK for kind in Kind}, (), b"salt")
    mails = [f"{line} user=someone{number}@example.org" for number, line in enumerate(lines)]
    print(f"{count:,} lines of {sum(map(len, lines)) / count:.0f} letters")
    for name, scrubber, texts in (
        ("clean, as it comes", usual, lines),
        ("every other line has an address that goes", every, lines),
        ("every line has an e-mail address", usual, mails),
    ):
        print(f"{name:45} {rate(scrubber, texts):>12,.0f} lines/s")


if __name__ == "__main__":
    main()
