"""From rows to the API's documents: what is cut, counted and named for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from pydantic.errors import PydanticUserError
from sqlalchemy import Row

from holdfast.kernel.decoding import adapter
from holdfast.kernel.runs.awaited import signal_types
from holdfast.kernel.runs.documents import (
    AttemptDocument,
    ChangeDocument,
    ChildDocument,
    FailureDocument,
    LogLineDocument,
    MapDocument,
    PayloadDocument,
    PlanDocument,
    ProgressDocument,
    RunDetail,
    RunSummary,
    SignalDocument,
    StepDocument,
    StrandedDocument,
    WaitDocument,
    WorkflowDocument,
)
from holdfast.kernel.runs.lookups import PREVIEW_CHARACTERS, Progress, RunRows
from holdfast.kernel.runs.model import RunState, StepKind, StepState
from holdfast.kernel.runs.payloads import read_failure
from holdfast.kernel.runs.plans import read_step
from holdfast.kernel.runs.workflows import Workflow

SHOWN_TRACE: Final = 4000  # characters from the end, where the cause stands
BLOB: Final = '{"$blob":'  # how a row refers to a payload that is too large for it
UNDO: Final = "!undo"  # behind the key of a step: the step that undoes it
SUPERSEDED: Final = 1000  # added to the number of an attempt that was superseded by a retry or replay of the run
_SAME: Final = ("id", "workflow", "version", "queue", "priority", "concurrency_key", "service", "actor", "schedule")
_ALSO: Final = ("parent_id", "is_dry_run", "created_at", "started_at", "finished_at", "attempt_group")


def show_summary(run: Row[Any], progress: Progress | None = None) -> RunSummary:
    """Give a run as lists show it."""
    return RunSummary(**_summarise(run), progress=_show_progress(progress) if progress is not None else None)


def show_detail(rows: RunRows) -> RunDetail:
    """Give a run on its own page."""
    run = rows.run
    return RunDetail(
        **_summarise(run),
        input=_show_cut(run, "input") or PayloadDocument(None, 4, is_cut=False, preview="null"),
        output=_show_cut(run, "result") if run.state == RunState.SUCCEEDED else None,
        owner=run.owner,
        recoveries=run.recoveries,
        cancelled_by=run.cancel_actor,
        cancel_reason=run.cancel_reason,
        steps=rows.counts,
        maps=[_show_map(step, rows.items[step.key]) for step in rows.notable if step.key in rows.items],
        signals=[show_signal(signal) for signal in rows.signals],
        children=[
            ChildDocument(child.id, child.workflow, RunState(child.state), child.parent_key) for child in rows.children
        ],
        compensations=_count(step.state for step in rows.notable if step.kind == StepKind.COMPENSATION),
        queries=sorted(orjson.loads(run.published)) if run.published else [],
        stranded=_show_stranded(run),
        plan=[plan for step in rows.notable if run.is_dry_run and (plan := show_plan(step))],
    )


def show_signal(signal: Row[Any]) -> SignalDocument:
    """Give a signal that a run got."""
    return SignalDocument(
        id=signal.id,
        name=signal.name,
        actor=signal.actor,
        at=signal.at,
        payload=show_payload(signal.payload) if signal.payload not in {None, "null"} else None,
        key=signal.dedupe_key,
        taken_by=signal.taken_by,
        refused=signal.refused,
    )


def show_step(
    step: Row[Any],
    attempts: Sequence[Row[Any]] = (),
    items: Mapping[str, int] | None = None,
    *,
    is_dry_run: bool = False,
) -> StepDocument:
    """Give a step as the timeline and the graph show it; its result may have been cut by the lookup."""
    finished = step.finished_at
    has_output = finished is not None and step.error is None
    return StepDocument(
        key=step.key,
        name=step.name,
        parent=step.parent or None,
        kind=StepKind(step.kind),
        state=StepState(step.state),
        order=step.position,
        attempt_group=step.attempt_group,
        started_at=step.started_at,
        finished_at=finished,
        duration_s=(finished - step.started_at).total_seconds() if finished else None,
        attempt_count=step.attempts,
        attempts=[show_attempt(attempt) for attempt in attempts],
        output=_show_cut(step, "result") if has_output and not is_dry_run else None,
        failure=show_failure(step.error),
        wait=_show_step_wait(step),
        items=_show_map(step, items) if items is not None else None,
        child_id=step.child_id,
        compensates=undone_key(step),
        signalled_by=step.actor,
        idempotency_key=f"{step.run_id}:{step.key}:{step.attempt_group}",
        plan=show_plan(step) if is_dry_run else None,
    )


def show_attempt(attempt: Row[Any]) -> AttemptDocument:
    """Give a try that came before the last one."""
    return AttemptDocument(
        number=attempt.attempt % SUPERSEDED,
        group=attempt.attempt_group,
        state=StepState(attempt.state),
        started_at=attempt.started_at,
        finished_at=attempt.finished_at,
        failure=show_failure(attempt.error),
    )


def show_line(line: Row[Any]) -> LogLineDocument:
    """Give a line of a run's log."""
    fields = orjson.loads(line.fields) if line.fields else {}
    return LogLineDocument(line.seq, line.at, line.step or None, line.stream, line.text, fields)


def show_failure(text: str | None) -> FailureDocument | None:
    """Give a recorded error."""
    error = read_failure(text)
    return FailureDocument(error.type, error.message, error.trace[-SHOWN_TRACE:], error.is_in_doubt) if error else None


def show_payload(text: str) -> PayloadDocument:
    """Give a JSON text whole; of one that lies in a blob, only how large it is."""
    if text.startswith(BLOB):
        return PayloadDocument(None, orjson.loads(text)["$blob"]["size_bytes"], is_cut=True, preview="")
    return PayloadDocument(orjson.loads(text), len(text), is_cut=False, preview=text[:PREVIEW_CHARACTERS])


def undone_key(step: Row[Any]) -> str | None:
    """Give the key of the step that a compensation undoes."""
    return str(step.key).removesuffix(UNDO) if step.kind == StepKind.COMPENSATION else None


def show_plan(step: Row[Any]) -> PlanDocument | None:
    """Give what a step of a dry run would do; None while it is not known, or too large to be shown."""
    if step.finished_at is None or step.error is not None or not step.result_text:
        return None
    told = orjson.loads(step.result_text)
    if not isinstance(told, dict) or "planned" not in told:
        return None
    planned = read_step(told["planned"])
    changes = [ChangeDocument(it.resource, it.action, it.note, it.diff()) for it in planned.changes]
    summary = planned.note or "; ".join(f"{it.action} {it.resource}" for it in planned.changes) or planned.kind
    return PlanDocument(planned.key, planned.kind, summary, changes)


def show_workflow(versions: Sequence[tuple[Workflow[Any, Any], str]]) -> WorkflowDocument:
    """Give a workflow, all its versions with the places that they came from, as the API shows it: its newest one."""
    workflow, source = max(versions, key=lambda pair: pair[0].version)
    return WorkflowDocument(
        name=workflow.name,
        version=workflow.version,
        versions=sorted(each.version for each, _ in versions),
        fingerprint=workflow.fingerprint,
        summary=workflow.summary,
        source=source,
        queue=workflow.queue,
        timeout_s=workflow.timeout_s,
        events=workflow.events,
        input_schema=_schema(workflow.input_type) if workflow.takes_input else {"type": "null"},
        output_schema=_schema(workflow.output_type),
        signals={name: _schema(kind) for name, kind in signal_types(workflow.fn).items()},
    )


def _show_map(step: Row[Any], counts: Mapping[str, int]) -> MapDocument:
    told = orjson.loads(step.result_text) if step.result_text else None
    return MapDocument(step.key, told.get("items") if isinstance(told, dict) else None, counts)


def _show_progress(progress: Progress) -> ProgressDocument:
    step = progress.newest
    if step.kind != StepKind.MAP:
        return ProgressDocument(progress.over, step.name, None, None)
    over = sum(count for state, count in progress.items.items() if state not in {StepState.RUNNING, StepState.WAITING})
    return ProgressDocument(progress.over, step.name, _show_map(step, progress.items).total, over)


def _schema(kind: Any) -> Mapping[str, Any]:
    try:
        schema: Mapping[str, Any] = adapter(kind).json_schema()
    except PydanticUserError:  # a type of the user's own that validates, and cannot be described
        return {}
    return schema


def _summarise(run: Row[Any]) -> dict[str, Any]:
    waits = orjson.loads(run.waits) if run.waits and run.state == RunState.WAITING else []
    return {
        **{name: getattr(run, name) for name in (*_SAME, *_ALSO)},
        "state": RunState(run.state),
        "key": run.dedupe_key,
        "due_at": run.wake_at,
        "deadline_at": run.deadline,
        "waits": [_show_wait(wait) for wait in waits],
        "failure": show_failure(run.error),
    }


def _show_wait(wait: Mapping[str, Any]) -> WaitDocument:
    until = datetime.fromisoformat(wait["until"]) if wait.get("until") else None
    return WaitDocument(StepKind(wait["kind"]), wait["name"], wait["step"], None, until)


def _show_stranded(run: Row[Any]) -> StrandedDocument | None:
    if run.state != RunState.STRANDED:
        return None
    error = read_failure(run.error)
    return StrandedDocument(error.message if error else "", ["finish-old", "replay", "cancel"])


def _show_step_wait(step: Row[Any]) -> WaitDocument | None:
    is_retry = step.kind == StepKind.STEP and step.wake_at is None
    if step.state != StepState.WAITING or is_retry or step.kind in {StepKind.MAP, StepKind.COMPENSATION}:
        return None
    name = step.child_id or step.name
    return WaitDocument(StepKind(step.kind), name, step.key, step.started_at, step.wake_at)


def _show_cut(row: Row[Any], name: str) -> PayloadDocument | None:
    text: str | None = getattr(row, f"{name}_text")
    if text is not None:
        return show_payload(text)
    size: int | None = getattr(row, f"{name}_size", None)
    return PayloadDocument(None, size, is_cut=True, preview=getattr(row, f"{name}_preview")) if size else None


def _count(states: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in states:
        counts[state] = counts.get(state, 0) + 1
    return counts
