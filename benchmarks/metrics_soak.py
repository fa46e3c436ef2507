"""The soak of metrics: remote write and queries go on while `holdfast up` is killed with SIGKILL every minute.

At the end, after one more kill, every acknowledged sample is read back and compared. Prints kills, samples, restarts
and latencies; ends non-zero if a sample was lost, changed, invented, or not seen by a query after its acknowledgement.
Run: python benchmarks/metrics_soak.py --seconds 600 --kill-every 60 --rate 4000
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from flow.trials.soak import soak  # noqa: E402 -- the tests' folder is on the path only now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--kill-every", type=float, default=60)
    parser.add_argument("--rate", type=int, default=4000, help="samples per second")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="metrics-soak-") as folder:
        report = asyncio.run(
            soak(Path(folder), seconds=chosen.seconds, kill_every_s=chosen.kill_every, rate=chosen.rate)
        )
    again_s = report.restarts_s[1:]
    print(f"kills            {report.kills} in {chosen.seconds:.0f} s")
    print(f"acknowledged     {report.acknowledged:,} samples of {report.series:,} series")
    print(f"lost             {report.lost:,}; changed {report.changed:,}; invented {report.invented:,}")
    print(
        f"seen at once     {report.asked - report.unseen:,} of {report.asked:,} asked right after their acknowledgement"
    )
    print(f"sent again       {report.sent_again:,} requests that had no answer")
    print(f"first start      {report.restarts_s[0]:.2f} s until a query is answered")
    print(
        f"restarts         {statistics.median(again_s):.2f} s in the median, {max(again_s):.2f} s at most: "
        + " ".join(f"{one:.2f}" for one in again_s)
    )
    print(f"writes           {report.writes.line()}")
    for kind, latencies in report.queries.items():
        print(f"{kind:16} {latencies.line()}")
    for fault in report.faults[:50]:
        print(" ", fault)
    print("verdict          " + ("no acknowledged sample lost" if report.is_good else "NOT GOOD"))
    sys.exit(not report.is_good)


if __name__ == "__main__":
    main()
