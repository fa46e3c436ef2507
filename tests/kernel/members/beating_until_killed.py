"""A process that is a member until it is killed: `beating_until_killed.py URL KIND`; says how many it sees."""

from __future__ import annotations

import asyncio
import os
import sys

from holdfast.kernel.clock import SystemClock
from holdfast.kernel.members import Membership
from holdfast.kernel.sql import open_postgres


async def main(url: str, kind: str) -> None:
    """Beat until killed."""
    member = Membership(open_postgres(url), SystemClock(), kind, beat_s=0.1, lease_s=1.0)
    member.watch(lambda: os.write(1, b"%d\n" % len(member.members)))
    await member.run()


asyncio.run(main(*sys.argv[1:]))
