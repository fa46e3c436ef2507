"""The HTTP of Loki's push: 204 when all is stored, 400 with words when something was refused, 429 and 503 to wait.

Source: Grafana Loki's HTTP API, "Ingest logs"; its senders repeat 429 and 5xx and give up on any other status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.http import MediaTypeError
from holdfast.telemetry.arriving import repeated
from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.logs.loki.pushing import DOOR
from holdfast.telemetry.metrics.intake import refuse

if TYPE_CHECKING:
    from holdfast.telemetry.logs.loki.pushing import LokiPush

PATH: Final = "/loki/api/v1/push"
_REPEATED: Final = "x-holdfast-repeated"  # holdfast ship knows that it may have sent the same before
_MEDIA_TYPES: Final = {"": False, "application/x-protobuf": False, "application/json": True}

Writer = Annotated[Identity, Depends(requires("logs.write"))]


def push_routes(door: LokiPush, backlog: Backlog | None = None) -> APIRouter:
    """Build the router; it stands at the root."""
    router, backlog = APIRouter(include_in_schema=False), backlog or Backlog()

    async def push(request: Request, identity: Writer) -> Response:
        """Take logs as Loki's senders push them."""
        try:
            is_json = _is_json(request.headers.get("content-type", ""))
            with repeated(is_repeat=request.headers.get(_REPEATED) == "true"):
                async with backlog.read(DOOR, request, len if is_json else door.weigh) as body:
                    delivered = await door.take(identity.tenant, body, is_json=is_json)
        except HoldfastError as error:
            return refuse(error)
        if delivered.refusals:
            return Response(f"{delivered.refusals.describe('entries')}\n", 400, media_type="text/plain")
        return Response(status_code=204)

    router.add_api_route(PATH, push, methods=["POST"], name="Loki push")
    return router


def _is_json(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise MediaTypeError(
            f"{content_type!r} is not taken here", hint="send application/json, or application/x-protobuf with snappy"
        )
    return _MEDIA_TYPES[media_type]
