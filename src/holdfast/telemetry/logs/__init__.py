"""Log records: doors hand `LogArrival`s to a `RecordSink`, readers ask a `RecordSource`; `tables` keeps them.

Owns how records are stored, found again and expire; LogQL (`logql`) stands above `selection`. Refuses to know who sends
records, and formats, which are the business of each door.
"""

from typing import TYPE_CHECKING

from holdfast.kernel.doorways import open_lazily

if TYPE_CHECKING:
    from holdfast.telemetry.logs.arrivals import REFUSED, LogArrival, LogsWritten, RecordSink, Refusal, StreamBook
    from holdfast.telemetry.logs.hooks import LogFeed, NoQuota, NoScrubber, Quota, RecordFollower, Scrubber
    from holdfast.telemetry.logs.level_words import Level
    from holdfast.telemetry.logs.logql import LogqlError, parse
    from holdfast.telemetry.logs.memory import MemoryLogSink, MemoryLogSource
    from holdfast.telemetry.logs.records import Attributes, RecordPage, Records
    from holdfast.telemetry.logs.selection import (
        Direction,
        LineFilter,
        LineOp,
        RecordCounts,
        RecordSelection,
        RecordSource,
        StreamScope,
    )
    from holdfast.telemetry.logs.settings import LOGS_SECTION, LogsSettings
    from holdfast.telemetry.logs.sink import LogSink
    from holdfast.telemetry.logs.source import LogSource
    from holdfast.telemetry.logs.tables import SCHEMA, STREAM

__all__ = [
    "LOGS_SECTION",
    "REFUSED",
    "SCHEMA",
    "STREAM",
    "Attributes",
    "Direction",
    "Level",
    "LineFilter",
    "LineOp",
    "LogArrival",
    "LogFeed",
    "LogSink",
    "LogSource",
    "LogqlError",
    "LogsSettings",
    "LogsWritten",
    "MemoryLogSink",
    "MemoryLogSource",
    "NoQuota",
    "NoScrubber",
    "Quota",
    "RecordCounts",
    "RecordFollower",
    "RecordPage",
    "RecordSelection",
    "RecordSink",
    "RecordSource",
    "Records",
    "Refusal",
    "Scrubber",
    "StreamBook",
    "StreamScope",
    "parse",
]

_HOMES = {
    "arrivals": "REFUSED LogArrival LogsWritten RecordSink Refusal StreamBook",
    "hooks": "LogFeed NoQuota NoScrubber Quota RecordFollower Scrubber",
    "logql": "LogqlError parse",
    "memory": "MemoryLogSink MemoryLogSource",
    "level_words": "Level",
    "records": "Attributes RecordPage Records",
    "selection": "Direction LineFilter LineOp RecordCounts RecordSelection RecordSource StreamScope",
    "settings": "LOGS_SECTION LogsSettings",
    "sink": "LogSink",
    "source": "LogSource",
    "tables": "SCHEMA STREAM",
}

if not TYPE_CHECKING:  # else a name that does not exist would be an object to a type checker
    __getattr__ = open_lazily(__name__, _HOMES)
