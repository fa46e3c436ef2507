"""`query` and `query_range` of Loki's HTTP API."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Depends, Request, Response

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError
from holdfast.telemetry.logs.api.envelope import plain, success
from holdfast.telemetry.logs.api.parameters import (
    aligned,
    read_direction,
    read_interval_ns,
    read_limit,
    read_range,
    read_step_ns,
    read_time,
)
from holdfast.telemetry.logs.api.results import CATEGORIZE, ENCODING_HEADER, instant_data, matrix_data, streams_data
from holdfast.telemetry.logs.logql import parse, prettify
from holdfast.telemetry.logs.logql.nodes import LogSelector, MetricExpr
from holdfast.telemetry.logs.querying import Moments, Span
from holdfast.telemetry.metrics.api import Parameters

if TYPE_CHECKING:
    from holdfast.telemetry.logs.querying import LogEngine

Reader = Annotated[Identity, Depends(requires("logs.read"))]

METHODS: Final = ["GET", "POST"]
_NO_INSTANT: Final = (
    "log queries are not supported as an instant query type, please change your query to a range query type"
)


@dataclass(frozen=True, slots=True)
class QueryRoutes:
    """The handlers, over the engine of LogQL."""

    engine: LogEngine

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        router.add_api_route("/query_range", self.query_range, methods=METHODS)
        router.add_api_route("/query", self.query, methods=METHODS)
        router.add_api_route("/format_query", self.format, methods=METHODS)

    async def query_range(self, request: Request, identity: Reader) -> Response:
        """Answer a query over a range of time."""
        given = await Parameters.of(request)
        span, limit, direction = read_range(given), read_limit(given), read_direction(given)
        step_ns, interval_ns = read_step_ns(given, span), read_interval_ns(given)
        expr = _parsed(given)
        if isinstance(expr, LogSelector):
            when = Span(span.start_ns, span.end_ns, direction)
            answer = await self.engine.lines(identity.tenant, expr, when, limit=limit, interval_ns=interval_ns)
            flags = request.headers.get(ENCODING_HEADER, "")
            return success(streams_data(answer, is_categorized=CATEGORIZE in flags))
        self.engine.check_steps(Moments(span.start_ns, span.end_ns, step_ns))
        span = aligned(span, step_ns)
        moments = Moments(span.start_ns, span.end_ns, step_ns)
        return success(matrix_data(await self.engine.numbers(identity.tenant, expr, moments)))

    async def query(self, request: Request, identity: Reader) -> Response:
        """Answer a metric query at one moment; lines are asked for over a range."""
        given = await Parameters.of(request)
        read_limit(given)
        at_ns = read_time(given, "time", time.time_ns())
        read_direction(given)
        expr = _parsed(given)
        if isinstance(expr, LogSelector):
            raise InvalidError(_NO_INSTANT)
        return success(instant_data(await self.engine.numbers(identity.tenant, expr, Moments(at_ns, at_ns))))

    async def format(self, request: Request, identity: Reader) -> Response:
        """Give a query as one likes to read it."""
        del identity
        given = await Parameters.of(request)
        try:
            return success(prettify(_parsed(given)))
        except InvalidError as error:
            return plain({"status": "invalid-query", "error": error.message}, status=400)


def _parsed(given: Parameters) -> LogSelector | MetricExpr:
    return parse(given.text("query"))
