"""The four verdicts of a check, shared by probes, engine, results and console. They are counted elsewhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """What a check says about its target; `unknown` is neither up nor down, and never zero."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


_WEIGHT: Final = {Verdict.UP: 0, Verdict.UNKNOWN: 1, Verdict.DEGRADED: 2, Verdict.DOWN: 3}


def severity(verdict: Verdict) -> int:
    """Give the place of a verdict in the one order of badness: up 0, unknown 1, degraded 2, down 3."""
    return _WEIGHT[verdict]


def worst(*verdicts: Verdict) -> Verdict:
    """Give the verdict to show first: down, degraded, unknown, up; `unknown` when there is none."""
    return max(verdicts, key=_WEIGHT.__getitem__, default=Verdict.UNKNOWN)
