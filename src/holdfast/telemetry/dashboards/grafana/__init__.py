"""Reads Grafana's dashboard JSON into our document, and lists what has no counterpart here instead of dropping it.

Knows schema versions from 2018 on (`panels` with `gridPos`, and the older `rows`). Source: Grafana's documentation of
the dashboard JSON model.
"""

from holdfast.telemetry.dashboards.grafana.importing import Mapped, import_grafana, is_grafana
from holdfast.telemetry.dashboards.grafana.notes import Unmapped

__all__ = ["Mapped", "Unmapped", "import_grafana", "is_grafana"]
