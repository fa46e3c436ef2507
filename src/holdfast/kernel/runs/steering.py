"""What people do to runs, as transactions: signal, cancel, retry, replay, and the ways out for stranded ones.

Each locks the run's row first, so that it is ordered with what the run's owner writes at the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import Connection, Row, and_, delete, insert, select, text, update

from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import ConflictError, NotFoundError
from holdfast.kernel.ids import new_id
from holdfast.kernel.runs.journal_rows import CHANNEL
from holdfast.kernel.runs.model import RunId, RunState, StepKind, StepState
from holdfast.kernel.runs.tables import RUN_ATTEMPTS, RUN_SIGNALS, RUN_STEPS, RUNS

_LIVE: Final = {RunState.QUEUED, RunState.RUNNING, RunState.WAITING, RunState.CANCELLING}
_REPLAYABLE: Final = {RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.STRANDED}
_UNDONE: Final = {StepState.COMPENSATED, StepState.COMPENSATION_FAILED}


@dataclass(frozen=True, slots=True)
class Code:
    """The code that a run is to go on with."""

    version: int
    fingerprint: str


def lock(tx: Connection, run_id: str, tenant: str | None) -> Row[Any]:
    """Give the run's row, locked until the commit.

    Raises:
        NotFoundError: there is no such run, or it is another tenant's.
    """
    row = tx.execute(select(RUNS).where(RUNS.c.id == run_id).with_for_update()).one_or_none()
    if row is None or (tenant is not None and row.tenant != tenant):
        raise NotFoundError(f"there is no run {run_id!r}")
    return row


def has_ended(row: Row[Any]) -> bool:
    """Tell whether the run is over, or put aside until people decide."""
    return RunState(row.state).is_final or row.state == RunState.STRANDED


def notify(tx: Connection, *notes: str) -> None:
    """Tell the processes that share the database."""
    if tx.dialect.name == "postgresql":
        for note in notes:
            tx.execute(text("SELECT pg_notify(:channel, :note)"), {"channel": CHANNEL, "note": note})


def send_signal(
    tx: Connection, row: Row[Any], name: str, payload: str | None, *, actor: str, key: str | None, now: datetime
) -> bool:
    """Keep a signal for the run, and wake it if it is parked for it; False when `key` was sent before.

    Raises:
        ConflictError: the run has ended.
    """
    if RunState(row.state) not in {*_LIVE, RunState.STRANDED}:
        raise ConflictError(f"run {row.id} has {row.state}: it takes no more signals")
    if key is not None:
        same = and_(RUN_SIGNALS.c.run_id == row.id, RUN_SIGNALS.c.name == name, RUN_SIGNALS.c.dedupe_key == key)
        if tx.execute(select(RUN_SIGNALS.c.id).where(same)).first() is not None:
            return False
    values = {"run_id": row.id, "id": new_id(), "name": name, "dedupe_key": key, "payload": payload}
    tx.execute(insert(RUN_SIGNALS).values(**values, actor=actor, at=now))
    is_awaited = row.waits and any(
        wait["kind"] == StepKind.SIGNAL and wait["name"] == name for wait in orjson.loads(row.waits)
    )
    if row.state == RunState.WAITING and row.owner is None and is_awaited:
        _enqueue(tx, row)
    elif row.owner is not None:
        notify(tx, f"run {row.id}")
    return True


def request_cancel(tx: Connection, row: Row[Any], actor: str, reason: str, now: datetime) -> RunState:
    """Have the run cancelled; give its state now. One that has never begun is cancelled at once.

    Raises:
        ConflictError: it has ended.
    """
    state = RunState(row.state)
    if state.is_final:
        raise ConflictError(f"run {row.id} has {state} already")
    values: dict[str, Any] = {"cancel_at": now, "cancel_actor": actor, "cancel_reason": reason[:1000]}
    if row.cancel_at is not None:
        return state
    if state is RunState.QUEUED and row.started_at is None:
        values |= {"state": RunState.CANCELLED.value, "finished_at": now, "wake_at": None}
    elif row.owner is not None:
        values |= {"state": RunState.CANCELLING.value}
        notify(tx, f"run {row.id}")
    else:
        values |= {"state": RunState.QUEUED.value, "wake_at": None}
        notify(tx, "queue")
    tx.execute(update(RUNS).where(RUNS.c.id == row.id).values(**values))
    if values["state"] == RunState.CANCELLED and row.parent_id:
        _wake_parent(tx, row.parent_id)
    return RunState(values["state"])


def cancel_children(tx: Connection, parent_id: str, actor: str, now: datetime) -> list[RunId]:
    """Have the children cancelled that are to go with their parent; give them."""
    query = select(RUNS).where(RUNS.c.parent_id == parent_id, RUNS.c.on_cancel == "cancel").order_by(RUNS.c.id)
    found = []
    for row in tx.execute(query.with_for_update()).all():
        if not RunState(row.state).is_final and row.cancel_at is None:
            request_cancel(tx, row, actor, f"its parent {parent_id} was cancelled", now)
            found.append(RunId(row.id))
    return found


def retry(tx: Connection, row: Row[Any], code: Code, now: datetime) -> None:
    """Have a failed or cancelled run go on from what failed; what was undone is done anew.

    Raises:
        ConflictError: it has not failed.
    """
    if RunState(row.state) not in {RunState.FAILED, RunState.CANCELLED}:
        raise ConflictError(f"run {row.id} is {row.state}: only failed and cancelled runs are retried")
    steps = tx.execute(select(RUN_STEPS).where(RUN_STEPS.c.run_id == row.id)).all()
    is_undone = any(StepState(step.state) in _UNDONE for step in steps)
    again = [
        step
        for step in steps
        if step.kind == StepKind.COMPENSATION or StepState(step.state) not in {StepState.SUCCEEDED, StepState.SKIPPED}
    ]
    # The same idempotency key while nothing was undone: an effect that went through after all is not had twice.
    _supersede(tx, row, again, now)
    _requeue(tx, row, code, row.attempt_group + (1 if is_undone else 0))


def replay(tx: Connection, row: Row[Any], code: Code, from_step: str | None, now: datetime) -> None:
    """Have an ended or stranded run go on from `from_step`, as a new attempt group; None means from what is missing.

    Raises:
        ConflictError: it is still under way.
        NotFoundError: it has no such step.
    """
    if RunState(row.state) not in _REPLAYABLE:
        raise ConflictError(f"run {row.id} is {row.state}: cancel it first, or wait for its end")
    steps = tx.execute(select(RUN_STEPS).where(RUN_STEPS.c.run_id == row.id).order_by(RUN_STEPS.c.position)).all()
    begin = next((step.position for step in steps if step.key == from_step), None)
    if from_step is not None and begin is None:
        raise NotFoundError(f"run {row.id} has no step {from_step!r}", hint=suggest(from_step, [s.key for s in steps]))
    again = [
        step
        for step in steps
        if (begin is not None and step.position >= begin)
        or step.kind == StepKind.COMPENSATION
        or StepState(step.state) not in {StepState.SUCCEEDED, StepState.SKIPPED}
        or (from_step or "").startswith((f"{step.key}/", f"{step.key}["))
    ]
    _supersede(tx, row, again, now)
    _requeue(tx, row, code, row.attempt_group + 1)


def undo_stranded(tx: Connection, row: Row[Any], code: Code, actor: str, now: datetime) -> None:
    """Have a stranded run cancelled, with compensation, by the code that there is."""
    _requeue(tx, row, code, row.attempt_group)
    values = {"cancel_at": now, "cancel_actor": actor, "cancel_reason": "it was stranded"}
    tx.execute(update(RUNS).where(RUNS.c.id == row.id).values(**values))


def finish_old(tx: Connection, row: Row[Any]) -> None:
    """Have a stranded run go on where it stands."""
    _requeue(tx, row, Code(row.version, row.fingerprint), row.attempt_group)


def _supersede(tx: Connection, row: Row[Any], steps: list[Row[Any]], now: datetime) -> None:
    """Move what is done anew from the steps to the attempts."""
    attempts = [
        {
            "run_id": row.id,
            "key": step.key,
            "attempt_group": row.attempt_group,
            "attempt": 1000 + step.attempts,
            "state": step.state,
            "started_at": step.started_at,
            "finished_at": step.finished_at or now,
            "result": step.result,
            "error": step.error,
        }
        for step in steps
    ]
    keys = [step.key for step in steps]
    for start in range(0, len(keys), 500):
        those = and_(RUN_STEPS.c.run_id == row.id, RUN_STEPS.c.key.in_(keys[start : start + 500]))
        tx.execute(delete(RUN_STEPS).where(those))
        old = and_(RUN_ATTEMPTS.c.run_id == row.id, RUN_ATTEMPTS.c.key.in_(keys[start : start + 500]))
        tx.execute(delete(RUN_ATTEMPTS).where(old, RUN_ATTEMPTS.c.attempt > 1000))
        tx.execute(insert(RUN_ATTEMPTS), attempts[start : start + 500])


def _requeue(tx: Connection, row: Row[Any], code: Code, attempt_group: int) -> None:
    values: dict[str, Any] = dict.fromkeys(
        ("result", "error", "finished_at", "wake_at", "waits", "cancel_at", "cancel_actor", "cancel_reason", "owner")
    )
    values |= {"state": RunState.QUEUED.value, "epoch": row.epoch + 1, "recoveries": 0, "deadline": None}
    values |= {"holds_place": False}  # it has given its place up, and asks for one again
    values |= {"version": code.version, "fingerprint": code.fingerprint, "attempt_group": attempt_group}
    tx.execute(update(RUNS).where(RUNS.c.id == row.id).values(**values))
    notify(tx, "queue")


def _enqueue(tx: Connection, row: Row[Any]) -> None:
    tx.execute(update(RUNS).where(RUNS.c.id == row.id).values(state=RunState.QUEUED.value, wake_at=None))
    notify(tx, "queue")


def _wake_parent(tx: Connection, parent_id: str) -> None:
    parent = tx.execute(select(RUNS).where(RUNS.c.id == parent_id).with_for_update()).one_or_none()
    if parent is not None and parent.state == RunState.WAITING and parent.owner is None:
        _enqueue(tx, parent)
    elif parent is not None and parent.owner is not None:
        notify(tx, f"run {parent_id}")
