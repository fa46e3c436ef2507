"""A result as samples: the metrics `holdfast_check_...` that rules and dashboards ask for.

`holdfast_check_up` is absent while the verdict is unknown, because unknown is neither 0 nor 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from holdfast.health.engine import Result
from holdfast.health.verdict import Verdict
from holdfast.telemetry import Sample

_PHASES: Final = {
    "dns": "dns_s",
    "connect": "connect_s",
    "tls": "tls_s",
    "first_byte": "first_byte_s",
    "transfer": "transfer_s",
}


def to_samples(result: Result) -> Iterator[Sample]:
    """Give the samples of one result; all carry the check's labels, `check`, `kind` and `service`."""
    labels = {**result.labels, "check": result.check, "kind": result.kind, "service": result.service or ""}
    at = result.at
    if result.verdict is not Verdict.UNKNOWN:
        yield Sample("holdfast_check_up", labels, at, float(result.verdict is not Verdict.DOWN))
    for verdict in Verdict:
        named = {**labels, "verdict": verdict.value}
        yield Sample("holdfast_check_verdict", named, at, float(result.verdict is verdict))
    yield Sample("holdfast_check_maintenance", labels, at, float(result.is_maintenance))
    if not result.attempts:
        return
    yield Sample("holdfast_check_duration_seconds", labels, at, result.duration_s)
    yield Sample("holdfast_check_attempts", labels, at, float(result.attempts))
    for phase, field in _PHASES.items():
        seconds = getattr(result.phases, field)
        if seconds is not None:
            yield Sample("holdfast_check_phase_seconds", {**labels, "phase": phase}, at, seconds)
    for sample in result.samples:
        yield Sample(sample.name, {**sample.labels, **labels}, at, sample.value)
