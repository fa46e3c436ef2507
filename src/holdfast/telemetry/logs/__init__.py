"""Log records: doors hand `LogArrival`s to a `RecordSink`, readers ask a `RecordSource`; `tables` keeps them.

Owns how records are stored, found again and expire; LogQL (`logql`) stands above `selection`. Refuses to know who sends
records, and formats, which are the business of each door.
"""

from holdfast.telemetry.logs.arrivals import REFUSED, LogArrival, LogsWritten, RecordSink, Refusal, StreamBook
from holdfast.telemetry.logs.hooks import LogFeed, NoQuota, NoScrubber, Quota, RecordFollower, Scrubber
from holdfast.telemetry.logs.logql import LogqlError, parse
from holdfast.telemetry.logs.memory import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.records import Attributes, Level, RecordPage, Records
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
