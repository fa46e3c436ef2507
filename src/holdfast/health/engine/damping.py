"""From what single observations say to the verdict that people see: `for` and flapping, as a pure state machine.

It knows no parents and no clock; the engine says what was seen and when.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from holdfast.health.verdict import Verdict, severity

_BY_SEVERITY: Final = tuple(sorted(Verdict, key=severity))
_NEVER: Final = (None,) * len(_BY_SEVERITY)


@dataclass(frozen=True, slots=True)
class Damping:
    """How calm a check is: a worse verdict must hold for `for_s` seconds; flapping as in `Flap`."""

    for_s: float = 0.0
    flap_threshold: int = 6
    flap_window: int = 20


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a check stands after all that was observed.

    `verdict` is what people see and `seen` the last observation. `held_since_s` says, by severity, since when every
    observation has been at least that bad. `trail` are the last observations, oldest first.
    """

    verdict: Verdict = Verdict.UNKNOWN
    seen: Verdict = Verdict.UNKNOWN
    held_since_s: tuple[float | None, ...] = _NEVER
    trail: tuple[Verdict, ...] = ()
    is_flapping: bool = False


def observe(standing: Standing, seen: Verdict, at_s: float, damping: Damping) -> Standing:
    """Take one observation in.

    A better verdict shows at once, a worse one when it has held for `for_s`; with several bad ones in turn, the worst
    that all of them reach shows. While a check flaps its verdict only gets worse, so that it does not notify on
    every turn; flapping ends when the changes have halved or the last `flap_threshold` observations agree.

    Args:
        standing: the state before.
        seen: the verdict of this observation.
        at_s: when, on a clock that never goes back.
        damping: the check's own calm.
    """
    trail, is_flapping = _watch_flapping(standing, seen, damping)
    return _judge(replace(standing, trail=trail, is_flapping=is_flapping), seen, at_s, damping.for_s)


def reconsider(standing: Standing, seen: Verdict, at_s: float, damping: Damping) -> Standing:
    """Judge the last observation anew, because a parent's failure gives it another meaning.

    Nothing was asked of the target, so nothing is added to the trail.
    """
    return _judge(standing, seen, at_s, damping.for_s)


def _judge(standing: Standing, seen: Verdict, at_s: float, for_s: float) -> Standing:
    held = _hold(standing.held_since_s, seen, at_s)
    proven = max(level for level, began in enumerate(held) if level == 0 or _has_held(began, at_s, for_s))
    damped = _BY_SEVERITY[max(proven, min(severity(standing.verdict), severity(seen)))]
    verdict = max(standing.verdict, damped, key=severity) if standing.is_flapping else damped
    return replace(standing, verdict=verdict, seen=seen, held_since_s=held)


def _has_held(since_s: float | None, at_s: float, for_s: float) -> bool:
    return since_s is not None and at_s - since_s >= for_s


def _hold(since: tuple[float | None, ...], seen: Verdict, at_s: float) -> tuple[float | None, ...]:
    rank = severity(seen)
    return tuple((at_s if began is None else began) if level <= rank else None for level, began in enumerate(since))


def _watch_flapping(standing: Standing, seen: Verdict, damping: Damping) -> tuple[tuple[Verdict, ...], bool]:
    threshold = damping.flap_threshold
    if threshold <= 0:
        return (), False
    trail = (*standing.trail, seen)[-damping.flap_window :]
    changes = sum(before is not after for before, after in pairwise(trail))
    if not standing.is_flapping:
        return trail, changes >= threshold
    is_settled = len(trail) >= threshold and len(set(trail[-threshold:])) == 1
    if is_settled or changes <= threshold // 2:
        return trail[-1:], False
    return trail, True
