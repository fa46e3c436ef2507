"""Rows to count: the spans of a search, each once, without those that tail sampling has let go.

Of more spans than one question may count, a share of the traces is taken by a hash of their ids; counts are scaled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.traces.conditions import slots, write_conditions

if TYPE_CHECKING:
    import pyarrow as pa

    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.traces.selection import TraceSearch

MOST_SPANS: Final = 2_000_000
IDENTITY: Final = "trace_id, span_id, kind"  # what tells spans apart; client and server may share an id (Zipkin)
_BASE: Final = (
    "tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32} AND expires_at > {counted:UInt32}"
)
_SHARE: Final = "cityHash64(trace_id) % {one_of:UInt32} = 0"
_NOT_SINGLE: Final = (
    f"trace_id IN (SELECT trace_id FROM trace_spans WHERE {_BASE} AND {_SHARE}"  # noqa: S608 -- bound
    " GROUP BY trace_id HAVING uniqExact(span_id, kind) > 1 OR max(status = 2))"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """The spans of a search as a table of SQL.

    Attributes:
        where: the condition that its rows satisfy.
        values: of the parameters in it.
        spans: how many rows there are, before a share is taken.
        one_of: one of so many traces is counted.
    """

    where: str
    values: dict[str, Any]
    spans: int
    one_of: int

    def rows(self, columns: str) -> str:
        """Give the rows with some columns, each span once."""
        return f"(SELECT DISTINCT {IDENTITY}, {columns} FROM trace_spans WHERE {self.where} AND {_SHARE})"  # noqa: S608 -- our columns


class SpanCounts:
    """Asks the store about spans of every tenant."""

    def __init__(
        self, store: Store, *, most_spans: int = MOST_SPANS, counted_after_s: Callable[[], int] = lambda: 0
    ) -> None:
        """Count rows that expire after `counted_after_s`: tail sampling says which ones are not judged or were kept."""
        self._store = store
        self._most_spans = most_spans
        self.counted_after_s = counted_after_s

    async def select(self, tenant: TenantId, search: TraceSearch, *, has_singles: bool = True) -> Counted:
        """Give the spans of a search; without `has_singles` none of traces of a single span that did not fail."""
        conditions, values = write_conditions(search)
        where = f"{_BASE} AND {conditions}"
        values |= {**slots(search.start_ns, search.end_ns), "counted": self.counted_after_s()}
        spans = await self._count(tenant, where, values)
        # Which traces are single is told by all spans of the time, so it is their number that is bounded then.
        read = spans if has_singles else await self._count(tenant, _BASE, values)
        one_of = max(-(-read // self._most_spans), 1)
        if not has_singles:
            where = f"{where} AND {_NOT_SINGLE}"
        return Counted(where, values | {"one_of": one_of}, spans, one_of)

    async def _count(self, tenant: TenantId, where: str, values: dict[str, Any]) -> int:
        table = await self.ask(tenant, f"SELECT count() AS spans FROM trace_spans WHERE {where}", values)  # noqa: S608 -- bound
        spans: int = table.column("spans")[0].as_py()
        return spans

    async def ask(self, tenant: TenantId, sql: str, values: dict[str, Any]) -> pa.Table:
        """Give the answer of one question."""
        return await self._store.query(sql, values, tenant=tenant)
