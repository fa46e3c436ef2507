"""One run of a check from question to committed verdict, with parents, breaker and accounting.

When runs happen is `engine`'s business; how an observation becomes a verdict is `damping`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from holdfast.health import events
from holdfast.health.checks import Check
from holdfast.health.engine.asking import Answer
from holdfast.health.engine.damping import Standing, observe, reconsider
from holdfast.health.engine.ledger import Ledger
from holdfast.health.engine.maintenance import Calendar
from holdfast.health.engine.recents import Recent
from holdfast.health.engine.results import Result
from holdfast.health.engine.watches import Roster, Saved, Watch
from holdfast.health.metrics import HealthMetrics
from holdfast.health.probes import Observation
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import Clock
from holdfast.kernel.errors import HoldfastError
from holdfast.resilience import BreakerState, bulkhead

_QUEUE: Final = 1_000_000  # never reached: a check does not overlap itself, so as many wait as there are checks

Emit = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class _Judged:
    """What there is to write down about a check."""

    standing: Standing
    blocked_by: str | None
    message: str


class Runner:
    """Runs checks, at most `slots` at a time, and no check twice at once."""

    def __init__(
        self,
        roster: Roster,
        calendar: Calendar,
        ledger: Ledger,
        clock: Clock,
        *,
        slots: int,
        emit: Emit,
        metrics: HealthMetrics,
    ) -> None:
        self._roster = roster
        self._calendar = calendar
        self._ledger = ledger
        self._clock = clock
        self._slots = bulkhead(slots, queue=_QUEUE)
        self._emit = emit
        self._metrics = metrics

    def start(self, watch: Watch, *, due_s: float | None = None) -> asyncio.Task[Result]:
        """Begin a run of `watch`, or give the one that goes on."""
        if watch.run is None or watch.run.done():
            watch.run = asyncio.create_task(self._run(watch, due_s), name=f"check {watch.check.name}")
            watch.run.add_done_callback(partial(self._note_end, watch))
        return watch.run

    def _note_end(self, watch: Watch, run: asyncio.Task[Result]) -> None:
        if watch.run is run:
            watch.run = None
        if not run.cancelled() and run.exception() is not None:
            self._metrics.faults.inc()

    async def _run(self, watch: Watch, due_s: float | None) -> Result:
        answer = await self._ask(watch, due_s)
        observation = answer.observation
        if observation.verdict in {Verdict.DOWN, Verdict.UNKNOWN}:
            watch.breaker.record_failure()
        else:
            watch.breaker.record_success()
        if observation.verdict is Verdict.DOWN:
            await self._confirm_parents(watch)
        return await self._settle(watch, observation, answer.attempts)

    async def _ask(self, watch: Watch, due_s: float | None) -> Answer:
        answer = await self._slots.call(self._ask_now, watch, due_s)
        self._metrics.waiting.set(self._slots.waiting)
        return answer

    async def _ask_now(self, watch: Watch, due_s: float | None) -> Answer:
        watch.asked_s = self._clock.monotonic()
        if due_s is not None:
            self._metrics.lateness.observe(max(0.0, watch.asked_s - due_s))
        with self._metrics.running.track_inprogress():
            return await watch.asking.ask(is_patient=watch.breaker.state is BreakerState.CLOSED)

    async def _confirm_parents(self, watch: Watch) -> None:
        """Ask the parents anew before a check turns down: they may have failed at the same moment.

        Only when it turns: a check that stays down learns of its parents' failure from `_tell_below`.
        """
        if watch.standing.seen is Verdict.DOWN or self._roster.find_culprit(watch):
            return
        stale = [parent for parent in self._roster.parents(watch) if parent.pause is None]
        await asyncio.gather(*(self._refresh(parent, watch.asked_s) for parent in stale), return_exceptions=True)

    async def _refresh(self, watch: Watch, since_s: float) -> None:
        """Return when a run of `watch` that began at or after `since_s` has ended."""
        while watch.asked_s < since_s or (watch.run is not None and not watch.run.done()):
            await asyncio.shield(self.start(watch))

    async def _settle(self, watch: Watch, observation: Observation, attempts: int) -> Result:
        async with watch.lock:
            before = (watch.is_failing, watch.blocked_by)
            blocker = None
            if observation.verdict in {Verdict.DOWN, Verdict.UNKNOWN}:
                blocker = self._roster.find_culprit(watch)
            seen = Verdict.UNKNOWN if blocker else observation.verdict
            standing = observe(watch.standing, seen, self._clock.monotonic(), watch.damping)
            message = f"hidden by {blocker}: {observation.message}" if blocker else observation.message
            result = await self._write_down(watch, _Judged(standing, blocker, message), observation, attempts)
        if (watch.is_failing, watch.blocked_by) != before:
            await self._tell_below(watch)
        return result

    async def _judge_anew(self, watch: Watch, blocker: str) -> None:
        """Say of a check that was down that we cannot tell: the check above it fails."""
        async with watch.lock:
            if watch.pause is not None or (watch.standing.seen is not Verdict.DOWN and watch.blocked_by is None):
                return
            standing = reconsider(watch.standing, Verdict.UNKNOWN, self._clock.monotonic(), watch.damping)
            message = f"hidden by {blocker}: {watch.message.partition(': ')[2] if watch.blocked_by else watch.message}"
            observation = Observation(Verdict.UNKNOWN, message, 0.0)
            await self._write_down(watch, _Judged(standing, blocker, message), observation, 0)

    async def _tell_below(self, watch: Watch) -> None:
        below = self._roster.below(watch)
        if watch.is_failing:
            blocker = watch.blocked_by or watch.check.name
            hidden = [child for child in below if child.blocked_by != blocker and child.is_failing]
            await asyncio.gather(*(self._judge_anew(child, blocker) for child in hidden))
            return
        for child in below:
            if child.blocked_by and child.pause is None and not self._roster.find_culprit(child):
                self.start(child)

    async def _write_down(self, watch: Watch, judged: _Judged, observation: Observation, attempts: int) -> Result:
        is_maintenance = self._calendar.covering(watch.check) is not None
        shown_before = watch.standing.verdict
        standing = await self._commit(watch, judged, observation.duration_s, is_maintenance=is_maintenance)
        held_s = self._account(watch)
        is_spared = is_maintenance or watch.accounted_maintenance
        watch.accounted_maintenance = is_maintenance
        watch.standing, watch.blocked_by, watch.message = standing, judged.blocked_by, judged.message
        check = watch.check
        result = Result(
            check=check.name,
            kind=check.kind,
            service=check.service,
            labels=check.labels,
            at=self._clock.now(),
            verdict=standing.verdict,
            observed=standing.seen,
            message=judged.message,
            duration_s=observation.duration_s,
            phases=observation.phases,
            facts=observation.facts,
            samples=observation.samples,
            attempts=attempts,
            blocked_by=judged.blocked_by,
            held_verdict=Verdict.UNKNOWN if is_spared else shown_before,
            held_s=held_s,
            is_maintenance=is_maintenance,
        )
        watch.last = result if attempts else watch.last
        watch.recent.add(Recent(result.at, result.verdict, result.duration_s))
        self._emit(result)
        return result

    async def _commit(self, watch: Watch, judged: _Judged, duration_s: float, *, is_maintenance: bool) -> Standing:
        """Write a transition with its event; what cannot be written does not show, and is tried again next time."""
        before, after = watch.standing, judged.standing
        has_changed, has_turned = after.verdict is not before.verdict, after.is_flapping is not before.is_flapping
        if not has_changed and not has_turned and judged.blocked_by == watch.blocked_by:
            return after
        since = self._clock.now() if has_changed else watch.since
        details: dict[str, object] = {"duration_s": round(duration_s, 6)}
        details |= {"blocked_by": judged.blocked_by} if judged.blocked_by else {}
        details |= {"maintenance": True} if is_maintenance else {}
        news = []
        if has_changed:
            news.append(events.changed(watch.check, before.verdict, after.verdict, judged.message, details))
        if has_turned:
            news.append(events.flapping(watch.check, is_flapping=after.is_flapping))
        saved = Saved(after.verdict, since, judged.message, after.is_flapping, judged.blocked_by, watch.pause)
        try:
            await self._ledger.save_state(watch.check.name, saved, tuple(news))
        except HoldfastError:
            self._metrics.uncommitted.inc()
            return replace(after, verdict=before.verdict, is_flapping=before.is_flapping)
        watch.since = since
        if has_changed:
            self._metrics.transitions.labels(after.verdict.value).inc()
        return after

    def _account(self, watch: Watch) -> float:
        """Give the seconds for which the verdict before was true; longer silence than expected is nobody's."""
        now_s, before_s = self._clock.monotonic(), watch.accounted_s
        watch.accounted_s = now_s
        return 0.0 if before_s is None else min(now_s - before_s, longest_gap_s(watch.check, watch.breaker.reset_s))


def longest_gap_s(check: Check, breaker_s: float) -> float:
    """Give the seconds between two results that the schedule allows; more means that nobody watched."""
    attempts = check.retries.attempts + 1
    return (
        max(2 * check.every_s, 1.5 * breaker_s) + attempts * check.timeout_s + 2.0**attempts * check.retries.backoff_s
    )
