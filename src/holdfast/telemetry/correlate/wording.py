"""Numbers and movements in words, and how findings are ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from holdfast.telemetry.correlate.movement import Direction

if TYPE_CHECKING:
    from holdfast.telemetry.correlate.movement import Movement

_USUAL: Final = 0.3  # what a movement is worth that came last week too
_PREFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BYTES: Final = ((1024**4, "TiB"), (1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB"))
_FEWEST: Final = 1.5  # below it a ratio says less than both numbers
_MOST_RATIO: Final = 1000
_ERRORS: Final = (
    "error",
    "fail",
    "refus",
    "exception",
    "timeout",
    "timed_out",
    "reject",
    "retr",
    "drop",
    "denied",
    "panic",
)


def rank_of(movement: Movement, weight: float, *, is_bad: bool = False) -> float:
    """Give the rank of a movement from 0 to 1: how sure, how large, and how much such a thing usually says."""
    rank = movement.sure * weight * (0.55 + 0.45 * movement.size)
    if is_bad and movement.direction is Direction.DOWN:
        rank *= 0.5  # less of what is bad explains little
    return rank * _USUAL if movement.is_usual else rank


def speaks_of_errors(name: str) -> bool:
    """Tell whether a name is one of something that goes wrong."""
    lowered = name.lower()
    return any(word in lowered for word in _ERRORS)


def describe_movement(subject: str, movement: Movement, unit: str) -> str:
    """Give a movement as one sentence."""
    before, now = write(movement.before, unit), write(movement.now, unit)
    if movement.direction is Direction.GONE:
        return f"{subject} ended; it stood at {before}."
    if movement.direction is Direction.NEW:
        return f"{subject} came up: {now}, and nothing before."
    if movement.last_week is not None and movement.first == 0 and movement.sure <= 0.5:
        week = write(movement.last_week, unit)
        return f"{subject} stands at {now}, and stood at {week} last week; it did not move just now."
    verb = "rose" if movement.direction is Direction.UP else "fell"
    told = f"{subject} {verb} from {before} to {now}{_ratio(movement)}"
    if movement.last_week is None:
        return f"{told}."
    if movement.is_usual:
        return f"{told}, as it did last week."
    return f"{told}; last week it was {write(movement.last_week, unit)}."


def write(value: float, unit: str) -> str:
    """Give a number with its unit and three digits."""
    if unit == "bytes":
        return _scaled(value, _BYTES, " ", "B")
    if unit == "ms" and abs(value) >= 1000:
        return f"{_digits(value / 1000)} s"
    if unit == "s" and value and abs(value) < 1:
        return f"{_digits(value * 1000)} ms"
    if unit == "%":
        return f"{_digits(value * 100)}%"
    space = "" if unit.startswith("/") or not unit else " "
    return f"{_scaled(value, _PREFIXES, '', '')}{space}{unit}"


def _scaled(value: float, prefixes: tuple[tuple[float, str], ...], space: str, plain: str) -> str:
    for factor, prefix in prefixes:
        if abs(value) >= factor:
            return f"{_digits(value / factor)}{space}{prefix}"
    return f"{_digits(value)}{space if plain else ''}{plain}"


def _digits(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _ratio(movement: Movement) -> str:
    low, high = sorted((abs(movement.before), abs(movement.now)))
    if low <= 0 or movement.before * movement.now < 0:
        return ""
    ratio = high / low
    if not _FEWEST <= ratio <= _MOST_RATIO:
        return ""
    return f", {_digits(ratio)} times" if movement.direction is Direction.UP else f", to 1/{_digits(ratio)}"
