"""Ends work that takes too long, because a caller that waits for ever fails with what it waits for.

Async work is cancelled. Plain code cannot be: see `SyncMode` for what happens to it instead.
"""

from __future__ import annotations

from asyncio import CancelledError, Future, TimerHandle, current_task, ensure_future, get_running_loop
from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.deadlines import CURRENT, Deadline, find_tightest
from holdfast.resilience.errors import BulkheadFull, DeadlineExceeded
from holdfast.resilience.policies import Policy
from holdfast.resilience.threads import LeftBehind, LeftBehindError, run_in_thread

P = ParamSpec("P")
T = TypeVar("T")


class SyncMode(StrEnum):
    """What becomes of plain code whose time is over."""

    THREAD = "thread"
    """It runs in a thread and is left behind: its caller is freed, but it goes on to its end and its result is dropped.
    So many that go on are too many: see `timeout(left_behind=)`."""
    CHECK = "check"
    """It runs where it is called and is not interrupted: what it calls sees the deadline (`remaining`,
    `check_deadline`, retries, queues). An answer that comes late is given all the same."""


class Watch(Deadline):
    """A deadline that is kept over the task that entered it, by cancelling it.

    Where a deadline around it passes first, that one is kept, under its own name.
    """

    __slots__ = ("_alarm", "_cancelling", "_has_fired", "_whose")

    def __init__(self, name: str, seconds: float, clock: Clock) -> None:
        outer = CURRENT.get()
        super().__init__(name, seconds, clock, outer)
        self.task = task = current_task()
        if task is None:
            raise RuntimeError("a timeout needs a running task: work is ended by cancelling its task")
        self._has_fired = False
        self._cancelling = task.cancelling()
        self._alarm: TimerHandle | Future[None] | None = None
        self._whose: Deadline = self
        if outer is not None:
            self._whose = find_tightest(self) or self
        if self._whose is self:
            self._alarm = self._set_alarm(seconds, clock)
        elif self._whose.remaining_s <= 0:
            raise self._whose.exceeded()
        elif self._whose.task is not task:  # else its own alarm ends this task
            self._alarm = self._set_alarm(self._whose.remaining_s, self._whose.clock)
        CURRENT.set(self)

    def _set_alarm(self, seconds: float, clock: Clock) -> TimerHandle | Future[None]:
        if clock is SYSTEM_CLOCK:
            return get_running_loop().call_later(seconds, self._fire)
        alarm = ensure_future(clock.sleep(seconds))
        alarm.add_done_callback(lambda done: None if done.cancelled() else self._fire())
        return alarm

    def _fire(self) -> None:
        if self.task is None:
            return
        if self._whose.is_over and not self._whose.was_late:
            # The work that was to end by now has ended, and this goes on: until the next deadline.
            self._whose = find_tightest(self) or self
            self._alarm = self._set_alarm(max(0.0, self._whose.remaining_s), self._whose.clock)
            return
        self._has_fired = True
        self.task.cancel()

    def end(self, error: BaseException | None) -> DeadlineExceeded | None:
        """Stop; give the error to raise instead of the cancellation that this watch caused, if `error` is that."""
        if self._alarm is not None:
            self._alarm.cancel()
        CURRENT.set(self.outer)
        self.is_over = True
        task, self.task = self.task, None
        if error is None and not self._has_fired:
            return None
        self.finish(error)
        if self._has_fired and task is not None:
            # As asyncio.timeout does it: somebody else's cancellation must not be swallowed with ours.
            is_ours = task.uncancel() <= self._cancelling
            if is_ours and isinstance(error, CancelledError):
                return self._whose.exceeded()
        return None


class Timeout(Policy):
    """Gives work so many seconds; a policy, a decorator, and a context manager: see `timeout` and `deadline`."""

    __slots__ = ("_left_behind", "kind", "mode", "seconds")

    def __init__(self, kind: str, name: str, seconds: float, *, mode: SyncMode, left_behind: int, clock: Clock) -> None:
        if seconds <= 0:
            raise ValueError(f"{kind} of {seconds} s would never let a call happen")
        if left_behind < 1:
            raise ValueError(f"left_behind={left_behind} would refuse every plain call; give at least 1")
        super().__init__(name, clock=clock)
        self.kind = kind  # type: ignore[misc]  # one class for two words, which differ in a default only
        self.seconds = seconds
        self.mode = mode
        self._left_behind = LeftBehind(left_behind)

    def __repr__(self) -> str:
        """Show the time."""
        return f"{self.kind.capitalize()}(seconds={self.seconds:g})"

    @property
    def left_behind(self) -> int:
        """How many plain calls go on in threads although their time is over."""
        return self._left_behind.count

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Cancel `fn` after the time, which raises DeadlineExceeded; a TimeoutError of `fn` comes through as it is."""
        name, seconds, clock = self.name, self.seconds, self._clock

        async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            watch = Watch(name, seconds, clock)
            try:
                result = await fn(*args, **kwargs)
            except BaseException as error:
                if late := watch.end(error):
                    self._tell("timed_out", late, seconds=seconds)
                    raise late from error
                raise
            watch.end(None)
            return result

        return guarded

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Run `fn` as `mode` says."""
        in_thread = self.mode is SyncMode.THREAD and self._clock is SYSTEM_CLOCK

        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            deadline = self._begin_sync()
            token = CURRENT.set(deadline)
            try:
                if in_thread:
                    return self._run_in_thread(deadline, lambda: fn(*args, **kwargs))
                result = fn(*args, **kwargs)
            except BaseException as error:
                deadline.finish(error)
                raise
            finally:
                CURRENT.reset(token)
                deadline.is_over = True
            self._note_late(deadline)
            return result

        return guarded

    def _begin_sync(self) -> Deadline:
        deadline = Deadline(self.name, self.seconds, self._clock, CURRENT.get())
        tightest = find_tightest(deadline) or deadline
        if tightest.remaining_s <= 0:
            raise self._exceed(tightest)
        return deadline

    def _run_in_thread(self, deadline: Deadline, work: Callable[[], T]) -> T:
        if self._left_behind.is_full:
            self._tell("refused", left_behind=self._left_behind.count)
            told = f"{self._left_behind.count} calls that ran out of time still go on in their threads"
            raise BulkheadFull(told, policy=self.name)
        tightest = find_tightest(deadline) or deadline
        try:
            return run_in_thread(work, tightest.remaining_s, self._left_behind)
        except LeftBehindError:
            raise self._exceed(tightest) from None

    def _note_late(self, deadline: Deadline) -> None:
        tightest = find_tightest(deadline) or deadline
        if tightest.remaining_s > 0:
            return
        if self.mode is SyncMode.THREAD:  # on a clock that no thread can wait for, it is judged afterwards
            raise self._exceed(tightest)
        self._tell("overran", late_s=-tightest.remaining_s, seconds=self.seconds)

    def _exceed(self, deadline: Deadline) -> DeadlineExceeded:
        late = deadline.exceeded()
        self._tell("timed_out", late, seconds=self.seconds)
        return late

    async def __aenter__(self) -> Self:
        """Give the block so many seconds."""
        Watch(self.name, self.seconds, self._clock)  # it becomes the current deadline, where the end finds it
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Turn the cancellation that the time caused into DeadlineExceeded."""
        watch = CURRENT.get()
        if isinstance(watch, Watch) and (late := watch.end(error)):
            self._tell("timed_out", late, seconds=self.seconds)
            raise late from error

    def __enter__(self) -> Self:
        """Have a deadline in a block of plain code; it is seen, not enforced, whatever the mode."""
        CURRENT.set(self._begin_sync())
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Give the time that held before its place back."""
        deadline = CURRENT.get()
        if deadline is not None:
            CURRENT.set(deadline.outer)
            deadline.finish(error)
            if error is None and deadline.remaining_s <= 0:
                self._tell("overran", late_s=-deadline.remaining_s, seconds=self.seconds)


def timeout(
    seconds: float,
    *,
    sync: SyncMode | str = SyncMode.THREAD,
    left_behind: int = 10,
    name: str = "",
    clock: Clock = SYSTEM_CLOCK,
) -> Timeout:
    """Give each call `seconds` to finish.

    Args:
        seconds: The time; where a deadline around it passes first, that one holds.
        sync: What becomes of plain code: "thread" or "check"; see `SyncMode`.
        left_behind: How many plain calls may go on in threads after their time; more are refused with BulkheadFull.
        name: As errors, events and messages shall call it.
        clock: Where time comes from.

    Raises:
        ValueError: A number is not positive, or the mode is none.
    """
    return Timeout("timeout", name, seconds, mode=SyncMode(sync), left_behind=left_behind, clock=clock)


def deadline(seconds: float, *, name: str = "", clock: Clock = SYSTEM_CLOCK) -> Timeout:
    """Give all the work below `seconds` together: a request, a job. Like `timeout(seconds, sync="check")`.

    Everything inside sees it: `remaining()`, retries that would wait too long, timeouts that would end later, the
    header for the next service.

    Raises:
        ValueError: `seconds` is not positive.
    """
    return Timeout("deadline", name, seconds, mode=SyncMode.CHECK, left_behind=1, clock=clock)
