"""Watches Celery: what is sent, how long it waits and runs, how it ends, what is in flight.

The pool's children report to the worker's own process, whose registry holds all; no files are shared. Traces and
correlation ids go along in the message's headers. Importing this needs celery.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from billiard.einfo import ExceptionWithTraceback
from celery import signals
from celery.exceptions import Ignore, Reject, Retry, TimeLimitExceeded, WorkerLostError
from celery.worker.request import Request
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from holdfast.instrument.labels import BoundedLabel, label_error
from holdfast.instrument.registries import PerRegistry, count_folded, watch_once
from holdfast.instrument.tracing import continued, mark_failed, outgoing_headers

MOST_TASKS: Final = 300
MOST_QUEUES: Final = 100
MOST_ERRORS: Final = 100
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
SENT_HEADER: Final = "holdfast_sent_s"
HEADERS_KEY: Final = "holdfast_context"


class TaskMetrics:
    """Tasks by name and queue."""

    def __init__(self, registry: CollectorRegistry) -> None:
        of = ["task"]
        self._senders = 0
        self.tasks = BoundedLabel(MOST_TASKS, count_folded(registry, "celery_task"))
        self.queues = BoundedLabel(MOST_QUEUES, count_folded(registry, "celery_queue"))
        self.error_types = BoundedLabel(MOST_ERRORS, count_folded(registry, "celery_error"))
        self.sent = Counter("celery_tasks_sent", "Tasks sent by this process.", [*of, "queue"], registry=registry)
        self.received = Counter(
            "celery_tasks_received", "Tasks that the worker took.", [*of, "queue"], registry=registry
        )
        self.waiting = Gauge(
            "celery_tasks_waiting",
            "Tasks taken that no child works on yet.",
            of,
            multiprocess_mode="livesum",
            registry=registry,
        )
        self.active = Gauge(
            "celery_tasks_active", "Tasks being worked on.", of, multiprocess_mode="livesum", registry=registry
        )
        self.wait = Histogram(
            "celery_task_queue_wait_seconds",
            "From sending a task (or from when it was due) to its begin.",
            [*of, "queue"],
            buckets=BUCKETS_S,
            registry=registry,
        )
        self.runtime = Histogram(
            "celery_task_runtime_seconds", "Work on a task, one attempt.", of, buckets=BUCKETS_S, registry=registry
        )
        self.outcomes = Counter(
            "celery_tasks_finished",
            "Attempts by how they ended: succeeded, failed, retried, timed_out, lost, revoked, rejected, ignored.",
            [*of, "outcome"],
            registry=registry,
        )
        self.retries = Counter("celery_task_retries", "Attempts that asked for another one.", of, registry=registry)
        self.discarded = Counter(
            "celery_messages_discarded",
            "Messages that the worker threw away: of a task that it does not know, or of none at all.",
            ["reason"],
            registry=registry,
        )
        self.failures = Counter(
            "celery_task_failures",
            "Attempts that failed, by the class of the error.",
            [*of, "error"],
            registry=registry,
        )

    def watch_sender(self) -> None:
        """Hear of what this process sends: once, however many apps are watched, for nobody tells whose it is."""
        self._senders += 1
        signals.before_task_publish.connect(self._note_sent, weak=False, dispatch_uid=f"holdfast.instrument.{id(self)}")

    def leave_sender(self) -> None:
        """Hear of it no longer, if this was the last app."""
        self._senders -= 1
        if not self._senders:
            signals.before_task_publish.disconnect(dispatch_uid=f"holdfast.instrument.{id(self)}")

    def _note_sent(self, sender: Any = None, headers: Any = None, routing_key: str = "", **_: Any) -> None:
        headers[SENT_HEADER] = time.time()
        headers[HEADERS_KEY] = outgoing_headers()
        self.sent.labels(self.tasks.admit(str(sender)), self.queues.admit(routing_key or "default")).inc()


_METRICS: Final = PerRegistry(TaskMetrics)


def watch_celery(app: Any, registry: CollectorRegistry = REGISTRY) -> Callable[[], None]:
    """Watch the tasks that this process sends and, if it is a worker, runs: `watch_celery(app)` where the app is made.

    Call it in senders and workers alike: a wait is known only for tasks whose sender is watched.

    Returns:
        A function that ends it for what is sent; a worker is watched until its end.
    """
    return watch_once(app, registry, lambda: _watch_app(app, _METRICS(registry)))


def _watch_app(app: Any, metrics: TaskMetrics) -> Callable[[], None]:
    def note_unknown(sender: Any = None, **_: Any) -> None:
        if sender.app is app:
            metrics.discarded.labels("unknown_task").inc()

    def note_rejected(sender: Any = None, **_: Any) -> None:
        if sender.app is app:
            metrics.discarded.labels("invalid").inc()

    def watch_requests(**_: Any) -> None:
        for task in app.tasks.values():
            task.Request = watched_request(metrics, task.Request)

    # Without a name of its own, a second call for another app or registry would be taken for the first.
    key = f"holdfast.instrument.{id(app)}.{id(metrics)}"
    metrics.watch_sender()
    signals.celeryd_after_setup.connect(watch_requests, weak=False, dispatch_uid=key)
    signals.task_unknown.connect(note_unknown, weak=False, dispatch_uid=key)
    signals.task_rejected.connect(note_rejected, weak=False, dispatch_uid=key)
    signals.task_prerun.connect(_enter_context, weak=False, dispatch_uid="holdfast.instrument")
    signals.task_postrun.connect(_leave_context, weak=False, dispatch_uid="holdfast.instrument")

    def stop() -> None:
        metrics.leave_sender()
        signals.celeryd_after_setup.disconnect(dispatch_uid=key)

    return stop


def watched_request(metrics: TaskMetrics, base: Any) -> type[Request]:
    """Make the class of a worker's requests, which hears in the worker's process of all that its children do."""
    parent: Any = Request if isinstance(base, str) else base

    class WatchedRequest(parent):  # type: ignore[misc]  # celery lets each task choose its own
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.attempt = Attempt(metrics, self)
            # Celery makes a subclass with its own `on_success` that calls nobody's; only the instance comes before it.
            self.on_success: Any = self.attempt.wrap_success(super().__getattribute__("on_success"))

        def on_accepted(self, pid: Any, time_accepted: Any) -> Any:
            self.attempt.begin()
            return super().on_accepted(pid, time_accepted)

        def on_retry(self, exc_info: Any) -> Any:
            self.attempt.end("retried")
            return super().on_retry(exc_info)

        def on_failure(self, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
            self.attempt.fail(exc_info.exception)
            return super().on_failure(exc_info, *args, **kwargs)

        def on_timeout(self, soft: bool, timeout: float) -> Any:  # noqa: FBT001 -- celery's signature
            if not soft:
                self.attempt.end("timed_out")
            return super().on_timeout(soft, timeout)

        def _announce_revoked(self, *args: Any, **kwargs: Any) -> Any:
            self.attempt.end("revoked")
            return super()._announce_revoked(*args, **kwargs)

    return WatchedRequest


_ENDS: Final = (
    (Retry, "retried"),
    (Reject, "rejected"),
    (Ignore, "ignored"),
    (WorkerLostError, "lost"),
    (TimeLimitExceeded, "timed_out"),
)
_FAILURES: Final = frozenset({"failed", "lost", "timed_out"})


class Attempt:
    """One attempt at a task, from the worker's taking it to its end; each end counts once."""

    def __init__(self, metrics: TaskMetrics, request: Any) -> None:
        self._metrics = metrics
        self._task = metrics.tasks.admit(request.name)
        self._queue = metrics.queues.admit(request.delivery_info.get("routing_key") or "default")
        sent_s = request.request_dict.get(SENT_HEADER)
        due_s = request.eta.timestamp() if request.eta is not None else 0.0
        self._due_s = max(float(sent_s), due_s) if isinstance(sent_s, int | float) else due_s or None
        self._begun_s: float | None = None
        self._is_over = False
        metrics.received.labels(self._task, self._queue).inc()
        metrics.waiting.labels(self._task).inc()

    def begin(self) -> None:
        """Note that a child works on it."""
        if self._begun_s is not None or self._is_over:
            return
        self._begun_s = time.monotonic()
        self._metrics.waiting.labels(self._task).dec()
        self._metrics.active.labels(self._task).inc()
        if self._due_s is not None:  # clocks of two machines may differ
            self._metrics.wait.labels(self._task, self._queue).observe(max(0.0, time.time() - self._due_s))

    def wrap_success(self, on_success: Callable[..., Any]) -> Callable[..., Any]:
        """Hear of the result, which may be a failure that says how long it took."""

        def told(result: tuple[Any, Any, float | None], **kwargs: Any) -> Any:
            failed, _, runtime_s = result
            if not failed:
                self.end("succeeded", runtime_s)
            return on_success(result, **kwargs)  # which hands a failure to `on_failure`

        return told

    def fail(self, error: BaseException) -> None:
        """Note an attempt that ended in an error, or in one of celery's words for other ends."""
        error = getattr(error, "exc", error) if isinstance(error, ExceptionWithTraceback) else error
        word = next((word for kind, word in _ENDS if isinstance(error, kind)), "failed")
        if word in _FAILURES and not self._is_over:
            kind = self._metrics.error_types.admit(label_error(error))
            self._metrics.failures.labels(self._task, kind).inc()
        self.end(word)

    def end(self, outcome: str, runtime_s: float | None = None) -> None:
        """Note how it ended."""
        if self._is_over:
            return
        self._is_over = True
        (self._metrics.waiting if self._begun_s is None else self._metrics.active).labels(self._task).dec()
        self._metrics.outcomes.labels(self._task, outcome).inc()
        if outcome == "retried":
            self._metrics.retries.labels(self._task).inc()
        if runtime_s is None and self._begun_s is not None:  # the child tells it for successes only
            runtime_s = time.monotonic() - self._begun_s
        if runtime_s is not None:
            self._metrics.runtime.labels(self._task).observe(runtime_s)


_RUNNING: Final[dict[str, ExitStack]] = {}


def _enter_context(task_id: str = "", task: Any = None, **_: Any) -> None:
    """Continue the sender's trace where the task runs, which may be a child of the worker."""
    carrier = task.request.get(HEADERS_KEY)
    stack = ExitStack()
    span = stack.enter_context(continued(f"run {task.name}", carrier or {}, SpanKind.CONSUMER))
    span.set_attribute("messaging.message.id", task_id)
    _RUNNING[task_id] = stack


def _leave_context(task_id: str = "", state: str | None = None, **_: Any) -> None:
    stack = _RUNNING.pop(task_id, None)
    if stack is None:
        return
    if state == "FAILURE":
        mark_failed(trace.get_current_span(), "failure")
    stack.close()
