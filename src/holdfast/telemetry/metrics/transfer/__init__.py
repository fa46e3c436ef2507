"""Samples from files into a running server, and from one into files: `holdfast import` and `holdfast export`.

Speaks to the server over HTTP like everybody else. Refuses files without timestamps: those are scraped or pushed.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.telemetry.metrics.transfer.commands import register
    from holdfast.telemetry.metrics.transfer.exporting import Exported, fetch, write_openmetrics, write_parquet
    from holdfast.telemetry.metrics.transfer.importing import Format, Report, import_file
    from holdfast.telemetry.metrics.transfer.sending import Destination

__all__ = [
    "Destination",
    "Exported",
    "Format",
    "Report",
    "fetch",
    "import_file",
    "register",
    "write_openmetrics",
    "write_parquet",
]

_HOMES = {
    "commands": "register",
    "exporting": "Exported fetch write_openmetrics write_parquet",
    "importing": "Format Report import_file",
    "sending": "Destination",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
