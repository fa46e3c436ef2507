"""What the calls of a job mean at a given time; pure, so that it can be tested by the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from holdfast.health.heartbeats.spec import HeartbeatSpec
from holdfast.health.probes import Fact, Observation
from holdfast.health.verdict import Verdict
from holdfast.kernel.schedule import parse_cron, parse_zone
from holdfast.kernel.units import format_duration


class Signal(StrEnum):
    """What a job says."""

    SUCCESS = "success"
    START = "start"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Pulse:
    """All that is known of a job's calls. `run_s` is how long its last finished run took, if it said `start`."""

    created_at: datetime
    last_signal: Signal | None = None
    last_at: datetime | None = None
    last_success_at: datetime | None = None
    started_at: datetime | None = None
    message: str = ""
    run_s: float = 0.0


def receive(pulse: Pulse, signal: Signal, at: datetime, message: str) -> Pulse:
    """Take a call in."""
    is_start, is_success = signal is Signal.START, signal is Signal.SUCCESS
    run_s = pulse.run_s
    if not is_start:
        run_s = (at - pulse.started_at).total_seconds() if pulse.started_at else 0.0
    return Pulse(
        created_at=pulse.created_at,
        last_signal=signal,
        last_at=at,
        last_success_at=at if is_success else pulse.last_success_at,
        started_at=at if is_start else None,
        message=pulse.message if is_start else message,
        run_s=run_s,
    )


def judge(pulse: Pulse, spec: HeartbeatSpec, now: datetime) -> Observation:
    """Say what the calls so far mean at `now`."""
    verdict, message = _weigh(pulse, spec, now)
    facts: dict[str, Fact] = {"last_signal": str(pulse.last_signal or "none")}
    if pulse.last_at is not None:
        facts["last_at"] = pulse.last_at.isoformat()
    return Observation(verdict, message, pulse.run_s, facts=facts)


def _weigh(pulse: Pulse, spec: HeartbeatSpec, now: datetime) -> tuple[Verdict, str]:
    due = _next_expected(pulse.last_success_at or pulse.created_at, spec)
    is_late = due is not None and now > due + timedelta(seconds=spec.grace)
    said = f": {pulse.message}" if pulse.message else ""
    if pulse.started_at is not None and spec.longest is not None:
        longest = timedelta(seconds=spec.longest)
        if now > pulse.started_at + longest:
            return Verdict.DOWN, f"started {_ago(now, pulse.started_at)}, not finished within {_text(longest)}"
    if pulse.last_signal is Signal.FAIL:
        return Verdict.DOWN, f"the job said that it failed, {_ago(now, pulse.last_at)}{said}"
    if is_late:
        last = pulse.last_success_at
        heard = f"the last success was {_ago(now, last)}" if last else "nothing was ever heard of it"
        return Verdict.DOWN, f"no call by {due:%Y-%m-%d %H:%M:%S} UTC and {_grace(spec)} of grace: {heard}"
    if pulse.last_success_at is None:
        return Verdict.UNKNOWN, "waiting for the first call"
    return Verdict.UP, f"succeeded {_ago(now, pulse.last_success_at)}{said}"


def _next_expected(after: datetime, spec: HeartbeatSpec) -> datetime | None:
    if spec.cron is None:
        return after + timedelta(seconds=spec.every or 0.0)
    return parse_cron(spec.cron, parse_zone(spec.timezone)).next_after(after)


def _ago(now: datetime, moment: datetime | None) -> str:
    return f"{_text(now - moment)} ago" if moment else "never"


def _text(length: timedelta) -> str:
    return format_duration(max(0, round(length.total_seconds())))


def _grace(spec: HeartbeatSpec) -> str:
    return format_duration(spec.grace)
