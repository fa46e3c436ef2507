"""What patterns write into the event log."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

NEW: Final = EventKind(
    "logs.pattern_new",
    "A service logs lines of a pattern that it has not logged before; not told in its first ten minutes.",
)
RATE_CHANGED: Final = EventKind(
    "logs.pattern_rate_changed",
    "Lines of a pattern come five times as often, or a fifth as often, as in the hour before; lines per minute "
    "`before` and `now`.",
)

KINDS: Final = (NEW, RATE_CHANGED)
