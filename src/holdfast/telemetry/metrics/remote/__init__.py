"""Remote write 1.0 and 2.0 and remote read, as Prometheus speaks them.

Owns the wire formats and what they are answered with. Refuses to store: that is the sink's.
"""

from holdfast.telemetry.metrics.remote.receiving import Protocol, RemoteWriter, Taken
from holdfast.telemetry.metrics.remote.requests import SentSample, read_answer, read_request, write_request
from holdfast.telemetry.metrics.remote.routes import WRITE_PATH, read_routes, write_routes
from holdfast.telemetry.metrics.remote.settings import SECTION, RemoteWriteSettings

__all__ = [
    "SECTION",
    "WRITE_PATH",
    "Protocol",
    "RemoteWriteSettings",
    "RemoteWriter",
    "SentSample",
    "Taken",
    "read_answer",
    "read_request",
    "read_routes",
    "write_request",
    "write_routes",
]
