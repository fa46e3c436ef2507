"""What LogQL's parsers cost: aggregations over JSON, logfmt and access logs, by the store's engine and line by line.

The lines are those of `logs_search`, made inside the engine. CPU seconds of the process, threads and engine included;
beside them plain Python over the same lines: `orjson.loads` or a compiled expression, and a counter. Both ways must
give the same numbers. Run: python benchmarks/logs_logql.py [LINES]
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from holdfast.kernel.ids import DEFAULT_TENANT
from holdfast.store import Store, StoreSettings
from holdfast.telemetry.logs import SCHEMA, LogSource
from holdfast.telemetry.logs.logql import parse
from holdfast.telemetry.logs.logql.nodes import LogSelector
from holdfast.telemetry.logs.querying import LogEngine, LogQueryLimits, Moments, Span
from logs_search import DAY_NS, build, settle

LINES = 1_000_000
ACCESS = '<ip> - - <_> "<method> <path> <_>" <status> <size> <_>'
QUERIES = {
    "json: by label": 'sum by (severity) (count_over_time({kind="json"} | json [1d]))',
    "json: filter": 'sum(count_over_time({kind="json"} | json | severity="ERROR" [1d]))',
    "json: unwrap": 'max by (host) (max_over_time({kind="json"} | json | unwrap elapsed_ms [1d]))',
    "json: steps": 'sum by (severity) (rate({kind="json"} | json | elapsed_ms > 300 [1h]))',
    "logfmt: by label": 'sum by (level) (count_over_time({kind="logfmt"} | logfmt [1d]))',
    "logfmt: unwrap": 'avg_over_time({kind="logfmt"} | logfmt | unwrap duration(duration) [1d]) by (caller)',
    "pattern: by label": f'sum by (status) (count_over_time({{kind="access"}} | pattern `{ACCESS}` [1d]))',
    "regexp: by label": 'sum by (status) (count_over_time({kind="access"} | regexp `" (?P<status>[0-9]{3}) ` [1d]))',
    "json: quantile": 'quantile_over_time(0.99, {kind="json"} | json | unwrap elapsed_ms [1d]) by (host)',
    "json: last": 'last_over_time({kind="json"} | json | unwrap elapsed_ms [1d]) by (logger)',
    "json: paths": 'sum by (s) (count_over_time({kind="json"} | json s="severity", ms="elapsed_ms" | ms > 9 [1d]))',
    "json, format, pattern": 'sum by (w) (count_over_time({kind="json"} | json | line_format "{{.message}}"'
    " | pattern `<w> <_>` [1d]))",
    "logfmt, pattern": 'sum by (level, f) (count_over_time({kind="logfmt"} | logfmt'
    " | pattern `<_>caller=<f>.go` [1d]))",
    "all labels kept": 'count(count_over_time({kind="json"} | json | keep severity, host [1d]))',
}
FIRST_PAGES = {
    "json: first page": '{kind="json"} | json | elapsed_ms > 398',
    "json: rare value": '{kind="json"} | json | host="node-7" | elapsed_ms="399"',
    "logfmt: rare value": '{kind="logfmt"} | logfmt | request_id="4f1d7a9c3e5b8a60"',
}
STATUS = re.compile(r'" ([0-9]{3}) ')


class LineByLine(LogSource):
    """A source that parses nothing in the engine."""

    async def extracts(self, *_: Any, **__: Any) -> None:
        """Give nothing."""


async def numbers(source: LogSource, text: str, moments: Moments) -> tuple[float, dict[Any, Any]]:
    expr = parse(text)
    assert not isinstance(expr, LogSelector)
    engine = LogEngine(source, LogQueryLimits(max_seconds=600))
    started_s = time.process_time()
    grid = (await engine.numbers(DEFAULT_TENANT, expr, moments)).grid
    took_s = time.process_time() - started_s
    return took_s, {labels: np.round(row, 6).tolist() for labels, row in zip(grid.labels, grid.values, strict=True)}


async def aggregations(store: Store, start_ns: int, total: int) -> None:
    end_ns = start_ns + DAY_NS
    at_once, hourly = Moments(end_ns, end_ns), Moments(start_ns, end_ns, 3600 * 10**9)
    print(f"{'CPU seconds':24}{'engine':>10}{'by line':>10}{'ratio':>8}{'lines/s':>12}")
    for name, text in QUERIES.items():
        moments = hourly if "steps" in name else at_once
        quick_s, found = await numbers(LogSource(store), text, moments)
        slow_s, same = await numbers(LineByLine(store), text, moments)
        assert found == same, name
        share = 10 if "json" in name or "kept" in name else 14 if "logfmt" in name else 16
        print(f"{name:24}{quick_s:>10.2f}{slow_s:>10.2f}{slow_s / quick_s:>8.1f}{total * share / 40 / quick_s:>12,.0f}")


async def pages(store: Store, start_ns: int) -> None:
    engine = LogEngine(LogSource(store), LogQueryLimits(max_seconds=600))
    for name, text in FIRST_PAGES.items():
        expr = parse(text)
        assert isinstance(expr, LogSelector)
        started_s = time.process_time()
        answer = await engine.lines(DEFAULT_TENANT, expr, Span(start_ns, start_ns + DAY_NS), limit=100)
        found = sum(len(stream.lines) for stream in answer.streams)
        print(f"{name:24}{time.process_time() - started_s:>10.2f}   {found} lines, {answer.cost.lines:,} read")


async def plain_python(store: Store) -> None:
    """Count in the same lines with nothing around."""
    for kind, count in (
        ("json", lambda lines: Counter(orjson.loads(line)["severity"] for line in lines)),
        ("access", lambda lines: Counter(STATUS.findall("\n".join(lines)))),
    ):
        sql = "SELECT body FROM log_records WHERE tenant = {tenant:String} AND body LIKE {like:String}"
        like = {"like": '{"%' if kind == "json" else "10.%"}
        lines = (await store.query(sql, like, tenant=DEFAULT_TENANT)).column("body").to_pylist()
        started_s = time.process_time()
        count(lines)
        took_s = time.process_time() - started_s
        print(f"plain Python, {kind:10}{took_s:>10.2f}   {len(lines) / took_s:,.0f} lines/s, nothing read or grouped")


async def main(total: int) -> None:
    start_ns = (time.time_ns() - DAY_NS) // 10**9 * 10**9
    with tempfile.TemporaryDirectory() as name:
        store = Store(StoreSettings(query_timeout=300, query_size=2**31), folder=Path(name) / "store")
        await store.register(SCHEMA)
        async with store:
            await build(store, total, start_ns)
            await settle(store)
            await aggregations(store, start_ns, total)
            await pages(store, start_ns)
            await plain_python(store)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES))
