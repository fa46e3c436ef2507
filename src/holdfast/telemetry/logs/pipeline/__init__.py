"""What the stages of a LogQL query do to lines, one line at a time.

Owns filters, parsers and formats and their errors as labels. Refuses to read lines from anywhere; what the engine of
the store can do in its place is the reader's matter.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, Entry
    from holdfast.telemetry.logs.pipeline.json_paths import parse_path
    from holdfast.telemetry.logs.pipeline.parsing import captures_of, groups_of
    from holdfast.telemetry.logs.pipeline.pipeline import Pipeline

__all__ = ["DETAILS", "ERROR", "Entry", "Pipeline", "captures_of", "groups_of", "parse_path"]

_HOMES = {
    "entries": "DETAILS ERROR Entry",
    "json_paths": "parse_path",
    "parsing": "captures_of groups_of",
    "pipeline": "Pipeline",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
