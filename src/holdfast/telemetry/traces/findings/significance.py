"""How likely a difference is by chance: Fisher's exact test, one-sided. Source: R. A. Fisher, 1935."""

from __future__ import annotations

from math import exp, lgamma


def tail_of(bearing: int, chosen: int, beside: int, others: int) -> float:
    """Give how often at least `bearing` of the chosen would bear it, were all that bear it spread by chance.

    Args:
        bearing: of the chosen, how many bear it.
        chosen: how many are chosen.
        beside: of the others, how many bear it.
        others: how many others there are.
    """
    borne, total = bearing + beside, chosen + others
    most = min(borne, chosen)
    if bearing <= max(0, borne - others):
        return 1.0
    term = exp(_log_choose(borne, bearing) + _log_choose(total - borne, chosen - bearing) - _log_choose(total, chosen))
    tail = term
    for count in range(bearing, most):
        factor = (borne - count) * (chosen - count) / ((count + 1) * (total - borne - chosen + count + 1))
        term *= factor
        tail += term
        if term < tail * 1e-12:
            break
    return min(tail, 1.0)


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
