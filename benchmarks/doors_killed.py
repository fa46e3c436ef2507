"""Kills `holdfast up` with SIGKILL again and again while every door that acknowledges is fed.

Prints kills and restarts, and for each door what it acknowledged and what of that was lost; ends non-zero if any was.
Run: python benchmarks/doors_killed.py --minutes 3
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from flow.test_doors_keep_what_they_acknowledge import send_until_killed, trial  # noqa: E402 -- on the path only now

PATIENCE_S = 90.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3)
    with tempfile.TemporaryDirectory(prefix="doors-killed-") as folder:
        sys.exit(asyncio.run(torment(Path(folder), parser.parse_args().minutes * 60)) > 0)


async def torment(folder: Path, seconds: float) -> int:
    """Give how many of the acknowledged were lost."""
    until_s, kills, lost = time.monotonic() + seconds, 0, 0
    async with trial(folder) as (server, doors):
        while time.monotonic() < until_s:
            enough = [asyncio.Event() for _ in doors.all]
            sending = [
                asyncio.create_task(send_until_killed(door, 1 + kills * 1_000_000, event))
                for door, event in zip(doors.all, enough, strict=True)
            ]
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*(event.wait() for event in enough))
            server.kill()
            kills += 1
            await asyncio.gather(*sending)
            print(f"kill {kills}, up again after {await server.start():.2f} s", flush=True)
        for door in doors.all:
            missing = door.acknowledged - await doors.kept(door)
            lost += len(missing)
            print(f"{door.name:20} {len(door.acknowledged):6} acknowledged, {len(missing)} lost {sorted(missing)[:5]}")
    return lost


if __name__ == "__main__":
    main()
