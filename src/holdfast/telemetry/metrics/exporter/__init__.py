"""Turns JSON, text and rows of databases into metrics, as a YAML file says: `holdfast exporter`.

Owns the file's language, the bounded reading of sources, and how a broken source shows. Refuses to run programs: what a
file names is read, never executed.
"""

from holdfast.telemetry.metrics.exporter.book import ExporterBook
from holdfast.telemetry.metrics.exporter.commands import register
from holdfast.telemetry.metrics.exporter.files import load_exporter
from holdfast.telemetry.metrics.exporter.serving import Exporter, build_app, open_exporter
from holdfast.telemetry.metrics.exporter.wiring import ExportersRoom, OpsExporters, wire

__all__ = [
    "Exporter",
    "ExporterBook",
    "ExportersRoom",
    "OpsExporters",
    "build_app",
    "load_exporter",
    "open_exporter",
    "register",
    "wire",
]
