"""The job of tail sampling: every few minutes it judges the traces that have become old enough to be whole.

What stays is written again with its full retention and its weight; what goes expires. Everything that a decision needs
is in the store, so that a process that dies loses none: the first round takes all that has not been judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from prometheus_client import CollectorRegistry, Counter

from holdfast.kernel.ids import TenantId
from holdfast.telemetry.ledger import NO_LEDGER
from holdfast.telemetry.traces.sampling.gone import Gone
from holdfast.telemetry.traces.sampling.policies import Verdicts, judge
from holdfast.telemetry.traces.sampling.whole_traces import WholeTraces
from holdfast.telemetry.traces.tables import SPANS, STREAM

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.kernel.clock import Clock
    from holdfast.store import Store
    from holdfast.telemetry.ledger import Notes
    from holdfast.telemetry.traces.settings import SamplingSettings

AROUND_S: Final = 120  # that clocks and batches may be apart
IDS_AT_ONCE: Final = 1000
_DAY_SLOTS: Final = 24
_LAG_S: Final = 2  # by which whole seconds are off
_NO_ONE: Final = TenantId("default")

_TENANTS: Final = (
    "SELECT DISTINCT tenant FROM trace_spans WHERE {tenant:String} != '' ORDER BY tenant"  # of all tenants
)
# A trace belongs to the round in which its first span has become old enough; it is judged by all that has come since.
# It comes again when spans become old that came after that, and is judged by all of it that is still there.
_WHOLE: Final = (
    "SELECT trace_id, max(start_ns + duration_ns) - min(start_ns) AS length, max(status) = 2 AS has_failed,"
    " argMin((toString(service), toString(name)), (parent_id != toFixedString('', 8), start_ns)) AS root,"
    " groupUniqArray(100)(toString(service)) AS services, groupUniqArray(100)(toString(name)) AS names,"
    " min(slot) AS first, max(slot) AS last, toUInt32(min(expires_at)) AS begun, any(weight) AS own,"
    # Each span is counted in one round: with its trace if it came in time, else when it has become old enough itself.
    " arrayCount(end -> end <= begun + {patience:UInt32}, groupArray(toUInt32(expires_at))) AS early_spans,"
    " arrayCount(end -> end > begun + {patience:UInt32} AND end > {since:UInt32} AND end <= {until:UInt32},"
    " groupArray(toUInt32(expires_at))) AS late_spans,"
    " arrayCount(end -> end > begun + {patience:UInt32} AND end <= {since:UInt32},"
    " groupArray(toUInt32(expires_at))) AS later_before, toUInt32(maxIf(expires_at, expires_at <= {since:UInt32}))"
    " AS last_before, toUInt32(maxIf(expires_at, expires_at <= {until:UInt32})) AS last_due,"
    " argMinIf(toString(service), (parent_id != toFixedString('', 8), start_ns),"
    " expires_at <= {since:UInt32}) AS service_before"
    " FROM trace_spans WHERE tenant = {tenant:String} AND expires_at > {from:UInt32} AND expires_at <= {long:UInt32}"
    " AND trace_id IN (SELECT trace_id FROM trace_spans"
    " WHERE tenant = {tenant:String} AND expires_at > {since:UInt32} AND expires_at <= {until:UInt32} {unkept})"
    " GROUP BY trace_id HAVING begun <= {until:UInt32}"
    " AND (begun > {since:UInt32} OR maxIf(expires_at, expires_at <= {until:UInt32}) > begun + {patience:UInt32})"
)
_UNKEPT: Final = (
    "AND trace_id NOT IN (SELECT trace_id FROM trace_spans"
    " WHERE tenant = {tenant:String} AND expires_at > {long:UInt32})"
)
# Of traces that were kept before.
_KEPT: Final = (
    "SELECT trace_id, max(weight) AS weight FROM trace_spans WHERE tenant = {tenant:String}"
    " AND slot BETWEEN {first:Int32} AND {last:Int32} AND expires_at > {long:UInt32} AND trace_id IN"
    " (SELECT trace_id FROM trace_spans"
    " WHERE tenant = {tenant:String} AND expires_at > {since:UInt32} AND expires_at <= {until:UInt32})"
    " GROUP BY trace_id"
)
_KEEP: Final = (
    "SELECT * EXCEPT (begun) REPLACE (weight * if(toUInt32(expires_at) > begun + {patience:UInt32}, {factor:Float64},"
    " {early:Float64}) AS weight, toDateTime(least(greatest("
    "intDiv(start_ns, 1000000000) + {retention:Int64}, {long:UInt32} + 1), 4294967295)) AS expires_at)"
    " FROM (SELECT *, toUInt32(min(expires_at) OVER (PARTITION BY trace_id)) AS begun"
    " FROM trace_spans WHERE tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32}"
    " AND expires_at <= {long:UInt32}"
    " AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))) {again}"
)
# What was kept is not kept again: it would count twice if it stood for another number of traces now.
_AGAIN: Final = (
    "WHERE (trace_id, span_id, start_ns) NOT IN (SELECT trace_id, span_id, start_ns FROM trace_spans"
    " WHERE tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32} AND expires_at > {long:UInt32}"
    " AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16)))"
)


@dataclass(frozen=True, slots=True)
class _Round:
    """What was judged of a tenant: until which expiry, until which at most by any clock, and when."""

    until: int
    most: int
    at_s: float


class Sampling:
    """Judges traces of every tenant."""

    def __init__(
        self,
        store: Store,
        settings: SamplingSettings,
        clock: Clock,
        *,
        metrics: CollectorRegistry | None = None,
        ledger: Notes = NO_LEDGER,
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._gone = Gone(ledger, int(settings.recent - settings.decide_after))
        self._last: dict[TenantId, _Round] = {}
        self._judged = Counter(
            "holdfast_traces_judged",
            "Traces that tail sampling has judged, by the policy that kept them; none if they went.",
            ("policy",),
            registry=metrics or CollectorRegistry(),
        )

    def counted_after_s(self) -> int:
        """Give the expiry after which rows count: those of traces that are not judged yet, and those that were kept."""
        return self._now_s() + int(self._settings.recent - self._settings.decide_after)

    def keep_until_s(self, tenant: TenantId) -> int:
        """Give when spans expire that come now, unless they are kept."""
        return self._now_s() + min(int(self._settings.recent), self._store.retention.seconds(tenant, STREAM))

    async def keep_judged(self, is_ours: Callable[[], bool]) -> None:
        """Judge for ever, while this process is the one that does."""
        while True:
            if is_ours():
                await self.judge_all()
            else:
                self._last.clear()  # the first round after another process had them is not counted either
            await self._clock.sleep(self._settings.every)

    async def judge_all(self) -> None:
        """Judge what is old enough, of all tenants, and take out what has expired."""
        found = await self._store.query(_TENANTS, tenant=_NO_ONE)
        for name in found.column("tenant").to_pylist():
            await self.judge_tenant(TenantId(name))

    async def judge_tenant(self, tenant: TenantId) -> None:
        """Judge what is old enough, of one tenant."""
        now_s, until = self._now_s(), self.counted_after_s()
        since, most = self._judged_until(tenant, until)
        long_s = now_s + int(self._settings.recent) + AROUND_S
        values = {
            "from": now_s,
            "since": since,
            "until": until,
            "patience": int(self._settings.decide_after),
            "long": long_s,
        }
        table = await self._store.query(_WHOLE.replace("{unkept}", "" if since else _UNKEPT), values, tenant=tenant)
        if table.num_rows:
            begun = since or min(until - int(self._settings.every), int(table.column("begun").to_numpy().min()))
            verdicts = await asyncio.to_thread(self._judge, table, float(max(until - begun, 1)))
            come_back = np.zeros(table.num_rows, np.bool_)
            if since:
                own, verdicts = verdicts, await self._with_late(tenant, table, verdicts, values)
                come_back = verdicts.come_back(own, table.column("begun").to_numpy() <= since)
            await self._keep(tenant, table, verdicts, long_s, most)
            for policy in verdicts.policies:
                self._judged.labels(policy or "none").inc()
            if since == most > 0:  # the first round after a start may judge again what the process before has judged
                self._gone.note(tenant, table, verdicts.stay, since)
                self._gone.take_back(tenant, table, come_back)
        if not since:
            self._gone.begin(tenant, until)
        self._last[tenant] = _Round(until, max(until, most), self._clock.monotonic())
        await self._store.delete(SPANS, f"expires_at <= {now_s}", tenant=tenant)

    def _judged_until(self, tenant: TenantId, until: int) -> tuple[int, int]:
        """Give the expiry until which nothing is left to judge, and the highest of which anything was judged.

        What came since a clock was set back expires before what was judged already: by as much as it was set back.
        """
        last = self._last.get(tenant)
        if last is None:
            return 0, 0
        lag_s = int(last.until + self._clock.monotonic() - last.at_s) - until
        return last.until - (lag_s if lag_s > _LAG_S else 0), last.most

    async def _with_late(
        self, tenant: TenantId, table: pa.Table, verdicts: Verdicts, values: dict[str, int]
    ) -> Verdicts:
        """Let spans that came after their trace was kept share its fate; what went and is kept now comes back."""
        slots = {
            "first": int(table.column("first").to_numpy().min()) - _DAY_SLOTS,
            "last": int(table.column("last").to_numpy().max()) + _DAY_SLOTS,
        }
        found = await self._store.query(_KEPT, values | slots, tenant=tenant)
        kept = dict(zip(found.column("trace_id").to_pylist(), found.column("weight").to_pylist(), strict=True))
        factors = [
            kept[trace_id] / own if trace_id in kept else 0.0
            for trace_id, own in zip(table.column("trace_id").to_pylist(), table.column("own").to_pylist(), strict=True)
        ]
        is_late = table.column("begun").to_numpy() <= values["since"]
        return verdicts.with_kept(np.array(factors), is_late)

    def _judge(self, table: pa.Table, window_s: float) -> Verdicts:
        traces = WholeTraces(
            table.column("trace_id").to_pylist(),
            np.asarray(table.column("length").to_numpy(), np.int64),
            np.asarray(table.column("has_failed").to_numpy(), np.bool_),
            [_pair(root) for root in table.column("root").to_pylist()],
            table.column("services").to_pylist(),
            table.column("names").to_pylist(),
        )
        return judge(traces, self._settings.policies, window_s)

    async def _keep(self, tenant: TenantId, table: pa.Table, verdicts: Verdicts, long_s: int, most: int) -> None:
        retention_s = self._store.retention.seconds(tenant, STREAM)
        if retention_s <= self._settings.recent:  # nothing is kept longer than everything is
            return
        ids, first, last, begun = (table.column(name).to_pylist() for name in ("trace_id", "first", "last", "begun"))

        def fate(row: int) -> tuple[float, float, bool]:
            return float(verdicts.factors[row]), float(verdicts.early[row]), begun[row] <= most

        for (factor, early, is_again), group in groupby(sorted(np.flatnonzero(verdicts.stay).tolist(), key=fate), fate):
            for some in _chunks(list(group), IDS_AT_ONCE):
                values: dict[str, Any] = {
                    "factor": factor,
                    "early": early,
                    "patience": int(self._settings.decide_after),
                    "retention": retention_s,
                    "long": long_s,
                    "first": min(first[row] for row in some) - _DAY_SLOTS,
                    "last": max(last[row] for row in some) + _DAY_SLOTS,
                    "ids": [ids[row].hex() for row in some],
                }
                sql = _KEEP.replace("{again}", _AGAIN if is_again else "")
                await self._store.derive(SPANS, sql, values, tenant=tenant)

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())


def _pair(root: Any) -> tuple[str, str]:
    service, name = root.values() if isinstance(root, dict) else root
    return service, name


def _chunks(rows: list[int], most: int) -> Iterator[list[int]]:
    for start in range(0, len(rows), most):
        yield rows[start : start + most]
