"""Dashboards: rows of panels over queries, kept with their versions, or read from the ops folder.

Owns the document, its history and the import from Grafana. Refuses to draw or to query: the console does the one, the
Prometheus API the other.
"""

from holdfast.telemetry.dashboards.document import Document, Panel, PanelKind, Query, Row, Variable, VariableKind
from holdfast.telemetry.dashboards.files import read_folder
from holdfast.telemetry.dashboards.grafana import Mapped, Unmapped, import_grafana
from holdfast.telemetry.dashboards.shelf import Entry, Shelf
from holdfast.telemetry.dashboards.wiring import DashboardRoom, wire

__all__ = [
    "DashboardRoom",
    "Document",
    "Entry",
    "Mapped",
    "Panel",
    "PanelKind",
    "Query",
    "Row",
    "Shelf",
    "Unmapped",
    "Variable",
    "VariableKind",
    "import_grafana",
    "read_folder",
    "wire",
]
