"""Decides which traces stay; each gets the number of traces that it stands for, so that counts stay right."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.traces.sampling.whole_traces import WholeTraces
    from holdfast.telemetry.traces.settings import SamplingPolicy

LATE: Final = "late"  # the policy of what came after its trace was kept
_DRAWS: Final = 2.0**64


@dataclass(frozen=True)
class Verdicts:
    """One entry per trace.

    Attributes:
        stay: whether it is kept.
        factors: how many traces it stands for: the inverse of the chance that it had; 0 where it goes.
        early: the same for the spans that had come when it was judged before, if it was: others stand for those of a
            trace that went then.
        policies: the first policy that kept it; empty where it goes.
    """

    stay: npt.NDArray[np.bool_]
    factors: npt.NDArray[np.float64]
    early: npt.NDArray[np.float64]
    policies: Sequence[str]

    def with_kept(self, factors: npt.NDArray[np.float64], are_late: npt.NDArray[np.bool_]) -> Verdicts:
        """Let traces stay that were kept before; one that went and is kept now, for what came late, comes back.

        Whoever had two chances stands for fewer. The spans with which a trace went then count for nothing when it comes
        back, for the traces that were kept in its stead stand for them.

        Args:
            factors: of the traces that were kept; 0 where one was not.
            are_late: those that were judged before.
        """
        was_kept = factors > 0
        policies = [LATE if kept else policy for policy, kept in zip(self.policies, was_kept, strict=True)]
        both = np.where(was_kept & self.stay, np.minimum(factors, self.factors), np.maximum(factors, self.factors))
        return Verdicts(both > 0, both, np.where(was_kept | ~are_late, both, 0.0), policies)

    def come_back(self, own: Verdicts, are_late: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Tell which traces went when judged before, and stay now; `own` are the verdicts without the past."""
        was_kept = np.array([policy == LATE for policy in self.policies], np.bool_)
        return are_late & own.stay & ~was_kept


def judge(traces: WholeTraces, policies: Sequence[SamplingPolicy], window_s: float) -> Verdicts:
    """Decide on the traces that ended in a window.

    A trace stays if any policy keeps it. The draw is by the trace's id, so that the same traces are judged alike again.
    """
    count = len(traces)
    missed = np.ones(count)
    stay = np.zeros(count, np.bool_)
    reasons = [""] * count
    for policy in policies:
        chances = _chances(traces, policy, window_s)
        chosen = _draws(traces.ids, policy.name) < chances
        for place in np.flatnonzero(chosen & ~stay).tolist():
            reasons[place] = policy.name
        stay |= chosen
        missed *= 1.0 - chances
    factors = np.zeros(count)
    np.divide(1.0, 1.0 - missed, out=factors, where=stay)
    return Verdicts(stay, factors, factors, reasons)


def _chances(traces: WholeTraces, policy: SamplingPolicy, window_s: float) -> npt.NDArray[np.float64]:
    """Give the chance that a policy keeps each trace: 0 where its conditions do not hold."""
    fits = np.ones(len(traces), np.bool_)
    if policy.errors:
        fits &= traces.have_failed
    if policy.slower_than:
        fits &= traces.lengths_ns > policy.slower_than * 1e9
    if policy.service:
        fits &= np.array([policy.service in services for services in traces.services], np.bool_)
    if policy.operation:
        fits &= np.array([policy.operation in names for names in traces.names], np.bool_)
    if policy.rarer_than:
        seen = Counter(traces.roots)
        fits &= np.array([seen[root] < policy.rarer_than for root in traces.roots], np.bool_)
    chances = np.where(fits, policy.share, 0.0)
    return _limited(traces, chances, policy.rate * window_s) if policy.rate else chances


def _limited(traces: WholeTraces, chances: npt.NDArray[np.float64], most: float) -> npt.NDArray[np.float64]:
    """Lower the chances of each root service's traces so that `most` of them may be expected to stay."""
    rows: dict[str, list[int]] = defaultdict(list)
    for place, (service, _) in enumerate(traces.roots):
        rows[service].append(place)
    limited = chances.copy()
    for places in rows.values():
        expected = float(chances[places].sum())
        if expected > most:
            limited[places] *= most / expected
    return limited


def _draws(ids: Sequence[bytes], salt: str) -> npt.NDArray[np.float64]:
    """Give a number in [0, 1) for each trace; other policies draw others."""
    key = salt.encode()[:64]
    numbers = [int.from_bytes(blake2b(each, digest_size=8, key=key).digest()) for each in ids]
    return np.array(numbers, np.float64) / _DRAWS
