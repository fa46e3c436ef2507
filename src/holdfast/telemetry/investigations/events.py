"""What investigations write into the event log; never what stands in a cell."""

from __future__ import annotations

from typing import Final

from holdfast.kernel.events import EventKind

OPENED: Final = EventKind("investigation.opened", "Somebody began an investigation: {title}.")
RENAMED: Final = EventKind("investigation.renamed", "Somebody gave an investigation another title: {title}.")
DELETED: Final = EventKind("investigation.deleted", "Somebody deleted an investigation: {title}.")
CELL_ADDED: Final = EventKind("investigation.cell_added", "Somebody added to an investigation: {cell, kind}.")
CELL_CHANGED: Final = EventKind("investigation.cell_changed", "Somebody changed a cell: {cell, kind, version}.")
CELL_MOVED: Final = EventKind("investigation.cell_moved", "Somebody put a cell elsewhere: {cell, kind}.")
CELL_REMOVED: Final = EventKind("investigation.cell_removed", "Somebody removed a cell: {cell, kind}.")

KINDS: Final = (CELL_ADDED, CELL_CHANGED, CELL_MOVED, CELL_REMOVED, DELETED, OPENED, RENAMED)
