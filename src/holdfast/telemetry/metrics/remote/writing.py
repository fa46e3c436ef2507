"""The HTTP of remote write: which message a request holds, and the answers by which senders retry or give up.

400, 413 and 415 are never sent again, 429 and 5xx are, and 2xx says that the store has it.
Source: Prometheus' specifications of remote write 1.0 and 2.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.http import MediaTypeError
from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.metrics.intake import refuse
from holdfast.telemetry.metrics.remote.receiving import Protocol, RemoteWriter, Taken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from holdfast.telemetry.metrics.arrivals import Written

WRITTEN: Final = "X-Prometheus-Remote-Write-{}-Written"
_MEDIA_TYPE: Final = "application/x-protobuf"
_MESSAGES: Final = {
    "prometheus.writerequest": Protocol.V1,
    "io.prometheus.write.v2.request": Protocol.V2,
}

Writer = Annotated[Identity, Depends(requires("metrics.write"))]


def writing(writer: RemoteWriter, backlog: Backlog) -> Callable[[Request, Identity], Awaitable[Response]]:
    """Build the route's function over `writer`."""

    async def write(request: Request, identity: Writer) -> Response:
        """Take samples by remote write 1.0 or 2.0."""
        protocol = Protocol.V1
        try:
            protocol = choose_protocol(request.headers.get("content-type", ""))
            is_plain = _is_plain(request)
            origin = f"remote_write:{request.client.host if request.client else 'unknown'}"
            async with backlog.read(protocol, request, len if is_plain else writer.weigh) as body:
                taken = await writer.take(identity.tenant, body, protocol, origin=origin, is_plain=is_plain)
        except HoldfastError as error:
            return refuse(error)
        return _answer(taken, protocol)

    return write


def choose_protocol(content_type: str) -> Protocol:
    """Tell which message the media type names; without one it is that of 1.0.

    Raises:
        MediaTypeError: it names another.
    """
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    pairs = dict(part.lower().partition("=")[::2] for part in parameters)
    message = pairs.get("proto", "prometheus.writerequest").strip('"')
    if media_type.lower() not in {"", _MEDIA_TYPE} or message not in _MESSAGES:
        raise MediaTypeError(
            f"{content_type!r} is not taken here",
            hint=f"send {_MEDIA_TYPE};proto=io.prometheus.write.v2.Request or proto=prometheus.WriteRequest",
        )
    return _MESSAGES[message]


def _is_plain(request: Request) -> bool:
    """Tell whether the body is decompressed already; any other encoding than snappy is undone before the routes."""
    encoding = (request.headers.get("content-encoding") or "snappy").lower()
    if encoding != "snappy":
        raise MediaTypeError(f"the content encoding {encoding!r} is not taken here", hint="send snappy")
    return bool(request.scope.get("holdfast.decoded"))


def _answer(taken: Taken, protocol: Protocol) -> Response:
    headers = _count(taken.written) if protocol is Protocol.V2 else {}
    if taken.refusals:
        return Response(f"{taken.refusals.describe()}\n", 400, headers, media_type="text/plain")
    return Response(status_code=204, headers=headers)


def _count(written: Written) -> dict[str, str]:
    return {
        WRITTEN.format(kind.title()): str(getattr(written, kind)) for kind in ("samples", "histograms", "exemplars")
    }
