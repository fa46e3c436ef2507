"""Whether a curve moved, when, how much, and how sure that is: medians and median absolute deviations, no model.

The window is put beside the time before it in units of that time's own scatter; the stretch that stands out most is
the movement, on the plain scale and, where long tails may be chance, on that of logarithms too. Sources: Huber, Robust
Statistics (1981); Kulldorff (1997) for the stretch; Tukey, Exploratory Data Analysis (1977) for started logarithms.
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
_LOG_START: Final = 0.05  # of the level, added before logarithms are taken: next to nothing they would see everything
_SKEWED: Final = 1.1  # times as far from the median above as below
_LONG: Final = 8  # steps; a rate over two minutes does not move for less
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
    deviations = _deviations(before, window, least)[1]
    first, last, score = _best(_scores(before, window, least, tries))
    first = _onset(deviations, first)
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


def _scores(before: Curve, window: Curve, least: float, tries: int) -> Curve:
    """Give how far each stretch of the window stands out; row: first, column: last.

    Noise with a long tail, as durations have, looks calm on the scale of logarithms, and what moved does so there too.
    So both scales must agree; about long stretches of what has no longer tail above than below the plain one is enough.
    """
    known = before[~np.isnan(before)]
    plain = _scores_on_scale(before, window, least)
    if _sure(_best(plain)[2], len(window), len(known), tries) < _SURE:
        return plain  # what follows only takes away
    plain = np.where(_surpasses(before, window, least), plain, 0.0)
    low, centre, high = (float(value) for value in np.quantile(known, (0.1, 0.5, 0.9)))
    if centre <= 0 or min(float(np.min(known)), float(np.nanmin(window))) < 0:
        return plain
    start = max(least, _LOG_START * centre)
    logged = _scores_on_scale(np.log(before + start), np.log(window + start), least / (centre + start))
    both = np.where(plain * logged > 0, np.sign(plain) * np.minimum(np.abs(plain), np.abs(logged)), 0.0)
    if high - centre > _SKEWED * (centre - low):
        return both
    return np.where(_lengths(len(window)) < _LONG, both, plain)


def _scores_on_scale(before: Curve, window: Curve, least: float) -> Curve:
    """Give the scores of all stretches on one scale, less what chance, tails and waves make of the time before."""
    own, deviations = _deviations(before, window, least)
    scores = _sums(deviations) / np.sqrt(_lengths(len(window)))
    usual = float(np.max(np.abs(_sums(own)) / np.sqrt(_lengths(len(own)))))
    return np.sign(scores) * np.sqrt(np.maximum(scores**2 - _CHANCE * usual**2, 0.0) / _slowness(own))


def _surpasses(before: Curve, window: Curve, least: float) -> npt.NDArray[np.bool_]:
    """Tell which stretches of the window surpass every stretch before of their length, short ones by far.

    Short stretches are mostly tail, of which the scatter says nothing.
    """
    own, deviations = _deviations(before, window, least)
    lengths, own_sums = _lengths(len(window)), np.abs(_sums(own))
    largest = np.zeros(max(len(window), len(own)) + 1)
    np.maximum.at(largest, _lengths(len(own)), own_sums)
    needed = np.maximum.accumulate(largest)[lengths] * (1 + 1 / np.sqrt(lengths))
    surpasses: npt.NDArray[np.bool_] = np.abs(_sums(deviations)) >= needed
    return surpasses


def _lengths(count: int) -> npt.NDArray[np.int64]:
    """Give the length of each stretch by first and last step, at least 1; stretches that end too early have no sum."""
    lengths: npt.NDArray[np.int64] = np.maximum(np.arange(count)[None, :] - np.arange(count)[:, None] + 1, 1)
    return lengths


def _sums(deviations: Curve) -> Curve:
    """Give the sum of each stretch by first and last step."""
    sums = np.concatenate(([0.0], np.cumsum(deviations)))
    return np.triu(sums[None, 1:] - sums[:-1, None])


def _best(scores: Curve) -> tuple[int, int, float]:
    first, last = np.unravel_index(int(np.argmax(np.abs(scores))), scores.shape)
    return int(first), int(last), abs(float(scores[first, last]))


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
