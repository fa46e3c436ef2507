"""What dashboards write into the event log."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

SAVED: Final = EventKind("dashboard.saved", "Somebody saved a dashboard; `version` says which one it is now.")
DELETED: Final = EventKind("dashboard.deleted", "Somebody deleted a dashboard; its versions are kept.")

KINDS: Final = (DELETED, SAVED)
