"""The crash trial of durable runs, whole: 1,000 SIGKILLs at random moments, then one at every edge of a commit.

On SQLite with one process, on PostgreSQL with two that also freeze past their lease; the wall clock jumps meanwhile.
Prints what was repeated, lost or changed; ends non-zero if anything was.
Run: python benchmarks/runs_crashes.py --kills 1000
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from fixtures.databases import fresh_database  # noqa: E402 -- the tests' folder is on the path only now
from fixtures.services import DEFAULT_URLS  # noqa: E402 -- the same
from kernel.runs.crash.harness import run_edges, run_trial  # noqa: E402 -- same


@contextmanager
def a_database(kind: str) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL database, or nothing for SQLite."""
    if kind == "sqlite":
        yield ""
    else:
        with fresh_database(DEFAULT_URLS["postgres"]) as url:
            yield url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--database", choices=["sqlite", "postgres"], action="append")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    chosen = parser.parse_args()
    is_bad = False
    for kind in chosen.database or ["sqlite", "postgres"]:
        for trial in (run_trial, run_edges):
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder, a_database(kind) as url:
                report = trial(Path(folder), kills=chosen.kills, postgres_url=url, seed=chosen.seed)
            print(f"{kind}: {report.line()} in {time.monotonic() - started:.0f} s (seed {chosen.seed})", flush=True)
            for fault in report.verdict.faults[:50]:
                print(" ", fault)
            is_bad |= bool(report.verdict.faults)
    sys.exit(is_bad)


if __name__ == "__main__":
    main()
