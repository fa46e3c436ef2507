"""Looks at runs, their steps and their logs, page by page, without disturbing those who write."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, func, or_, select, text

from holdfast.kernel.errors import InvalidError, NotFoundError
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.model import (
    AttemptView,
    LogLine,
    Page,
    RunFilter,
    RunId,
    RunState,
    RunView,
    SignalView,
    StepKind,
    StepState,
    StepView,
)
from holdfast.kernel.runs.row_reading import view_line, view_run, view_step
from holdfast.kernel.runs.tables import RUN_ATTEMPTS, RUN_LOG, RUN_SIGNALS, RUN_STEPS, RUNS

MOST: Final = 1000


def get_run(tx: Connection, run_id: str, tenant: str | None) -> RunView:
    """Give one run.

    Raises:
        NotFoundError: there is none, or it is another tenant's.
    """
    row = tx.execute(select(RUNS).where(RUNS.c.id == run_id)).one_or_none()
    if row is None or (tenant is not None and row.tenant != tenant):
        raise NotFoundError(f"there is no run {run_id!r}")
    return view_run(row)


def list_runs(tx: Connection, tenant: str, wanted: RunFilter, cursor: str | None, limit: int) -> Page[RunView]:
    """Give runs, the newest first; the cursor is the last one's id."""
    query = _matching(select(RUNS), tenant, wanted)
    if cursor:
        query = query.where(RUNS.c.id < cursor)
    limit = max(1, min(limit, MOST))
    rows = tx.execute(query.order_by(RUNS.c.id.desc()).limit(limit + 1)).all()
    items = tuple(view_run(row) for row in rows[:limit])
    return Page(items, items[-1].id if len(rows) > limit else None)


def count_runs(tx: Connection, tenant: str) -> dict[RunState, int]:
    """Give how many runs are in each state; those that succeeded are not counted, they may be millions."""
    query = select(RUNS.c.state, func.count()).where(RUNS.c.tenant == tenant, text("state <> 'succeeded'"))
    return {RunState(state): count for state, count in tx.execute(query.group_by(RUNS.c.state))}


def list_steps(tx: Connection, run_id: str, parent: str, cursor: str | None, limit: int) -> Page[StepView]:
    """Give the steps right below `parent` in the order in which they began; a fan-out counts its items by state."""
    limit = max(1, min(limit, MOST))
    query = select(RUN_STEPS).where(RUN_STEPS.c.run_id == run_id, RUN_STEPS.c.parent == parent)
    if parent:
        query = query.where(text("parent <> ''"))
    if cursor:
        if not cursor.isdecimal():
            raise InvalidError(f"{cursor!r} is not a cursor of steps")
        query = query.where(RUN_STEPS.c.position > int(cursor))
    rows = tx.execute(query.order_by(RUN_STEPS.c.position).limit(limit + 1)).all()
    maps = [row.key for row in rows[:limit] if row.kind == StepKind.MAP]
    counts = count_items(tx, run_id, maps)
    items = tuple(view_step(row, counts.get(row.key)) for row in rows[:limit])
    return Page(items, str(items[-1].position) if len(rows) > limit else None)


def get_step(tx: Connection, run_id: str, key: str) -> StepView:
    """Give one step.

    Raises:
        NotFoundError: the run has no such step.
    """
    row = tx.execute(select(RUN_STEPS).where(RUN_STEPS.c.run_id == run_id, RUN_STEPS.c.key == key)).one_or_none()
    if row is None:
        raise NotFoundError(f"run {run_id} has no step {key!r}")
    return view_step(row, count_items(tx, run_id, [key]).get(key) if row.kind == StepKind.MAP else None)


def count_items(tx: Connection, run_id: str, maps: list[str]) -> dict[str, dict[StepState, int]]:
    """Give, for each fan-out, how many of its items are in each state."""
    if not maps:
        return {}
    c = RUN_STEPS.c
    query = select(c.parent, c.state, func.count()).where(c.run_id == run_id, c.parent.in_(maps), text("parent <> ''"))
    found: dict[str, dict[StepState, int]] = {key: {} for key in maps}
    for parent, state, count in tx.execute(query.group_by(c.parent, c.state)):
        found[parent][StepState(state)] = count
    return found


def list_attempts(tx: Connection, run_id: str, key: str) -> list[AttemptView]:
    """Give the attempts of a step that failed or were superseded, oldest first."""
    c = RUN_ATTEMPTS.c
    query = select(RUN_ATTEMPTS).where(c.run_id == run_id, c.key == key).order_by(c.started_at, c.attempt).limit(MOST)
    return [
        AttemptView(
            RunId(row.run_id),
            row.key,
            row.attempt_group,
            row.attempt % 1000,
            StepState(row.state),
            row.started_at,
            row.finished_at,
            payloads.read_failure(row.error),
        )
        for row in tx.execute(query)
    ]


def list_signals(tx: Connection, run_id: str) -> list[SignalView]:
    """Give the signals sent to a run, oldest first."""
    query = select(RUN_SIGNALS).where(RUN_SIGNALS.c.run_id == run_id).order_by(RUN_SIGNALS.c.id).limit(MOST)
    return [
        SignalView(RunId(row.run_id), row.name, payloads.decode(row.payload), row.actor, row.at, row.taken_by)
        for row in tx.execute(query)
    ]


def read_log(tx: Connection, run_id: str, after: int, limit: int) -> list[LogLine]:
    """Give lines of a run's log behind `after`, oldest first."""
    query = select(RUN_LOG).where(RUN_LOG.c.run_id == run_id, RUN_LOG.c.seq > after)
    rows = tx.execute(query.order_by(RUN_LOG.c.seq).limit(max(1, min(limit, MOST))))
    return [view_line(row) for row in rows]


def _matching(query: Select[Any], tenant: str, wanted: RunFilter) -> Select[Any]:
    query = query.where(RUNS.c.tenant == tenant)
    if wanted.states:
        query = query.where(RUNS.c.state.in_([state.value for state in wanted.states]))
        if RunState.SUCCEEDED not in wanted.states:
            query = query.where(text("state <> 'succeeded'"))
    exact = {"workflow": wanted.workflow, "queue": wanted.queue, "service": wanted.service, "parent_id": wanted.parent}
    for column, value in exact.items():
        if value:
            query = query.where(RUNS.c[column] == value)
    if wanted.text:
        like = [RUNS.c[name].contains(wanted.text, autoescape=True) for name in ("workflow", "dedupe_key", "id")]
        query = query.where(or_(*like))
    return _between(query, wanted.since, wanted.until)


def _between(query: Select[Any], since: datetime | None, until: datetime | None) -> Select[Any]:
    if since is not None:
        query = query.where(RUNS.c.created_at >= since)
    if until is not None:
        query = query.where(RUNS.c.created_at < until)
    return query
