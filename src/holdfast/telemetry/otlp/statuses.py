"""Errors as OTLP tells them: which status makes a sender try again, and the `google.rpc.Status` in the body.

429, 502, 503 and 504 are sent again, every other status is not: 429 says that too much waits, 503 that the store is
away or full. Source: OpenTelemetry's protocol specification.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import orjson

from holdfast.kernel.errors import BusyError, LimitError, StorageFullError, UnavailableError
from holdfast.kernel.http import problems
from holdfast.telemetry.otlp.bodies import Encoding

if TYPE_CHECKING:
    from holdfast.kernel.errors import HoldfastError

# By the numbers of google.rpc.Code.
_CODES: Final = {400: 3, 401: 16, 403: 7, 404: 5, 413: 8, 415: 3, 429: 8, 502: 14, 503: 14, 504: 14}
_INTERNAL: Final = 13
_AGAIN_AFTER_S: Final = 1.0


def http_status(error: HoldfastError) -> int:
    """Give the status; what may succeed later gets one that senders repeat."""
    status = problems.status_of(error)
    if isinstance(error, StorageFullError):
        return 503
    if isinstance(error, LimitError) and not error.retry.possible:
        return 413
    if isinstance(error, BusyError):
        return 429
    return 400 if status in {409, 422} else status


def grpc_code(error: HoldfastError) -> int:
    """Give the number of the gRPC status."""
    return _CODES.get(http_status(error), _INTERNAL)


def retry_after_s(error: HoldfastError) -> float | None:
    """Give when the same may be sent again; None if it is no use."""
    if not error.retry.possible or not isinstance(error, UnavailableError | LimitError):
        return None
    return error.retry.after_s or _AGAIN_AFTER_S


def write_status(error: HoldfastError, encoding: Encoding) -> bytes:
    """Give the body: a `google.rpc.Status` of code and message."""
    code, text = grpc_code(error), str(error)
    if encoding is Encoding.JSON:
        return orjson.dumps({"code": code, "message": text})
    content = text.encode()
    return bytes((0x08, code, 0x12)) + _varint(len(content)) + content


def retry_metadata(seconds: float, error: HoldfastError) -> tuple[tuple[str, bytes], ...]:
    """Give the trailing metadata of gRPC that say when to send again.

    `RESOURCE_EXHAUSTED` is sent again only with a `RetryInfo`: within the `google.rpc.Status`, as the specification has
    it, and under its own key, where OpenTelemetry's SDK for Python looks for it.
    """
    delay = b"\x08" + _varint(math.ceil(seconds))  # google.protobuf.Duration, seconds
    info = b"\x0a" + _varint(len(delay)) + delay
    url = b"type.googleapis.com/google.rpc.RetryInfo"
    packed = b"\x0a" + _varint(len(url)) + url + b"\x12" + _varint(len(info)) + info
    status = write_status(error, Encoding.PROTOBUF) + b"\x1a" + _varint(len(packed)) + packed
    return ("grpc-status-details-bin", status), ("google.rpc.retryinfo-bin", info)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*written, value))
