"""Runs the blocks of one node on a few threads: numpy lets go of the interpreter while it computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from holdfast.telemetry.metrics.promql.evaluation.blocks import Block
from holdfast.telemetry.metrics.promql.evaluation.budget import Budget

MOST_THREADS: Final = 4
FEWEST_CELLS: Final = 1 << 18  # below this a thread costs more than it gains


def run_blocks(blocks: Iterable[Block], work: Callable[[Block], None], budget: Budget, *, cells: int) -> None:
    """Do the work of every block; `cells` says how much there is in all."""

    def guarded(block: Block) -> None:
        budget.check()
        with np.errstate(all="ignore"):  # infinities and NaN are values here; threads do not inherit this
            work(block)

    todo = list(blocks)
    threads = min(MOST_THREADS, os.cpu_count() or 1, len(todo))
    if threads < 2 or cells < FEWEST_CELLS:
        for block in todo:
            guarded(block)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="promql") as pool:
        for _ in pool.map(guarded, todo):
            pass
