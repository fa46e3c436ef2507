"""What the API says about checks, as the console's types are generated from it. Times are UTC, durations seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from holdfast.health.probes import Fact
from holdfast.health.verdict import Verdict
from holdfast.resilience import BreakerState


@dataclass(frozen=True, slots=True)
class UptimeShare:
    """Up and degraded time over known time, and known time over the window; `ratio` is null when nothing is known."""

    ratio: float | None
    coverage: float


@dataclass(frozen=True, slots=True)
class UptimeWindows:
    """Uptime of the last 24 hours, 7, 30 and 90 days."""

    d1: UptimeShare
    d7: UptimeShare
    d30: UptimeShare
    d90: UptimeShare


@dataclass(frozen=True, slots=True)
class RecentResult:
    """One point of an uptime bar."""

    at: datetime
    verdict: Verdict
    duration_s: float


@dataclass(frozen=True, slots=True)
class PhasesView:
    """Where the time of one attempt went; null for a phase not reached or not needed."""

    dns_s: float | None
    connect_s: float | None
    tls_s: float | None
    first_byte_s: float | None
    transfer_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSummary:
    """A check in a list. `services` are all that it attaches to; `recent` is oldest first."""

    name: str
    kind: str
    target: str
    service: str | None
    services: list[str]
    labels: Mapping[str, str]
    every_s: float
    verdict: Verdict
    since: datetime
    message: str
    duration_s: float | None
    last_at: datetime | None
    next_at: datetime | None
    uptime: UptimeWindows
    recent: list[RecentResult]
    paused: bool
    maintenance: bool
    flapping: bool
    parents: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDetail(CheckSummary):
    """A check on its own page. `config` is what its file says, defaults filled in, secrets masked.

    `ping_path` is where a heartbeat's job calls; only those who may change checks see it.
    """

    config: Mapping[str, Any]
    phases: PhasesView
    facts: Mapping[str, Fact]
    attempts: int
    blocked_by: str | None
    breaker: BreakerState
    paused_by: str | None
    paused_at: datetime | None
    maintenance_window: str | None
    ping_path: str | None


@dataclass(frozen=True, slots=True)
class CheckPage:
    """Checks by name; `next` is the `after` of the page that follows."""

    items: list[CheckSummary]
    next: str | None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. `observed` is what it alone said, `verdict` what was visible after it, damped.

    `attempts` is 0 where nothing was asked: the check was judged anew because of its parent.
    """

    at: datetime
    verdict: Verdict
    observed: Verdict
    message: str
    duration_s: float
    phases: PhasesView
    attempts: int
    facts: Mapping[str, Fact]
    blocked_by: str | None


@dataclass(frozen=True, slots=True)
class RunPage:
    """Runs, newest first; `next` is the `end` of the page that follows."""

    items: list[RunView]
    next: str | None


@dataclass(frozen=True, slots=True)
class LatencyPointView:
    """One step: percentiles of the answers (up or degraded), mean phases, and runs by verdict."""

    at: datetime
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    max_s: float | None
    phases: PhasesView
    up: int
    degraded: int
    down: int
    unknown: int


@dataclass(frozen=True, slots=True)
class LatencyOverall:
    """Percentiles over the whole time."""

    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    max_s: float | None


@dataclass(frozen=True, slots=True)
class LatencyView:
    """Latency over time; steps without runs are missing."""

    step_s: float
    points: list[LatencyPointView]
    overall: LatencyOverall


@dataclass(frozen=True, slots=True)
class UptimeBucket:
    """Seconds of each verdict from `at` on; what is missing to the full width was not watched."""

    at: datetime
    up_s: float
    degraded_s: float
    down_s: float
    unknown_s: float


@dataclass(frozen=True, slots=True)
class UptimeView:
    """Uptime of a time, in parts."""

    ratio: float | None
    coverage: float
    buckets: list[UptimeBucket]


@dataclass(frozen=True, slots=True)
class SelectorView:
    """Which checks: those named, those of the services, those with all the labels; each widens it."""

    checks: list[str]
    services: list[str]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WindowView:
    """A maintenance window; of a recurring one, the period that is open or comes next."""

    id: str
    name: str
    selector: SelectorView
    starts_at: datetime | None
    ends_at: datetime | None
    reason: str
    open: bool
    cron: str | None
    from_file: bool


@dataclass(frozen=True, slots=True)
class WindowPage:
    """All windows, soonest first."""

    items: list[WindowView]
    next: str | None


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """A job's call was taken."""

    status: str
