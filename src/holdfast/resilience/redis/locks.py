"""Locks kept in Redis: quick, fair, and woken by the release.

What they cannot promise: Redis copies to its replicas after it has answered, and may lose the last second of its file,
so a fail-over can give a lock to a second holder while the first still works. Only the fencing token, checked by
what is written to, tells the two apart. Where there is nothing to check it, use `holdfast.resilience.sql`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from holdfast.resilience.errors import StoreAway
from holdfast.resilience.locks.errors import Deadlock, LockQueueFull, LockStoreAway
from holdfast.resilience.locks.port import Answer, Claim, Grant, Refusal
from holdfast.resilience.redis import lock_scripts
from holdfast.resilience.redis.connections import RedisServer, Step, away, decode, heed

if TYPE_CHECKING:
    from holdfast.resilience.clocks import Clock

MAX_WAITING: Final = 1_000
LONGEST_WAIT_S: Final = 1.0


class RedisLocks:
    """Keeps locks in one Redis. A lock's fail-over time is its ttl; a release wakes the next in line at once."""

    def __init__(self, server: RedisServer, *, poll_s: float = LONGEST_WAIT_S, clock: Clock | None = None) -> None:
        """Wait at most `poll_s` for the bell; leases go by the time of Redis, or by `clock` in a test."""
        self._server = server
        self._poll_s = min(poll_s, LONGEST_WAIT_S)
        self._clock = clock
        self._claim_step = Step(server, lock_scripts.CLAIM)
        self._renew_step = Step(server, lock_scripts.RENEW)
        self._release_step = Step(server, lock_scripts.RELEASE)
        self._withdraw_step = Step(server, lock_scripts.WITHDRAW)

    async def claim_async(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        return _read_answer(claim, await _asked(self._claim_step, *self._describe(claim)))

    def claim(self, claim: Claim) -> Answer:
        """Take the lock or stand in its queue."""
        return _read_answer(claim, _asked_sync(self._claim_step, *self._describe(claim)))

    async def wait_async(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Wait for the bell."""
        try:
            await heed(self._server.asynchronous.blpop([self._bell(claim)], timeout=min(seconds, self._poll_s)))
        except RedisTimeoutError:
            return
        except (RedisError, OSError) as error:
            raise LockStoreAway(str(away(error))) from error

    def wait(self, claim: Claim, answer: Refusal, seconds: float) -> None:  # noqa: ARG002 -- the port's shape
        """Wait for the bell."""
        try:
            self._server.plain.blpop([self._bell(claim)], timeout=min(seconds, self._poll_s))
        except RedisTimeoutError:
            return
        except (RedisError, OSError) as error:
            raise LockStoreAway(str(away(error))) from error

    async def withdraw_async(self, claim: Claim) -> None:
        """Leave the queue."""
        await _asked(self._withdraw_step, claim.name, self._now_ms(), claim.owner, claim.waiter)

    def withdraw(self, claim: Claim) -> None:
        """Leave the queue."""
        _asked_sync(self._withdraw_step, claim.name, self._now_ms(), claim.owner, claim.waiter)

    async def renew_async(self, claim: Claim, token: int) -> bool:
        """Hold on."""
        return bool(await _asked(self._renew_step, claim.name, self._now_ms(), token, _in_ms(claim.ttl_s)))

    def renew(self, claim: Claim, token: int) -> bool:
        """Hold on."""
        return bool(_asked_sync(self._renew_step, claim.name, self._now_ms(), token, _in_ms(claim.ttl_s)))

    async def release_async(self, claim: Claim, token: int) -> None:
        """Give the lock back."""
        await _asked(self._release_step, claim.name, self._now_ms(), token)

    def release(self, claim: Claim, token: int) -> None:
        """Give the lock back."""
        _asked_sync(self._release_step, claim.name, self._now_ms(), token)

    def _describe(self, claim: Claim) -> tuple[str | int, ...]:
        times = (_in_ms(claim.ttl_s), _in_ms(claim.patience_s))
        return (claim.name, self._now_ms(), claim.owner, claim.waiter, *times, MAX_WAITING)

    def _now_ms(self) -> int:
        return _in_ms(self._clock.monotonic()) if self._clock else -1

    def _bell(self, claim: Claim) -> str:
        return f"{self._server.prefix}:bell:{claim.waiter}"


async def _asked(step: Step, *arguments: str | float) -> Any:
    try:
        return await step.run(*arguments)
    except StoreAway as error:
        raise LockStoreAway(str(error)) from error


def _asked_sync(step: Step, *arguments: str | float) -> Any:
    try:
        return step.run_sync(*arguments)
    except StoreAway as error:
        raise LockStoreAway(str(error)) from error


def _in_ms(seconds: float) -> int:
    return max(round(seconds * 1000), 1) if seconds > 0 else 0


def _read_answer(claim: Claim, words: Any) -> Answer:
    verdict, *rest = decode(words)
    if verdict == "granted":
        return Grant(int(rest[0]))
    if verdict == "deadlock":
        raise Deadlock(tuple(zip(rest[::2], rest[1::2], strict=True)))
    if verdict == "full":
        raise LockQueueFull(f"{MAX_WAITING} wait for the lock {claim.name!r} already: that is the bound")
    return Refusal(rest[0], int(rest[1]), float(rest[2]) / 1000)
