"""`holdfast up` whose store accepts nothing while a file exists: `HOLDFAST_TRIAL_STALL` names it.

A disk or a server that hangs is not to be had at will; here every insert waits as it would for one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast.cli.main import main
from holdfast.store.running import RunningStore

LOOK_EVERY_S = 0.05


def stall() -> None:
    """Let inserts wait while the file is there."""
    insert, file = RunningStore.insert, Path(os.environ.pop("HOLDFAST_TRIAL_STALL"))

    async def wait(self: RunningStore, table: Any, rows: Sequence[Any], token: str) -> None:
        while file.exists():  # noqa: ASYNC110, ASYNC240 -- another process makes and removes it; a look takes microseconds
            await asyncio.sleep(LOOK_EVERY_S)
        await insert(self, table, rows, token)

    RunningStore.insert = wait  # type: ignore[method-assign]


if __name__ == "__main__":
    stall()
    main()
