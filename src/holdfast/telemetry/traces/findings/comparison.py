"""Two sets of traces beside each other: what is more frequent among the chosen ones, and which operations took longer.

Of each set a sample is read, by a hash of the trace ids, so that it is the same for the same question; how big it is
is told. Self times are not corrected for clocks that differ.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.traces.conditions import slots, write_conditions
from holdfast.telemetry.traces.findings.questions import CONTRASTS, GROWTHS, IDS, SIZES
from holdfast.telemetry.traces.findings.significance import tail_of

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.telemetry.traces.findings.counting import SpanCounts
    from holdfast.telemetry.traces.selection import TraceSearch

MOST_TRACES: Final = 1000  # of each side, if not said otherwise
MOST_SPANS: Final = 300_000  # of each side's sample
MOST_CONTRASTS: Final = 60
MOST_GROWTHS: Final = 40
LEAST: Final = 3  # traces that must bear a value
_SURE: Final = 0.05  # how often something that means nothing may be called significant, among all that was tested
_HOUR_NS: Final = 3600 * 10**9
_MANY_TESTED: Final = 500


@dataclass(frozen=True, slots=True)
class Side:
    """One set of traces.

    Attributes:
        traces: that the search finds.
        sampled: how many of them were read.
        spans: of the sample.
        p50_ns, p95_ns: how long the sampled traces took, first start to last end; None without traces.
        mean_ns: of the same.
    """

    traces: int
    sampled: int
    spans: int
    p50_ns: float | None
    p95_ns: float | None
    mean_ns: float | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """Something that is more frequent among the chosen traces.

    Attributes:
        name: of an attribute or of the resource; or `service`, `operation`, `failed operation`.
        value: of it; of operations, `service: name`.
        chosen, others: how many sampled traces of each side have a span that bears it.
        chosen_share, others_share: of all traces of the side, those that the sampled ones stand for.
        lift: the one divided by the other; None if no other trace bears it.
        p_value: how often chance alone would do this (Fisher's exact test, one-sided).
        is_significant: it stays so when it is weighed how many values were tested (Holm's correction).
    """

    name: str
    value: str
    chosen: int
    others: int
    chosen_share: float
    others_share: float
    lift: float | None
    p_value: float
    is_significant: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """An operation that took more time itself in the chosen traces; means are over all traces of a side."""

    service: str
    operation: str
    chosen_self_ns: float
    others_self_ns: float
    chosen_calls: float
    others_calls: float

    @property
    def growth_ns(self) -> float:
        """By how much more time a trace spends in it."""
        return self.chosen_self_ns - self.others_self_ns


@dataclass(frozen=True, slots=True)
class Comparison:
    """What sets the chosen traces apart; the largest difference of shares first, the largest growth first."""

    chosen: Side
    others: Side
    contrasts: Sequence[Contrast]
    growths: Sequence[Growth]
    tested: int


def the_rest(search: TraceSearch) -> TraceSearch:
    """Give what a search is compared with if nothing is said: the same service and operation at the same time."""
    return replace(search, attributes={}, min_ns=0, max_ns=0, status=None)


@dataclass(slots=True)
class _Sample:
    search: TraceSearch
    ids: list[str]
    weights: list[float]
    total: int
    spans: int = 0
    lengths: list[tuple[int, float]] = field(default_factory=list)

    @property
    def weight(self) -> float:
        return sum(self.weights)

    @property
    def effective(self) -> float:
        """How many traces of equal weight would say as much (Kish)."""
        squares = sum(weight * weight for weight in self.weights)
        return self.weight**2 / squares if squares else 0.0


class TraceComparison:
    """Compares sets of traces of every tenant."""

    def __init__(self, counts: SpanCounts) -> None:
        self._counts = counts

    async def compare(
        self, tenant: TenantId, chosen: TraceSearch, others: TraceSearch, *, most: int = MOST_TRACES
    ) -> Comparison:
        """Compare; a trace that the first search finds is not among the others."""
        ours = await self._sample(tenant, chosen, None, most)
        theirs = await self._sample(tenant, others, chosen, most)
        for sample in (ours, theirs):
            await self._measure(tenant, sample)
        sides = _side(ours), _side(theirs)
        if not ours.ids or not theirs.ids:
            return Comparison(*sides, [], [], 0)
        values = self._both(ours, theirs)
        pairs = (await self._counts.ask(tenant, CONTRASTS, {**values, "least": LEAST})).to_pylist()
        contrasts, tested = await asyncio.to_thread(_contrasts, pairs, ours, theirs)
        rows = (await self._counts.ask(tenant, GROWTHS, {**values, "most": MOST_GROWTHS})).to_pylist()
        growths = [
            Growth(
                row["service"],
                row["name"],
                row["chosen_self"],
                row["others_self"],
                row["chosen_calls"],
                row["others_calls"],
            )
            for row in rows
        ]
        return Comparison(*sides, contrasts, growths, tested)

    async def _sample(self, tenant: TenantId, search: TraceSearch, without: TraceSearch | None, most: int) -> _Sample:
        conditions, values = write_conditions(search)
        values |= {**slots(search.start_ns, search.end_ns), "counted": self._counts.counted_after_s(), "most": most}
        apart = ""
        if without is not None:
            left_out, more = write_conditions(without, "x")
            bounds = slots(without.start_ns, without.end_ns)
            values |= more | {"xfirst": bounds["first"], "xlast": bounds["last"]}
            apart = (
                " AND trace_id NOT IN (SELECT trace_id FROM trace_spans WHERE tenant = {tenant:String}"  # noqa: S608 -- bound
                f" AND slot BETWEEN {{xfirst:Int32}} AND {{xlast:Int32}} AND {left_out})"
            )
        sql = IDS.replace("{where}", conditions + apart)
        rows = (await self._counts.ask(tenant, sql, values)).to_pylist()
        total = rows[0]["total"] if rows else 0
        return _Sample(search, [row["id"].lower() for row in rows], [row["weight"] for row in rows], total)

    async def _measure(self, tenant: TenantId, sample: _Sample) -> None:
        """Find how many spans the sampled traces have and how long they took; leave out those beyond the limit."""
        if not sample.ids:
            return
        values = {**_window(sample.search), "counted": self._counts.counted_after_s(), "ids": sample.ids}
        table = await self._counts.ask(tenant, SIZES, values)
        sizes = {row["id"].lower(): (row["spans"], row["length"]) for row in table.to_pylist()}
        ids: list[str] = []
        for trace_id, weight in zip(sample.ids, sample.weights, strict=True):
            spans, length_ns = sizes.get(trace_id, (0, 0))
            if ids and sample.spans + spans > MOST_SPANS:
                break
            ids.append(trace_id)
            sample.spans += spans
            sample.lengths.append((length_ns, weight))
        sample.ids, sample.weights = ids, sample.weights[: len(ids)]

    def _both(self, ours: _Sample, theirs: _Sample) -> dict[str, Any]:
        a, b = _window(ours.search), _window(theirs.search)
        return {
            "first": a["first"],
            "last": a["last"],
            "ofirst": b["first"],
            "olast": b["last"],
            "counted": self._counts.counted_after_s(),
            "ids": ours.ids + theirs.ids,
            "sides": [1] * len(ours.ids) + [0] * len(theirs.ids),
            "weights": [weight / ours.weight for weight in ours.weights]
            + [weight / theirs.weight for weight in theirs.weights],
        }


def _window(search: TraceSearch) -> dict[str, int]:
    """Give the slots in which the traces of a search lie: those of its time, and an hour around it."""
    return slots(search.start_ns - _HOUR_NS, search.end_ns + _HOUR_NS)


def _side(sample: _Sample) -> Side:
    if not sample.lengths:
        return Side(sample.total, 0, 0, None, None, None)
    lengths = sorted(sample.lengths)
    mean = sum(length * weight for length, weight in lengths) / sample.weight
    return Side(sample.total, len(lengths), sample.spans, _quantile(lengths, 0.5), _quantile(lengths, 0.95), mean)


def _quantile(lengths: list[tuple[int, float]], share: float) -> float:
    wanted = share * sum(weight for _, weight in lengths)
    reached = 0.0
    for length, weight in lengths:
        reached += weight
        if reached >= wanted:
            return float(length)
    return float(lengths[-1][0])


def _contrasts(rows: list[dict[str, Any]], ours: _Sample, theirs: _Sample) -> tuple[list[Contrast], int]:
    """Weigh what was counted: shares are of the traces that the sampled ones stand for, tests of as many as count."""
    n, m = round(ours.effective), round(theirs.effective)
    tested = rows[0]["tested"] if rows else 0
    asked = set(ours.search.attributes.items())
    found = []
    for row in rows[:_MANY_TESTED]:
        if (row["name"], row["value"]) in asked:
            continue
        share, beside = min(row["chosen_share"], 1.0), min(row["others_share"], 1.0)
        p_value = tail_of(round(share * n), n, round(beside * m), m)
        lift = share / beside if beside else None
        found.append(Contrast(row["name"], row["value"], row["chosen"], row["others"], share, beside, lift, p_value))
    by_chance = sorted(found, key=lambda each: each.p_value)
    sure: set[tuple[str, str]] = set()
    for place, each in enumerate(by_chance):
        if each.p_value > _SURE / max(tested - place, 1):
            break
        sure.add((each.name, each.value))
    marked = [replace(each, is_significant=(each.name, each.value) in sure) for each in found]
    return marked[:MOST_CONTRASTS], tested
