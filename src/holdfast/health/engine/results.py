"""What one run of a check came to: the unit that history, metrics and the console are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.health.probes import NO_PHASES, Fact, Phases, Sample
from holdfast.health.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Result:
    """One run, or one judgement anew (`attempts` is 0 then, and nothing was asked).

    `verdict` is what people see after it; `observed` what this run alone says, with parents taken into account.
    `duration_s` is of the last attempt. `held_verdict` was true for the `held_s` seconds before `at`, which is what
    uptime is made of; under maintenance it is `unknown`. `check`, `kind`, `service` and `labels` are copied so that a
    result stands alone.
    """

    check: str
    kind: str
    service: str | None
    labels: Mapping[str, str]
    at: datetime
    verdict: Verdict
    observed: Verdict
    message: str
    duration_s: float = 0.0
    phases: Phases = NO_PHASES
    facts: Mapping[str, Fact] = field(default_factory=dict)
    samples: tuple[Sample, ...] = ()
    attempts: int = 0
    blocked_by: str | None = None
    held_verdict: Verdict = Verdict.UNKNOWN
    held_s: float = 0.0
    is_maintenance: bool = False
