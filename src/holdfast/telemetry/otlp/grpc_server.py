"""OTLP over gRPC: one server for the services of all signals, behind the same gate as HTTP.

gRPC and its messages are loaded when it starts. A port that is taken is told once and tried again, for a collector
that moves away must not need a restart of ours.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from fastapi import Request

from holdfast import journal
from holdfast.kernel.clock import Clock, SystemClock
from holdfast.kernel.errors import ConflictError, HoldfastError, TimedOutError
from holdfast.resilience import Backoff, Pauses, timeout
from holdfast.telemetry.ledger import answering
from holdfast.telemetry.otlp.bodies import Encoding
from holdfast.telemetry.otlp.statuses import grpc_code, retry_after_s, retry_metadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from holdfast.kernel.auth import Gate, Identity
    from holdfast.telemetry.ledger import RefusedAtDoors
    from holdfast.telemetry.otlp.services import Service
    from holdfast.telemetry.otlp.settings import OtlpSettings

_AGAIN: Final = Backoff(base_s=1.0, cap_s=30.0, jitter="equal")
GRACE_S: Final = 5.0
LONGEST_READ_S: Final = 30.0
# What of a message is taken in before somebody reads it (by itself gRPC would let that grow with the bandwidth to many
# megabytes of each), streams of a connection, and when one that is idle, or whose sender is gone, is closed.
_CONNECTIONS: Final = (
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 256_000),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.max_connection_idle_ms", 600_000),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
)
_FIRST_GUESS_BYTES: Final = 256_000
_MEMORY: Final = 4  # messages over which the usual size is an average
_log = journal.get_logger("holdfast.otlp")


class OtlpGrpc:
    """The gRPC server of OTLP."""

    def __init__(
        self,
        services: Sequence[Service],
        gate: Gate,
        settings: OtlpSettings,
        *,
        clock: Clock | None = None,
        refused: RefusedAtDoors | None = None,
    ) -> None:
        self._services = services
        self._gate = gate
        self._refused = refused
        self._settings = settings
        self._clock = clock or SystemClock()
        self._server: Any = None
        self._usual_bytes = {service.door: _FIRST_GUESS_BYTES for service in services}
        self.port = 0

    async def run(self) -> None:
        """Serve until cancelled; returns at once when the setting says so."""
        if not self._settings.grpc_listen:
            return
        has_told, pauses = False, Pauses(_AGAIN)
        while True:
            try:
                await self.start()
            except ConflictError as error:
                if not has_told:
                    _log.warning("otlp.grpc_port_taken", error=str(error))
                has_told = True
                await self._clock.sleep(pauses.next_s())
                continue
            try:
                await asyncio.Event().wait()
            finally:
                await self.stop()

    async def start(self) -> None:
        """Open the port.

        Raises:
            ConflictError: it is taken.
        """
        import grpc.aio  # noqa: PLC0415 -- gRPC costs 40 MB and 0.2 s, and many never use it

        limit = self._settings.max_message
        options = (("grpc.max_receive_message_length", limit), ("grpc.so_reuseport", 0), *_CONNECTIONS)
        server = grpc.aio.server(options=options)
        for service in self._services:
            # A stream of one message on our side: who is told to come back is told so before the message is read.
            method = grpc.stream_unary_rpc_method_handler(
                self._handler(service), request_deserializer=bytes, response_serializer=_write
            )
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.name, {"Export": method}),))
        try:
            self.port = server.add_insecure_port(self._settings.grpc_listen)
        except RuntimeError:
            raise ConflictError(
                f"{self._settings.grpc_listen} is taken", hint="stop who listens there, or set otlp.grpc_listen"
            ) from None
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Close the port, and let running requests finish."""
        if self._server is not None:
            await self._server.stop(GRACE_S)
            self._server = None

    def _handler(self, service: Service) -> Callable[[AsyncIterator[bytes], Any], Awaitable[Any]]:
        async def export(bodies: AsyncIterator[bytes], context: Any) -> Any:
            answer = await self._answer(service, bodies, _as_request(context))
            if isinstance(answer, _Refusal):
                # gRPC keeps what abort raises, with this frame and all that hangs on it, in a circle.
                await context.abort(*answer)
            return answer

        return export

    async def _answer(self, service: Service, bodies: AsyncIterator[bytes], request: Request) -> Any:
        """Give the response, or the refusal; of the message nothing is left then."""
        identity = None
        with answering() as call:
            try:
                identity = await self._gate.admit(request, service.permission)
                # Nothing says how large a message will be: until it is read it counts as much as others did.
                with service.backlog.hold(service.door, self._usual_bytes[service.door]) as held:
                    body = await _read(bodies)
                    self._usual_bytes[service.door] += (len(body) - self._usual_bytes[service.door]) // _MEMORY
                    held.settle_at(len(body))
                    message = await service.read(body, Encoding.PROTOBUF)
                    return service.response(await service.export(identity.tenant, message))
            except HoldfastError as error:
                if not call.has_told:
                    self._note(service, error, identity, request)
                return _refusal(error)

    def _note(self, service: Service, error: HoldfastError, identity: Identity | None, request: Request) -> None:
        if self._refused is not None:
            admitted = identity.tenant if identity is not None else None
            named = request.headers.get("x-scope-orgid", "")
            self._refused.note_error(service.signal, error, admitted=admitted, named=named)


async def _read(bodies: AsyncIterator[bytes]) -> bytes:
    try:
        async with timeout(LONGEST_READ_S):
            return await anext(bodies, b"")
    except TimeoutError:
        raise TimedOutError(f"the message did not arrive within {LONGEST_READ_S:g} s") from None


class _Refusal(NamedTuple):
    """What a call is aborted with."""

    code: Any
    details: str
    trailing: tuple[tuple[str, bytes], ...]


def _refusal(error: HoldfastError) -> _Refusal:
    import grpc  # noqa: PLC0415 -- as above

    again_s = retry_after_s(error)
    trailing = () if again_s is None else retry_metadata(again_s, error)
    code = next(each for each in grpc.StatusCode if each.value[0] == grpc_code(error))
    return _Refusal(code, str(error), trailing)


def _as_request(context: Any) -> Request:
    """Give what a gate reads: the metadata of a call are its headers."""
    headers = [
        (key.lower().encode(), value if isinstance(value, bytes) else value.encode("latin-1", "replace"))
        for key, value in context.invocation_metadata()
    ]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    return Request(scope)


def _write(message: Any) -> bytes:
    return bytes(message.SerializeToString())
