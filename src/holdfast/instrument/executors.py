"""Watches executors of concurrent.futures: how many workers are busy, what waits, for how long, and how it ends."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import REGISTRY, Counter, Gauge, Histogram

from holdfast.instrument.labels import BoundedLabel
from holdfast.instrument.registries import PerRegistry, count_folded, watch_once
from holdfast.instrument.wrapping import wrap_method

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

MOST_EXECUTORS: Final = 50
BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300)


class ExecutorMetrics:
    """One set per registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        of = ["executor"]
        self.names = BoundedLabel(MOST_EXECUTORS, count_folded(registry, "executor"))
        self.workers = Gauge(
            "executor_workers_max",
            "The most workers that an executor may have.",
            of,
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.pending = Gauge(
            "executor_pending", "Calls submitted and not begun.", of, multiprocess_mode="livesum", registry=registry
        )
        self.running = Gauge(
            "executor_running", "Calls being worked on.", of, multiprocess_mode="livesum", registry=registry
        )
        self.wait = Histogram(
            "executor_queue_wait_seconds",
            "From a call's submission to its begin.",
            of,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.runtime = Histogram(
            "executor_call_duration_seconds",
            "From a call's begin to its end.",
            of,
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.calls = Counter("executor_calls", "Calls by how they ended.", [*of, "outcome"], registry=registry)


_METRICS: Final = PerRegistry(ExecutorMetrics)


def watch_executor(executor: Executor, registry: CollectorRegistry = REGISTRY, *, name: str) -> Callable[[], None]:
    """Watch a `ThreadPoolExecutor` or `ProcessPoolExecutor` from now on.

    Calls of a pool of processes begin elsewhere: of them waits are not known, and the duration includes the wait. For
    asyncio's default executor: `loop.set_default_executor(pool)`, and watch the pool.

    Returns:
        A function that ends it.
    """
    return watch_once(executor, registry, lambda: _watch_calls(executor, _METRICS(registry), name))


def _watch_calls(executor: Executor, metrics: ExecutorMetrics, name: str) -> Callable[[], None]:
    label = metrics.names.admit(name)
    metrics.workers.labels(label).set(getattr(executor, "_max_workers", 0))
    is_threads = hasattr(executor, "_work_queue")
    watch = CallWatch(metrics, label)

    def watched(
        submit: Callable[..., Future[Any]], fn: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        call = watch.submitted()
        try:
            future = submit(call.run, fn, args, kwargs) if is_threads else submit(fn, *args, **kwargs)
        except BaseException:  # it is shut down, or broken
            watch.pending.dec()
            raise
        future.add_done_callback(call.finish)
        return future

    return wrap_method(executor, "submit", lambda submit: functools.partial(watched, submit))  # all go through it


class CallWatch:
    """The children of one executor."""

    def __init__(self, metrics: ExecutorMetrics, label: str) -> None:
        self.pending, self.running = metrics.pending.labels(label), metrics.running.labels(label)
        self.wait, self.runtime = metrics.wait.labels(label), metrics.runtime.labels(label)
        self.outcomes = {what: metrics.calls.labels(label, what) for what in ("ok", "error", "cancelled")}

    def submitted(self) -> WatchedCall:
        """Note a call that was just submitted."""
        self.pending.inc()
        return WatchedCall(self)


class WatchedCall:
    """One call on its way through an executor."""

    __slots__ = ("_begun_s", "_submitted_s", "_watch")

    def __init__(self, watch: CallWatch) -> None:
        self._watch = watch
        self._submitted_s = time.perf_counter()
        self._begun_s: float | None = None

    def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Do the work, in the worker's thread."""
        self._begun_s = time.perf_counter()
        self._watch.pending.dec()
        self._watch.wait.observe(self._begun_s - self._submitted_s)
        with self._watch.running.track_inprogress():
            return fn(*args, **kwargs)

    def finish(self, future: Future[Any]) -> None:
        """Note how it ended."""
        if self._begun_s is None:
            self._watch.pending.dec()
        if future.cancelled():
            self._watch.outcomes["cancelled"].inc()
            return
        since_s = self._submitted_s if self._begun_s is None else self._begun_s
        self._watch.runtime.observe(time.perf_counter() - since_s)
        self._watch.outcomes["ok" if future.exception() is None else "error"].inc()
