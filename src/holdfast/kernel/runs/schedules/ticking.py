"""Starts what schedules owe: one transaction per schedule moves it on and inserts its runs, so an instant starts once.

Two processes never handle a schedule at the same time (its row is locked), and what a crash leaves undone is undone as
a whole. The dedupe key of each run holds the instant, so even a clock that is set back repeats nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from holdfast import journal
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.events import EventKind, EventLog, NewEvent
from holdfast.kernel.ids import TenantId
from holdfast.kernel.runs.model import RunId
from holdfast.kernel.runs.schedules import rows
from holdfast.kernel.runs.schedules.overlapping import Verdict, judge
from holdfast.kernel.runs.schedules.planning import Plan, make_plan
from holdfast.kernel.runs.schedules.rows import Standing
from holdfast.kernel.runs.schedules.schedule import Schedule

SKIPPED: Final = EventKind(
    "schedule.skipped", "A schedule was due and started nothing: {schedule, due, count, reason}."
)
STARTED: Final = "started"
_OVERLAPPED: Final = "the run before has not ended"
_MISSED: Final = "missed while nothing ran"

_log = journal.get_logger()


class Launcher(Protocol):
    """What the ticker asks of the engine, inside its own transaction."""

    def launch(self, tx: Connection, schedule: Schedule, key: str, actor: str) -> RunId:
        """Insert a queued run; give the run that is already there when one has this dedupe key.

        Raises:
            HoldfastError: the engine refuses it: a draining or full queue, an input that does not fit.
        """
        ...

    def cancel(self, tx: Connection, run_id: RunId, actor: str, reason: str) -> None:
        """Ask a run to stop, with its compensations."""
        ...


@dataclass(frozen=True, slots=True)
class Tick:
    """What one schedule came to."""

    started: tuple[RunId, ...] = ()
    cancelled: tuple[RunId, ...] = ()


def instant_key(schedule: Schedule, due: datetime) -> str:
    """Give the dedupe key of the run of an instant."""
    return f"schedule/{schedule.name}/{due.isoformat()}"


def tick(
    tx: Connection,
    schedules: Mapping[tuple[TenantId, str], Schedule],
    spot: tuple[TenantId, str],
    now: datetime,
    launcher: Launcher,
    events: EventLog,
) -> Tick:
    """Do all that the schedule at `spot` owes at `now`.

    Nothing when another process is at it just now, or has put another definition in force.
    """
    schedule = schedules.get(spot)
    standing = rows.lock(tx, *spot, waits=False) if schedule else None
    if schedule is None or standing is None or standing.is_paused or standing.fingerprint != schedule.fingerprint:
        return Tick()
    plan = make_plan(schedule.timing, standing.next_due, now)
    active = rows.find_active(tx, *spot)
    verdict = judge(schedule, standing.held, plan.due, is_active=bool(active))
    cancelled = tuple(active) if verdict.cancels else ()
    for run_id in cancelled:
        launcher.cancel(tx, run_id, f"schedule/{schedule.name}", "the next run of its schedule is due")
    started, refusal = _launch(tx, schedule, verdict, launcher)
    after = _advance(schedule, standing, plan, verdict, started, refusal)
    if after != standing:
        rows.write(tx, after)
    _tell(tx, events, standing, after, plan, verdict)
    return Tick(started, cancelled)


def _launch(tx: Connection, schedule: Schedule, verdict: Verdict, launcher: Launcher) -> tuple[tuple[RunId, ...], str]:
    started: list[RunId] = []
    for due in verdict.start:
        try:
            started.append(launcher.launch(tx, schedule, instant_key(schedule, due), f"schedule/{schedule.name}"))
        except HoldfastError as error:  # the engine's refusal is the instant's outcome; the next one may fare better
            _log.warning("schedule.refused", schedule=schedule.name, due=due.isoformat(), error=str(error))
            return tuple(started), str(error)[:500]
    return tuple(started), ""


def _advance(
    schedule: Schedule,
    standing: Standing,
    plan: Plan,
    verdict: Verdict,
    started: tuple[RunId, ...],
    refusal: str,
) -> Standing:
    after = standing.pointed(schedule, plan.next_due)
    after = replace(after, held=verdict.held)
    if started:
        after = replace(after, last_run_id=started[-1], outcome=STARTED)
    if handled := [*verdict.start, *plan.due]:
        after = replace(after, last_due=max(handled))
    if refusal:
        return replace(after, outcome=refusal)
    if plan.missed and not started:
        return replace(after, outcome=_MISSED)
    return replace(after, outcome=_OVERLAPPED) if verdict.dropped and not started else after


def _tell(tx: Connection, events: EventLog, before: Standing, after: Standing, plan: Plan, verdict: Verdict) -> None:
    """Write an event when instants were lost; a row of skipped ones is told once, at its first."""
    count = plan.missed + verdict.dropped + (len(verdict.start) if after.outcome not in {STARTED, ""} else 0)
    if not count or (after.outcome == before.outcome != STARTED):
        return
    reason = after.outcome if after.outcome != STARTED else _MISSED if plan.missed else _OVERLAPPED
    due = after.last_due.isoformat() if after.last_due else None
    data = {"schedule": after.name, "due": due, "count": count, "reason": reason}
    events.append(tx, NewEvent(SKIPPED.name, f"schedule/{after.name}", data, tenant=after.tenant))
