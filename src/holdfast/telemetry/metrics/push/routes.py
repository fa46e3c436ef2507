"""The Pushgateway's addresses at the root, and the list of groups in the API.

PUT and POST answer 200, DELETE 202, and a bad push 400, as the Pushgateway does.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated, Final, TypedDict

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import HoldfastError
from holdfast.telemetry import snappy
from holdfast.telemetry.backlog import Backlog
from holdfast.telemetry.metrics.intake import refuse
from holdfast.telemetry.metrics.push.gateway import DOOR, Gateway
from holdfast.telemetry.metrics.push.grouping import read_grouping
from holdfast.telemetry.metrics.push.settings import PushSettings

Writer = Annotated[Identity, Depends(requires("metrics.write"))]
Reader = Annotated[Identity, Depends(requires("metrics.read"))]
_GROWTH: Final = 20  # what a page takes once it is read: its samples are objects, of some twenty bytes of text each
PREFIXES = ("/metrics/", "/prometheus/metrics/")


class _Bounds(TypedDict):
    limit: int
    setting: str


class PushedGroup(BaseModel):
    """A group of pushed metrics."""

    labels: dict[str, str]
    metrics: list[str]
    series: int
    pushed_at: datetime | None
    failed_at: datetime | None


class PushedGroups(BaseModel):
    """All groups, by their labels."""

    items: list[PushedGroup]
    next: str | None = None


def push_surface(gateway: Gateway, backlog: Backlog | None = None, settings: PushSettings | None = None) -> APIRouter:
    """Build the router at the root."""
    router, backlog = APIRouter(include_in_schema=False), backlog or Backlog()
    bounds: _Bounds = {"limit": (settings or PushSettings()).max_body, "setting": "push.max_body"}

    async def push(request: Request, identity: Writer) -> Response:
        """Take a push, or delete a group."""
        try:
            labels = read_grouping(_after_prefix(request))
            if request.method == "DELETE":
                await gateway.delete(identity.tenant, labels)
                return Response(status_code=202)
            is_packed = bool(request.headers.get("content-encoding"))  # with snappy: others have been unpacked
            unpacked_size = partial(snappy.unpacked_size, **bounds) if is_packed else len
            content_type = request.headers.get("content-type", "")
            is_replacing = request.method == "PUT"
            async with backlog.read(DOOR, request, lambda body: _GROWTH * unpacked_size(body)) as packed:
                body = await asyncio.to_thread(snappy.unpack, packed, **bounds) if is_packed else packed
                await gateway.push(identity.tenant, labels, body, content_type, is_replacing=is_replacing)
        except HoldfastError as error:
            return refuse(error)
        return Response(status_code=200)

    for prefix in PREFIXES:
        for job in ("job", "job@base64"):
            path = f"{prefix}{job}/{{rest:path}}"
            router.add_api_route(path, push, methods=["PUT", "POST", "DELETE"], name=f"push {path}")
    return router


def push_routes(gateway: Gateway) -> APIRouter:
    """Build the router of the API."""
    router = APIRouter(tags=["metrics"])

    @router.get("/metrics/groups", operation_id="listPushedGroups")
    async def groups(identity: Reader) -> PushedGroups:
        """List the groups of pushed metrics."""
        found = await gateway.groups(identity.tenant)
        return PushedGroups(
            items=[
                PushedGroup(
                    labels=dict(group.labels),
                    metrics=[family.name for family in group.families],
                    series=sum(len(family.samples) for family in group.families),
                    pushed_at=group.pushed_at,
                    failed_at=group.failed_at,
                )
                for group in found
            ]
        )

    return router


def _after_prefix(request: Request) -> str:
    """Give the grouping part of the address, still percent-encoded, so that values may hold a slash."""
    raw = request.scope.get("raw_path")
    path = raw.decode("latin-1").partition("?")[0] if raw else request.url.path
    return next(path.removeprefix(prefix) for prefix in reversed(PREFIXES) if path.startswith(prefix))
