"""How records get into the store: books of streams, announcements, columns, what is sent twice."""

from holdfast.telemetry.logs.storing.appending import Appending
from holdfast.telemetry.logs.storing.streams import KeepSeconds, StreamWatch, TenantStreams

__all__ = ["Appending", "KeepSeconds", "StreamWatch", "TenantStreams"]
