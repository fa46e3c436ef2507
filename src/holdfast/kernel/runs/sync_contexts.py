"""What a sync workflow gets: the operations of `Run`, each of which blocks the workflow's thread until it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from holdfast.kernel.runs.contexts import Run
from holdfast.kernel.runs.errors import RunCancelled
from holdfast.kernel.runs.model import RunId


class SyncRun:
    """The context of one run whose code runs in a thread; for the arguments see `Run`."""

    def __init__(self, run: Run, loop: asyncio.AbstractEventLoop) -> None:
        self._run = run
        self._loop = loop

    @property
    def run_id(self) -> RunId:
        """Give the id of the run."""
        return self._run.run_id

    @property
    def workflow(self) -> str:
        """Give the name of its workflow."""
        return self._run.workflow

    @property
    def attempt(self) -> int:
        """Give the attempt group: 1, and one more after each replay."""
        return self._run.attempt

    @property
    def actor(self) -> str:
        """Give who started the run."""
        return self._run.actor

    @property
    def is_dry_run(self) -> bool:
        """Tell whether steps only plan."""
        return self._run.is_dry_run

    def now(self) -> datetime:
        """Give the present."""
        return self._run.now()

    def log(self, text: str, /, **fields: Any) -> None:
        """Write a line into the run's log."""
        self._loop.call_soon_threadsafe(lambda: self._run.log(text, **fields))

    def query(self, name: str, answer: Callable[[], Any]) -> None:
        """Have `answer` called, from another thread, when somebody asks the run for `name`."""
        self._loop.call_soon_threadsafe(self._run.query, name, answer)

    def step(self, name: str, fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        """Do `fn(*args)` once and for all."""
        return self._call(lambda: self._run.step(name, fn, *args, **options))

    def map(self, name: str, fn: Callable[..., Any], items: Any, **options: Any) -> list[Any]:
        """Do `fn(item)` for each item, several at once."""
        result: list[Any] = self._call(lambda: self._run.map(name, fn, items, **options))
        return result

    def sleep(self, name: str, duration: str | float) -> None:
        """Wait for `duration`."""
        self._call(lambda: self._run.sleep(name, duration))

    def sleep_until(self, name: str, moment: datetime) -> None:
        """Wait until `moment`."""
        self._call(lambda: self._run.sleep_until(name, moment))

    def signal(self, name: str, **options: Any) -> Any:
        """Wait for the signal `name`."""
        return self._call(lambda: self._run.signal(name, **options))

    def child(self, name: str, workflow: Any, input: Any = None, **options: Any) -> Any:  # noqa: A002 - the word of the field
        """Start another workflow and wait for its result."""
        return self._call(lambda: self._run.child(name, workflow, input, **options))

    def _call(self, begin: Callable[[], Awaitable[Any]]) -> Any:
        return asyncio.run_coroutine_threadsafe(_finish(begin), self._loop).result()


async def _finish(begin: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await begin()
    except asyncio.CancelledError as error:
        raise RunCancelled(*error.args) from None
