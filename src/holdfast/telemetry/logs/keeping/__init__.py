"""What logs take, and what leaves when they take too much; retention by age is the store's."""

from holdfast.telemetry.logs.keeping.days import days_asked
from holdfast.telemetry.logs.keeping.reads import READS_SCHEMA, LogRead, LogReads
from holdfast.telemetry.logs.keeping.routes import keeping_routes
from holdfast.telemetry.logs.keeping.size import SIZE_CUT, LogSizeLimit
from holdfast.telemetry.logs.keeping.usage import LogUse, read_labels, read_usage, today

__all__ = [
    "READS_SCHEMA",
    "SIZE_CUT",
    "LogRead",
    "LogReads",
    "LogSizeLimit",
    "LogUse",
    "days_asked",
    "keeping_routes",
    "read_labels",
    "read_usage",
    "today",
]
