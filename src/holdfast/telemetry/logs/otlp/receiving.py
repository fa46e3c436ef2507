"""Takes an OTLP request of logs in: converts it in slices, and waits until the store has accepted it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.logs.intake import KnownStreams, LogMeters, deliver
from holdfast.telemetry.logs.otlp.attributes import Names
from holdfast.telemetry.logs.otlp.conversion import Conversion
from holdfast.telemetry.logs.otlp.messages import as_read_here
from holdfast.telemetry.logs.otlp.settings import OtlpLogsSettings
from holdfast.telemetry.logs.settings import LogsSettings
from holdfast.telemetry.otlp import Rejected

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.arrivals import RecordSink

DOOR: Final = "otlp_logs"


class OtlpLogs:
    """The door of OTLP logs."""

    def __init__(
        self,
        sink: RecordSink,
        *,
        settings: OtlpLogsSettings | None = None,
        keeping: LogsSettings | None = None,
        meters: LogMeters | None = None,
    ) -> None:
        self._sink = sink
        settings = settings or OtlpLogsSettings()
        self._conversion = Conversion(settings, Names(), (keeping or LogsSettings()).max_labels)
        self._known = KnownStreams(settings.known_streams)
        self._meters = meters or LogMeters()

    async def export(self, tenant: TenantId, request: Any) -> Rejected:
        """Store an `ExportLogsServiceRequest`; when this returns, the store has all that was not rejected.

        Raises:
            BusyError, LimitError, StorageFullError, UnavailableError: nothing is acknowledged, send the same again.
            InvalidError: a part of it is not what it must be; nothing was stored.
        """
        walk = partial(self._conversion.walk, as_read_here(request))
        delivered = await deliver(tenant, walk, sink=self._sink, known=self._known, door=DOOR, meters=self._meters)
        refusals = delivered.refusals
        return Rejected(refusals.total, refusals.describe("log records") if refusals else "")
