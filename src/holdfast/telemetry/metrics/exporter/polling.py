"""Looks at every source as often as it says, many at once within a bound, and remembers how each is.

A scrape costs nothing of this: it shows what was seen last. What fails is a state of its source, never an exception.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from holdfast import journal
from holdfast.kernel.clock import Clock
from holdfast.resilience import bulkhead, timeout
from holdfast.telemetry.metrics.exporter.book import ExporterBook, Source
from holdfast.telemetry.metrics.exporter.errors import SourceError
from holdfast.telemetry.metrics.exporter.readings import Reading, read_items
from holdfast.telemetry.metrics.exporter.shapes import OnError
from holdfast.telemetry.metrics.exporter.sources import World

GRACE_S: Final = 1.0  # beyond a source's own timeout, for what it does not bound itself

_log = journal.get_logger()


@dataclass(slots=True)
class SourceState:
    """How a source is: the last look, the last good values, what went wrong since the start."""

    source: Source
    reading: Reading | None = None
    error_kind: str = ""
    error: str = ""
    duration_s: float = 0.0
    looked_at_s: float | None = None  # on the monotonic clock
    good_at_s: float | None = None  # the same
    good_at: float = 0.0  # seconds since 1970
    looks: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def is_up(self) -> bool:
        """Tell whether the last look was good."""
        return self.looks > 0 and not self.error_kind

    def shown(self, now_s: float) -> Reading | None:
        """Give the values to show now: the last good ones, unless they are too old or their source is broken."""
        if self.is_up or self.reading is None or self.good_at_s is None:
            return self.reading
        is_kept = self.source.on_error is OnError.KEEP and now_s - self.good_at_s <= self.source.keep_for_s
        return self.reading if is_kept else None


After = Callable[[SourceState], Awaitable[None]]
"""Called after each look at a source; must not raise."""


class Poller:
    """The sources of one file, and how they are."""

    def __init__(self, book: ExporterBook, world: World, clock: Clock, after: After | None = None) -> None:
        self.states: Mapping[str, SourceState] = {source.name: SourceState(source) for source in book.sources}
        self._world = world
        self._clock = clock
        self._places = bulkhead(book.parallel, queue=len(self.states), name="exporter")
        self._after = after

    @property
    def now_s(self) -> float:
        """The monotonic clock of the states."""
        return self._clock.monotonic()

    async def look_at_all(self) -> None:
        """Look at every source once."""
        await asyncio.gather(*(self.look(state) for state in self.states.values()))

    async def run(self) -> None:
        """Look at every source as often as it says, for ever."""
        async with asyncio.TaskGroup() as tasks:
            for state in self.states.values():
                tasks.create_task(self._repeat(state), name=f"source {state.source.name}")

    async def look(self, state: SourceState) -> None:
        """Look at one source; what fails is noted in its state."""
        source = state.source
        async with self._places:
            started_s = self._clock.monotonic()
            kind, error, reading = "", "", None
            try:
                async with timeout(source.bounds.timeout_s + GRACE_S, name=source.name):
                    items = await source.content.fetch(self._world, source.bounds)
                    reading = await asyncio.to_thread(read_items, source, items)
            except SourceError as failure:
                kind, error = failure.kind, failure.message
            except TimeoutError:
                kind, error = "timeout", f"no answer within {source.bounds.timeout_s:g} s"
            except Exception as failure:  # noqa: BLE001 -- the fence of a plugin: a source may fail in any way, the others go on
                kind, error = "internal", repr(failure)
            self._note(state, started_s, reading, (kind, error))
        if self._after is not None:
            await self._after(state)

    async def _repeat(self, state: SourceState) -> None:
        due_s = self._clock.monotonic()
        while True:
            await self.look(state)
            # Looks that took too long are left out, not made up for.
            now_s = self._clock.monotonic()
            due_s += state.source.every_s
            due_s = max(due_s, now_s) if due_s < now_s - state.source.every_s else due_s
            await self._clock.sleep(max(0.0, due_s - now_s))

    def _note(self, state: SourceState, started_s: float, reading: Reading | None, failure: tuple[str, str]) -> None:
        now_s = self._clock.monotonic()
        kind, error = failure
        if kind != state.error_kind:
            told = {"source": state.source.name, "kind": kind, "error": error}
            _log.warning("exporter.source_failed", **told) if kind else _log.info("exporter.source_back", **told)
        state.looks += 1
        state.looked_at_s, state.duration_s = now_s, now_s - started_s
        state.error_kind, state.error = kind, error
        if kind:
            state.errors[kind] = state.errors.get(kind, 0) + 1
        if reading is not None:
            state.reading, state.good_at_s, state.good_at = reading, now_s, self._clock.now().timestamp()
            for reason, count in reading.dropped.items():
                state.dropped[reason] = state.dropped.get(reason, 0) + count
