"""From the verdicts of checks to the health of services: a pure function of the catalog and of where checks stand.

A service is as bad as the worst of its checks that say something. An impact label softens a check: `impact: partial`
lets its `down` count as `degraded`, `impact: none` leaves it out. A service that would be up is `degraded` while
something that it needs is down; it is never `down` for that, since its own checks would say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from holdfast.health.engine import CheckState
from holdfast.health.verdict import Verdict, severity, worst
from holdfast.kernel.ids import ServiceId

IMPACT_LABEL: Final = "impact"
_MOST_REASONS: Final = 20


class Impact(StrEnum):
    """How much a check says of its service."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


_IMPACTS: Final = {impact.value: impact for impact in Impact}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a service is not up: a check of its own, or a service that it needs; exactly one of both is named."""

    verdict: Verdict
    message: str
    check: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """How a service is, and why; `is_spared` while maintenance covers one of its checks."""

    verdict: Verdict = Verdict.UNKNOWN
    reasons: tuple[Reason, ...] = ()
    checks: tuple[str, ...] = ()
    counts: Mapping[Verdict, int] = field(default_factory=lambda: dict.fromkeys(Verdict, 0))
    is_spared: bool = False


Needs = Mapping[ServiceId, Sequence[ServiceId]]


def judge_services(states: Mapping[ServiceId, Sequence[CheckState]], needs: Needs) -> dict[ServiceId, ServiceHealth]:
    """Judge every service.

    Args:
        states: where the checks of each service stand; a service without checks has an empty sequence.
        needs: the services that each service depends on.
    """
    own = {service: judge_alone(found) for service, found in states.items()}
    return {service: _soften(service, health, own, needs) for service, health in own.items()}


def judge_alone(states: Sequence[CheckState]) -> ServiceHealth:
    """Judge one service by its own checks only."""
    counted = [(state, weigh(state)) for state in states if impact_of(state) is not Impact.NONE]
    hard = [verdict for _, verdict in counted if verdict is not Verdict.UNKNOWN]
    verdict = worst(*hard)
    told = [pair for pair in counted if pair[1] in {Verdict.DOWN, Verdict.DEGRADED}]
    if verdict is Verdict.UNKNOWN:
        told = counted
    told.sort(key=lambda pair: (-severity(pair[1]), pair[0].check.name))
    counts = dict.fromkeys(Verdict, 0)
    for state in states:
        counts[state.verdict] += 1
    return ServiceHealth(
        verdict=verdict,
        reasons=tuple(Reason(weight, state.message, check=state.check.name) for state, weight in told[:_MOST_REASONS]),
        checks=tuple(state.check.name for state in states),
        counts=counts,
        is_spared=any(state.maintenance for state in states),
    )


def weigh(state: CheckState) -> Verdict:
    """Give what a check's verdict counts for its service."""
    if state.verdict is Verdict.DOWN and impact_of(state) is Impact.PARTIAL:
        return Verdict.DEGRADED
    return state.verdict


def impact_of(state: CheckState) -> Impact:
    """Give how much a check says of its service; a word that we do not know says everything."""
    return _IMPACTS.get(state.check.labels.get(IMPACT_LABEL, ""), Impact.FULL)


def _soften(
    service: ServiceId, health: ServiceHealth, own: Mapping[ServiceId, ServiceHealth], needs: Needs
) -> ServiceHealth:
    """Let what a service needs show: it degrades a service that is up, and explains one that is not."""
    if health.verdict is Verdict.UNKNOWN:
        return health
    failed = [needed for needed in needs.get(service, ()) if _is_down(needed, own)]
    if not failed:
        return health
    reasons = (*health.reasons, *(_explain(service, needed, own, needs) for needed in failed))
    return replace(health, verdict=worst(health.verdict, Verdict.DEGRADED), reasons=reasons[:_MOST_REASONS])


def _explain(service: ServiceId, needed: ServiceId, own: Mapping[ServiceId, ServiceHealth], needs: Needs) -> Reason:
    """Follow what is down from `needed` to the bottom, so that the first message names the likely cause."""
    chain = [needed]
    seen = {service, needed}
    while (deeper := _next_down(chain[-1], seen, own, needs)) is not None:
        chain.append(deeper)
        seen.add(deeper)
    bottom = own[chain[-1]]
    through = "".join(f", which needs {name}" for name in chain[1:])
    why = f": {bottom.reasons[0].message}" if bottom.reasons else ""
    return Reason(Verdict.DOWN, f"needs {needed}{through}, which is down{why}", service=needed)


def _next_down(
    service: ServiceId, seen: Iterable[ServiceId], own: Mapping[ServiceId, ServiceHealth], needs: Needs
) -> ServiceId | None:
    return next((name for name in needs.get(service, ()) if name not in seen and _is_down(name, own)), None)


def _is_down(service: ServiceId, own: Mapping[ServiceId, ServiceHealth]) -> bool:
    return service in own and own[service].verdict is Verdict.DOWN
