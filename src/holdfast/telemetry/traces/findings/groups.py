"""Slow spans and failed spans in groups: which operation, error or statement, how often, with examples.

Texts are grouped by what they have in common: numbers, ids and quoted texts read `?`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from holdfast.telemetry.traces.analysis import VARYING
from holdfast.telemetry.traces.spans import SpanKind, SpanStatus

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.findings.counting import Counted, SpanCounts
    from holdfast.telemetry.traces.selection import TraceSearch

What = Literal["failed", "slow"]

MOST_GROUPS: Final = 100
EXAMPLES: Final = 3
SLOW_SHARE: Final = 0.95  # of an operation's spans that are not slow, where the search names no duration
LEAST_CALLS: Final = 20  # of an operation, of which some can be called slow
_LONGEST: Final = 300
_DIGEST: Final = "quantilesTDigestWeighted(0.5, 0.95, 0.99)(duration_ns, toUInt64(greatest(round(weight), 1)))"
_RAISED: Final = r"extract(events, '\"exception\\.type\":\"([^\"]*)\"')"
_ERROR: Final = (
    "multiIf(attributes['error.type'] != '', attributes['error.type'],"
    f" {_RAISED} != '', {_RAISED},"
    " attributes['rpc.grpc.status_code'] != '', concat('gRPC ', attributes['rpc.grpc.status_code']),"
    " attributes['http.response.status_code'] != '', concat('HTTP ', attributes['http.response.status_code']),"
    " attributes['http.status_code'] != '', concat('HTTP ', attributes['http.status_code']), '')"
)
_MESSAGE: Final = r"if(status_message != '', status_message, extract(events, '\"exception\\.message\":\"([^\"]*)\"'))"
_STATEMENT: Final = "if(attributes['db.query.text'] != '', attributes['db.query.text'], attributes['db.statement'])"
_GROUPED: Final = (
    "SELECT service, name, kind, error, pattern, sum(weight) AS spans, uniq(trace_id) AS traces,"  # noqa: S608 -- constants
    f" {_DIGEST} AS durations, max(duration_ns) AS longest, min(start_ns) AS first, max(start_ns) AS last,"
    " sum(weight * greatest(duration_ns - usual, 0)) AS lost, sumIf(weight, is_origin) AS origins,"
    f" groupArraySorted({EXAMPLES})((-{{by}}, hex(trace_id), hex(span_id), start_ns, duration_ns)) AS examples"
    " FROM (SELECT *, substring(replaceRegexpAll(replaceRegexpAll(text, {varying:String}, '?'),"
    " '\\\\(\\\\s*\\\\?(?:\\\\s*,\\\\s*\\\\?)*\\\\s*\\\\)', '(?)'), 1, {longest:UInt32}) AS pattern FROM {rows})"
    " GROUP BY service, name, kind, error, pattern ORDER BY {order} DESC, service, name, pattern LIMIT {most:UInt32}"
)
_USUAL: Final = (
    "SELECT service, name, kind, sum(weight) AS calls,"  # noqa: S608 -- constants
    " quantileTDigestWeighted(0.5)(duration_ns, toUInt64(greatest(round(weight), 1))) AS usual,"
    f" quantileTDigestWeighted({SLOW_SHARE})(duration_ns, toUInt64(greatest(round(weight), 1))) AS slow"
    " FROM {rows} GROUP BY service, name, kind"
)
_BELOW: Final = (
    "(trace_id, span_id) NOT IN (SELECT trace_id, parent_id FROM trace_spans WHERE tenant = {tenant:String}"
    " AND slot BETWEEN {first:Int32} AND {last:Int32} AND expires_at > {counted:UInt32} AND status = 2"
    " AND cityHash64(trace_id) % {one_of:UInt32} = 0) AS is_origin"
)


@dataclass(frozen=True, slots=True)
class Example:
    """A span of a group."""

    trace_id: str
    span_id: str
    start_ns: int
    duration_ns: int


@dataclass(frozen=True, slots=True)
class SpanGroup:
    """Spans that are slow, or failed, in the same way.

    Attributes:
        error: the type of the error, or the status of the protocol; empty if spans name none.
        pattern: of the message; of slow calls to databases, the statement.
        spans, traces: how many; spans are scaled where only a share was counted, traces are not.
        origins: of failed spans, those below which no other failed: there the error began.
        calls: how many spans the operation has in this search, slow or not, failed or not.
        percentiles_ns: p50, p95, p99 of the group.
        usual_ns: the median of the operation.
        lost_ns: by how much its spans took longer than the median, together; 0 for failed ones.
        examples: the slowest, or the newest failed.
    """

    service: str
    operation: str
    kind: SpanKind
    error: str
    pattern: str
    spans: float
    origins: float
    traces: int
    calls: float
    percentiles_ns: Sequence[float]
    longest_ns: int
    usual_ns: float
    lost_ns: float
    first_ns: int
    last_ns: int
    examples: Sequence[Example]


@dataclass(frozen=True, slots=True)
class SpanGroups:
    """Groups; those that matter most first. `spans` are in all groups, `share` of the traces was counted."""

    items: Sequence[SpanGroup]
    spans: float
    share: float


async def find_failed(counts: SpanCounts, tenant: TenantId, search: TraceSearch, most: int) -> SpanGroups:
    """Group the failed spans of a search by operation, type of error and message; where most begin first.

    A failed span whose failed child has come only passes an error on; the others are where it began.
    """
    wide = await counts.select(tenant, replace(search, status=None, min_ns=0, max_ns=0))
    chosen = await counts.select(tenant, replace(search, status=SpanStatus.ERROR))
    columns = (
        f"start_ns, duration_ns, service, name, weight, {_ERROR} AS error, {_MESSAGE} AS text,"
        f" toFloat64(duration_ns) AS usual, {_BELOW}"
    )
    sql = (
        _GROUPED.replace("{rows}", chosen.rows(columns))
        .replace("{by}", "start_ns")
        .replace("{order}", "origins DESC, spans")
    )
    return await _grouped(counts, tenant, (sql, chosen, wide), most)


async def find_slow(counts: SpanCounts, tenant: TenantId, search: TraceSearch, most: int) -> SpanGroups:
    """Group the slow spans of a search by operation and statement; those that cost the most time first.

    Slow is what takes as long as the search says, or else longer than 95 of 100 spans of the same operation.
    """
    wide = await counts.select(tenant, replace(search, min_ns=0, max_ns=0))
    columns = (
        f"start_ns, duration_ns, service, name, status, weight, '' AS error, {_STATEMENT} AS text, true AS is_origin"
    )
    usual = _USUAL.replace("{rows}", wide.rows("service, name, duration_ns, weight"))
    slow = "duration_ns >= {least:Int64}" if search.min_ns else f"calls >= {LEAST_CALLS} AND duration_ns > slow"
    below = " AND duration_ns <= {greatest:Int64}" if search.max_ns else ""
    rows = (
        f"(SELECT spans.*, usual FROM {wide.rows(columns)} AS spans"  # noqa: S608 -- constants and conditions
        f" INNER JOIN ({usual}) AS calls USING (service, name, kind) WHERE {slow}{below})"
    )
    sql = _GROUPED.replace("{rows}", rows).replace("{by}", "duration_ns").replace("{order}", "lost")
    wide.values.update({"least": search.min_ns, "greatest": search.max_ns})
    return await _grouped(counts, tenant, (sql, wide, wide), most)


async def _grouped(
    counts: SpanCounts, tenant: TenantId, question: tuple[str, Counted, Counted], most: int
) -> SpanGroups:
    sql, chosen, wide = question
    values = {**chosen.values, "varying": f"(?i){VARYING}", "longest": _LONGEST, "most": most}
    table = await counts.ask(tenant, sql, values)
    usual = _USUAL.replace("{rows}", wide.rows("service, name, duration_ns, weight"))
    calls = {
        (row["service"], row["name"], row["kind"]): (row["calls"] * wide.one_of, row["usual"])
        for row in (await counts.ask(tenant, usual, wide.values)).to_pylist()
    }
    groups = [_group(row, chosen.one_of, calls) for row in table.to_pylist()]
    return SpanGroups(groups, sum(group.spans for group in groups), 1 / chosen.one_of)


def _group(row: dict[str, Any], scale: int, calls: dict[tuple[str, str, int], tuple[float, float]]) -> SpanGroup:
    count, usual_ns = calls.get((row["service"], row["name"], row["kind"]), (row["spans"] * scale, 0.0))
    return SpanGroup(
        row["service"],
        row["name"],
        SpanKind(row["kind"]),
        row["error"],
        row["pattern"],
        row["spans"] * scale,
        row["origins"] * scale,
        row["traces"],
        max(count, row["spans"] * scale),
        row["durations"],
        row["longest"],
        usual_ns,
        row["lost"] * scale,
        row["first"],
        row["last"],
        [_example(each) for each in row["examples"]],
    )


def _example(found: Any) -> Example:
    _, trace_id, span_id, start_ns, duration_ns = found.values() if isinstance(found, dict) else found
    return Example(trace_id.lower(), span_id.lower(), start_ns, duration_ns)
