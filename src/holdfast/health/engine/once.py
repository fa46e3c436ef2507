"""Runs checks a single time, without schedule, state or server: for `holdfast check`.

Retries and parents count as in the engine; `for` and flapping need time, so they do not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from holdfast.health.checks import Check
from holdfast.health.engine.asking import Asking, Grant
from holdfast.health.engine.results import Result
from holdfast.health.probes import Observation
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import Clock
from holdfast.resilience import bulkhead

AT_ONCE: Final = 64
_UNSURE: Final = frozenset({Verdict.DOWN, Verdict.UNKNOWN})


async def check_once(
    checks: Sequence[Check], grant: Grant, clock: Clock, *, tell: Callable[[Result], None]
) -> list[Result]:
    """Ask every check's target and give the results in the order of `checks`.

    Args:
        checks: with the parents of each among them.
        grant: says what a check's probe is allowed.
        clock: where time comes from.
        tell: is called with each result as it comes, before parents are taken into account.
    """
    slots = bulkhead(AT_ONCE, queue=len(checks))

    async def ask(check: Check) -> Result:
        result = await slots.call(_ask, check, grant, clock)
        tell(result)
        return result

    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(ask(check)) for check in checks]
    return _blame(checks, {run.result().check: run.result() for run in runs})


async def _ask(check: Check, grant: Grant, clock: Clock) -> Result:
    if check.probe is None:
        observation, attempts = Observation(Verdict.UNKNOWN, "only a running Holdfast hears its calls", 0.0), 0
    else:
        answer = await Asking(check, check.probe, grant(check), clock, _ignore).ask()
        observation, attempts = answer.observation, answer.attempts
    return Result(
        check=check.name,
        kind=check.kind,
        service=check.service,
        labels=check.labels,
        at=clock.now(),
        verdict=observation.verdict,
        observed=observation.verdict,
        message=observation.message,
        duration_s=observation.duration_s,
        phases=observation.phases,
        facts=observation.facts,
        samples=observation.samples,
        attempts=attempts,
    )


def _ignore(_: Observation) -> None:
    """Count nothing: a single run has no metrics."""


def _blame(checks: Sequence[Check], results: Mapping[str, Result]) -> list[Result]:
    """Turn a failure below a failed parent into `unknown`, from the top down."""
    judged: dict[str, Result] = {}
    parents = {check.name: check.parents for check in checks}

    def judge(name: str) -> Result:
        if name not in judged:
            result = results[name]
            culprit = next(filter(None, (_failed(judge(parent)) for parent in parents[name])), None)
            if culprit and result.verdict in _UNSURE:
                message = f"hidden by {culprit}: {result.message}"
                result = replace(
                    result, verdict=Verdict.UNKNOWN, observed=Verdict.UNKNOWN, message=message, blocked_by=culprit
                )
            judged[name] = result
        return judged[name]

    return [judge(check.name) for check in checks]


def _failed(parent: Result) -> str | None:
    return parent.blocked_by or (parent.check if parent.verdict is Verdict.DOWN else None)
