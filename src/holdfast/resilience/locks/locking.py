"""Takes a lock, keeps it while the work runs, and gives it back: as a context manager, decorator, policy or by hand.

Async holders are cancelled when the lock is lost; a thread cannot be, so sync holders ask `held.check()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, ParamSpec, Self, TypeVar

from holdfast.resilience.clocks import SYSTEM_CLOCK, Clock
from holdfast.resilience.locks.errors import Deadlock, LockStoreAway, LockTimeout
from holdfast.resilience.locks.grips import Grip, Key, find_grip
from holdfast.resilience.locks.holds import Held, Keeper, keep
from holdfast.resilience.locks.owners import current_owner
from holdfast.resilience.locks.port import Answer, Claim, Grant, LockBackend, Refusal
from holdfast.resilience.policies import Policy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable
    from types import TracebackType

    from holdfast.resilience.events import Listener

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE_S: Final = 5.0  # a waiter that died stands in the way of the others for so long at most
ASK_AGAIN_S: Final = 1.0  # several times per patience, so that one slow answer does not cost the place
SHORTEST_WAIT_S: Final = 0.001
CLEAN_UP_S: Final = 5.0
LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class LockTerms:
    """How a lock is taken and kept; see `lock` for each."""

    ttl_s: float = 30.0
    wait_s: float = 10.0
    owner: str = ""
    renew: bool = True
    reentrant: bool = False

    def __post_init__(self) -> None:
        """Refuse numbers that cannot mean anything."""
        if self.ttl_s <= 0 or self.wait_s < 0:
            raise ValueError(f"ttl_s={self.ttl_s} must be positive and wait_s={self.wait_s} not negative")


class Lock(Policy):
    """One lock by its name; see `lock`. Tasks, threads and processes may share it."""

    __slots__ = ("_backend", "terms")

    kind = "lock"

    def __init__(
        self,
        name: str,
        backend: LockBackend,
        terms: LockTerms,
        *,
        clock: Clock = SYSTEM_CLOCK,
        listeners: Iterable[Listener] = (),
    ) -> None:
        super().__init__(name, clock=clock, listeners=listeners)
        if not name or len(name) > LONGEST_NAME:
            raise ValueError(f"a lock's name has 1 to {LONGEST_NAME} characters, not {len(name)}: {name[:40]!r}")
        self._backend = backend
        self.terms = terms

    def __repr__(self) -> str:
        """Name it."""
        return f"lock({self.name!r})"

    async def acquire(self) -> Held:
        """Take the lock by hand; `await lock.release()` from the same task gives it back.

        Raises:
            LockTimeout: It was not free in time.
            Deadlock: Its holder waits for us.
            LockStoreAway: The store does not answer.
        """
        return (await self._enter()).held

    def acquire_sync(self) -> Held:
        """Do what `acquire` does, without an event loop."""
        return self._enter_sync().held

    async def release(self) -> None:
        """Give back what this task took by hand."""
        await self._leave(self._find())

    def release_sync(self) -> None:
        """Give back what this thread took by hand."""
        self._leave_sync(self._find())

    async def __aenter__(self) -> Held:
        """Take the lock; its loss cancels the block, which then raises LockLost."""
        mine = await self._enter()
        if mine.held.depth == 1:
            mine.guard_block()
        return mine.held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back; raise LockLost if it was lost and nothing else went wrong."""
        mine = self._find()
        lost = mine.held.is_lost
        if mine.held.depth > 1:
            mine.held.depth -= 1
            return
        is_ours = mine.absorbs(error)
        await self._leave(mine)
        if lost and (error is None or is_ours):
            raise mine.held.loss() from error

    def __enter__(self) -> Held:
        """Take the lock; ask `check()` of what you get before each thing that cannot be undone."""
        return self._enter_sync().held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back; raise LockLost if it was lost and nothing else went wrong."""
        mine = self._find()
        lost = mine.held.is_lost
        if mine.held.depth > 1:
            mine.held.depth -= 1
            return
        self._leave_sync(mine)
        if lost and error is None:
            raise mine.held.loss()

    def bind_async(self, fn: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        """Hold the lock during each call."""

        async def locked(*args: P.args, **kwargs: P.kwargs) -> T:
            async with self:
                return await fn(*args, **kwargs)

        return locked

    def bind_sync(self, fn: Callable[P, T]) -> Callable[P, T]:
        """Hold the lock during each call."""

        @functools.wraps(fn)
        def locked(*args: P.args, **kwargs: P.kwargs) -> T:
            with self:
                return fn(*args, **kwargs)

        return locked

    def with_name(self, name: str) -> Self:
        """Give the same kind of lock for another thing, such as one order among many."""
        return type(self)(name, self._backend, self.terms, clock=self._clock, listeners=self._listeners)

    async def _enter(self) -> Grip:
        mine = self._take_again()
        if mine is None:
            claim = self._make_claim()
            sent_s, token = await self._win(claim)
            mine = self._hold(claim, sent_s, token)
            if self.terms.renew:
                mine.keep(asyncio.create_task(keep(mine.held, self._clock)))
        return mine

    def _enter_sync(self) -> Grip:
        mine = self._take_again()
        if mine is None:
            claim = self._make_claim()
            sent_s, token = self._win_sync(claim)
            mine = self._hold(claim, sent_s, token)
            if self.terms.renew:
                mine.keep(Keeper(mine.held))
        return mine

    async def _win(self, claim: Claim) -> tuple[float, int]:
        started_s = self._clock.monotonic()
        asking: asyncio.Future[Answer] | None = None
        try:
            while True:
                sent_s = self._clock.monotonic()
                asking = asyncio.ensure_future(self._backend.claim_async(claim))
                answer = await asyncio.shield(asking)
                if isinstance(answer, Grant):
                    self._tell("acquired", waited_s=sent_s - started_s, token=answer.token)
                    return sent_s, answer.token
                wait_s = self._count_wait_s(answer, started_s)
                if wait_s <= 0:
                    break
                await self._backend.wait_async(claim, answer, wait_s)
        except Deadlock as error:
            self._tell("deadlocked", error)
            raise
        except asyncio.CancelledError:
            await self._take_back(claim, asking)
            raise
        if claim.patience_s > 0:
            await self._backend.withdraw_async(claim)
        raise self._refuse(answer)

    def _win_sync(self, claim: Claim) -> tuple[float, int]:
        started_s = self._clock.monotonic()
        try:
            while True:
                sent_s = self._clock.monotonic()
                answer = self._backend.claim(claim)
                if isinstance(answer, Grant):
                    self._tell("acquired", waited_s=sent_s - started_s, token=answer.token)
                    return sent_s, answer.token
                wait_s = self._count_wait_s(answer, started_s)
                if wait_s <= 0:
                    break
                self._backend.wait(claim, answer, wait_s)
        except Deadlock as error:
            self._tell("deadlocked", error)
            raise
        except KeyboardInterrupt:
            self._backend.withdraw(claim)
            raise
        if claim.patience_s > 0:
            self._backend.withdraw(claim)
        raise self._refuse(answer)

    async def _take_back(self, claim: Claim, asking: asyncio.Future[Answer] | None) -> None:
        """Undo a claim whose caller was cancelled; what cannot be undone in time runs out by itself."""
        with contextlib.suppress(LockStoreAway, Deadlock, TimeoutError, asyncio.CancelledError):
            async with asyncio.timeout(CLEAN_UP_S):
                answer = await asking if asking is not None else None
                if isinstance(answer, Grant):
                    await self._backend.release_async(claim, answer.token)
                else:
                    await self._backend.withdraw_async(claim)

    def _count_wait_s(self, answer: Refusal, started_s: float) -> float:
        left_s = self.terms.wait_s - (self._clock.monotonic() - started_s)
        return min(left_s, max(SHORTEST_WAIT_S, answer.free_in_s), ASK_AGAIN_S)

    def _refuse(self, answer: Refusal) -> LockTimeout:
        who = f"{answer.holder!r} holds it" if answer.holder else "it is free for whoever waits longest"
        error = LockTimeout(
            f"lock {self.name!r} was not free within {self.terms.wait_s:g} s: {who}, {answer.ahead} waiting before us",
            policy=self.name,
            retry_after_s=answer.free_in_s,
        )
        self._tell("timed_out", error, holder=answer.holder, ahead=answer.ahead)
        return error

    def _make_claim(self) -> Claim:
        owner = self.terms.owner or current_owner()
        patience_s = PATIENCE_S if self.terms.wait_s > 0 else 0.0
        return Claim(self.name, owner, uuid.uuid4().hex, self.terms.ttl_s, patience_s)

    def _key(self) -> Key:
        return id(self._backend), self.name, current_owner()

    def _take_again(self) -> Grip | None:
        mine = find_grip(self._key())
        if mine is None or not self.terms.reentrant:
            return None
        mine.held.check()
        mine.held.depth += 1
        return mine

    def _hold(self, claim: Claim, sent_s: float, token: int) -> Grip:
        held = Held(claim, token, backend=self._backend, clock=self._clock, sent_s=sent_s)
        held.when_lost(lambda lost: self._tell("lost", lost.loss(), token=token))
        return Grip(self._key(), held)

    def _find(self) -> Grip:
        mine = find_grip(self._key())
        if mine is None:
            raise RuntimeError(
                f"the lock {self.name!r} is not held by {current_owner()!r}: leave it where it was taken"
            )
        return mine

    async def _leave(self, mine: Grip) -> None:
        mine.held.depth -= 1
        if mine.held.depth > 0:
            return
        try:
            await mine.held.release()
        except LockStoreAway as error:
            self._tell("release_failed", error, token=mine.held.token)

    def _leave_sync(self, mine: Grip) -> None:
        mine.held.depth -= 1
        if mine.held.depth > 0:
            return
        try:
            mine.held.release_sync()
        except LockStoreAway as error:
            self._tell("release_failed", error, token=mine.held.token)


def lock(  # noqa: PLR0913 -- each is the caller's choice; all but two have a default
    name: str,
    backend: LockBackend,
    *,
    ttl_s: float = 30.0,
    wait_s: float = 10.0,
    owner: str = "",
    renew: bool = True,
    reentrant: bool = False,
    clock: Clock = SYSTEM_CLOCK,
    listeners: Iterable[Listener] = (),
) -> Lock:
    """Let one holder at a time do something, in all processes that share `backend`.

    Args:
        name: What is locked.
        backend: Where the lock is kept.
        ttl_s: After so many seconds without a renewal the lock is free: how long others wait for a holder that died.
        wait_s: How long to wait for the lock, first come first served; 0 asks once.
        owner: Who asks, for deadlock detection and messages; by default the running task or thread.
        renew: Whether the lock is extended while it is held, three times per `ttl_s`.
        reentrant: Whether a task or thread that holds the lock may take it again.
        clock: Where waiting and the holder's own time come from.
        listeners: Whom to tell of acquired, timed_out, deadlocked, lost and release_failed.

    Raises:
        ValueError: A number or the name is none.
    """
    terms = LockTerms(ttl_s=ttl_s, wait_s=wait_s, owner=owner, renew=renew, reentrant=reentrant)
    return Lock(name, backend, terms, clock=clock, listeners=listeners)
