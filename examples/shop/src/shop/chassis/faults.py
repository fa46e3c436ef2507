"""Faults on command: what may be broken, for how long at most, and the switch that turns it on and off.

The effects are real (a thread burns, memory is taken, connections are held) and bounded; they live in `effects`.
`admin` is the door to it over HTTP.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from prometheus_client import Gauge
from pydantic import BaseModel, ConfigDict, Field

from shop.chassis.problems import Problem

MAX_DURATION_S = 3600.0
ANY = "any"
_active = Gauge("shop_fault_active", "1 while a fault of this kind is injected on command", ["kind"])


class InjectedError(Exception):
    """The failure that an `errors` fault causes; it reads like any other crash."""


class FaultPlan(BaseModel):
    """What is broken. The zero plan breaks nothing; each field's bound keeps the host safe."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_s: float = Field(0.0, ge=0, le=30, description="Added to each call, in seconds, give or take a tenth")
    errors: float = Field(0.0, ge=0, le=1, description="Share of calls that fail")
    cpu: float = Field(0.0, ge=0, le=0.95, description="Share of one core that is burnt")
    leak_bytes_per_s: int = Field(0, ge=0, le=64 << 20, description="Memory taken per second")
    pool_exhaust: bool = Field(default=False, description="Every database connection is held")
    bad_release: bool = Field(default=False, description="A release with a bug is running")
    dead_dependency: str | None = Field(
        None, max_length=40, description="This dependency refuses connections; `any` lets the service choose"
    )
    poison: bool = Field(default=False, description="Events that nobody can read are sent")
    for_s: float = Field(600.0, gt=0, le=MAX_DURATION_S, description="It heals by itself after so long")

    def kinds(self) -> list[str]:
        """Names of the faults that this plan turns on."""
        return [name for name in sorted(type(self).model_fields) if name != "for_s" and getattr(self, name)]


HEALTHY = FaultPlan()  # type: ignore[call-arg]  # every field has a default; mypy runs without pydantic's plugin
Effect = Callable[[FaultPlan], AbstractAsyncContextManager[None]]


class Faults:
    """The faults of one service process.

    An effect is an async context manager: entered when the plan asks for it, left when the plan ends.
    """

    def __init__(self, effects: dict[str, Effect] | None = None) -> None:
        self.plan = HEALTHY
        self._effects = dict(effects or {})
        self._dependencies: list[str] = []
        self._running = AsyncExitStack()
        self._expiry: asyncio.TimerHandle | None = None
        self._healing: asyncio.Task[None] | None = None
        self._expires_at = 0.0
        self._change = asyncio.Lock()

    def add_effect(self, kind: str, effect: Effect) -> None:
        """Say how this service suffers a kind of fault."""
        self._effects[kind] = effect

    def add_dependency(self, name: str) -> None:
        """Say that the named dependency can be cut off."""
        self._dependencies.append(name)

    async def apply(self, plan: FaultPlan) -> None:
        """Replace what is broken now with `plan`.

        Raises:
            Problem: 409 when this service cannot suffer what is asked for.
        """
        if plan.dead_dependency == ANY:
            plan = plan.model_copy(update={"dead_dependency": self._choose_dependency()})
        self._refuse_impossible(plan)
        async with self._change:
            await self._stop()
            self.plan = plan
            for kind in plan.kinds():
                _active.labels(kind).set(1)
                if kind in self._effects:
                    await self._running.enter_async_context(self._effects[kind](plan))
            loop = asyncio.get_running_loop()
            self._expires_at = loop.time() + plan.for_s
            self._expiry = loop.call_later(plan.for_s, self._expire)

    async def heal(self) -> None:
        """Break nothing any more, and give back what was held."""
        async with self._change:
            await self._stop()

    def remaining_s(self) -> float:
        """Seconds until the fault heals by itself; 0 when nothing is broken."""
        if self._expiry is None:
            return 0.0
        return max(0.0, self._expires_at - asyncio.get_running_loop().time())

    async def strike(self) -> None:
        """Suffer the latency and the errors of the plan: call it where the service's work is done.

        Raises:
            InjectedError: for the plan's share of calls.
        """
        await self.delay()
        if random.random() < self.plan.errors:
            raise InjectedError("injected by `python -m shop break`")

    async def delay(self) -> None:
        """Suffer the latency of the plan only."""
        if self.plan.latency_s:
            await asyncio.sleep(self.plan.latency_s * random.uniform(0.9, 1.1))

    def is_dead(self, dependency: str) -> bool:
        """Whether the named dependency is cut off now."""
        return self.plan.dead_dependency == dependency

    def _choose_dependency(self) -> str:
        """Another service tells more than the own database, which every service has."""
        return next((name for name in self._dependencies if name != "database"), "database")

    def _refuse_impossible(self, plan: FaultPlan) -> None:
        for kind in ("pool_exhaust", "poison"):
            if getattr(plan, kind) and kind not in self._effects:
                raise Problem(409, "fault-not-possible", f"This service has nothing to break with {kind}.")
        if plan.dead_dependency is not None and plan.dead_dependency not in self._dependencies:
            known = ", ".join(self._dependencies) or "none"
            detail = f"This service has no dependency {plan.dead_dependency!r}."
            raise Problem(409, "fault-not-possible", detail, hint=f"It has: {known}.")

    def _expire(self) -> None:
        self._healing = asyncio.get_running_loop().create_task(self.heal())

    async def _stop(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        for kind in self.plan.kinds():
            _active.labels(kind).set(0)
        self.plan = HEALTHY
        await self._running.aclose()
