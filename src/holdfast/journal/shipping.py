"""Ships lines to Holdfast or any OTLP endpoint, from threads of its own: the program never waits for the network.

A line goes into a bounded queue. One thread takes batches from it to the spool on the disk; another sends what waits
there, oldest first, as long as it takes. Without a spool there is only the second, and what the queue cannot hold is
dropped and counted. Delivery is at least once: an answer that got lost makes a batch come twice.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast.journal.delivery import Delivery, Outcome
from holdfast.journal.sinks import LineSink
from holdfast.journal.spool import Spool
from holdfast.resilience import Backoff, Pauses

LONGEST_RETRY_AFTER_S: Final = 300.0
LAST_TRIES_EVERY_S: Final = 0.2

_SHIPPERS: Final[weakref.WeakSet[Shipper]] = weakref.WeakSet()
_HOOKS: Final[list[str]] = []


@dataclass(frozen=True, slots=True)
class Shipped:
    """How shipping fares, in lines: sent and taken, dropped here, refused there; what waits, and the last error."""

    sent: int
    dropped: int
    refused: int
    retries: int
    waiting: int
    spooled_bytes: int
    last_error: str


class Shipper(LineSink):
    """A sink for `configure(ship=[...])` that sends lines by OTLP/HTTP.

    Args:
        url: `http://localhost:4653`; `/v1/logs` is added where it is missing.
        service: The service of lines that name none.
        resource: Further attributes of the resource, such as `deployment.environment.name`.
        headers: Such as `{"authorization": "Bearer ..."}` or `{"x-scope-orgid": "team-a"}`.
        protocol: json or protobuf.
        spool: A folder for what waits while the server is away; None: only the queue.
        spool_bytes: How much may wait there; the oldest batches go first.
        queue_lines: How many lines wait in memory.
        batch_lines: How many go in one request.
        linger_s: How long a line waits for others.
        timeout_s: How long the server may take for one step of a request.
        exit_deadline_s: How long the end of the program waits for what is left.
        backoff: The waits between tries while the server is away.
    """

    def __init__(  # noqa: PLR0913 -- keywords with defaults; most callers give two
        self,
        url: str,
        *,
        service: str = "",
        resource: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        protocol: str = "json",
        spool: str | Path | None = None,
        spool_bytes: int = 64 << 20,
        queue_lines: int = 10_000,
        batch_lines: int = 500,
        linger_s: float = 1.0,
        timeout_s: float = 10.0,
        exit_deadline_s: float = 2.0,
        backoff: Backoff | None = None,
    ) -> None:
        if min(queue_lines, batch_lines, spool_bytes) < 1:
            raise ValueError("queue_lines, batch_lines and spool_bytes must be at least 1")
        self._lost = 0
        super().__init__()
        self._delivery = Delivery(
            url, protocol=protocol, headers=headers or {}, resource=resource or {}, timeout_s=timeout_s
        )
        self._service = service
        self._folder, self._spool_bytes = spool, spool_bytes
        if spool is not None:
            Path(spool).mkdir(parents=True, exist_ok=True)
        self._most_lines, self._batch_lines, self._linger_s = queue_lines, batch_lines, linger_s
        self._exit_deadline_s = exit_deadline_s
        self._backoff = backoff or Backoff(base_s=0.5, cap_s=30.0)
        self._sent = self._refused = self._retries = 0
        self._last_error = ""
        self._begin()
        _SHIPPERS.add(self)
        if not _HOOKS:
            _HOOKS.append("exit, fork")
            atexit.register(_close_all)
            os.register_at_fork(after_in_child=_begin_all)

    def _begin(self) -> None:
        """Begin with nothing: at first, and in a forked child, whose parent sends what waited."""
        self._queue: deque[str] = deque()
        self._lock = threading.RLock()  # reentrant: a signal handler may log while its thread is in here
        self._awake = threading.Event()
        self._spooled = threading.Event()
        self._stopping = threading.Event()
        self._give_up_at_s = float("inf")
        self._spool: Spool | None = None
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        self._in_hand = 0  # lines that are nowhere else while they are sent

    def write_line(self, line: str) -> None:
        """Queue one line; it is dropped, and counted, when the queue is full or closed."""
        with self._lock:
            if self._is_closed or len(self._queue) >= self._most_lines:
                self._lost += 1
                return
            self._queue.append(line)
            is_first, is_full = len(self._queue) == 1, len(self._queue) >= self._batch_lines
            if not self._threads:
                self._start()
        if is_first or is_full:
            self._awake.set()

    @property
    def dropped(self) -> int:
        """How many lines were lost here: by a full queue, a full spool, or an end that came too soon."""
        return self._lost + (self._spool.dropped if self._spool is not None else 0)

    @dropped.setter
    def dropped(self, count: int) -> None:
        self._lost = count

    @property
    def shipped(self) -> Shipped:
        """How it fares."""
        size = 0 if self._spool is None else self._spool.size_bytes
        return Shipped(self._sent, self.dropped, self._refused, self._retries, len(self._queue), size, self._last_error)

    def close(self, deadline_s: float = 2.0) -> None:
        """Send what is left within `deadline_s` seconds; then it stays in the spool, or is dropped and counted."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._give_up_at_s = time.monotonic() + deadline_s
        self._stopping.set()
        self._awake.set()
        for thread in self._threads:
            thread.join(max(0.0, self._give_up_at_s - time.monotonic()))
        with self._lock:
            self._lost += len(self._queue) + self._in_hand
            self._queue.clear()
        if self._spool is not None and not any(thread.is_alive() for thread in self._threads):
            self._lost += self._spool.dropped
            self._spool.close()
            self._spool = None

    def close_at_exit(self) -> None:
        """Close with the deadline of the program's end."""
        self.close(self._exit_deadline_s)

    def begin_in_child(self) -> None:
        """Begin anew in a forked process."""
        self._delivery.close()
        if self._spool is not None:
            self._spool.leave_to_parent()
        self._begin()

    def _start(self) -> None:
        """Start the threads with the first line: who configures and forks has them in the child."""
        works = [("journal-ship", self._ship_queue)]
        if self._folder is not None:
            works = [("journal-spool", self._fill_spool), ("journal-ship", self._ship_spool)]
        self._threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in works]
        for thread in self._threads:
            thread.start()

    def _take(self) -> list[str]:
        """Wait for a batch: until it is full, has lingered, or the end has come."""
        self._awake.wait()
        if len(self._queue) < self._batch_lines and not self._stopping.is_set():
            self._awake.clear()
            if 0 < len(self._queue) < self._batch_lines:
                self._awake.wait(self._linger_s)
        with self._lock:
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), self._batch_lines))]
            if not self._queue and not self._stopping.is_set():
                self._awake.clear()
            else:
                self._awake.set()
        return batch

    def _fill_spool(self) -> None:
        assert self._folder is not None
        try:
            self._spool = spool = Spool(self._folder, self._spool_bytes)
        except OSError as error:
            self._last_error = f"spool {self._folder}: {error}"
            self._spooled.set()
            return
        self._spooled.set()
        while not self._stopping.is_set() or self._queue:
            if batch := self._take():
                spool.put(batch)
                self._spooled.set()
        self._spooled.set()

    def _ship_spool(self) -> None:
        self._spooled.wait()
        while (spool := self._spool) is not None:
            found = spool.oldest()
            if found is not None:
                if not self._send(found[1]):
                    break
                spool.remove(found[0])
            elif self._stopping.is_set() and not self._threads[0].is_alive():
                break
            else:
                self._spooled.wait(0.05 if self._stopping.is_set() else 1.0)
                self._spooled.clear()
        self._delivery.close()

    def _ship_queue(self) -> None:
        while not self._stopping.is_set() or self._queue:
            batch = self._take()
            self._in_hand = len(batch)
            if batch and not self._send(batch):
                break
            self._in_hand = 0
        self._delivery.close()

    def _send(self, lines: list[str]) -> bool:
        """Send a batch until the server has it or refuses it for good; False when the end came first."""
        pauses = Pauses(self._backoff)
        while time.monotonic() < self._give_up_at_s:
            outcome = self._delivery.send(lines, self._service)
            self._last_error = outcome.error or self._last_error
            if outcome.is_too_large:
                middle = len(lines) // 2
                return self._send(lines[:middle]) and self._send(lines[middle:])
            if not outcome.is_retried:
                self._refused += outcome.refused
                self._sent += len(lines) - outcome.refused
                return True
            self._retries += 1
            if not self._wait(outcome, pauses):
                return False
        return False

    def _wait(self, outcome: Outcome, pauses: Pauses) -> bool:
        """Wait before the next try; False when the program ends, and there is none."""
        wait_s = pauses.next_s() if outcome.wait_s is None else min(outcome.wait_s, LONGEST_RETRY_AFTER_S)
        if self._stopping.wait(wait_s):
            time.sleep(min(LAST_TRIES_EVERY_S, max(0.0, self._give_up_at_s - time.monotonic())))
        return time.monotonic() < self._give_up_at_s


def _close_all() -> None:
    for shipper in list(_SHIPPERS):
        shipper.close_at_exit()


def _begin_all() -> None:
    for shipper in list(_SHIPPERS):
        shipper.begin_in_child()
