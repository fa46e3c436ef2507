"""How busy a shop is through a day: quiet at night, a hump at noon, a higher one in the evening."""

import math

_LEVEL_AT_NIGHT = 0.25
# Hour of the peak, its width in hours, its height above the night.
_PEAKS = ((12.5, 2.2, 1.0), (20.0, 2.0, 1.6))
_SAMPLES = 96


def _raw(hour: float) -> float:
    humps = 0.0
    for peak, width, height in _PEAKS:
        distance = min(abs(hour - peak), 24 - abs(hour - peak))
        humps += height * math.exp(-((distance / width) ** 2) / 2)
    return _LEVEL_AT_NIGHT + humps


_MEAN = sum(_raw(24 * sample / _SAMPLES) for sample in range(_SAMPLES)) / _SAMPLES


def level(fraction_of_day: float) -> float:
    """Return the load at a moment of the day (0 is midnight, 0.5 noon); the mean over a day is 1."""
    return _raw(24 * (fraction_of_day % 1.0)) / _MEAN
