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
from typing import Final, TypeVar

T = TypeVar("T")

IDLE_S: Final = 10.0


class LeftBehind:
    """Counts the calls that go on although nobody waits for them."""

    __slots__ = ("_lock", "count", "most")

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        """Whether no more may be left behind."""
        return self.count >= self.most

    def change(self, by: int) -> None:
        """Count one more or one less."""
        with self._lock:
            self.count += by


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


def run_in_thread(work: Callable[[], T], seconds: float, left_behind: LeftBehind) -> Future[T] | None:
    """Run `work` in a thread with a copy of this context; give it when done, None if `seconds` were not enough."""
    done = start_in_thread(work)
    is_left = False
    try:
        done.exception(timeout=seconds)
    except TimeoutError:
        pass
    finally:
        if not done.done():
            left_behind.change(+1)
            done.add_done_callback(lambda _: left_behind.change(-1))  # at once if it ended in the meantime
            is_left = True
    return None if is_left else done
