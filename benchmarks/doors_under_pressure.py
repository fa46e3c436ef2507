"""Memory of `holdfast up` while its store accepts nothing and many senders push large bodies through one door.

Prints for each door: resident memory before, its growth at most, and afterwards; what senders heard; and how long
queries beside it took.
Run: python benchmarks/doors_under_pressure.py --senders 64 --size 4000000 --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from flow.trials.loads import NAMES, loads  # noqa: E402 -- the tests' folder is on the path only now
from flow.trials.pressure import Report, trial  # noqa: E402 -- as above

MB = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--senders", type=int, default=64)
    parser.add_argument("--size", type=int, default=4 * MB, help="bytes of one body on the wire")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--doors", nargs="*", choices=NAMES, default=[], help="all, if none is named")
    chosen = parser.parse_args()
    for load in loads(chosen.size, frozenset(chosen.doors)):
        with tempfile.TemporaryDirectory(prefix="doors-") as folder:
            report = asyncio.run(trial(Path(folder), load, senders=chosen.senders, seconds=chosen.seconds))
        print(line(report), flush=True)


def line(report: Report) -> str:
    memory = f"{report.before // MB:4} MB + {report.growth // MB:4} MB, then {report.after // MB:4} MB"
    heard = " ".join(f"{status}:{count}" for status, count in sorted(report.statuses.items()))
    beside = f"queries {report.queries.line()}, {report.unanswered} unanswered"
    return f"{report.name:22} {report.body / MB:4.1f} MB  {memory}  {heard}; {beside}"


if __name__ == "__main__":
    main()
