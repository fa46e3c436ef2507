"""Whether a curve moved, when, how much, and how sure that is: medians and median absolute deviations, no model.

The window is put beside the time before it in units of that time's own scatter; the stretch that stands out most is
the movement. Sources: Huber, Robust Statistics (1981); the scan statistic of Kulldorff (1997) for the stretch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Curve = npt.NDArray[np.float64]

_NORMAL: Final = 1.4826  # the deviation of a normal distribution in units of its median absolute deviation
_TENTH: Final = 1.2816  # where a tenth of a normal distribution lies outside, on one side
_CLIP: Final = 8.0  # deviations; one wild value must not outweigh a stretch
_SHARE: Final = 0.04  # of a level: less scatter than that is not believed
_LEAST_BEFORE: Final = 4
_LEAST_WINDOW: Final = 2
_LEAST_GONE: Final = 3  # steps at the end without a value, and
_GONE_SHARE: Final = 0.15  # of the window
_LEAST_CHANGE: Final = 0.2  # of the larger level: a smaller change is true, and of no use
_SURE: Final = 0.96
_LEAST_SLOW: Final = 12  # steps, to tell slowness from chance
_SLOWEST: Final = 20.0
_SLOPE: Final = 1.0  # deviations that belong to a slope
_CHANCE: Final = 1.3  # what the time before makes by chance is taken off with this factor
_APART: Final = 3  # deviations between this week and last


class Direction(StrEnum):
    """How something moved."""

    UP = "up"
    DOWN = "down"
    NEW = "new"
    GONE = "gone"
    HAPPENED = "happened"


@dataclass(frozen=True, slots=True)
class Movement:
    """A stretch of a window that differs from the time before.

    Attributes:
        first, last: steps of the window, both within it.
        before, now: levels, as medians.
        last_week: the level of the same stretch a week ago; None if nothing is known.
        score: how far the stretch stands out, in deviations.
        sure: the probability that it is no chance, from 0 to 1.
        is_usual: last week stood where it stands now.
    """

    first: int
    last: int
    before: float
    now: float
    last_week: float | None
    score: float
    sure: float
    direction: Direction
    is_usual: bool

    @property
    def size(self) -> float:
        """Give how much, from 0 for nothing to 1 for eight times or an eighth."""
        low, high = sorted((abs(self.before), abs(self.now)))
        if low * self.before * self.now <= 0:
            return 1.0
        return min(math.log2(high / low) / 3, 1.0)


def judge(
    before: Curve, window: Curve, week: Curve | None = None, *, least: float = 0.0, tries: int = 1
) -> Movement | None:
    """Compare a window with the time before it and with last week's; values that are not known are NaN.

    `least` is the smallest difference of levels that counts, in the curve's own unit; `tries` are the curves of which
    this is one: the more are looked at, the more strikes by chance.
    """
    known = before[~np.isnan(before)]
    if len(known) < _LEAST_BEFORE:
        return None
    ends = int(np.max(np.flatnonzero(~np.isnan(window)), initial=-1)) + 1
    if len(window) - ends >= max(_LEAST_GONE, len(window) * _GONE_SHARE):
        return _vanished(known, ends, len(window) - 1, week)
    if np.count_nonzero(~np.isnan(window)) < _LEAST_WINDOW:
        return None
    centre = float(np.median(known))
    own, deviations = _deviations(before, window, least)
    first, last, score = _stretch(deviations)
    first = _onset(deviations, first)
    usual = _stretch(own)[2]  # what chance, tails and waves make of the time before
    score = math.sqrt(max(score**2 - _CHANCE * usual**2, 0.0) / _slowness(own))
    now = float(np.nanmedian(window[first : last + 1]))
    sure = _sure(score, len(window), len(known), tries)
    if sure < _SURE or not _is_worth_telling(centre, now, least):
        return _against_week(centre, window, week, least)
    level = _level_of(week, first, last)
    return Movement(
        first,
        last,
        centre,
        now,
        level,
        score,
        sure,
        Direction.UP if now > centre else Direction.DOWN,
        level is not None and abs(level - now) <= abs(now - centre) / 2,
    )


def _spread(known: Curve, least: float) -> tuple[float, float]:
    """Give the scatter below and above the median, as if each side were half of a normal distribution."""
    low, centre, high = (float(value) for value in np.quantile(known, (0.1, 0.5, 0.9)))
    scatter = _NORMAL * float(np.median(np.abs(known - centre)))
    floor = max(_SHARE * abs(centre), least / 2, 1e-12)
    return max((centre - low) / _TENTH, scatter / 2, floor), max((high - centre) / _TENTH, scatter / 2, floor)


def _deviations(before: Curve, window: Curve, least: float) -> tuple[Curve, Curve]:
    """Give both curves in units of the scatter of the time before, whose own deviations are 0 on average."""
    known = before[~np.isnan(before)]
    centre, (below, above) = float(np.median(known)), _spread(known, least)

    def scaled(curve: Curve) -> Curve:
        return np.clip((curve - centre) / np.where(curve > centre, above, below), -_CLIP, _CLIP)

    own = scaled(before)
    mean, scale = float(np.nanmean(own)), max(float(np.nanstd(own)), 1.0)
    return np.nan_to_num((own - mean) / scale), np.nan_to_num((scaled(window) - mean) / scale)


def _stretch(deviations: Curve) -> tuple[int, int, float]:
    """Give the stretch with the largest sum over the root of its length."""
    count = len(deviations)
    sums = np.concatenate(([0.0], np.cumsum(deviations)))
    totals = sums[None, 1:] - sums[:-1, None]  # row: first, column: last
    lengths = np.arange(count)[None, :] - np.arange(count)[:, None] + 1
    scores = np.where(lengths > 0, totals / np.sqrt(np.maximum(lengths, 1)), 0.0)
    first, last = np.unravel_index(int(np.argmax(np.abs(scores))), scores.shape)
    return int(first), int(last), float(scores[first, last])


def _slowness(own: Curve) -> float:
    """Give how many steps say as much as one of pure chance: rates over a time, and whatever drifts, repeat themselves.

    Source: the variance of a mean of a first-order autoregressive process.
    """
    power = float(np.mean(own * own))
    if len(own) < _LEAST_SLOW or power <= 0:
        return 1.0
    rho = float(np.mean(own[1:] * own[:-1])) / power
    return min(max((1 + rho) / max(1 - rho, 1e-6), 1.0), _SLOWEST)


def _onset(deviations: Curve, first: int) -> int:
    """Give where the slope before a stretch begins: rates over a time rise slowly, and the order of things matters."""
    sign = 1.0 if deviations[first] > 0 else -1.0
    while first > 0 and _SLOPE < deviations[first - 1] * sign < deviations[first] * sign + _SLOPE:
        first -= 1
    return first


def _sure(score: float, count: int, known: int, tries: int) -> float:
    """Give one minus the chance that any stretch scores so high (Bonferroni), less what few values are worth."""
    chance = min(1.0, tries * count * (count + 1) / 2 * math.erfc(score / math.sqrt(2)))
    return (1 - chance) * (1 - 1 / (known + 6))


def _is_worth_telling(before: float, now: float, least: float) -> bool:
    difference = abs(now - before)
    return difference > least and difference >= _LEAST_CHANGE * max(abs(before), abs(now))


def _level_of(week: Curve | None, first: int, last: int) -> float | None:
    if week is None:
        return None
    stretch = week[first : last + 1]
    stretch = stretch[~np.isnan(stretch)]
    return float(np.median(stretch)) if len(stretch) else None


def _vanished(known: Curve, first: int, last: int, week: Curve | None) -> Movement | None:
    """Give that a curve ended, if it was there before."""
    if len(known) < 2 * _LEAST_BEFORE:
        return None
    level = _level_of(week, first, last)
    sure = 1 - 1 / (len(known) + 6)
    return Movement(first, last, float(np.median(known)), 0.0, level, _CLIP, sure, Direction.GONE, is_usual=False)


def _against_week(centre: float, window: Curve, week: Curve | None, least: float) -> Movement | None:
    """Give that the whole window stands elsewhere than last week, though nothing moved just now."""
    if week is None:
        return None
    known = week[~np.isnan(week)]
    if len(known) < 2 * _LEAST_BEFORE:
        return None
    level = float(np.median(known))
    now = float(np.nanmedian(window))
    score = abs(now - level) / max(_spread(known, least))
    if score < _APART or not _is_worth_telling(level, now, least):
        return None
    # A week has other reasons too, so this is never worth more than half a movement of now.
    direction = Direction.UP if now > level else Direction.DOWN
    sure = 0.5 * (1 - 1 / (len(known) + 6))
    return Movement(0, len(window) - 1, centre, now, level, score, sure, direction, is_usual=False)
