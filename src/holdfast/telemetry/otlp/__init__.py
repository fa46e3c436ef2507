"""What all signals of OTLP share: the gRPC server on 4317, the bodies of OTLP/HTTP, and how refusals are told.

Owns the transports. Refuses to know what a metric, log record or span is: a `Service` per signal does.
"""

from holdfast.telemetry.otlp.bodies import Encoding, read_body, write_body
from holdfast.telemetry.otlp.grpc_server import OtlpGrpc
from holdfast.telemetry.otlp.routes import http_routes
from holdfast.telemetry.otlp.services import Rejected, Service
from holdfast.telemetry.otlp.settings import SECTION, OtlpSettings
from holdfast.telemetry.otlp.turns import Turns

__all__ = [
    "SECTION",
    "Encoding",
    "OtlpGrpc",
    "OtlpSettings",
    "Rejected",
    "Service",
    "Turns",
    "http_routes",
    "read_body",
    "write_body",
]
