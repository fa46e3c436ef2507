"""`series`, `labels`, `label/<name>/values`, `metadata` of Prometheus' HTTP API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.metrics.api.envelope import success
from holdfast.telemetry.metrics.api.names import unescape_name
from holdfast.telemetry.metrics.api.parameters import EARLIEST_MS, LATEST_MS, Parameters
from holdfast.telemetry.metrics.api.results import TRUNCATED
from holdfast.telemetry.metrics.api.selectors import read_selectors
from holdfast.telemetry.metrics.browsing import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from holdfast.telemetry.metrics.browsing import SeriesBrowser
    from holdfast.telemetry.metrics.labels import Labels

Reader = Annotated[Identity, Depends(requires("metrics.read"))]

METHODS: Final = ["GET", "POST"]
_TOGETHER: Final = 2_000  # label sets that are written at once, so that others have their turn between


@dataclass(frozen=True, slots=True)
class SeriesRoutes:
    """The handlers, over the browser."""

    browser: SeriesBrowser

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/series", self.series, methods=METHODS)
        router.add_api_route("/labels", self.labels, methods=METHODS)
        router.add_api_route("/label/{name}/values", self.values, methods=["GET"])
        router.add_api_route("/metadata", self.metadata, methods=["GET"])

    async def series(self, request: Request, identity: Reader) -> Response:
        """Give the label sets that match."""
        given = await Parameters.of(request)
        if not given.all("match[]"):
            raise InvalidError("no match[] parameter provided")
        scope = _scope(given)
        found = await self.browser.series(identity.tenant, _one_more(scope))
        is_more = bool(scope.limit) and len(found) > scope.limit
        listed = await _written(found[: scope.limit] if is_more else found)
        return success(listed, warnings=[TRUNCATED] if is_more else ())

    async def labels(self, request: Request, identity: Reader) -> Response:
        """Give the names of labels."""
        scope = _scope(await Parameters.of(request))
        return _bounded(await self.browser.label_names(identity.tenant, _one_more(scope)), scope.limit)

    async def values(self, request: Request, identity: Reader, name: str) -> Response:
        """Give the values of a label."""
        label = unescape_name(name)
        if not label:
            raise InvalidError(f'invalid label name: "{name}"')
        scope = _scope(await Parameters.of(request))
        return _bounded(await self.browser.label_values(identity.tenant, label, _one_more(scope)), scope.limit)

    async def metadata(self, request: Request, identity: Reader) -> Response:
        """Give type, help and unit of metric families."""
        given = await Parameters.of(request)
        limit, per_metric = max(given.number("limit"), 0), max(given.number("limit_per_metric"), 0)
        families: dict[str, list[dict[str, Any]]] = {}
        for each in await self.browser.metadata(identity.tenant, given.text("metric")):
            if each.family not in families and limit and len(families) >= limit:
                continue
            said = families.setdefault(each.family, [])
            if not per_metric or len(said) < per_metric:
                said.append({"type": each.type, "help": each.help, "unit": each.unit})
        return success(families)


def _scope(given: Parameters) -> Scope:
    start_ms, end_ms = given.time_ms("start", EARLIEST_MS), given.time_ms("end", LATEST_MS)
    return Scope(read_selectors(given), start_ms, end_ms, given.count("limit"))


def _one_more(scope: Scope) -> Scope:
    """Ask for one more than is wanted, to see whether there is more."""
    return replace(scope, limit=scope.limit + 1) if scope.limit else scope


async def _written(series: Sequence[Labels]) -> orjson.Fragment:
    """Write label sets part by part: as dicts, all of them at once would take four times what is sent."""
    parts = []
    for begin in range(0, len(series), _TOGETHER):
        parts.append(orjson.dumps([dict(labels) for labels in series[begin : begin + _TOGETHER]])[1:-1])
        await asyncio.sleep(0)
    return orjson.Fragment(b"[" + b",".join(parts) + b"]")


def _bounded(items: list[Any], limit: int) -> Response:
    is_more = bool(limit) and len(items) > limit
    return success(items[:limit] if is_more else items, warnings=[TRUNCATED] if is_more else ())
