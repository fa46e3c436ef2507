"""One run in memory: what its code has done already, what it waits for, and the one way to write about it.

The operations of workflow code stand in `steps`, `waits`, `children` and `fan_out`; starting and ending it in `runner`;
how its operations are told apart in `step_names`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import orjson

from holdfast.kernel.events import NewEvent
from holdfast.kernel.runs import payloads
from holdfast.kernel.runs.doors import Doors
from holdfast.kernel.runs.errors import Leave, RunCancelled
from holdfast.kernel.runs.facts import Facts, Undo, Wait
from holdfast.kernel.runs.model import Failure, RunId, RunState, StepKind, StepState
from holdfast.kernel.runs.output import RunOutput
from holdfast.kernel.runs.records import Attempt, Entry, Line, Mark, Step, Taking
from holdfast.kernel.runs.step_names import StepNames

Stopping = Literal["", "cancel", "timeout"]
LINES_PER_EPOCH: Final = 10_000_000


class Execution(StepNames):
    """The live state of one run. All its methods belong to the event loop's thread."""

    __slots__ = (
        "branches", "busy", "facts", "is_interrupted", "is_reentry", "is_replaying", "is_undoing", "journal",
        "last", "leaving", "output", "position", "protected", "queries",
        "services", "shown", "stopping", "task", "undos", "waits",
    )  # fmt: skip

    def __init__(self, facts: Facts, services: Doors, recorded: dict[str, Step] | None) -> None:
        super().__init__(recorded or {})
        self.facts = facts
        self.services = services
        self.journal = services.journal
        self.is_reentry = recorded is not None
        self.position = max((step.position for step in self.recorded.values()), default=0)
        self.last: Entry | None = None
        self.busy = 0
        self.waits: dict[str, Wait] = {}
        self.undos: list[Undo] = []
        self.branches: set[asyncio.Task[Any]] = set()
        self.queries: dict[str, Callable[[], Any]] = {}
        self.output: RunOutput | None = None
        self.task: asyncio.Task[Any] | None = None
        self.leaving: Leave | None = None
        self.stopping: Stopping = ""
        self.is_replaying = recorded is not None
        self.is_undoing = False
        self.is_interrupted = False
        self.shown = RunState.RUNNING
        self.protected = 0

    # --- going on

    def new_step(self, key: str, name: str, scope: str, kind: StepKind) -> Step:
        """Make a step that begins now."""
        self.position += 1
        now = self.services.clock.now()
        return Step(key, name, scope, kind, StepState.RUNNING, self.position, self.facts.attempt_group, now)

    async def settle(self) -> None:
        """Wait until all that this run has written is durable.

        Raises:
            Leave: it will never be; the run belongs to another process.
        """
        last = self.last
        if last is not None and (last.batch is None or not last.batch.is_settled or last.is_refused or last.fault):
            try:
                await self.journal.wait(last)
            except Leave as leave:
                self.leave(leave)
                raise
            if last.existing is not None:
                self.leave(Leave("another run has its key"))
                self.demand_life()

    async def pass_barrier(self) -> None:
        """Wait until all that this run has written is durable, and see whether its code may go on at all.

        Raises:
            Leave: the run has left this process.
            CancelledError, RunCancelled: the run is being cancelled.
        """
        self.is_replaying = False
        task = asyncio.current_task()
        if task is not self.main and task is not None and task not in self.branches:
            self.branches.add(task)
            task.add_done_callback(self.branches.discard)
        self.demand_life()
        last = self.last
        if last is not None and (last.batch is None or not last.batch.is_settled or last.is_refused or last.fault):
            await self.settle()
            self.demand_life()

    def demand_life(self) -> None:
        """Raise when the code of the run may not go on."""
        if self.services.is_stopping and self.leaving is None:
            self.leave(Leave("the process stops"))
        if self.leaving is not None:
            raise self.leaving
        if self.stopping and not self.is_undoing:
            raise asyncio.CancelledError(self.stopping)

    def has_left(self) -> bool:
        """Tell whether the run is no longer this process's to carry on."""
        return self.leaving is not None

    def leave(self, reason: Leave) -> None:
        """Take the code of this run out of the process: everything that it does from now on is refused."""
        if self.leaving is not None:
            return
        self.leaving = reason
        self._interrupt(reason)

    def stop(self, reason: Stopping) -> None:
        """Have the code end, as for a cancellation; compensations still run.

        A step that cannot be broken off cleanly is given some time to finish first.
        """
        if self.stopping or self.leaving is not None:
            return
        self.stopping = reason
        if self.protected:
            self.services.timers.after(self.services.settings.cancel_grace, self._interrupt_code)
        else:
            self._interrupt_code()

    def begin_stopped(self, reason: Stopping) -> None:
        """Have the code end where its record ends: it must first recall what it has done, to know what to undo."""
        self.stopping = reason
        self.is_interrupted = True

    def protect(self, change: int) -> None:
        """Count the steps that are not to be broken off."""
        self.protected += change
        if self.stopping and not self.protected:
            self._interrupt_code()

    def _interrupt_code(self) -> None:
        if not self.is_undoing and not self.is_interrupted and self.leaving is None:
            self.is_interrupted = True
            self._interrupt(RunCancelled(self.stopping))

    def _interrupt(self, reason: BaseException) -> None:
        for wait in self.waits.values():
            if not wait.answer.done():
                wait.answer.set_exception(reason if isinstance(reason, Leave) else asyncio.CancelledError())
                wait.answer.exception()  # the code may be gone already
        if self.main is not None and self.main is not asyncio.current_task():
            self.main.cancel()

    # --- writing

    def write(
        self,
        *,
        step: Step | None = None,
        attempt: Attempt | None = None,
        taking: Taking | None = None,
        lines: tuple[Line, ...] = (),
        mark: Mark | None = None,
        events: tuple[NewEvent, ...] = (),
        parent_id: RunId | None = None,
    ) -> Entry:
        """Hand an entry to the journal; with it goes where the run stands now, if that has changed."""
        if step is not None:
            self.recorded[step.key] = step
            mark = mark or self._standing()
            if step.finished_at is not None and step.state in {StepState.SUCCEEDED, StepState.FAILED}:
                self.services.step_done(self.facts.id, step)
        entry = Entry(self.facts.id, self.facts.epoch, None, step, mark, attempt, taking, lines, events, parent_id)
        self.last = self.journal.add(entry)
        return entry

    async def keep(self, text: str) -> str:
        """Give what a row holds for a payload: the text itself, or a reference to its blob."""
        return await self.services.large.keep(text, self.facts.tenant, self.facts.id)

    def write_line(self, step: str, stream: str, text: str, fields: Mapping[str, Any]) -> None:
        """Add a line to the run's log, soon."""
        self.open_output().line(step, stream, text, fields)

    def open_output(self) -> RunOutput:
        """Give the run's log, which takes lines from any thread; called first in the event loop's."""
        if self.output is None:
            services = self.services
            self.output = RunOutput(
                lambda lines: self.write(lines=lines),
                services.mask,
                services.clock,
                limit=services.settings.log_lines,
                first_seq=self.facts.epoch * LINES_PER_EPOCH + 1,
            )
        return self.output

    def end_output(self) -> None:
        """Hand the last lines on, before the run ends or leaves."""
        if self.output is not None:
            self.output.end()

    def _standing(self) -> Mark | None:
        is_waiting = self.busy == 0 and bool(self.waits)
        state = RunState.WAITING if is_waiting else RunState.RUNNING
        if state is self.shown and not (is_waiting and len(self.waits) <= 20):
            return None
        self.shown = state
        return self.mark(state)

    def mark(self, state: RunState, *, owner: str | None = "") -> Mark:
        """Give where the run stands, as it is written over its row; the owner stays unless another is given."""
        mark = Mark(state, self.facts_owner() if owner == "" else owner)
        if state is RunState.WAITING:
            mark.wake_at = self.wake_at()
            mark.waits = orjson.dumps([_describe(wait) for wait in self.waits.values()]).decode()
        return mark

    def facts_owner(self) -> str:
        """Give the worker that this process is."""
        return self.services.worker

    def wake_at(self) -> datetime | None:
        """Give the first moment at which something happens without anybody's doing."""
        moments = [wait.until for wait in self.waits.values() if wait.until is not None]
        if self.facts.deadline is not None:
            moments.append(self.facts.deadline)
        return min(moments, default=None)

    # --- waiting

    async def wait_for(self, wait: Wait) -> Any:
        """Wait until `wait` is answered, or its moment has come: then TimeoutError.

        While all branches of a run wait, it may be parked; then this raises `Parked`.
        """
        timer = None
        if wait.until is not None:
            pause = (wait.until - self.services.clock.now()).total_seconds()
            timer = self.services.timers.after(pause, lambda: _expire(wait))
        if self.busy == 0:
            self.services.idle(self)
        try:
            return await wait.answer
        finally:
            self.waits.pop(wait.key, None)
            self.services.active(self)
            if timer is not None:
                timer.cancel()

    def open_wait(self, kind: StepKind, name: str, key: str, until: datetime | None, payload: Any = None) -> Wait:
        """Begin to wait; call `wait_for` next."""
        answer = asyncio.get_running_loop().create_future()
        wait = self.waits[key] = Wait(kind, name, key, until, answer, payload)
        return wait

    def begin_work(self) -> None:
        """A step's code begins."""
        if not self.busy and self.waits:
            self.services.active(self)
        self.busy += 1

    def end_work(self) -> None:
        """A step's code has ended."""
        self.busy -= 1
        if not self.busy:
            if self.services.is_stopping:
                self.services.calm()
            if self.waits:
                self.services.idle(self)

    def publish(self) -> str | None:
        """Give the answers of all queries as they are now, as JSON; None without queries."""
        if not self.queries:
            return None
        answers: dict[str, Any] = {}
        for name, call in self.queries.items():
            try:
                answers[name] = orjson.loads(payloads.encode(call(), what=f"query {name!r}", limit_bytes=65_536))
            except Exception as error:  # noqa: BLE001 - the fence of a job: a query must not end the run it looks at
                answers[name] = {"error": f"{type(error).__name__}: {error}"}
        return orjson.dumps(answers).decode()


def as_text(failure: Failure | None) -> str | None:
    """Give a failure as it is kept in a row."""
    return None if failure is None else payloads.write_failure(failure)


def seconds_from(now: datetime, seconds: float) -> datetime:
    """Give the moment `seconds` after `now`."""
    return now + timedelta(seconds=seconds)


def _describe(wait: Wait) -> dict[str, Any]:
    until = wait.until.isoformat() if wait.until is not None else None
    return {"kind": wait.kind.value, "name": wait.name, "step": wait.key, "until": until}


def _expire(wait: Wait) -> None:
    if not wait.answer.done():
        wait.answer.set_exception(TimeoutError())
