"""From what somebody asks for to the run that is written: options, input, moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.events import NewEvent
from holdfast.kernel.ids import ServiceId, TenantId, new_id
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.facts import Facts
from holdfast.kernel.runs.large_payloads import LargePayloads
from holdfast.kernel.runs.model import RunId, StartOptions
from holdfast.kernel.runs.plans import RunPlan
from holdfast.kernel.runs.queues import QueueBoard, check_priority
from holdfast.kernel.runs.records import NewRun
from holdfast.kernel.runs.workflows import Workflow

STARTED: Final = "run.started"
_DEFAULTS: Final = StartOptions()


def read_options(options: StartOptions | None, fields: dict[str, Any]) -> StartOptions:
    """Give the options with `fields` in their places.

    Raises:
        InvalidError: a field is not an option.
    """
    if not fields:
        return options or _DEFAULTS
    try:
        return replace(options or _DEFAULTS, **fields)
    except TypeError as error:
        raise InvalidError(f"a run is not started with that: {error}", hint="see StartOptions") from None


def options_of_child(facts: Facts, key: str | None, queue: str | None) -> StartOptions:
    """Give the options of a child: what its parent has, and what its parent's code says."""
    return StartOptions(
        key=key,
        queue=queue,
        is_dry_run=facts.is_dry_run,
        tenant=TenantId(facts.tenant),
        actor=facts.actor,
        service=ServiceId(facts.service) if facts.service else None,
    )


class Planner:
    """Plans runs for the queues of one process."""

    def __init__(self, queues: QueueBoard, clock: Clock, payload_limit: int) -> None:
        self._queues = queues
        self._clock = clock
        self._payload_limit = payload_limit

    def plan(self, workflow: Workflow[Any, Any], given: Any, wanted: StartOptions, *, is_child: bool = False) -> NewRun:
        """Give the run to be.

        Raises:
            InvalidError: the input or an option does not fit, or the input is too large.
            NotFoundError: there is no such queue.
            ConflictError: the queue is draining.
            LimitError: the queue is full.
        """
        new = plan_run(workflow, given, wanted, self._clock.now(), self._payload_limit)
        self._queues.admit(new.queue, is_child=is_child)
        return new

    def stand_in_line(self, new: NewRun) -> None:
        """Give a run its place in its queue, and know that somebody waits there."""
        queue = self._queues.find(new.queue)
        new.rank = queue.rank(new.wake_at or new.created_at, new.priority)
        new.concurrency_key = queue.key(new.concurrency_key)
        self._queues.note_queued(new.queue, is_delayed=new.wake_at is not None)


async def keep_input(new: NewRun, large: LargePayloads) -> None:
    """Make a blob of a large input.

    Raises:
        InvalidError: the run is debounced: its input may pass to another run, to which the blob would not belong.
    """
    if new.input is None:
        return
    if new.debounce_key is not None and large.is_large(new.input):
        raise InvalidError(
            "the input of a debounced start is too large (runs.inline_limit)", hint="store it and pass its address"
        )
    new.input = await large.keep(new.input, new.tenant, new.id)


def plan_run(
    workflow: Workflow[Any, Any], given: Any, wanted: StartOptions, now: datetime, payload_limit: int
) -> NewRun:
    """Give the run to be.

    Raises:
        InvalidError: the input does not fit, or is too large.
    """
    delay_s = max(wanted.delay_s, wanted.debounce_s)
    due = now + timedelta(seconds=delay_s) if delay_s > 0 else None
    is_debounced, is_singleton = wanted.debounce_s > 0, wanted.unique == "active"
    if is_debounced and wanted.key is None:
        raise InvalidError("a start with debounce_s needs a key", hint="name what belongs together: key='reindex/42'")
    key = f"dry run of {wanted.key}" if wanted.key is not None and wanted.is_dry_run else wanted.key
    moments = [wanted.deadline] if wanted.deadline is not None else []
    if workflow.timeout_s is not None:
        moments.append((due or now) + timedelta(seconds=workflow.timeout_s))
    run_id = RunId(new_id())
    return NewRun(
        id=run_id,
        tenant=wanted.tenant,
        workflow=workflow.name,
        version=workflow.version,
        fingerprint=workflow.fingerprint,
        queue=wanted.queue or workflow.queue,
        priority=check_priority(wanted.priority),
        concurrency_key=wanted.concurrency_key,
        dedupe_key=None if is_debounced or is_singleton else key,
        input=_encode_input(workflow, given, payload_limit),
        is_dry_run=wanted.is_dry_run,
        actor=wanted.actor,
        service=wanted.service,
        parent_id=None,
        parent_key=None,
        on_cancel=None,
        created_at=now,
        wake_at=due,
        deadline=min(moments, default=None),
        singleton_key=key if is_singleton and not is_debounced else None,
        debounce_key=key if is_debounced else None,
        debounce_s=wanted.debounce_s,
        events=(_tell_start(run_id, workflow, wanted),) if workflow.events == "all" else (),
    )


def _tell_start(run_id: RunId, workflow: Workflow[Any, Any], wanted: StartOptions) -> NewEvent:
    return NewEvent(
        STARTED,
        f"run/{run_id}",
        {"workflow": workflow.name, "version": workflow.version},
        service=wanted.service,
        actor=wanted.actor,
        tenant=wanted.tenant,
        correlation_id=run_id,
    )


def as_planned(workflow: Workflow[Any, Any], wanted: StartOptions) -> Workflow[Any, Any]:
    """Give the workflow as its caller sees it: a dry run gives a `RunPlan` instead of the result."""
    return replace(workflow, output_type=RunPlan) if wanted.is_dry_run else workflow


def _encode_input(workflow: Workflow[Any, Any], given: Any, limit_bytes: int) -> str | None:
    if not workflow.takes_input:
        if given is not None:
            raise InvalidError(f"workflow {workflow.name!r} takes no input")
        return None
    what = f"the input of {workflow.name}"
    text = payloads.encode(given, what=what, limit_bytes=limit_bytes)
    payloads.decode(text, workflow.input_type, what=what)
    return text
