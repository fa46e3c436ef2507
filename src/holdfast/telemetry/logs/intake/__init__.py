"""What every door of logs needs before the sink: columns that grow record by record, the service's name, own metrics.

Refuses to know any format, and to store anything.
"""

from holdfast.telemetry.logs.intake.columns import RecordColumns
from holdfast.telemetry.logs.intake.delivering import Delivered, deliver
from holdfast.telemetry.logs.intake.known import KnownStream, KnownStreams, StreamMemory
from holdfast.telemetry.logs.intake.meters import LogMeters
from holdfast.telemetry.logs.intake.services import SERVICE_NAME, UNKNOWN_SERVICE, with_service_name

__all__ = [
    "SERVICE_NAME",
    "UNKNOWN_SERVICE",
    "Delivered",
    "KnownStream",
    "KnownStreams",
    "LogMeters",
    "RecordColumns",
    "StreamMemory",
    "deliver",
    "with_service_name",
]
