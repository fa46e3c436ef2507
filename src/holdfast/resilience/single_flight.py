"""Lets many callers who want the same thing wait for the one who fetches it, tasks and threads alike.

Whoever comes first leads. If he fails, those who waited get his error; if he is cancelled, one of them leads instead.
Asking for what oneself is fetching is refused: it would wait for ever.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Hashable
from contextvars import ContextVar
from typing import Any, Final

from holdfast.resilience.forks import renew_after_fork

_LEADING: Final[ContextVar[tuple[Flight, ...]]] = ContextVar("holdfast_resilience_flights", default=())


class Flight:
    """One fetch under way, and who waits for it."""

    __slots__ = ("_done", "_futures", "_lock", "error", "is_abandoned", "is_outdated", "loop", "result")

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.loop = loop
        self.result: Any = None
        self.error: Exception | None = None
        self.is_abandoned = False
        self.is_outdated = False
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._futures: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def land(self) -> None:
        """Wake everybody."""
        with self._lock:
            self._done.set()
            waiting, self._futures = self._futures, []
        for loop, future in waiting:
            try:
                loop.call_soon_threadsafe(_finish, future)
            except RuntimeError:  # that loop is closed: nobody waits there any more
                continue

    def wait(self) -> None:
        """Wait in a thread."""
        self._done.wait()

    async def wait_async(self) -> None:
        """Wait in a task."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._done.is_set():
                return
            future = loop.create_future()
            self._futures.append((loop, future))
        await future


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class SingleFlight:
    """At most one fetch per key at a time. `waited` counts those who had it fetched by another."""

    __slots__ = ("__weakref__", "_flights", "_lock", "waited")

    def __init__(self) -> None:
        self.waited = 0
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight] = {}
        renew_after_fork(self._renew)

    def _renew(self) -> None:
        """Start empty: the parent's threads and tasks, which fetch, did not come along."""
        self._lock = threading.Lock()
        self._flights = {}

    def __len__(self) -> int:
        """Tell how many fetches are under way."""
        return len(self._flights)

    def is_flying(self, key: Hashable) -> bool:
        """Tell whether somebody fetches `key`."""
        return key in self._flights

    def forget(self, test: Callable[[Hashable], bool]) -> None:
        """Have the keys that pass `test` fetched anew: what is under way becomes outdated, and nobody else joins it."""
        with self._lock:
            for key in [key for key in self._flights if test(key)]:
                self._flights.pop(key).is_outdated = True

    def run(self, key: Hashable, fetch: Callable[[Flight], Any]) -> Any:
        """Fetch, or wait for who does.

        Raises:
            RuntimeError: This fetch is part of itself.
        """
        while True:
            flight, leads = self._join(key, None)
            if leads:
                return self._lead(key, flight, fetch)
            if flight.loop is not None and flight.loop is _running_loop():
                return fetch(Flight(None))  # its leader runs in this very thread: waiting would stop him
            flight.wait()
            if not flight.is_abandoned:
                return _outcome(flight)

    async def run_async(self, key: Hashable, fetch: Callable[[Flight], Awaitable[Any]]) -> Any:
        """Do as `run`, in a task."""
        while True:
            flight, leads = self._join(key, asyncio.get_running_loop())
            if leads:
                return await self._lead_async(key, flight, fetch)
            await flight.wait_async()
            if not flight.is_abandoned:
                return _outcome(flight)

    def _join(self, key: Hashable, loop: asyncio.AbstractEventLoop | None) -> tuple[Flight, bool]:
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                flight = self._flights[key] = Flight(loop)
                return flight, True
            self.waited += 1
        if flight in _LEADING.get():
            raise RuntimeError(f"fetching {key!r} asks for {key!r}: it would wait for itself")
        return flight, False

    def _lead(self, key: Hashable, flight: Flight, fetch: Callable[[Flight], Any]) -> Any:
        token = _LEADING.set((*_LEADING.get(), flight))
        try:
            flight.result = fetch(flight)
        except BaseException as error:
            _note(flight, error)
            raise
        finally:
            _LEADING.reset(token)
            self._finish(key, flight)
        return flight.result

    async def _lead_async(self, key: Hashable, flight: Flight, fetch: Callable[[Flight], Awaitable[Any]]) -> Any:
        token = _LEADING.set((*_LEADING.get(), flight))
        try:
            flight.result = await fetch(flight)
        except BaseException as error:
            _note(flight, error)
            raise
        finally:
            _LEADING.reset(token)
            self._finish(key, flight)
        return flight.result

    def _finish(self, key: Hashable, flight: Flight) -> None:
        with self._lock:
            if self._flights.get(key) is flight:
                del self._flights[key]
        flight.land()


def _note(flight: Flight, error: BaseException) -> None:
    if isinstance(error, Exception):
        flight.error = error
    else:
        flight.is_abandoned = True  # cancelled, or the process is ending: it says nothing about what was to be fetched


def _outcome(flight: Flight) -> Any:
    if flight.error is not None:
        raise flight.error
    return flight.result


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
