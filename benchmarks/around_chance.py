"""How often `holdfast around` tells of chance, and how often it finds what moved: curves made up, with a seed.

Per curve: 60 steps before and 60 in the window, as a window of fifteen minutes has. It prints one row per kind of
curve: the share told though nothing moved, then the share found of what was put in. Nothing is timed, so it says the
same on every machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from holdfast.telemetry.correlate import judge

if TYPE_CHECKING:
    import numpy.typing as npt

    Values = npt.NDArray[np.float64]
    Generator = np.random.Generator

STEPS: Final = 60
STEP_S: Final = 15
_RANGE: Final = 8  # steps of a rate over two minutes
_WARM: Final = 2 * _RANGE


def _rate(counts: Values) -> Values:
    """Give the rate of a counter over two minutes at each step."""
    sums = np.concatenate(([0.0], np.cumsum(counts)))
    return (sums[_RANGE:] - sums[:-_RANGE]) / (_RANGE * STEP_S)


def _drifting(draw: Generator, count: int) -> Values:
    values, noise = np.zeros(count), draw.standard_normal(count)
    for place in range(1, count):
        values[place] = 0.9 * values[place - 1] + noise[place]
    return 100 + 5 * values


def _seasonal(draw: Generator, count: int) -> Values:
    """Give a level that swings by a third within ten minutes."""
    phase = draw.uniform(0, 2 * np.pi)
    return 100 + 33 * np.sin(phase + np.arange(count) * 2 * np.pi / 40) + draw.normal(0, 5, count)


def _daily(draw: Generator, count: int) -> Values:
    """Give a part of a day's wave, at any hour."""
    hours = draw.uniform(0, 24) + np.arange(count) * STEP_S / 3600
    return 100 * (1 + 0.6 * np.sin(hours * 2 * np.pi / 24)) + draw.normal(0, 4, count)


def _restarts(draw: Generator, count: int) -> Values:
    """Give the rate of a counter whose process starts anew now and then: a rate loses an increase, no more."""
    increases = draw.poisson(40, count + _RANGE - 1).astype(float)
    increases[draw.random(len(increases)) < 0.02] *= draw.uniform(0, 1)
    return _rate(increases)


def _cron(draw: Generator, count: int) -> Values:
    """Give a level with a job every five minutes."""
    values = draw.normal(10, 1, count)
    start = draw.integers(0, 20)
    for place in range(int(start), count, 20):
        values[place : place + 2] *= 4
    return values


def _saw(draw: Generator, count: int) -> Values:
    """Give memory that a collector takes back."""
    period = draw.integers(15, 30)
    return 100 + 40 * ((np.arange(count) + draw.integers(0, 30)) % period) / period + draw.normal(0, 2, count)


CALM: Final[dict[str, Callable[[Generator, int], Values]]] = {
    "normal": lambda draw, count: draw.normal(50, 5, count),
    "lognormal 0.5": lambda draw, count: draw.lognormal(0, 0.5, count),
    "lognormal 1": lambda draw, count: draw.lognormal(0, 1, count),
    "lognormal 1.5": lambda draw, count: draw.lognormal(0, 1.5, count),
    "exponential": lambda draw, count: draw.exponential(1, count),
    "long tails (t of 3)": lambda draw, count: 100 + 5 * draw.standard_t(3, count),
    "counts of 0.2": lambda draw, count: draw.poisson(0.2, count).astype(float),
    "counts of 2": lambda draw, count: draw.poisson(2, count).astype(float),
    "counts of 20": lambda draw, count: draw.poisson(20, count).astype(float),
    "rate of counts": lambda draw, count: _rate(draw.poisson(3, count + _RANGE - 1).astype(float)),
    "rate of lognormal": lambda draw, count: _rate(draw.lognormal(0, 1, count + _RANGE - 1)),
    "counter resets": _restarts,
    "drifting (AR 0.9)": _drifting,
    "wave of 10 min": _seasonal,
    "part of a day": _daily,
    "job every 5 min": _cron,
    "saw (memory)": _saw,
}
MOVED: Final[dict[str, tuple[float, int]]] = {
    "x1.5": (1.5, 0),
    "x2": (2.0, 0),
    "x5": (5.0, 0),
    "to 1/2": (0.5, 0),
    "x5, 8 steps": (5.0, 8),
    "x5, 4 steps": (5.0, 4),
    "x10, 2 steps": (10.0, 2),
    "x20, 1 step": (20.0, 1),
}
_COUNTED: Final = ("counts",)
_RATES: Final = ("rate", "counter")


def draw_curve(kind: str, draw: Generator, moved: tuple[float, int] | None = None) -> tuple[Values, Values]:
    """Give the time before and the window; a movement begins anywhere in the window's middle half.

    What lasts 0 steps goes on to the end.
    """
    values = CALM[kind](draw, 2 * STEPS)
    if moved is None:
        return values[:STEPS], values[STEPS:]
    factor, length = moved
    first = STEPS + int(draw.integers(STEPS // 4, STEPS - STEPS // 4))
    last = first + length if length else 2 * STEPS
    shape = np.ones(2 * STEPS)
    shape[first:last] = factor
    if kind.startswith(_COUNTED):  # more of the same happens
        values[first:last] = draw.poisson(float(kind.rpartition(" ")[2]) * factor, last - first)
        return values[:STEPS], values[STEPS:]
    if kind.startswith(_RATES):  # a rate rises and falls slowly
        shape = np.convolve(np.concatenate((np.ones(_RANGE - 1), shape)), np.full(_RANGE, 1 / _RANGE), "valid")
    values = values * shape
    return values[:STEPS], values[STEPS:]


def share_told(kind: str, trials: int, moved: tuple[float, int] | None = None, seed: int = 1, tries: int = 1) -> float:
    """Give the share of curves of a kind of which something is told."""
    draw = np.random.default_rng((seed, *kind.encode()))
    least = {"counts": 1.0}.get(kind.split(" ", 1)[0], 0.0)
    told = 0
    for _ in range(trials):
        before, window = draw_curve(kind, draw, moved)
        typical = max(float(np.median(before)), float(np.mean(before)))
        told += judge(before, window, least=least and 0.99 * max(1.0, np.sqrt(typical)), tries=tries) is not None
    return told / trials


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--tries", type=int, default=1, help="Series of the same metric.")
    given = parser.parse_args()
    print("| curve | nothing | " + " | ".join(MOVED) + " |")
    print("|---|" + "---:|" * (len(MOVED) + 1))
    for kind in CALM:
        shares = [share_told(kind, given.trials, moved, tries=given.tries) for moved in (None, *MOVED.values())]
        print(f"| {kind} | " + " | ".join(f"{share * 100:.1f}%" for share in shares) + " |", flush=True)


if __name__ == "__main__":
    main()
