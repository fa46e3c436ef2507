"""Asks a target through its probe: deadline, retries with backoff, and the fence around plugins' probes.

One call is one run with all its attempts. What the answer means for the check is decided in `damping` and `runs`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from holdfast.health.checks import Check
from holdfast.health.probes import Observation, Probe, ProbeContext
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import Clock
from holdfast.kernel.units import format_duration
from holdfast.resilience import retry, timeout

# Probes keep their own deadline and say where the time went; this one is for a plugin that does not.
_GRACE_S: Final = 0.5
_MAX_BACKOFF_S: Final = 30.0
_NOT_YET: Final = frozenset({Verdict.DOWN, Verdict.UNKNOWN})
_RANDOM: Final = random.Random()  # noqa: S311 - spreads retries, guards nothing

Grant = Callable[[Check], ProbeContext]


@dataclass(frozen=True, slots=True)
class Answer:
    """The last observation of a run, and how many attempts it took."""

    observation: Observation
    attempts: int


class _BadAttempt(Exception):  # noqa: N818 - it carries an observation to the retry policy, it is no error
    def __init__(self, observation: Observation) -> None:
        super().__init__(observation.message)
        self.observation = observation


class Asking:
    """How one check asks its target."""

    __slots__ = ("_context", "_name", "_probe", "_retry", "_tally")

    def __init__(self, check: Check, probe: Probe, context: ProbeContext, clock: Clock, tally: Tally) -> None:
        self._name = check.name
        self._probe = probe
        self._context = context
        self._tally = tally
        self._retry = retry(
            attempts=1 if check.probe is None else check.retries.attempts + 1,  # what is passive is not asked again
            base_s=check.retries.backoff_s,
            cap_s=_MAX_BACKOFF_S,
            jitter="full",
            on=(_BadAttempt,),
            clock=clock,
            rng=_RANDOM,
        )

    async def ask(self, *, is_patient: bool = True) -> Answer:
        """Make attempts until one is up or degraded, or they are used up; only one when not patient."""
        attempts = 0

        async def attempt() -> Observation:
            nonlocal attempts
            attempts += 1
            observation = await observe_within(self._probe, self._context)
            self._tally(observation)
            if observation.verdict in _NOT_YET:
                raise _BadAttempt(observation)
            return observation

        try:
            observation = await (self._retry.call(attempt) if is_patient else attempt())
        except _BadAttempt as bad:
            observation = bad.observation
        return Answer(observation, attempts)


Tally = Callable[[Observation], None]


async def observe_within(probe: Probe, context: ProbeContext) -> Observation:
    """Make one attempt; a probe that breaks or overruns its time becomes an observation too."""
    started_s = time.monotonic()
    try:
        async with timeout(context.timeout_s + _GRACE_S):
            return await probe.observe(context)
    except TimeoutError:
        message = f"no answer within {format_duration(context.timeout_s)}"
        return Observation(Verdict.DOWN, message, time.monotonic() - started_s)
    except Exception as error:  # noqa: BLE001 - the fence of plugin calls: a broken probe must not stop the others
        message = f"the probe itself failed: {type(error).__name__}: {error}"[:600]
        return Observation(Verdict.UNKNOWN, message, time.monotonic() - started_s)
