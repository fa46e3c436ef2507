"""Loki's HTTP API below `/loki/api/v1`: queries, labels, series, as Grafana's Loki data source calls them.

Owns parameters and the shape of answers. Refuses to evaluate (`querying`), to read (`selection`), and pushes (`loki`).
"""

from holdfast.telemetry.logs.api.surface import PREFIX, Part, surface
from holdfast.telemetry.logs.api.wiring import LogQueryRoom, wire

__all__ = ["PREFIX", "LogQueryRoom", "Part", "surface", "wire"]
