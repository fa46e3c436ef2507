"""OTLP logs as records: which attributes are labels and which are structured metadata, as Loki's OTLP endpoint has it.

Owns the translation. Refuses the transports, which all signals share (`telemetry.otlp`).
"""

from holdfast.telemetry.logs.otlp.receiving import DOOR, OtlpLogs
from holdfast.telemetry.logs.otlp.service import PATHS, logs_service
from holdfast.telemetry.logs.otlp.settings import SECTION, OtlpLogsSettings

__all__ = [
    "DOOR",
    "PATHS",
    "SECTION",
    "OtlpLogs",
    "OtlpLogsSettings",
    "logs_service",
]
