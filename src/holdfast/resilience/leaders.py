"""Elects one leader among processes by a lease, for work that must run in one place, such as a scheduler.

A leader that dies is followed after `ttl_s` and one poll of its store (a second at most), one that steps down at the
next poll. It stops believing before the store does, but a paused process cannot: hand `token` to what is written to.
"""

from __future__ import annotations

import asyncio
import math
import threading
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.events import Listener, PolicyEvent, tell
from holdfast.resilience.locks import Held, Lock, LockError, LockLost, LockTerms, LockTimeout, current_owner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    from holdfast.resilience.locks import LockBackend

T = TypeVar("T")

__all__ = ["Election", "Leadership", "leader"]

SLICE_S: Final = 1.0  # a thread that campaigns looks up this often whether it shall end


@dataclass(frozen=True, slots=True)
class _Term:
    """One term of one leader, and what ends it."""

    held: Held
    over: asyncio.Event | threading.Event


class Leadership:
    """One candidate's part in an election: whether it leads now, and the token of its term."""

    __slots__ = ("_changed", "_changed_sync", "_failure", "_term", "candidate", "name")

    def __init__(self, name: str, candidate: str) -> None:
        self.name = name
        self.candidate = candidate
        self._term: _Term | None = None
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()
        self._changed_sync = threading.Condition()

    @property
    def is_leader(self) -> bool:
        """Whether this candidate leads; ask before each thing that only the leader may do."""
        term = self._term
        return term is not None and not term.held.is_lost

    @property
    def token(self) -> int:
        """The fencing token of this term; larger than that of every term before.

        Raises:
            LockLost: This candidate does not lead.
        """
        term = self._term
        if term is None:
            raise LockLost(f"{self.candidate!r} does not lead {self.name!r}", policy=self.name)
        term.held.check()
        return term.held.token

    def step_down(self) -> None:
        """End this term; others are elected first, this candidate stands again after `ttl_s`."""
        if self._term is not None:
            self._term.over.set()

    async def elected(self) -> int:
        """Wait until this candidate leads; give the token."""
        while not self.is_leader:
            self._raise_failure()
            self._changed.clear()
            await self._changed.wait()
        return self.token

    def elected_sync(self, timeout_s: float | None = None) -> int:
        """Wait until this candidate leads, without an event loop; give the token.

        Raises:
            LockTimeout: It did not within `timeout_s`.
        """
        with self._changed_sync:
            has_news = self._changed_sync.wait_for(lambda: self.is_leader or self._failure is not None, timeout_s)
            self._raise_failure()
            if not has_news:
                raise LockTimeout(f"{self.candidate!r} was not elected for {self.name!r} within {timeout_s} s")
            return self.token

    async def lead(self, work: Callable[[int], Awaitable[T]]) -> T:
        """Run `work(token)` whenever this candidate leads, until it returns; a lost term cancels it."""
        while True:
            token = await self.elected()
            term = self._term
            if term is None or not isinstance(term.over, asyncio.Event):
                continue
            working = asyncio.ensure_future(work(token))
            over = asyncio.ensure_future(term.over.wait())
            try:
                await asyncio.wait({working, over}, return_when=asyncio.FIRST_COMPLETED)
                if working.done():
                    return working.result()
            finally:
                over.cancel()
                working.cancel()
                await asyncio.wait({working})

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _fail(self, error: BaseException) -> None:
        """Tell who waits that there will be no election: the campaign ended by a fault that no waiting mends."""
        with self._changed_sync:
            self._failure = error
            self._changed_sync.notify_all()

    def _enter(self, term: _Term | None) -> None:
        with self._changed_sync:
            self._term = term
            self._changed_sync.notify_all()
        if term is not None and isinstance(term.over, asyncio.Event):
            self._changed.set()


class Election:
    """Campaigns in the background while its block runs: `async with` as a task, `with` as a thread; see `leader`."""

    def __init__(
        self,
        name: str,
        backend: LockBackend,
        *,
        candidate: str,
        ttl_s: float,
        clock: Clock,
        listeners: Iterable[Listener],
    ) -> None:
        self.leadership = Leadership(name, candidate or f"{current_owner()}~{uuid.uuid4().hex[:6]}")
        self._backend = backend
        self._ttl_s = ttl_s
        self._clock = clock
        self._listeners = tuple(listeners)
        self._campaign: asyncio.Task[None] | None = None
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._make_lock(wait_s=0)  # refuses wrong numbers now

    async def __aenter__(self) -> Leadership:
        """Stand for election; returns at once, elected or not."""
        self._campaign = asyncio.create_task(self._stand())
        self._campaign.add_done_callback(self._note_end)
        return self.leadership

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Step down and stand no more."""
        if self._campaign is not None:
            self._campaign.cancel()
            await asyncio.wait({self._campaign})
        if error is None:
            self.leadership._raise_failure()  # noqa: SLF001 -- the two are one thing with two faces

    def __enter__(self) -> Leadership:
        """Stand for election in a thread; returns at once, elected or not."""
        self._closed.clear()
        name = f"campaigns-for-{self.leadership.name}"
        self._thread = threading.Thread(target=self._campaign_sync, name=name, daemon=True)
        self._thread.start()
        return self.leadership

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Step down and stand no more."""
        self._closed.set()
        self.leadership.step_down()
        if self._thread is not None:
            self._thread.join()
        if error is None:
            self.leadership._raise_failure()  # noqa: SLF001 -- the two are one thing with two faces

    def _note_end(self, campaign: asyncio.Task[None]) -> None:
        error = None if campaign.cancelled() else campaign.exception()
        if error is not None:
            self.leadership._fail(error)  # noqa: SLF001 -- the two are one thing with two faces
            self.leadership._changed.set()  # noqa: SLF001 -- the same

    async def _stand(self) -> None:
        lock = self._make_lock(wait_s=math.inf)
        while True:
            try:
                held = await lock.acquire()
            except LockError as error:
                self._tell("campaign_failed", error)
                await self._clock.sleep(self._ttl_s / 3)
                continue
            over = asyncio.Event()
            held.when_lost(_ender(over))
            self._begin(_Term(held, over))
            try:
                await over.wait()
            finally:
                was_lost = self._end(held)
                await lock.release()
            if not was_lost:
                await self._clock.sleep(self._ttl_s)

    def _campaign_sync(self) -> None:
        try:
            self._stand_sync()
        except Exception as error:  # noqa: BLE001 -- the fence of a job: raised again by elected_sync and the block's end
            self.leadership._fail(error)  # noqa: SLF001 -- the two are one thing with two faces

    def _stand_sync(self) -> None:
        lock = self._make_lock(wait_s=SLICE_S)
        while not self._closed.is_set():
            try:
                held = lock.acquire_sync()
            except LockTimeout:
                continue
            except LockError as error:
                self._tell("campaign_failed", error)
                self._closed.wait(self._ttl_s / 3)
                continue
            over = threading.Event()
            held.when_lost(_ender(over))
            self._begin(_Term(held, over))
            if self._closed.is_set():
                over.set()
            over.wait()
            was_lost = self._end(held)
            lock.release_sync()
            if not was_lost:
                self._closed.wait(self._ttl_s)

    def _make_lock(self, *, wait_s: float) -> Lock:
        terms = LockTerms(ttl_s=self._ttl_s, wait_s=wait_s, owner=self.leadership.candidate)
        return Lock(self.leadership.name, self._backend, terms, clock=self._clock)

    def _begin(self, term: _Term) -> None:
        self.leadership._enter(term)  # noqa: SLF001 -- the two are one thing with two faces
        self._tell("elected", token=term.held.token)

    def _end(self, held: Held) -> bool:
        was_lost = held.is_lost
        self.leadership._enter(None)  # noqa: SLF001 -- the two are one thing with two faces
        self._tell("deposed", token=held.token, was_lost=was_lost)
        return was_lost

    def _tell(self, what: str, error: BaseException | None = None, **detail: object) -> None:
        event = PolicyEvent(
            kind="leader",
            name=self.leadership.name,
            what=what,
            at_s=self._clock.monotonic(),
            error=error,
            detail={"candidate": self.leadership.candidate, **detail},
        )
        tell(self._listeners, event)


def _ender(over: asyncio.Event | threading.Event) -> Callable[[Held], None]:
    return lambda _: over.set()


def leader(
    name: str,
    backend: LockBackend,
    *,
    candidate: str = "",
    ttl_s: float = 15.0,
    clock: Clock = SYSTEM_CLOCK,
    listeners: Iterable[Listener] = (),
) -> Election:
    """Stand for election while a block runs; the block begins at once and is given its Leadership.

    Args:
        name: What is led.
        backend: Where the lease is kept.
        candidate: Who stands; by default a name that tells host, process and task.
        ttl_s: How long a leader that does not renew is still followed; it renews three times in that.
        clock: Where waiting and the leader's own time come from.
        listeners: Whom to tell of elected, deposed and campaign_failed.

    Raises:
        ValueError: `ttl_s` is not positive, or the name is none.
    """
    return Election(name, backend, candidate=candidate, ttl_s=ttl_s, clock=clock, listeners=listeners)
