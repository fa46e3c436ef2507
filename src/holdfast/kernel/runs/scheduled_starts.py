"""How schedules start runs of this engine: judged when they are put in force, planned and queued when they are due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError, Place
from holdfast.kernel.runs import steering
from holdfast.kernel.runs.model import RunId, StartOptions
from holdfast.kernel.runs.planning import plan_run
from holdfast.kernel.runs.queues import QueueBoard
from holdfast.kernel.runs.records import NewRun
from holdfast.kernel.runs.schedules import Schedule
from holdfast.kernel.runs.workflows import Registry, Workflow

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PlanRun(Protocol):
    """Gives the run to be, or raises why the engine refuses it."""

    def __call__(self, workflow: Workflow[Any, Any], given: Any, wanted: StartOptions) -> NewRun:
        """Plan a run."""
        ...


class EngineLauncher:
    """Starts and cancels runs inside the ticker's transaction."""

    def __init__(
        self, registry: Registry, plan: PlanRun, enqueue: Callable[[Connection, NewRun], RunId], clock: Clock
    ) -> None:
        self._registry = registry
        self._plan = plan
        self._enqueue = enqueue
        self._clock = clock

    def launch(self, tx: Connection, schedule: Schedule, key: str, actor: str) -> RunId:
        """Queue a run of the schedule's workflow."""
        new = self._plan(self._registry.newest(schedule.workflow), schedule.input, _options(schedule, key, actor))
        new.schedule = schedule.name
        return self._enqueue(tx, new)

    def cancel(self, tx: Connection, run_id: RunId, actor: str, reason: str) -> None:
        """Have a run cancelled; one that has ended meanwhile has ended."""
        row = steering.lock(tx, run_id, None)
        if not steering.has_ended(row):
            now = self._clock.now()
            steering.request_cancel(tx, row, actor, reason, now)
            steering.cancel_children(tx, run_id, actor, now)


def judge(schedule: Schedule, registry: Registry, queues: QueueBoard, payload_limit: int) -> None:
    """Raise what is wrong with a schedule in this process, with the field as its place.

    Raises:
        NotFoundError: its workflow or its queue is not known.
        InvalidError: its input does not fit the workflow.
    """
    with _field("workflow"):
        workflow = registry.newest(schedule.workflow)
    with _field("queue"):
        queues.find(schedule.queue or workflow.queue)
    with _field("input"):
        plan_run(workflow, schedule.input, _options(schedule, "", "system"), _NEVER, payload_limit)


@contextmanager
def _field(name: str) -> Iterator[None]:
    try:
        yield
    except HoldfastError as error:
        error.place = Place(field=name)
        raise


def _options(schedule: Schedule, key: str, actor: str) -> StartOptions:
    return StartOptions(
        key=key,
        queue=schedule.queue,
        priority=schedule.priority,
        concurrency_key=schedule.concurrency_key,
        tenant=schedule.tenant,
        actor=actor,
        service=schedule.service,
    )
