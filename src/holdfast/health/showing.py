"""Turns the engine's pictures and the store's past into what the API answers. No request is handled here."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from holdfast.health.checks import Window
from holdfast.health.describing import describe_config, describe_target
from holdfast.health.engine import CheckState, Result
from holdfast.health.history import NOTHING, Held, HeldBucket, LatencyPoint, PastRun, Percentiles
from holdfast.health.probes import NO_PHASES, Phases
from holdfast.health.verdict import Verdict
from holdfast.health.views import (
    CheckDetail,
    CheckSummary,
    LatencyOverall,
    LatencyPointView,
    LatencyView,
    PhasesView,
    RecentResult,
    RunView,
    SelectorView,
    UptimeBucket,
    UptimeShare,
    UptimeView,
    UptimeWindows,
    WindowView,
)
from holdfast.kernel.ids import ServiceId


def show_summary(
    state: CheckState, services: frozenset[ServiceId], uptime: Mapping[str, Held] = NOTHING
) -> CheckSummary:
    """Show a check in a list."""
    check, last = state.check, state.last
    newest = state.recent.newest
    return CheckSummary(
        name=check.name,
        kind=check.kind,
        target=describe_target(check),
        service=check.service,
        services=[str(name) for name in sorted(services)],
        labels=check.labels,
        every_s=check.every_s,
        verdict=state.verdict,
        since=state.since,
        message=state.message,
        duration_s=last.duration_s if last else newest.duration_s if newest else None,
        last_at=newest.at if newest else None,
        next_at=state.next_at,
        uptime=show_uptimes(uptime),
        recent=[RecentResult(point.at, point.verdict, point.duration_s) for point in state.recent],
        paused=state.pause is not None,
        maintenance=state.maintenance is not None,
        flapping=state.is_flapping,
        parents=list(check.parents),
    )


def show_detail(
    state: CheckState, services: frozenset[ServiceId], uptime: Mapping[str, Held], *, ping_path: str | None
) -> CheckDetail:
    """Show a check on its page."""
    summary, last = show_summary(state, services, uptime), state.last
    shared: dict[str, Any] = {field.name: getattr(summary, field.name) for field in dataclasses.fields(summary)}
    return CheckDetail(
        **shared,
        config=describe_config(state.check),
        phases=show_phases(last.phases if last else NO_PHASES),
        facts=last.facts if last else {},
        attempts=last.attempts if last else 0,
        blocked_by=state.blocked_by,
        breaker=state.breaker,
        paused_by=state.pause.by if state.pause else None,
        paused_at=state.pause.at if state.pause else None,
        maintenance_window=state.maintenance,
        ping_path=ping_path,
    )


def show_uptimes(uptime: Mapping[str, Held]) -> UptimeWindows:
    """Show the four windows of an uptime."""
    return UptimeWindows(**{name: UptimeShare(held.ratio, held.coverage) for name, held in uptime.items()})


def show_phases(phases: Phases) -> PhasesView:
    """Show where the time went."""
    return PhasesView(phases.dns_s, phases.connect_s, phases.tls_s, phases.first_byte_s, phases.transfer_s)


def show_run(run: PastRun | Result) -> RunView:
    """Show one run, fresh or past."""
    return RunView(
        at=run.at,
        verdict=run.verdict,
        observed=run.observed,
        message=run.message,
        duration_s=run.duration_s,
        phases=show_phases(run.phases),
        attempts=run.attempts,
        facts=run.facts,
        blocked_by=run.blocked_by,
    )


def show_latency(step_s: float, points: list[LatencyPoint], overall: Percentiles) -> LatencyView:
    """Show latency over time."""
    return LatencyView(
        step_s,
        [
            LatencyPointView(
                point.at,
                point.percentiles.p50_s,
                point.percentiles.p95_s,
                point.percentiles.p99_s,
                point.percentiles.max_s,
                show_phases(point.phases),
                **{verdict.value: point.counts[verdict] for verdict in Verdict},
            )
            for point in points
        ],
        LatencyOverall(overall.p50_s, overall.p95_s, overall.p99_s, overall.max_s),
    )


def show_uptime(window_s: float, buckets: list[HeldBucket]) -> UptimeView:
    """Show the uptime of a time and of its parts."""
    total = Held(window_s, {verdict: sum(bucket.seconds[verdict] for bucket in buckets) for verdict in Verdict})
    parts = [
        UptimeBucket(bucket.at, **{f"{verdict.value}_s": bucket.seconds[verdict] for verdict in Verdict})
        for bucket in buckets
    ]
    return UptimeView(total.ratio, total.coverage, parts)


def show_window(window: Window, now: datetime, *, is_from_file: bool) -> WindowView:
    """Show a maintenance window by its open or next period."""
    period = window.when.at(now)
    start = window.when.next_start(now) if period is None else None
    coming = period or (window.when.at(start) if start else None) or getattr(window.when, "period", None)
    cron = getattr(window.when, "cron", None)
    selector = window.selector
    return WindowView(
        id=window.id,
        name=window.name,
        selector=SelectorView(list(selector.checks), list(selector.services), selector.labels),
        starts_at=coming.start if coming else None,
        ends_at=coming.end if coming else None,
        reason=window.reason,
        open=period is not None,
        cron=cron.text if cron else None,
        from_file=is_from_file,
    )
