"""A cardinality bomb, 5 million new series in 5 minutes, beside good traffic: what it costs the others, and memory.

Prints the latencies of good writes and queries before, during and after, what was let in and refused, what
`/api/v1/metrics/cardinality` says of the culprit, and resident memory. Ends non-zero if a median grew by more than
half, a good request failed, or memory still grew by more than a tenth in the second half of the bomb.
Run: python benchmarks/metrics_cardinality_bomb.py --series 5000000 --seconds 300
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from flow.trials.bomb import Report, bombard  # noqa: E402 -- the tests' folder is on the path only now

MOST_SLOWDOWN = 1.5
MOST_GROWTH = 1.1


def tell(report: Report) -> bool:
    """Print all of it, and give whether the bomb was shed."""
    for kind in ("writes", "queries"):
        for name in ("before", "during", "after"):
            print(f"good {kind:8} {name:7} {getattr(getattr(report, name), kind).line()}")
    failed = [getattr(report, name).failed for name in ("before", "during", "after")]
    print(f"good failed      {failed[0]} before, {failed[1]} during, {failed[2]} after")
    sent = report.sent
    rate = sent.offered / sent.seconds
    print(
        f"bomb             {sent.offered:,} new series in {sent.seconds:.1f} s, {rate:,.0f}/s; answers {sent.statuses}"
    )
    print(f"                 {report.admitted:,} admitted, {sent.refused:,} refused as its sender was told")
    told = report.cardinality
    print(f"cardinality      {told['active']:,} active of {told['limit']:,}; refused {told['refused']}")
    for one in told["explosions"]:
        print(
            f"  {one['metric']} from {one['origin']}: {one['reason']}, {one['refused']:,} refused; "
            f"label {one['label']} has at least about {one['values']:,} values, such as {one['example']}"
        )
    mb = [size / 1e6 for size in (report.memory_before, report.peak_bytes(0, 0.5), report.peak_bytes())]
    print(
        f"resident         {mb[0]:,.0f} MB before, {mb[1]:,.0f} MB at most in the first half, {mb[2]:,.0f} MB at most, "
        f"{report.memory_after / 1e6:,.0f} MB after, {report.memory_told / 1e6:,.0f} MB while the cardinality was told"
    )
    slowed = {kind: report.slowdown(kind, 50) for kind in ("writes", "queries")}
    tails = {kind: report.slowdown(kind, 99) for kind in ("writes", "queries")}
    is_shed = max(slowed.values()) <= MOST_SLOWDOWN and report.growth() <= MOST_GROWTH and not failed[1]
    print(
        f"verdict          {'shed' if is_shed else 'NOT SHED'}: writes slowed by {slowed['writes']:.2f} "
        f"(p99 {tails['writes']:.2f}), queries by {slowed['queries']:.2f} (p99 {tails['queries']:.2f}); "
        f"memory bounded by {mb[2]:,.0f} MB, second half of the bomb x{report.growth():.2f}"
    )
    return is_shed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=5_000_000)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--calm", type=float, default=30, help="seconds of good traffic alone, before and after")
    parser.add_argument("--good", type=int, default=1000, help="series of the good traffic, four samples a second each")
    parser.add_argument("--metrics", type=int, default=1, help="names over which the bomb is spread")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="metrics-bomb-") as folder:
        report = asyncio.run(
            bombard(
                Path(folder),
                series=chosen.series,
                seconds=chosen.seconds,
                calm_s=chosen.calm,
                good=chosen.good,
                metrics=chosen.metrics,
            )
        )
    sys.exit(not tell(report))


if __name__ == "__main__":
    main()
