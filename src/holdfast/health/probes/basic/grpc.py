"""The `grpc` kind: the standard health service (grpc.health.v1), spoken over our own HTTP/2.

One small message each way does not need the gRPC library, its threads and its memory; so phases are timed and
answers are bounded as they are for http.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final
from urllib.parse import unquote

from pydantic import ConfigDict

from holdfast.health.probes.attempts import Attempt, now_s, observe, quote, span
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.http import Call, HttpVersion, Request, Response, Url, fetch
from holdfast.health.probes.limits import DurationLimits, Latency, judge_duration
from holdfast.health.probes.network import DEFAULT_TLS, Endpoint, Family, Port, Tls

_SERVING: Final = 1
_HEALTH: Final = {0: "UNKNOWN", 1: "SERVING", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}
_MAX_ANSWER_BYTES: Final = 64 * 1024
_CODES: Final = {
    1: "CANCELLED",
    2: "UNKNOWN",
    3: "INVALID_ARGUMENT",
    4: "DEADLINE_EXCEEDED",
    5: "NOT_FOUND",
    7: "PERMISSION_DENIED",
    8: "RESOURCE_EXHAUSTED",
    12: "UNIMPLEMENTED",
    13: "INTERNAL",
    14: "UNAVAILABLE",
    16: "UNAUTHENTICATED",
}


@dataclass(frozen=True, slots=True)
class GrpcSpec:
    """A gRPC server with the standard health service.

    Attributes:
        host: name or address.
        port: TCP port.
        service: the service to ask about; empty for the server as a whole.
        ip: which addresses of a name to use: `any`, `4` or `6`.
        tls: `true` or TLS options, to connect in TLS.
        metadata: request metadata; values may hold secrets, `${env:NAME}`.
        latency: limits on the whole attempt.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    host: str
    port: Port
    service: str = ""
    ip: Family = Family.ANY
    tls: Tls = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    latency: Latency = field(default_factory=DurationLimits)


@dataclass(frozen=True, slots=True)
class GrpcProbe:
    """Calls grpc.health.v1.Health/Check."""

    spec: GrpcSpec
    call: Call

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        metadata = [(name.lower(), await attempt.expand(value)) for name, value in self.spec.metadata.items()]
        deadline_ms = max(1, int(attempt.remaining_s() * 1000))
        headers = (
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            ("grpc-timeout", f"{min(deadline_ms, 99_999_999)}m"),
            *metadata,
        )
        url = self.call.url
        request = Request("POST", url, url.authority, headers, _encode(self.spec.service))
        response = await fetch(attempt, replace(self.call, prepared=(request, b"")))
        health = _read_health(response, self.spec.service)
        name = _HEALTH.get(health, str(health))
        attempt.facts["health"] = name
        about = f"service {quote(self.spec.service)}" if self.spec.service else "the server"
        if health != _SERVING:
            attempt.down(f"expected {about} to be SERVING, found {name}")
        judge_duration(attempt, "a response time", now_s() - attempt.started_s, self.spec.latency)
        return f"{about} is SERVING, said in {span(now_s() - attempt.started_s)}"


def _encode(service: str) -> bytes:
    """Write HealthCheckRequest{service = 1} as one uncompressed gRPC message."""
    name = service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return struct.pack(">BI", 0, len(message)) + message


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _read_health(response: Response, service: str) -> int:
    """Give the serving status of a HealthCheckResponse.

    Raises:
        FaultError: the call failed or the answer is no such message.
    """
    if response.status != 200:
        raise FaultError(f"expected a gRPC answer, found HTTP status {response.status_text}")
    trailers = response.trailers or dict(response.headers)  # an error may come without a body: "trailers only"
    code = trailers.get(b"grpc-status", b"")
    if code != b"0":
        raise FaultError(_explain(code, trailers.get(b"grpc-message", b""), service))
    body = response.raw
    if len(body) < 5 or body[0] != 0 or struct.unpack(">I", body[1:5])[0] != len(body) - 5:
        raise FaultError("the answer is not one uncompressed gRPC message")
    return _first_varint_field(body[5:])


def _explain(code: bytes, message: bytes, service: str) -> str:
    number = int(code) if code.isdigit() else -1
    if number == 5:
        return f"the server does not know a service {quote(service)}"
    if number == 12:
        return "the server has no health service (grpc.health.v1)"
    if number < 0:
        return "the answer carries no gRPC status"
    said = f": {unquote(message.decode('latin-1'))}" if message else ""
    return f"the health call failed with {_CODES.get(number, number)}{said}"


def _first_varint_field(message: bytes) -> int:
    """Read field 1 of a message that holds at most that; absent means 0."""
    if not message:
        return 0
    if message[0] != 0x08 or len(message) < 2 or message[1] > 0x7F:
        raise FaultError("the answer is not a HealthCheckResponse")
    return message[1]


def build(spec: GrpcSpec) -> GrpcProbe:
    """Make the probe of a spec."""
    authority = str(Endpoint(spec.host, spec.port))
    url = Url(spec.tls is not None, spec.host, spec.port, "/grpc.health.v1.Health/Check", authority)
    call = Call(
        url,
        tls=spec.tls or DEFAULT_TLS,
        family=spec.ip,
        http_version=HttpVersion.TWO,
        max_body_bytes=_MAX_ANSWER_BYTES,
    )
    return GrpcProbe(spec, call)


KIND: Final = ProbeKind("grpc", GrpcSpec, build)
