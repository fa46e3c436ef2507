"""What OTLP over gRPC refuses is noted by its signal and reason, for the tenant that was let in."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub

from fixtures.notes import Noted
from holdfast.kernel.auth import OpenGate
from holdfast.kernel.errors import BusyError, HoldfastError, InvalidError, LimitError, UnauthenticatedError
from holdfast.kernel.permissions import Permission, Role
from holdfast.telemetry.ledger import RefusedAtDoors
from holdfast.telemetry.otlp import OtlpGrpc, OtlpSettings
from holdfast.telemetry.traces import MemoryTraces
from holdfast.telemetry.traces.otlp import OtlpTraces, traces_service


class Refusing(MemoryTraces):
    """Takes nothing."""

    def __init__(self, error: HoldfastError) -> None:
        super().__init__()
        self.error = error

    async def append(self, tenant: Any, spans: Any) -> Any:
        """Refuse."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BusyError("full"), "unavailable"),
        (LimitError("too fast"), "put_off"),
        (InvalidError("no span"), "malformed"),
        (UnauthenticatedError("who"), "unauthenticated"),
    ],
)
async def test_an_error_is_noted_by_its_reason(error: HoldfastError, reason: str) -> None:
    noted, gate = Noted(), OpenGate()
    noted.knows = lambda tenant: True  # type: ignore[attr-defined]  # as the real ledger does
    service = traces_service(OtlpTraces(Refusing(error)))
    gate.book.declare([Permission(service.permission, Role.VIEWER, "send")])
    settings = OtlpSettings(grpc_listen="127.0.0.1:0")
    server = OtlpGrpc((service,), gate, settings, refused=RefusedAtDoors(noted))  # type: ignore[arg-type]  # a twin
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await TraceServiceStub(channel).Export(ExportTraceServiceRequest())
    finally:
        await server.stop()
    assert noted.requests == {("traces", "", reason): 1}
