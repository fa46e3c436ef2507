"""Functions that fail as a script says, to see what a policy makes of it.

`fails(ConnectionError, times=2).then("up")` fails twice and then answers for ever, plainly or as `script.as_async`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock

Failure = BaseException | type[BaseException]


@dataclass(frozen=True, slots=True)
class Step:
    """What one or more calls do."""

    times: int | None
    after_s: float
    failure: Failure | None = None
    answer: Any = None

    def play(self) -> Any:
        """Fail or answer."""
        if self.failure is not None:
            raise self.failure
        return self.answer


class Script:
    """A function that does what its steps say, in turn; what comes after the last one is a mistake in the test.

    Call it in plain code, or `as_async` in async code. `calls` holds the arguments of each call.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self._clock = clock
        self._steps: list[Step] = []

    def then(self, answer: Any, *, times: int | None = None, after_s: float = 0.0) -> Script:
        """Answer, so many times or for ever, each time after `after_s` on the script's clock."""
        return self._add(Step(times, after_s, answer=answer))

    def then_fails(self, failure: Failure, *, times: int | None = 1, after_s: float = 0.0) -> Script:
        """Fail, once, so many times, or with None for ever."""
        return self._add(Step(times, after_s, failure=failure))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do the next step in plain code."""
        step = self._next(args, kwargs)
        if step.after_s:
            self._clock.sleep_sync(step.after_s)
        return step.play()

    async def as_async(self, *args: Any, **kwargs: Any) -> Any:
        """Do the next step in async code."""
        step = self._next(args, kwargs)
        if step.after_s:
            await self._clock.sleep(step.after_s)
        return step.play()

    def _add(self, step: Step) -> Script:
        if self._steps and self._steps[-1].times is None:
            raise ValueError("the step before goes on for ever: say how many times")
        self._steps.append(step)
        return self

    def _next(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step:
        self.calls.append((args, kwargs))
        left = len(self.calls)
        for step in self._steps:
            if step.times is None or left <= step.times:
                return step
            left -= step.times
        raise AssertionError(f"call number {len(self.calls)} is one more than the script has steps for")


def fails(failure: Failure, *, times: int | None = 1, after_s: float = 0.0, clock: Clock = SYSTEM_CLOCK) -> Script:
    """Begin a script with failures: one, so many, or with None for ever."""
    return Script(clock).then_fails(failure, times=times, after_s=after_s)


def answers(answer: Any, *, times: int | None = None, after_s: float = 0.0, clock: Clock = SYSTEM_CLOCK) -> Script:
    """Begin a script with answers: for ever, or so many."""
    return Script(clock).then(answer, times=times, after_s=after_s)
