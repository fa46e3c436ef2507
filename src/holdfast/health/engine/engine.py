"""The engine: keeps the schedule, starts what is due, and answers for every check.

A run itself is `runs`; the times are `agenda`; what survives a restart goes through `ledger`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from holdfast.health import events
from holdfast.health.checks import Check, CheckBook
from holdfast.health.engine.agenda import Agenda
from holdfast.health.engine.asking import Asking, Grant
from holdfast.health.engine.damping import Damping, Standing
from holdfast.health.engine.ledger import Ledger
from holdfast.health.engine.maintenance import Calendar, ServicesOf
from holdfast.health.engine.recents import Recent, Recents
from holdfast.health.engine.results import Result
from holdfast.health.engine.runs import Emit, Runner
from holdfast.health.engine.states import CheckState
from holdfast.health.engine.upkeep import Upkeep
from holdfast.health.engine.watches import Pause, Roster, Saved, Watch
from holdfast.health.metrics import HealthMetrics
from holdfast.health.probes import Observation, Probe
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import Clock
from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import ConflictError, NotFoundError
from holdfast.resilience import breaker

_TICK_S: Final = 0.005  # due times closer together than this start together
_IDLE_S: Final = 3600.0
_BREAKER_FAILURES: Final = 3


@dataclass(frozen=True, slots=True)
class EngineParts:
    """What the engine works with.

    Attributes:
        clock: where time comes from.
        ledger: where state survives.
        emit: takes every result; must not block.
        grant: says what a check's probe is allowed.
        passive: gives the probe of a check whose kind waits to be called.
        services_of: names the services that a check attaches to.
        metrics: the engine's own.
        slots: how many checks may be asked at once.
        breaker_s: how long a fast check leaves a target alone that is down, in seconds.
    """

    clock: Clock
    ledger: Ledger
    emit: Emit
    grant: Grant
    passive: Callable[[Check], Probe]
    services_of: ServicesOf
    metrics: HealthMetrics
    slots: int = 512
    breaker_s: float = 10.0


class Engine:
    """Watches all checks of one book at a time."""

    def __init__(self, parts: EngineParts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._metrics = parts.metrics
        self._agenda = Agenda()
        self._roster = Roster()
        self._calendar = Calendar(parts.services_of)
        self.upkeep = Upkeep(self._calendar, parts.ledger, parts.clock, parts.metrics, self._wake)
        self._runner = Runner(
            self._roster,
            self._calendar,
            parts.ledger,
            parts.clock,
            slots=parts.slots,
            emit=parts.emit,
            metrics=parts.metrics,
        )
        self._memory: dict[str, Saved] = {}
        self._sleeper: asyncio.Future[None] | None = None
        self._is_recalled = False

    # What it watches

    def apply(self, book: CheckBook) -> None:
        """Watch what `book` says. A check that did not change keeps its state, its times and its run."""
        now_s = self._clock.monotonic()
        watches = {check.name: self._watch(check) for check in book.checks}
        for watch in list(self._roster):
            kept = watches.get(watch.check.name)
            if kept is not watch and watch.run is not None:
                watch.run.cancel()
            if kept is None:
                self._memory.pop(watch.check.name, None)
            if kept is None or kept.pause is not None:
                self._agenda.drop(watch.check.name)
        self._roster.replace(watches)
        for watch in watches.values():
            if watch.pause is None:
                self._agenda.put(watch.check.name, watch.check.every_s, now_s)
        self.upkeep.replace(book.windows)
        self._metrics.checks.set(len(watches))
        self._wake()

    def _watch(self, check: Check) -> Watch:
        old = self._roster.get(check.name)
        if old is not None and old.check == check:
            old.check = check
            return old
        fresh = self._new_watch(check)
        if old is not None and old.check.kind == check.kind and old.check.spec == check.spec:
            fresh.standing, fresh.since, fresh.message = old.standing, old.since, old.message
            fresh.recent, fresh.last, fresh.pause, fresh.blocked_by = old.recent, old.last, old.pause, old.blocked_by
        elif old is not None:
            fresh.pause = old.pause
        elif check.name in self._memory:
            fresh.restore(self._memory[check.name])
        return fresh

    def _new_watch(self, check: Check) -> Watch:
        probe = check.probe or self._parts.passive(check)

        def tally(observation: Observation) -> None:
            self._metrics.attempts.labels(check.kind, observation.verdict.value).inc()
            self._metrics.probe_duration.labels(check.kind).observe(observation.duration_s)

        # A slow check is asked at its own pace even while its target is down; only fast ones are slowed.
        reset_s = self._parts.breaker_s * 0.95 if check.every_s < self._parts.breaker_s else check.every_s * 0.5
        return Watch(
            check=check,
            damping=Damping(check.for_s, check.flap.threshold, check.flap.window),
            asking=Asking(check, probe, self._parts.grant(check), self._clock, tally),
            breaker=breaker(name=check.name, failures=_BREAKER_FAILURES, reset_s=reset_s, clock=self._clock),
            since=self._clock.now(),
        )

    async def recall(self) -> None:
        """Stand where the last process stood; call once, before `run`."""
        kept = await self._parts.ledger.recall()
        self._memory = dict(kept.states)
        for watch in self._roster:
            if watch.check.name in self._memory and watch.last is None:
                watch.restore(self._memory[watch.check.name])
                if watch.pause is not None:
                    self._agenda.drop(watch.check.name)
        self.upkeep.restore(kept.windows, kept.open_windows)
        self._is_recalled = True

    def remember(self, name: str, recent: Iterable[Recent]) -> None:
        """Fill in what the store knows of the time before the restart, oldest first."""
        watch = self._roster.get(name)
        if watch is not None:
            newer = list(watch.recent)
            older = [point for point in recent if not newer or point.at < newer[0].at]
            watch.recent = Recents((*older, *newer))

    # Running

    async def run(self) -> None:
        """Keep the schedule until cancelled."""
        if not self._is_recalled:
            await self.recall()
        try:
            while True:
                await self.upkeep.turn()
                self._start_due()
                await self._nap()
        finally:
            await self._stop()

    def _start_due(self) -> None:
        for due in self._agenda.take(self._clock.monotonic()):
            if due.missed:
                self._metrics.skipped.labels("missed").inc(due.missed)
            watch = self._roster.get(due.name)
            if watch is None or watch.pause is not None:
                continue
            if watch.run is not None and not watch.run.done():
                self._metrics.skipped.labels("running").inc()
            elif not watch.breaker.allow():
                self._metrics.skipped.labels("breaker_open").inc()
            else:
                self._runner.start(watch, due_s=due.at_s)

    async def _nap(self) -> None:
        next_s = self._agenda.next_s()
        wait_s = _IDLE_S if next_s is None else next_s - self._clock.monotonic()
        if self.upkeep.next_change is not None:
            wait_s = min(wait_s, (self.upkeep.next_change - self._clock.now()).total_seconds())
        self._sleeper = asyncio.ensure_future(self._clock.sleep(max(_TICK_S, min(wait_s, _IDLE_S))))
        try:
            await asyncio.wait({self._sleeper})
        finally:
            self._sleeper.cancel()
            self._sleeper = None

    def _wake(self) -> None:
        if self._sleeper is not None:
            self._sleeper.cancel()

    async def _stop(self) -> None:
        runs = [watch.run for watch in self._roster if watch.run is not None and not watch.run.done()]
        for run in runs:
            run.cancel()
        await asyncio.gather(*runs, return_exceptions=True)

    # What people ask of it

    def start_now(self, name: str) -> None:
        """Begin a run of a check as soon as there is a slot, if it is known and not paused."""
        watch = self._roster.get(name)
        if watch is not None and watch.pause is None:
            self._runner.start(watch)

    async def check_now(self, name: str) -> Result:
        """Run a check at once, or join the run that goes on, and give its result.

        Raises:
            NotFoundError: there is no such check.
            ConflictError: it is paused.
        """
        watch = self._find(name)
        if watch.pause is not None:
            raise ConflictError(f"the check {name!r} is paused", hint="resume it first")
        return await asyncio.shield(self._runner.start(watch))

    async def pause(self, name: str, by: str) -> None:
        """Stop a check until `resume`; it reads `unknown` meanwhile and its uptime is not counted.

        Raises:
            NotFoundError: there is no such check.
        """
        watch = self._find(name)
        if watch.pause is not None:
            return
        if watch.run is not None and not watch.run.done():
            watch.run.cancel()
            await asyncio.wait({watch.run})
        async with watch.lock:
            pause, now = Pause(by, self._clock.now()), self._clock.now()
            saved = Saved(Verdict.UNKNOWN, now, f"paused by {by}", pause=pause)
            await self._parts.ledger.save_state(name, saved, (events.paused(watch.check, by),))
            watch.restore(saved)
            watch.accounted_s = None
        self._agenda.drop(name)

    async def resume(self, name: str, by: str) -> None:
        """Let a paused check go on, beginning with a run at once.

        Raises:
            NotFoundError: there is no such check.
        """
        watch = self._find(name)
        if watch.pause is None:
            return
        async with watch.lock:
            saved = Saved(Verdict.UNKNOWN, self._clock.now(), "resumed, not checked yet")
            await self._parts.ledger.save_state(name, saved, (events.resumed(watch.check, by),))
            watch.restore(saved)
            watch.standing = Standing()
        self._agenda.put(name, watch.check.every_s, self._clock.monotonic())
        self.start_now(name)

    def state(self, name: str) -> CheckState:
        """Give where one check stands.

        Raises:
            NotFoundError: there is no such check.
        """
        return self._picture(self._find(name))

    def states(self) -> list[CheckState]:
        """Give where every check stands, in the order of the files."""
        return [self._picture(watch) for watch in self._roster]

    def _picture(self, watch: Watch) -> CheckState:
        due_s = self._agenda.due_s(watch.check.name)
        window = self._calendar.covering(watch.check)
        wait_s = None if due_s is None else max(0.0, due_s - self._clock.monotonic())
        return CheckState(
            check=watch.check,
            verdict=watch.standing.verdict,
            since=watch.since,
            message=watch.message,
            is_flapping=watch.standing.is_flapping,
            blocked_by=watch.blocked_by,
            pause=watch.pause,
            last=watch.last,
            recent=watch.recent,
            next_at=None if wait_s is None else self._clock.now() + timedelta(seconds=wait_s),
            breaker=watch.breaker.state,
            maintenance=window.name if window else None,
        )

    def _find(self, name: str) -> Watch:
        watch = self._roster.get(name)
        if watch is None:
            hint = suggest(name, [watch.check.name for watch in self._roster])
            raise NotFoundError(f"there is no check {name!r}", hint=hint)
        return watch
