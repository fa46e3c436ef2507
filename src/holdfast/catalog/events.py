"""What the catalog writes into the event log."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

CHANGED: Final = EventKind(
    "catalog.changed", "Entities of the catalog were added, removed or changed by a load of the ops folder."
)
KINDS: Final = (CHANGED,)
