"""Rows of runs and steps as the engine's records and as what people are shown."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Row

from holdfast.kernel.ids import ServiceId, TenantId
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.facts import Facts
from holdfast.kernel.runs.model import (
    LogLine,
    RunId,
    RunState,
    RunView,
    StepKind,
    StepState,
    StepView,
    WaitView,
    WorkerId,
)
from holdfast.kernel.runs.records import NewRun, Step


def facts_of_row(row: Row[Any]) -> Facts:
    """Give what the engine must know of a run that it takes up again."""
    return Facts(
        id=RunId(row.id),
        tenant=row.tenant,
        epoch=row.epoch,
        attempt_group=row.attempt_group,
        actor=row.actor,
        service=row.service,
        is_dry_run=row.is_dry_run,
        deadline=row.deadline,
        queue=row.queue,
        concurrency_key=row.concurrency_key,
        parent_id=RunId(row.parent_id) if row.parent_id else None,
        created_at=row.created_at,
        started_at=row.started_at or row.created_at,
        recoveries=row.recoveries,
        schedule=row.schedule,
    )


def facts_of_new(new: NewRun) -> Facts:
    """Give the same of a run that starts here."""
    return Facts(
        id=new.id,
        tenant=new.tenant,
        epoch=1,
        attempt_group=1,
        actor=new.actor,
        service=new.service,
        is_dry_run=new.is_dry_run,
        deadline=new.deadline,
        queue=new.queue,
        concurrency_key=new.concurrency_key,
        parent_id=new.parent_id,
        created_at=new.created_at,
        started_at=new.created_at,
    )


def step_of_row(row: Row[Any]) -> Step:
    """Give the step that a row keeps."""
    return Step(
        key=row.key,
        name=row.name,
        parent=row.parent,
        kind=StepKind(row.kind),
        state=StepState(row.state),
        position=row.position,
        attempt_group=row.attempt_group,
        started_at=row.started_at,
        attempts=row.attempts,
        finished_at=row.finished_at,
        wake_at=row.wake_at,
        result=row.result,
        error=row.error,
        child=RunId(row.child_id) if row.child_id else None,
        actor=row.actor,
    )


def view_run(row: Row[Any]) -> RunView:
    """Show a run."""
    return RunView(
        id=RunId(row.id),
        tenant=TenantId(row.tenant),
        workflow=row.workflow,
        version=row.version,
        state=RunState(row.state),
        queue=row.queue,
        priority=row.priority,
        concurrency_key=row.concurrency_key or None,
        key=row.dedupe_key or row.singleton_key or row.debounce_key,
        input=payloads.decode(row.input),
        result=payloads.decode(row.result),
        error=payloads.read_failure(row.error),
        attempt=row.attempt_group,
        is_dry_run=row.is_dry_run,
        actor=row.actor,
        service=ServiceId(row.service) if row.service else None,
        parent=RunId(row.parent_id) if row.parent_id else None,
        owner=WorkerId(row.owner) if row.owner else None,
        epoch=row.epoch,
        recoveries=row.recoveries,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        wake_at=row.wake_at,
        deadline=row.deadline,
        waits=_waits(row),
        published=orjson.loads(row.published) if row.published else {},
        cancel_actor=row.cancel_actor,
        cancel_reason=row.cancel_reason,
    )


def _waits(row: Row[Any]) -> tuple[WaitView, ...]:
    if row.state != RunState.WAITING or not row.waits:
        return ()
    kinds = payloads.decode(row.waits, list[dict[str, Any]])
    return tuple(
        WaitView(
            StepKind(wait["kind"]),
            wait["name"],
            wait["step"],
            payloads.datetime_of(wait["until"]),
        )
        for wait in kinds
    )


def view_step(row: Row[Any], counts: dict[StepState, int] | None = None) -> StepView:
    """Show a step."""
    return StepView(
        run_id=RunId(row.run_id),
        key=row.key,
        name=row.name,
        parent=row.parent,
        kind=StepKind(row.kind),
        state=StepState(row.state),
        position=row.position,
        attempts=row.attempts,
        attempt_group=row.attempt_group,
        started_at=row.started_at,
        finished_at=row.finished_at,
        wake_at=row.wake_at,
        result=payloads.decode(row.result),
        error=payloads.read_failure(row.error),
        child=RunId(row.child_id) if row.child_id else None,
        actor=row.actor,
        counts=counts or {},
    )


def view_line(row: Row[Any]) -> LogLine:
    """Show a line of a run's log."""
    fields = orjson.loads(row.fields) if row.fields else {}
    return LogLine(RunId(row.run_id), row.seq, row.at, row.step, row.stream, row.text, fields)
