"""What the REST API says of many traces together: latencies, groups, comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from holdfast.kernel.units import Moment
from holdfast.telemetry.traces.api.documents import KindWord, StatusWord, kind_word, show_time
from holdfast.telemetry.traces.api.parameters import What

if TYPE_CHECKING:
    from holdfast.telemetry.traces.findings import Comparison, LatencyMap, Side, SpanGroup, SpanGroups

_MS = 1e6


@dataclass(frozen=True, slots=True)
class LatencyOut:
    """How long spans took over time: cells that hold any, as columns.

    Cell n is of the time `times[n]` (it begins at `started_at` + `times[n]` * `step_ns`) and holds durations from
    `bounds_ns[rows[n]]`, below the bound that follows; its lower bound and that one less 1 find its spans in a search.
    Counts are scaled to all traces where only `share` of them was counted (1: all).
    """

    started_at: datetime
    step_ns: int
    columns: int
    bounds_ns: list[int]
    times: list[int]
    rows: list[int]
    spans: list[float]
    failed: list[float]
    total: float
    total_failed: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    share: float


@dataclass(frozen=True, slots=True)
class ExampleOut:
    """A span of a group."""

    trace_id: str
    span_id: str
    started_at: datetime
    duration_ns: int


@dataclass(frozen=True, slots=True)
class GroupOut:
    """Spans that are slow, or failed, in the same way.

    `calls` is how many spans the operation has in this search altogether, `usual_ms` their median; `lost_ms` is by how
    much the group took longer than that, together. `origins` are failed spans below which no other failed: there it
    began. In `pattern` stands `?` where messages or statements differ.
    """

    service: str
    operation: str
    kind: KindWord
    error: str
    pattern: str
    spans: float
    origins: float
    traces: int
    calls: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    longest_ms: float
    usual_ms: float
    lost_ms: float
    first_at: datetime
    last_at: datetime
    examples: list[ExampleOut]


@dataclass(frozen=True, slots=True)
class GroupsOut:
    """Groups, those that matter most first; `spans` are in all of them, `share` of the traces was counted."""

    items: list[GroupOut]
    spans: float
    share: float
    next: str | None = None


class SelectionIn(BaseModel):
    """A set of traces: those with a span that satisfies all of this. A time that is missing is the last hour."""

    model_config = ConfigDict(extra="forbid")

    start: Moment | None = None
    end: Moment | None = None
    service: Annotated[str, Field(max_length=1000)] = ""
    operation: Annotated[str, Field(max_length=1000)] = ""
    attribute: Annotated[list[str], Field(max_length=20, description="`name=value`; all must hold.")] = []
    min_duration: Annotated[str, Field(max_length=50)] = ""
    max_duration: Annotated[str, Field(max_length=50)] = ""
    status: StatusWord | None = None
    kind: KindWord | None = None
    roots: bool = False

    def what(self) -> What:
        """Give its conditions."""
        return What(
            self.service,
            self.operation,
            self.attribute,
            self.min_duration,
            self.max_duration,
            self.status,
            self.kind,
            self.roots,
        )


class ComparisonIn(BaseModel):
    """Which traces are compared. Without `others`: the rest, of the same service, operation, kind and time."""

    model_config = ConfigDict(extra="forbid")

    chosen: SelectionIn
    others: SelectionIn | None = None
    sample: Annotated[int, Field(ge=10, le=5000, description="Traces of each side that are read at most.")] = 1000


@dataclass(frozen=True, slots=True)
class SideOut:
    """One side of a comparison; durations are of the sampled traces, null without any."""

    traces: int
    sampled: int
    spans: int
    p50_ms: float | None
    p95_ms: float | None
    mean_ms: float | None


@dataclass(frozen=True, slots=True)
class ContrastOut:
    """Something that is more frequent among the chosen traces.

    `name` is of an attribute or resource, or `service`, `operation`, `failed operation`. Counts are of sampled traces,
    shares of the traces that they stand for. `lift` is null if no other trace bears it. `p_value`: Fisher's exact test,
    one-sided; `is_significant` weighs how many values were tested.
    """

    name: str
    value: str
    chosen: int
    others: int
    chosen_share: float
    others_share: float
    lift: float | None
    p_value: float
    is_significant: bool


@dataclass(frozen=True, slots=True)
class GrowthOut:
    """An operation that took more time itself; all figures are means per trace of a side."""

    service: str
    operation: str
    chosen_self_ms: float
    others_self_ms: float
    growth_ms: float
    chosen_calls: float
    others_calls: float


@dataclass(frozen=True, slots=True)
class ComparisonOut:
    """What sets the chosen traces apart from the others; `tested` values were more frequent among the chosen."""

    chosen: SideOut
    others: SideOut
    contrasts: list[ContrastOut]
    growths: list[GrowthOut]
    tested: int


def show_latency(found: LatencyMap) -> LatencyOut:
    """Show how long spans took over time."""
    p50, p95, p99 = [ns / _MS for ns in found.percentiles_ns] if found.percentiles_ns else [None, None, None]
    return LatencyOut(
        show_time(found.start_ns),
        found.step_ns,
        found.columns,
        list(found.bounds_ns),
        list(found.times),
        list(found.rows),
        list(found.spans),
        list(found.failed),
        found.total,
        found.total_failed,
        p50,
        p95,
        p99,
        found.share,
    )


def show_groups(found: SpanGroups) -> GroupsOut:
    """Show groups."""
    return GroupsOut([_group(each) for each in found.items], found.spans, found.share)


def _group(each: SpanGroup) -> GroupOut:
    p50, p95, p99 = each.percentiles_ns
    return GroupOut(
        each.service,
        each.operation,
        kind_word(each.kind),
        each.error,
        each.pattern,
        each.spans,
        each.origins,
        each.traces,
        each.calls,
        p50 / _MS,
        p95 / _MS,
        p99 / _MS,
        each.longest_ns / _MS,
        each.usual_ns / _MS,
        each.lost_ns / _MS,
        show_time(each.first_ns),
        show_time(each.last_ns),
        [ExampleOut(one.trace_id, one.span_id, show_time(one.start_ns), one.duration_ns) for one in each.examples],
    )


def show_comparison(found: Comparison) -> ComparisonOut:
    """Show a comparison."""
    return ComparisonOut(
        _side(found.chosen),
        _side(found.others),
        [
            ContrastOut(
                each.name,
                each.value,
                each.chosen,
                each.others,
                each.chosen_share,
                each.others_share,
                each.lift,
                each.p_value,
                each.is_significant,
            )
            for each in found.contrasts
        ],
        [
            GrowthOut(
                each.service,
                each.operation,
                each.chosen_self_ns / _MS,
                each.others_self_ns / _MS,
                each.growth_ns / _MS,
                each.chosen_calls,
                each.others_calls,
            )
            for each in found.growths
        ],
        found.tested,
    )


def _side(side: Side) -> SideOut:
    return SideOut(side.traces, side.sampled, side.spans, _ms(side.p50_ns), _ms(side.p95_ns), _ms(side.mean_ns))


def _ms(ns: float | None) -> float | None:
    return None if ns is None else ns / _MS
