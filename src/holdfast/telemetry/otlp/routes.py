"""OTLP over HTTP: one route per path of a signal; gzip and zstd are undone before it."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry.otlp.bodies import Encoding, write_body
from holdfast.telemetry.otlp.services import Service
from holdfast.telemetry.otlp.statuses import http_status, retry_after_s, write_status


def http_routes(service: Service, *paths: str) -> APIRouter:
    """Build the router of one signal; it stands at the root."""
    router = APIRouter(include_in_schema=False)
    for path in paths:
        router.add_api_route(path, _exporting(service), methods=["POST"], name=f"OTLP {path}")
    return router


def _exporting(service: Service) -> Callable[..., Awaitable[Response]]:
    async def export(
        request: Request, identity: Annotated[Identity, Depends(requires(service.permission))]
    ) -> Response:
        """Take a request of OTLP over HTTP."""
        encoding = Encoding.PROTOBUF
        try:
            encoding = Encoding.of(request.headers.get("content-type", ""))
            async with service.backlog.read(service.door, request) as body:
                message = await service.read(body, encoding)
                rejected = await service.export(identity.tenant, message)
        except HoldfastError as error:
            return _refuse(error, encoding)
        return Response(write_body(service.response(rejected), encoding), media_type=encoding)

    # The permission is the service's, so the annotation is a value of this call and must not be looked up by name.
    export.__annotations__["request"] = Request
    export.__annotations__["identity"] = Annotated[Identity, Depends(requires(service.permission))]
    export.__annotations__["return"] = Response
    return export


def _refuse(error: HoldfastError, encoding: Encoding) -> Response:
    again_s = retry_after_s(error)
    headers: dict[str, Any] = {} if again_s is None else {"retry-after": str(math.ceil(again_s))}
    return Response(write_status(error, encoding), http_status(error), headers, media_type=encoding)
