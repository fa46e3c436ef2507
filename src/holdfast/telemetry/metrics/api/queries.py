"""`query`, `query_range`, `query_exemplars`, `format_query`, `parse_query` of Prometheus' HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import StreamingResponse

from holdfast.kernel.auth import Identity, requires
from holdfast.kernel.errors import InvalidError, TimedOutError
from holdfast.telemetry.metrics.api.envelope import JSON, JsonAnswer, success
from holdfast.telemetry.metrics.api.numbers import write_time, write_value
from holdfast.telemetry.metrics.api.parameters import EARLIEST_MS, LATEST_MS, Parameters
from holdfast.telemetry.metrics.api.presence import while_present
from holdfast.telemetry.metrics.api.results import Form, write_answer
from holdfast.telemetry.metrics.browsing import Scope
from holdfast.telemetry.metrics.promql import expr_to_json, prettify, selectors_of
from holdfast.telemetry.metrics.queries import Asked

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.telemetry.metrics.browsing import FoundExemplar, SeriesBrowser
    from holdfast.telemetry.metrics.labels import Labels
    from holdfast.telemetry.metrics.promql import Answer, QueryStats
    from holdfast.telemetry.metrics.queries import QueryDesk

Reader = Annotated[Identity, Depends(requires("metrics.read"))]

METHODS: Final = ["GET", "POST"]
_PIECE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class QueryRoutes:
    """The handlers, over the desk and the browser."""

    desk: QueryDesk
    browser: SeriesBrowser
    clock: Clock

    def add_to(self, router: APIRouter) -> None:
        """Put them on the router."""
        for path, handler in (
            ("/query", self.query),
            ("/query_range", self.query_range),
            ("/query_exemplars", self.query_exemplars),
            ("/format_query", self.format_query),
            ("/parse_query", self.parse_query),
        ):
            router.add_api_route(path, handler, methods=METHODS)

    async def query(self, request: Request, identity: Reader) -> Response:
        """Evaluate at one time."""
        given = await Parameters.of(request)
        asked = Asked(
            identity.tenant,
            given.text("query"),
            given.time_ms("time", self._now_ms()),
            timeout_ms=_timeout_ms(given),
            lookback_ms=given.duration_ms("lookback_delta", 0),
            origin=_origin(request),
        )
        return await self._answer(request, given, asked)

    async def query_range(self, request: Request, identity: Reader) -> Response:
        """Evaluate on a grid of times."""
        given = await Parameters.of(request)
        start_ms, end_ms = given.time_ms("start"), given.time_ms("end")
        if end_ms < start_ms:
            raise InvalidError('invalid parameter "end": end timestamp must not be before start time')
        step_ms = given.duration_ms("step")
        if step_ms <= 0:
            raise InvalidError(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
                "Try a positive integer"
            )
        steps, most = (end_ms - start_ms) // step_ms, self.desk.settings.max_steps
        if steps > most:
            raise InvalidError(
                f"exceeded maximum resolution of {most:,} points per timeseries. "
                f"Try decreasing the query resolution (?step=XX)",
                hint=f"this asks for {steps:,}; the limit is queries.max_steps",
            )
        asked = Asked(
            identity.tenant,
            given.text("query"),
            start_ms,
            end_ms,
            step_ms,
            timeout_ms=_timeout_ms(given),
            lookback_ms=given.duration_ms("lookback_delta", 0),
            origin=_origin(request),
        )
        return await self._answer(request, given, asked)

    async def _answer(self, request: Request, given: Parameters, asked: Asked) -> Response:
        limit = given.count("limit")
        answer: Answer = await while_present(request, self.desk.answer(asked))
        stats = _describe_stats(answer.stats) if given.text("stats") else None
        form = Form(is_range=asked.step_ms is not None, limit=limit, stats=stats)
        return _respond(write_answer(answer, form))

    async def query_exemplars(self, request: Request, identity: Reader) -> Response:
        """Give the exemplars of the series that a query selects."""
        given = await Parameters.of(request)
        start_ms, end_ms = given.time_ms("start", EARLIEST_MS), given.time_ms("end", LATEST_MS)
        if end_ms < start_ms:
            raise InvalidError('invalid parameter "end": end timestamp must not be before start timestamp')
        chosen = selectors_of(self.desk.parse(given.text("query")))
        if not chosen:
            return success([])
        found = await self.browser.exemplars(identity.tenant, Scope(chosen, start_ms, end_ms))
        return success([_describe_exemplars(labels, exemplars) for labels, exemplars in found])

    async def format_query(self, request: Request, _: Reader) -> Response:
        """Print a query with line breaks."""
        given = await Parameters.of(request)
        return success(prettify(self.desk.parse(given.text("query"))))

    async def parse_query(self, request: Request, _: Reader) -> Response:
        """Give the syntax tree of a query."""
        given = await Parameters.of(request)
        return success(expr_to_json(self.desk.parse(given.text("query"))))

    def _now_ms(self) -> int:
        return int(self.clock.now().timestamp() * 1000)


def _respond(pieces: Iterator[bytes]) -> Response:
    """Answer at once with what fits into one piece, else stream."""
    gathered = _gather(pieces)
    first = next(gathered)
    second = next(gathered, None)
    if second is None:
        return JsonAnswer(first)

    def stream() -> Iterator[bytes]:
        yield first
        yield second
        yield from gathered

    return StreamingResponse(stream(), media_type=JSON)


def _gather(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _timeout_ms(given: Parameters) -> int:
    timeout_ms = given.duration_ms("timeout", 0)
    if timeout_ms <= 0 and given.text("timeout"):
        raise TimedOutError(f"query timed out before its execution, after {timeout_ms / 1000:g} s")
    return timeout_ms


def _origin(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]


def _describe_stats(stats: QueryStats) -> dict[str, Any]:
    """Give what a query cost: Prometheus' members, and our own behind them."""
    return {
        "timings": {
            "evalTotalTime": stats.fetch_s + stats.evaluate_s,
            "resultSortTime": 0,
            "queryPreparationTime": stats.fetch_s,
            "innerEvalTime": stats.evaluate_s,
            "execQueueTime": 0,
            "execTotalTime": stats.fetch_s + stats.evaluate_s,
        },
        "samples": {"totalQueryableSamples": stats.samples, "peakSamples": stats.samples},
        "holdfast": {"series": stats.series, "peakBytes": stats.peak_bytes},
    }


def _seconds(ts_ms: int) -> orjson.Fragment:
    return orjson.Fragment(write_time(ts_ms))


def _describe_exemplars(labels: Labels, exemplars: list[FoundExemplar]) -> dict[str, Any]:
    return {
        "seriesLabels": dict(labels),
        "exemplars": [
            {"labels": dict(each.labels), "value": write_value(each.value), "timestamp": _seconds(each.ts_ms)}
            for each in exemplars
        ],
    }
