"""Watches an event loop of asyncio: how late it is, how many tasks it has, and which code made it late.

A beat every `beat_s` measures the lateness. A thread notices when the beat is overdue and looks which line of the
program holds the loop at that moment: that names the culprit, which the beat alone cannot.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from holdfast.instrument.exposition import has_several_processes
from holdfast.instrument.labels import BoundedLabel
from holdfast.instrument.registries import PerRegistry, count_folded, watch_once

if TYPE_CHECKING:
    from types import FrameType

    from prometheus_client import CollectorRegistry

LAG_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
MOST_CULPRITS: Final = 50
_TELL_S: Final = 1.0  # between two counts of tasks where another process may be asked for them
_LIBRARY: Final = str(PurePath(asyncio.__file__).parent.parent)


class LoopMetrics:
    """One set per registry; loops are told apart by the name that they are watched under."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.culprits = BoundedLabel(MOST_CULPRITS, count_folded(registry, "asyncio_slow_callback"))
        self.lag = Histogram(
            "asyncio_loop_lag_seconds",
            "How late the event loop ran what was due.",
            ["loop"],
            buckets=LAG_BUCKETS_S,
            registry=registry,
        )
        self.tasks = Gauge(
            "asyncio_tasks",
            "Tasks of the event loop that are not done.",
            ["loop"],
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.slow = Counter(
            "asyncio_slow_callbacks",
            "Times that code held the event loop for too long, by the function that ran then.",
            ["loop", "function"],
            registry=registry,
        )


_METRICS: Final = PerRegistry(LoopMetrics)


def watch_event_loop(
    registry: CollectorRegistry = REGISTRY,
    *,
    name: str = "main",
    beat_s: float = 0.1,
    slow_s: float = 0.1,
    loop: asyncio.AbstractEventLoop | None = None,
) -> Callable[[], None]:
    """Watch the running event loop from now on; call it in a coroutine, such as the app's lifespan.

    Args:
        registry: where it is counted.
        name: the label `loop`.
        beat_s: seconds between two measurements.
        slow_s: a callback that holds the loop for longer is counted under its function; 0: no thread looks for any.
        loop: the loop, if not the running one.

    Returns:
        A function that ends it; the loop's end does so too.
    """
    watched = loop or asyncio.get_running_loop()

    def begin() -> Callable[[], None]:
        watch = LoopWatch(watched, _METRICS(registry), name, beat_s, slow_s)
        watch.start()
        return watch.stop

    return watch_once(watched, registry, begin)


class LoopWatch:
    """The beat of one loop, and the thread that listens for it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, metrics: LoopMetrics, name: str, beat_s: float, slow_s: float
    ) -> None:
        self._loop = loop
        self._metrics = metrics
        self._name = name
        self._beat_s = beat_s
        self._slow_s = slow_s
        self._lag = metrics.lag.labels(name)
        self._tasks = metrics.tasks.labels(name)
        self._is_told = has_several_processes()
        self._told_s = 0.0
        self._due_s = 0.0
        self._thread_id = 0
        self._handle: asyncio.TimerHandle | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin."""
        if not self._is_told:
            self._tasks.set_function(self._count_tasks)
        self._loop.call_soon_threadsafe(self._begin)

    def stop(self) -> None:
        """End; from any thread."""
        self._ended.set()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel)

    def _begin(self) -> None:
        self._thread_id = threading.get_ident()
        self._schedule()
        if self._slow_s:
            threading.Thread(target=self._listen, name=f"loop-watch-{self._name}", daemon=True).start()

    def _schedule(self) -> None:
        self._due_s = time.monotonic() + self._beat_s
        self._handle = self._loop.call_later(self._beat_s, self._beat)

    def _beat(self) -> None:
        now_s = time.monotonic()
        self._lag.observe(max(0.0, now_s - self._due_s))
        if self._is_told and now_s - self._told_s >= _TELL_S:
            self._told_s = now_s
            self._tasks.set(self._count_tasks())
        if not self._ended.is_set():
            self._schedule()

    def _cancel(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        if self._is_told:
            self._tasks.set(0)

    def _count_tasks(self) -> float:
        return float("nan") if self._loop.is_closed() else len(asyncio.all_tasks(self._loop))

    def _listen(self) -> None:
        """Look every `slow_s` / 2; one stall is counted once, however long it lasts."""
        told_s = 0.0
        while not self._ended.wait(self._slow_s / 2):
            if self._loop.is_closed():
                return
            due_s = self._due_s
            if due_s == told_s or time.monotonic() - due_s < self._slow_s:
                continue
            told_s = due_s
            frame = sys._current_frames().get(self._thread_id)  # noqa: SLF001 -- the documented way, for debuggers
            function = self._metrics.culprits.admit(name_culprit(frame))
            self._metrics.slow.labels(self._name, function).inc()


def name_culprit(frame: FrameType | None) -> str:
    """Give `module.function` of the innermost frame that is not the standard library's, or of the innermost of all."""
    innermost = frame
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(("<frozen", _LIBRARY)) or "site-packages" in file:
            return _describe(frame)
        frame = frame.f_back
    return _describe(innermost) if innermost is not None else "unknown"


def _describe(frame: Any) -> str:
    return f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}"
