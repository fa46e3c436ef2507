"""`/livez`, `/readyz` and `/metrics`: what orchestrators and Prometheus ask, outside the API's prefix.

Liveness says only that the event loop turns. Readiness asks the rooms, at most once a second however often it is asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry
from pydantic import TypeAdapter

from holdfast import instrument
from holdfast.kernel.auth import Gate
from holdfast.kernel.errors import HoldfastError, TimedOutError
from holdfast.kernel.wiring import Wiring
from holdfast.resilience import cache, timeout

METRICS_PERMISSION: Final = "web.metrics"
CHECK_TIMEOUT_S: Final = 3.0
FRESH_FOR_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of readiness: which room, which condition, whether it holds and, if not, why."""

    room: str
    name: str
    ready: bool
    message: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """Whether all conditions hold."""

    ready: bool
    conditions: list[Condition]


class ReadinessBoard:
    """Asks all rooms at once and remembers the answer for a second."""

    def __init__(self, wirings: Sequence[Wiring]) -> None:
        self._checks = [(wiring.name, each) for wiring in wirings for each in wiring.readiness]
        self._report = cache(ttl_s=FRESH_FOR_S, jitter=0.0, max_entries=1, name="readiness")(self._ask)

    async def report(self) -> ReadinessReport:
        """Give the state of every condition."""
        return await self._report()

    async def _ask(self) -> ReadinessReport:
        conditions = await asyncio.gather(*(_judge(room, check.name, check.check) for room, check in self._checks))
        return ReadinessReport(all(each.ready for each in conditions), list(conditions))


async def _judge(room: str, name: str, check: Callable[[], Awaitable[None]]) -> Condition:
    started = time.perf_counter()
    message = ""
    try:
        async with timeout(CHECK_TIMEOUT_S):
            await check()
    except TimeoutError:
        message = str(TimedOutError(f"no answer within {CHECK_TIMEOUT_S:g} s"))
    except HoldfastError as error:
        message = str(error)
    return Condition(room, name, not message, message, round(time.perf_counter() - started, 6))


def routes(wirings: Sequence[Wiring], registry: CollectorRegistry, gate: Gate, *, is_public: bool) -> APIRouter:
    """Build the router; it stands at the root, not below the API's prefix."""
    router = APIRouter(tags=["operations"])
    board = ReadinessBoard(wirings)
    writer = TypeAdapter(ReadinessReport)

    @router.get("/livez", operation_id="getLiveness", response_class=PlainTextResponse)
    async def livez() -> str:
        """Say that the process turns."""
        return "ok\n"

    @router.get(
        "/readyz",
        operation_id="getReadiness",
        response_model=ReadinessReport,
        responses={
            200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
            503: {"model": ReadinessReport, "description": "Not ready."},
        },
    )
    async def readyz(
        accept: Annotated[str, Header(include_in_schema=False)] = "",
        verbose: Annotated[str | None, Query(description="Any value: answer as text, as Kubernetes does.")] = None,
    ) -> Response:
        """Say whether every room is ready, as JSON or, for `?verbose` and `Accept: text/plain`, as text."""
        report = await board.report()
        status = 200 if report.ready else 503
        if verbose is not None or accept.startswith("text/plain"):
            return PlainTextResponse(_as_text(report), status)
        return JSONResponse(writer.dump_python(report, mode="json"), status)

    @router.get("/ready", include_in_schema=False)
    async def ready() -> Response:
        """Say it in Loki's word, where Loki's clients ask."""
        report = await board.report()
        return PlainTextResponse("ready\n") if report.ready else PlainTextResponse(_as_text(report), 503)

    @router.get(
        "/metrics",
        operation_id="getMetrics",
        response_class=PlainTextResponse,
        responses={200: {"content": {"application/openmetrics-text": {"schema": {"type": "string"}}}}},
    )
    async def metrics(request: Request, accept: Annotated[str, Header(include_in_schema=False)] = "") -> Response:
        """Give Holdfast's own metrics in the text format of Prometheus, or OpenMetrics."""
        if not is_public:
            await gate.admit(request, METRICS_PERMISSION)
        body, content_type = await asyncio.to_thread(instrument.encode_metrics, registry, accept)
        return Response(body, media_type=content_type)

    return router


def _as_text(report: ReadinessReport) -> str:
    lines = [
        f"[{'+' if each.ready else '-'}]{each.room}/{each.name} {'ok' if each.ready else each.message}"
        for each in report.conditions
    ]
    return "\n".join([*lines, "ready" if report.ready else "not ready", ""])
