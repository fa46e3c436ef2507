"""Thresholds of measured numbers, written the same way in every kind: `{warn: 80, crit: 90}`.

Above `warn` is degraded, above `crit` is down; for what runs out (`Floor`), below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, span
from holdfast.kernel.units import Duration

Percent = Annotated[float, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class PercentLimits:
    """Shares of a capacity, in percent.

    Attributes:
        warn: above it the check is degraded.
        crit: above it the check is down.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    warn: Percent | None = None
    crit: Percent | None = None


@dataclass(frozen=True, slots=True)
class DurationLimits:
    """Spans of time.

    Attributes:
        warn: above it the check is degraded.
        crit: above it the check is down.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    warn: Duration | None = None
    crit: Duration | None = None


def _read_latency(given: object) -> object:
    return {"warn": given} if isinstance(given, str) else given


# `latency: 500ms` is short for `latency: {warn: 500ms}`: what is slow works, so it is degraded and not down.
Latency = Annotated[DurationLimits, BeforeValidator(_read_latency)]


@dataclass(frozen=True, slots=True)
class CountLimits:
    """Numbers of things.

    Attributes:
        warn: above it the check is degraded.
        crit: above it the check is down.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    warn: Count | None = None
    crit: Count | None = None


@dataclass(frozen=True, slots=True)
class DaysLeft:
    """Days until something expires.

    Attributes:
        warn_days: below it the check is degraded.
        crit_days: below it the check is down.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    warn_days: Annotated[float, Field(ge=0)] = 14
    crit_days: Annotated[float, Field(ge=0)] = 3


def judge_percent(attempt: Attempt, what: str, found: float, limits: PercentLimits) -> None:
    """Note a problem if `found` percent is above a limit."""
    _judge(attempt, what, found, limits, "{:.3g}%".format)


def judge_duration(attempt: Attempt, what: str, found_s: float, limits: DurationLimits) -> None:
    """Note a problem if `found_s` seconds are above a limit."""
    _judge(attempt, what, found_s, limits, span)


def judge_count(attempt: Attempt, what: str, found: int, limits: CountLimits) -> None:
    """Note a problem if `found` is above a limit."""
    _judge(attempt, what, found, limits, "{:g}".format)


def _judge(
    attempt: Attempt,
    what: str,
    found: float,
    limits: PercentLimits | DurationLimits | CountLimits,
    written: Callable[[float], str],
) -> None:
    if limits.crit is not None and found > limits.crit:
        attempt.down(f"expected {what} of at most {written(limits.crit)}, found {written(found)}")
    elif limits.warn is not None and found > limits.warn:
        attempt.degraded(f"expected {what} of at most {written(limits.warn)}, found {written(found)}")


def judge_days_left(attempt: Attempt, what: str, days: float, limits: DaysLeft) -> None:
    """Note a problem if fewer `days` are left than wanted."""
    found = f"{what} expires in {days:.1f} days" if days >= 0 else f"{what} expired {-days:.1f} days ago"
    if days < limits.crit_days:
        attempt.down(f"{found}, expected at least {limits.crit_days:g}")
    elif days < limits.warn_days:
        attempt.degraded(f"{found}, expected at least {limits.warn_days:g}")
