"""What goes wrong with runs: errors for callers and for workflow code, and the two signals that end a task silently."""

from __future__ import annotations

from holdfast.kernel.errors import ConflictError, HoldfastError, TimedOutError
from holdfast.kernel.runs.model import Failure, RunId


class StepFailedError(HoldfastError):
    """A step has failed for good; `failure` is what was recorded, so that it is the same before and after a crash.

    While the run has not been interrupted, `__cause__` is the original exception.
    """

    code = "step_failed"

    def __init__(self, step: str, failure: Failure) -> None:
        super().__init__(f"step {step!r} failed: {failure.type}: {failure.message}")
        self.step = step
        self.failure = failure

    @property
    def type_name(self) -> str:
        """Give the qualified name of the original exception's type."""
        return self.failure.type


class StepTimedOutError(TimedOutError):
    """A step was not done in its time; whether it took effect is not known."""

    code = "step_timed_out"


class SignalTimedOutError(TimedOutError, TimeoutError):
    """Nobody sent the signal in time."""

    code = "signal_timed_out"


class RunTimedOutError(TimedOutError):
    """A run has reached its timeout or its deadline."""

    code = "run_timed_out"


class ChildFailedError(StepFailedError):
    """A child run did not succeed; `child` is its id."""

    code = "child_failed"

    def __init__(self, step: str, failure: Failure, child: RunId) -> None:
        super().__init__(step, failure)
        self.child = child


class MapFailedError(StepFailedError):
    """Items of a fan-out failed; `failures` has the first hundred by index, `count` how many there are."""

    code = "map_failed"

    def __init__(self, step: str, failures: dict[int, Failure], count: int) -> None:
        first = next(iter(failures.items()))
        text = f"{count} of its items failed, the first is [{first[0]}]: {first[1].type}: {first[1].message}"
        super().__init__(step, Failure("MapFailedError", text))
        self.failures = failures
        self.count = count


class RunFailedError(HoldfastError):
    """The run that somebody awaits has failed, or was cancelled; `failure` says why."""

    code = "run_failed"

    def __init__(self, run_id: RunId, failure: Failure) -> None:
        super().__init__(f"run {run_id} did not succeed: {failure.type}: {failure.message}")
        self.run_id = run_id
        self.failure = failure


class StrandedError(ConflictError):
    """The code of a run has changed under it, so it cannot go on by itself."""

    code = "run_stranded"


class Leave(BaseException):
    """Ends the code of a run here without an end of the run: it is parked, released, or no longer ours.

    A `BaseException`, so that workflow code which catches `Exception` does not stop it.
    """


class Parked(Leave):
    """The run waits and has left the memory."""


class FencedError(Leave):
    """Another process owns the run: this one's writes are refused."""


class RunCancelled(BaseException):
    """The run is being cancelled; raised at the next operation of its code."""
