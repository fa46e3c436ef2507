"""A picture of one check for readers outside the engine: the API, service health, the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from holdfast.health.checks import Check
from holdfast.health.engine.recents import Recents
from holdfast.health.engine.results import Result
from holdfast.health.engine.watches import Pause
from holdfast.health.verdict import Verdict
from holdfast.resilience import BreakerState


@dataclass(frozen=True, slots=True)
class CheckState:
    """Where a check stands now.

    `verdict` is `unknown` while the check is paused. `last` is the newest result that asked the target, `recent`
    are up to 40 results, oldest first, and go on living. `maintenance` names the open window that covers the check.
    """

    check: Check
    verdict: Verdict
    since: datetime
    message: str
    is_flapping: bool
    blocked_by: str | None
    pause: Pause | None
    last: Result | None
    recent: Recents
    next_at: datetime | None
    breaker: BreakerState
    maintenance: str | None
