"""Runs one plain call in a thread that its caller can stop waiting for.

Threads are kept for the next call for a while: starting one costs more than most calls. Nothing can end a thread from
outside, so a call that nobody waits for any more is counted until it ends.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Final, Generic, TypeVar

T = TypeVar("T")

IDLE_S: Final = 10.0


class LeftBehind:
    """Counts the calls that go on although nobody waits for them."""

    __slots__ = ("count", "lock", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0
        self.lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        """Whether no more may be left behind."""
        return self.count >= self.most


class _Job(Generic[T]):
    """One call and what came of it. A bare lock tells that it is done: a Future costs twice as much."""

    __slots__ = ("_context", "_done", "_error", "_left_behind", "_result", "_was_left", "_work")

    def __init__(self, work: Callable[[], T], left_behind: LeftBehind) -> None:
        self._work = work
        self._left_behind = left_behind
        self._was_left = False
        self._error: BaseException | None = None
        self._context = copy_context()
        self._done = threading.Lock()
        self._done.acquire()

    def __call__(self) -> None:
        try:
            self._result = self._context.run(self._work)
        except BaseException as error:  # noqa: BLE001 -- the fence of a job: it is raised where it is waited for
            self._error = error
        with self._left_behind.lock:
            self._done.release()
            if self._was_left:
                self._left_behind.count -= 1

    def wait(self, seconds: float) -> bool:
        """Tell whether it is done within so many seconds; what is not is left behind, also by an interrupt."""
        is_done = False
        try:
            is_done = self._done.acquire(timeout=seconds)
        finally:
            if not is_done:
                with self._left_behind.lock:
                    is_done = self._done.acquire(blocking=False)
                    if not is_done:
                        self._was_left = True
                        self._left_behind.count += 1
        return is_done

    def give(self) -> T:
        """Give the result, or raise the error, of a job that is done."""
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # an error that holds its traceback, which holds this, would live for long
        return self._result


class LeftBehindError(Exception):
    """The work goes on, and nobody waits for it any more."""


class _Thread:
    """A thread that takes one call after the other, and ends when none comes for a while."""

    __slots__ = ("_work",)

    def __init__(self) -> None:
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        threading.Thread(target=self._run, name="holdfast timeout", daemon=True).start()

    def give(self, work: Callable[[], None]) -> None:
        self._work.put(work)

    def _run(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=IDLE_S)
            except Empty:
                if _IDLE.withdraw(self):
                    return
                work = self._work.get()  # somebody took this thread in the same moment: its call is on the way
            work()
            del work
            _IDLE.offer(self)


class _Idle:
    """The threads without a call. A forked process begins with none: threads do not survive a fork."""

    __slots__ = ("_pid", "_threads")

    def __init__(self) -> None:
        self._pid = 0
        self._threads: deque[_Thread] = deque()

    def take(self) -> _Thread:
        pid = os.getpid()
        if pid != self._pid:
            self._pid, self._threads = pid, deque()
        try:
            return self._threads.pop()
        except IndexError:
            return _Thread()

    def offer(self, thread: _Thread) -> None:
        self._threads.append(thread)

    def withdraw(self, thread: _Thread) -> bool:
        try:
            self._threads.remove(thread)
        except ValueError:
            return False
        return True


_IDLE: Final = _Idle()


def start_in_thread(work: Callable[[], T]) -> Future[T]:
    """Run `work` in a thread with a copy of this context; give what will hold its answer."""
    done: Future[T] = Future()
    here = copy_context()

    def run() -> None:
        try:
            result = here.run(work)
        except BaseException as error:  # noqa: BLE001 -- the fence of a job: it is raised where it is waited for
            done.set_exception(error)
        else:
            done.set_result(result)

    _IDLE.take().give(run)
    return done


def run_in_thread(work: Callable[[], T], seconds: float, left_behind: LeftBehind) -> T:
    """Run `work` in a thread with a copy of this context and give what it gives.

    Raises:
        LeftBehindError: So many seconds were not enough; it goes on, and is counted.
    """
    job = _Job(work, left_behind)
    _IDLE.take().give(job)
    if not job.wait(seconds):
        raise LeftBehindError
    return job.give()
