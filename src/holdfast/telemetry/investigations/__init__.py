"""Investigations: pages on which people collect what they saw, in order, with notes, and share it by a link.

Owns cells, the evidence that each keeps of its time, their order, and the export. Refuses to judge and to page anybody.
"""

from holdfast.telemetry.investigations.cells import Cell, CellKind
from holdfast.telemetry.investigations.notebook import Investigation, Notebook
from holdfast.telemetry.investigations.wiring import InvestigationRoom, wire

__all__ = ["Cell", "CellKind", "Investigation", "InvestigationRoom", "Notebook", "wire"]
