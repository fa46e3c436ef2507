"""Lines of a selector as entries, page by page, after what the engine does and after the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from holdfast.telemetry.logs.pipeline import Entry, Pipeline
from holdfast.telemetry.logs.querying.pushing import split
from holdfast.telemetry.logs.selection import Direction, RecordSelection, RecordSource

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.logs.extraction import Extraction
    from holdfast.telemetry.logs.logql.nodes import LogSelector
    from holdfast.telemetry.logs.querying.limits import Meter
    from holdfast.telemetry.logs.records import RecordPage

_PAGE: Final = 5000


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is read: from `start_ns` until before `end_ns`, in a direction."""

    start_ns: int
    end_ns: int
    direction: Direction = Direction.BACKWARD


async def read_entries(
    source: RecordSource,
    tenant: TenantId,
    selector: LogSelector,
    span: Span,
    meter: Meter,
    *,
    limit: int = 0,
    odd_for: Extraction | None = None,
) -> AsyncGenerator[list[Entry], None]:
    """Give the lines that stay, some at a time; `limit` is of lines that stay, 0 for all; `odd_for` as a selection's.

    Raises:
        LogqlError: a stage cannot work.
        LimitError, TimedOutError: the query costs too much.
    """
    parts = split(selector.stages)
    pipeline = Pipeline(parts.rest)
    wanted = RecordSelection(
        selector.matchers,
        span.start_ns,
        span.end_ns,
        parts.lines,
        parts.fields,
        span.direction,
        0 if parts.rest else limit,
        odd_for,
        parts.hints,
    )
    left = limit
    async with aclosing(source.pages(tenant, wanted, page=min(limit, _PAGE) or _PAGE)) as pages:
        async for page in pages:
            meter.note(len(page.records), int(page.records.sizes.sum()))
            entries = await asyncio.to_thread(_apply, page, pipeline)
            if limit:
                entries = entries[:left]
                left -= len(entries)
            if entries:
                yield entries
            if limit and left <= 0:
                return


def _apply(page: RecordPage, pipeline: Pipeline) -> list[Entry]:
    records = page.records
    streams = [dict(labels) for labels in page.labels]
    refs, times = records.refs.tolist(), records.ts_ns.tolist()
    entries = [
        Entry(ts_ns, body, streams[ref], metadata)
        for ts_ns, body, ref, metadata in zip(times, records.bodies, refs, records.all_metadata(), strict=True)
    ]
    return [entry for entry in entries if pipeline.apply(entry)]
