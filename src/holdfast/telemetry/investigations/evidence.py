"""Takes what a cell shows, as it is seen now, small enough to be kept for ever: series thinned, lines and spans cut.

A query that fails leaves a cell without evidence that says why; it does not refuse the cell.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.kernel.errors import HoldfastError, NotFoundError
from holdfast.telemetry.investigations.cells import CellKind, Content, Evidence, aware
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.logql.nodes import LogSelector
from holdfast.telemetry.logs.querying import Moments, Span
from holdfast.telemetry.metrics.queries import Asked
from holdfast.telemetry.traces.api.whole import show_trace

if TYPE_CHECKING:
    from holdfast.kernel.clock import Clock
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.querying import LogEngine
    from holdfast.telemetry.metrics.promql import Grid
    from holdfast.telemetry.metrics.queries import QueryDesk
    from holdfast.telemetry.traces.selection import TraceSource

POINTS: Final = 240
MOST_SERIES: Final = 40  # of all queries of a cell
MOST_LINES: Final = 200
MOST_LINE: Final = 4000  # characters
MOST_SPANS: Final = 400
MAX_BYTES: Final = 512 * 1024
TIMEOUT_MS: Final = 15_000
_NS: Final = 10**9
_LEFT_OUT: Final = ("critical_path", "warnings", "repetitions")


@dataclass(frozen=True, slots=True)
class Witness:
    """Looks at signals for cells."""

    desk: QueryDesk
    logs: LogEngine
    traces: TraceSource
    clock: Clock

    async def take(self, tenant: TenantId, kind: CellKind, content: Content) -> Evidence:
        """Give what a cell shows now."""
        now = self.clock.now()
        try:
            data = await self._see(tenant, kind, content)
        except HoldfastError as error:
            return Evidence(now, problem=error.message)
        if len(orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS)) > MAX_BYTES:
            return Evidence(now, problem=f"what was seen is larger than {MAX_BYTES // 1024} KiB")
        return Evidence(now if data else None, data)

    async def _see(self, tenant: TenantId, kind: CellKind, content: Content) -> dict[str, Any]:
        if kind is CellKind.METRICS:
            return await self._series(tenant, content)
        if kind is CellKind.LOGS:
            return await self._found(tenant, content)
        if kind is CellKind.TRACE:
            return await self._trace(tenant, content)
        return {}

    async def _series(self, tenant: TenantId, content: Content) -> dict[str, Any]:
        start_ms, end_ms = _times_ms(content)
        step_ms = max(1000, -(-(end_ms - start_ms) // POINTS // 1000) * 1000)
        series: list[dict[str, Any]] = []
        left_out = 0
        for place, query in enumerate(content.queries):
            answer = await self.desk.answer(
                Asked(tenant, query, start_ms, end_ms, step_ms, timeout_ms=TIMEOUT_MS, origin="investigation")
            )
            if answer.grid is None:
                continue
            found = _rows(answer.grid, place)
            room = max(0, MOST_SERIES - len(series))
            series += found[:room]
            left_out += max(0, len(found) - room)
        return {"start_ms": start_ms, "step_ms": step_ms, "series": series, "left_out": left_out}

    async def _found(self, tenant: TenantId, content: Content) -> dict[str, Any]:
        expr = parse(content.queries[0])
        start_ms, end_ms = _times_ms(content)
        if not isinstance(expr, LogSelector):
            step_ms = max(1000, -(-(end_ms - start_ms) // POINTS // 1000) * 1000)
            moments = Moments(start_ms * 10**6, end_ms * 10**6, step_ms * 10**6)
            found = _rows((await self.logs.numbers(tenant, expr, moments)).grid, 0)
            left_out = max(0, len(found) - MOST_SERIES)
            return {"start_ms": start_ms, "step_ms": step_ms, "series": found[:MOST_SERIES], "left_out": left_out}
        answer = await self.logs.lines(tenant, expr, Span(start_ms * 10**6, end_ms * 10**6), limit=MOST_LINES + 1)
        lines: list[dict[str, Any]] = [
            {"ns": str(line.ts_ns), "text": line.text[:MOST_LINE], "labels": dict(stream.labels)}
            for stream in answer.streams
            for line in stream.lines
        ]
        lines.sort(key=lambda line: -int(line["ns"]))
        return {"lines": lines[:MOST_LINES], "is_cut": len(lines) > MOST_LINES}

    async def _trace(self, tenant: TenantId, content: Content) -> dict[str, Any]:
        trace = await self.traces.trace(tenant, content.trace_id.lower().zfill(32))
        if trace is None:
            raise NotFoundError(f"no trace {content.trace_id}", hint="it may not have come yet")
        whole = show_trace(trace)
        shown = {each.name: getattr(whole, each.name) for each in dataclasses.fields(whole)}
        for name in _LEFT_OUT:
            del shown[name]
        columns = ((each.name, getattr(whole.spans, each.name)) for each in dataclasses.fields(whole.spans))
        shown["spans"] = {name: values[:MOST_SPANS] for name, values in columns}
        shown["root"] = min(whole.root, MOST_SPANS - 1)
        document: dict[str, Any] = orjson.loads(orjson.dumps(shown, option=orjson.OPT_UTC_Z))
        return document


def _times_ms(content: Content) -> tuple[int, int]:
    assert content.start is not None
    assert content.end is not None
    return int(aware(content.start).timestamp() * 1000), int(aware(content.end).timestamp() * 1000)


def _rows(grid: Grid, place: int) -> list[dict[str, Any]]:
    """Give series as JSON, those with the largest values first."""
    rows = []
    for labels, values, present in zip(grid.labels, grid.values.tolist(), grid.present.tolist(), strict=True):
        seen = [
            value if is_there and abs(value) < float("inf") else None
            for value, is_there in zip(values, present, strict=True)
        ]
        if any(value is not None for value in seen):
            rows.append({"query": place, "labels": dict(labels), "values": [_short(value) for value in seen]})
    return sorted(rows, key=lambda row: -max(abs(value) for value in row["values"] if value is not None))


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
