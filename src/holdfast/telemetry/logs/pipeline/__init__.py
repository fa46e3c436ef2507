"""What the stages of a LogQL query do to lines, one line at a time.

Owns filters, parsers and formats and their errors as labels. Refuses to read lines from anywhere; what the engine of
the store can do in its place is the reader's matter.
"""

from holdfast.telemetry.logs.pipeline.entries import DETAILS, ERROR, Entry
from holdfast.telemetry.logs.pipeline.parsing import captures_of, groups_of
from holdfast.telemetry.logs.pipeline.pipeline import Pipeline

__all__ = ["DETAILS", "ERROR", "Entry", "Pipeline", "captures_of", "groups_of"]
