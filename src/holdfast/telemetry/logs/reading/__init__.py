"""How records get out of the store: which streams match, conditions as SQL, pages of rows. No query language."""

from holdfast.telemetry.logs.reading.conditions import Condition, field_expression, is_column
from holdfast.telemetry.logs.reading.directory import StreamDirectory
from holdfast.telemetry.logs.reading.windows import Window

__all__ = ["Condition", "StreamDirectory", "Window", "field_expression", "is_column"]
