"""What a colour of a threshold says: green is good, yellow and orange are doubtful, red is bad; others say nothing."""

from __future__ import annotations

import colorsys
import re
from typing import Final

_STATUS: Final = {"green": "up", "yellow": "degraded", "orange": "degraded", "red": "down"}
_NAMED: Final = re.compile(r"(?:super-light-|light-|semi-dark-|dark-)?(green|yellow|orange|red)")
_HEX: Final = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})(?:[0-9a-fA-F]{2})?")
_RGB: Final = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,[^)]*)?\)")
_GREY: Final = 0.25  # below this saturation
# Where a hue ends, in degrees, and what the colours before that say.
_HUES: Final = ((15, "down"), (68, "degraded"), (165, "up"), (335, None), (360, "down"))


def status_of_colour(colour: object) -> str | None:
    """Give the status that a colour stands for, or None."""
    text = str(colour)
    if named := _NAMED.fullmatch(text):
        return _STATUS[named[1]]
    if found := _HEX.fullmatch(text):
        parts = [int(each, 16) for each in found.groups()]
    elif found := _RGB.fullmatch(text):
        parts = [min(255, int(each)) for each in found.groups()]
    else:
        return None
    hue, saturation, _ = colorsys.rgb_to_hsv(*(each / 255 for each in parts))
    return None if saturation < _GREY else next(status for end, status in _HUES if hue * 360 <= end)
