"""What saved searches write into the event log; of a private one neither its name nor its query."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

SAVED: Final = EventKind("search.saved", "Somebody saved a search: {kind, is_shared}, and {name} of a shared one.")
CHANGED: Final = EventKind("search.changed", "Somebody changed a saved search: {kind, is_shared}, {name} if shared.")
DELETED: Final = EventKind("search.deleted", "Somebody deleted a saved search: {kind, is_shared}, {name} if shared.")

KINDS: Final = (CHANGED, DELETED, SAVED)
