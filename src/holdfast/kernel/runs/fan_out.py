"""Fan-out: the same step over many items, a bounded number at once, each item journalled on its own.

The fan-out has a step of its own, which says how many items there are; their results stand with the items only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.errors import MapFailedError, StepFailedError
from holdfast.kernel.runs.execution import Execution
from holdfast.kernel.runs.model import Failure, OnError, StepKind, StepState

Item = Callable[[int, Any], Awaitable[Any]]
_MOST_FAILURES: Final = 100


async def gather(works: Sequence[Awaitable[Any]]) -> list[Any]:
    """Give all results in order; when one fails the others are cancelled and awaited, and its error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    if not tasks:
        return []
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        await _end(tasks)
    for task in sorted(done, key=tasks.index):
        task.result()
    return [task.result() for task in tasks]


async def run_map(
    run: Execution,
    scope: str,
    key: str,
    name: str,
    items: Sequence[Any],
    do_one: Item,
    *,
    concurrency: int,
    on_error: OnError,
) -> list[Any]:
    """Do all items, at most `concurrency` at once; with `collect`, a failed item's result is its error.

    Raises:
        MapFailedError: an item failed and `on_error` is `raise`; those not begun are left undone.
    """
    step = run.find(key, StepKind.MAP)
    if step is None:
        await run.pass_barrier()
        step = run.new_step(key, name, scope, StepKind.MAP)
        step.result = payloads.encode({"items": len(items)}, what="a fan-out", limit_bytes=1024)
        run.write(step=step)
    results: list[Any] = [None] * len(items)
    failures: dict[int, StepFailedError] = {}
    waiting = iter(enumerate(items))

    async def work() -> None:
        for index, item in waiting:
            try:
                results[index] = await do_one(index, item)
            except StepFailedError as error:
                results[index] = failures[index] = error
                if on_error == "raise":
                    return
            if failures and on_error == "raise":
                return

    workers = [asyncio.ensure_future(work()) for _ in range(min(concurrency, len(items)))]
    try:
        await gather(workers)
    finally:
        await _end(workers)
    if not step.is_done:
        is_failed = bool(failures) and on_error == "raise"
        step.state = StepState.FAILED if is_failed else StepState.SUCCEEDED
        step.finished_at = run.services.clock.now()
        run.write(step=step)
    if failures and on_error == "raise":
        raise _failed(key, failures)
    return results


def _failed(key: str, failures: dict[int, StepFailedError]) -> MapFailedError:
    first: dict[int, Failure] = {index: failures[index].failure for index in sorted(failures)[:_MOST_FAILURES]}
    error = MapFailedError(key, first, len(failures))
    error.__cause__ = failures[min(failures)]
    return error


async def _end(tasks: Sequence[asyncio.Future[Any]]) -> None:
    """Cancel what still runs, and return when all of it has ended."""
    for task in tasks:
        task.cancel()
    if any(not task.done() for task in tasks):
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        if not task.cancelled():
            task.exception()
