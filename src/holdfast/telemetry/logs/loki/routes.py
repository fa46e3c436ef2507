"""The HTTP of Loki's push: 204 when all is stored, 400 with words when something was refused, 429 and 503 to wait.

Source: Grafana Loki's HTTP API, "Ingest logs"; its senders repeat 429 and 5xx and give up on any other status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import HoldfastError, StorageFullError
from holdfast.kernel.http import MediaTypeError
from holdfast.telemetry.arriving import repeated
from holdfast.telemetry.metrics.intake import refuse

if TYPE_CHECKING:
    from holdfast.telemetry.logs.loki.pushing import LokiPush

PATH: Final = "/loki/api/v1/push"
_REPEATED: Final = "x-holdfast-repeated"  # holdfast ship knows that it may have sent the same before
_MEDIA_TYPES: Final = {"": False, "application/x-protobuf": False, "application/json": True}

Writer = Annotated[Identity, Depends(requires("logs.write"))]


def push_routes(door: LokiPush) -> APIRouter:
    """Build the router; it stands at the root."""
    router = APIRouter(include_in_schema=False)

    async def push(request: Request, identity: Writer) -> Response:
        """Take logs as Loki's senders push them."""
        try:
            is_json = _is_json(request.headers.get("content-type", ""))
            with repeated(is_repeat=request.headers.get(_REPEATED) == "true"):
                delivered = await door.take(identity.tenant, await request.body(), is_json=is_json)
        except HoldfastError as error:
            return _refuse(error)
        if delivered.refusals:
            return Response(f"{delivered.refusals.describe('entries')}\n", 400, media_type="text/plain")
        return Response(status_code=204)

    router.add_api_route(PATH, push, methods=["POST"], name="Loki push")
    return router


def _refuse(error: HoldfastError) -> Response:
    answer = refuse(error)
    if isinstance(error, StorageFullError):  # Loki knows no 507, and says with 503 that it takes nothing now
        answer.status_code = 503
        answer.headers["retry-after"] = "1"
    return answer


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise MediaTypeError(
            f"{content_type!r} is not taken here", hint="send application/json, or application/x-protobuf with snappy"
        )
    return _MEDIA_TYPES[media_type]
