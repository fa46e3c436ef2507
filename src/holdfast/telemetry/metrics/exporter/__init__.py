"""Turns JSON, text and rows of databases into metrics, as a YAML file says: `holdfast exporter`.

Owns the file's language, the bounded reading of sources, and how a broken source shows. Refuses to run programs: what a
file names is read, never executed.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
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

_HOMES = {
    "book": "ExporterBook",
    "commands": "register",
    "files": "load_exporter",
    "serving": "Exporter build_app open_exporter",
    "wiring": "ExportersRoom OpsExporters wire",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
