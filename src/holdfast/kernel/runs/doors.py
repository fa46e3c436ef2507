"""What a run's code may ask of the engine around it; filled by `residents`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from holdfast.kernel.clock import Clock
from holdfast.kernel.runs.journal_writer import JournalWriter
from holdfast.kernel.runs.large_payloads import LargePayloads
from holdfast.kernel.runs.masking import Mask
from holdfast.kernel.runs.model import OnCancel, RunId
from holdfast.kernel.runs.places import Places
from holdfast.kernel.runs.records import NewRun, Step
from holdfast.kernel.runs.settings import RunsSettings
from holdfast.kernel.runs.timers import Timers

if TYPE_CHECKING:
    from holdfast.kernel.runs.execution import Execution
    from holdfast.kernel.runs.facts import Wait


class Doors(Protocol):
    """What executions share: time, limits, the journal, and the engine's doors."""

    worker: str
    journal: JournalWriter
    clock: Clock
    timers: Timers
    settings: RunsSettings
    places: Places
    mask: Mask
    large: LargePayloads
    is_stopping: bool

    def look(self, run: Execution) -> None:
        """See soon whether what the run waits for has come."""
        ...

    async def take_signal(self, run: Execution, wait: Wait) -> Any:
        """Look a last time for the signal of a wait that is about to time out; None if there is none."""
        ...

    def plan_child(
        self,
        run: Execution,
        workflow: Any,
        given: Any,
        on_cancel: OnCancel,
        key: str | None,
        queue: str | None,
    ) -> tuple[NewRun, Any]:
        """Give the child run to be, with its workflow."""
        ...

    async def start_child(self, run: Execution, child: NewRun) -> RunId:
        """Start it unless it was started before; give its id."""
        ...

    async def in_thread(self, call: Callable[[], Any]) -> Any:
        """Call a step's sync function in a thread."""
        ...

    async def in_workflow_thread(self, fn: Callable[..., Any], *arguments: Any) -> Any:
        """Call a sync workflow in a thread of its own."""
        ...

    def idle(self, run: Execution) -> None:
        """All branches of the run wait now."""
        ...

    def active(self, run: Execution) -> None:
        """A branch of the run goes on."""
        ...

    def step_done(self, run_id: RunId, step: Step) -> None:
        """A step has an outcome."""
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something on the side."""
        ...

    def calm(self) -> None:
        """No step of some run is at work any more."""
        ...
