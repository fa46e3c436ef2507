"""Finds the traces that a search asks for: the newest hours are looked through first, as most searches end there.

A window that holds enough traces holds the newest ones, for a trace stands in the answer where its newest span does.
What is rare is looked for further and further back; the index of attributes passes over what cannot have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.traces.tables import SLOT_NS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.traces.selection import TraceSearch

LAST_NS: Final = 2**62
SLOTS: Final = "tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32}"
_GROWTH: Final = 4
_BETWEEN: Final = f"{SLOTS} AND start_ns >= {{start:Int64}} AND start_ns < {{end:Int64}}"
_FIND: Final = (
    f"SELECT trace_id, max(start_ns) AS newest FROM trace_spans WHERE {_BETWEEN} AND {{where}}"  # noqa: S608 -- built below
    " GROUP BY trace_id {behind} ORDER BY newest DESC, trace_id DESC LIMIT {limit:UInt32}"
)
_BEHIND: Final = (
    "HAVING newest < {behind_ns:Int64}"
    " OR (newest = {behind_ns:Int64} AND trace_id < toFixedString(unhex({behind_id:String}), 16))"
)
_NEWER: Final = (
    f"SELECT DISTINCT trace_id FROM trace_spans WHERE {_BETWEEN} AND {{where}}"  # noqa: S608 -- as above
    " AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))"
)
_RESOURCES: Final = (
    f"SELECT DISTINCT toString(resource) AS text FROM trace_spans WHERE {_BETWEEN}"  # noqa: S608 -- constants
    " AND JSONExtractString(resource, {name:String}) = {text:String} LIMIT 1000"
)

Found = dict[str, int]
"""The newest start that a search found in traces, by their ids, in the order of the answer."""


class Search:
    """One search of one tenant."""

    def __init__(self, store: Store, tenant: TenantId, search: TraceSearch) -> None:
        self._store = store
        self._tenant = tenant
        self._search = search
        self._where, self._values = _conditions(search)

    async def find(self) -> Found:
        """Give the traces."""
        search, found = self._search, Found()
        for start_ns, end_ns in windows(search):
            more = await self._look(start_ns, end_ns)
            is_full = len(more) >= search.limit
            if search.behind is not None and end_ns < search.end_ns:
                newer = await self._newer(more, end_ns)
                if newer and is_full:  # some others may stand behind those, so all of it is looked at
                    return await self._look(search.start_ns, search.end_ns)
                more = {trace_id: newest for trace_id, newest in more.items() if trace_id not in newer}
            found |= {trace_id: newest for trace_id, newest in more.items() if trace_id not in found}
            if len(found) >= search.limit:
                break
        return dict(list(found.items())[: search.limit])

    async def _look(self, start_ns: int, end_ns: int) -> Found:
        behind = self._search.behind
        values = {**self._values, **bounds(start_ns, end_ns), "limit": self._search.limit}
        if behind is not None:
            values |= {"behind_ns": behind[0], "behind_id": behind[1]}
        sql = _FIND.replace("{behind}", "" if behind is None else _BEHIND)
        where, more = await self._with_resources(start_ns, end_ns)
        table = await self._store.query(sql.replace("{where}", where), values | more, tenant=self._tenant)
        return {row["trace_id"].hex(): row["newest"] for row in table.to_pylist()}

    async def _newer(self, found: Found, start_ns: int) -> set[str]:
        """Give those of the traces that the search would find by a newer span; they stood on a page before."""
        if not found:
            return set()
        where, more = await self._with_resources(start_ns, self._search.end_ns)
        values = {**self._values, **more, **bounds(start_ns, self._search.end_ns), "ids": list(found)}
        table = await self._store.query(_NEWER.replace("{where}", where), values, tenant=self._tenant)
        return {trace_id.hex() for trace_id in table.column("trace_id").to_pylist()}

    async def _with_resources(self, start_ns: int, end_ns: int) -> tuple[str, dict[str, Any]]:
        """Give the conditions; an attribute may be the resource's, but only where there are such resources.

        Without them the condition is on the span's own attributes alone, which the index knows.
        """
        where, values = self._where, dict[str, Any]()
        for number, (name, text) in enumerate(self._search.attributes.items()):
            asked = bounds(start_ns, end_ns) | {"name": name, "text": text}
            table = await self._store.query(_RESOURCES, asked, tenant=self._tenant)
            condition = f"attributes[{{k{number}:String}}] = {{v{number}:String}}"
            if table.num_rows:
                condition = f"({condition} OR resource IN {{r{number}:Array(String)}})"
                values[f"r{number}"] = table.column("text").to_pylist()
            where += f" AND {condition}"
            values |= {f"k{number}": name, f"v{number}": text}
        return where, values


def windows(search: TraceSearch) -> Iterator[tuple[int, int]]:
    """Give the times in which a search looks, one after the other, the newest first; each begins with a slot.

    The first holds the two newest slots, or all that is newer than the trace behind which the search goes on.
    """
    end_ns, slots = search.end_ns, 1
    newest_ns = end_ns - 1 if search.behind is None else min(search.behind[0], end_ns - 1)
    start_ns = (newest_ns // SLOT_NS - 1) * SLOT_NS
    while start_ns > search.start_ns:
        yield start_ns, end_ns
        slots *= _GROWTH
        start_ns, end_ns = start_ns - slots * SLOT_NS, start_ns
    yield search.start_ns, end_ns


def bounds(start_ns: int, end_ns: int) -> dict[str, Any]:
    """Give a time as values of a query."""
    return slots(start_ns, end_ns) | {"start": start_ns, "end": end_ns}


def slots(start_ns: int, end_ns: int) -> dict[str, Any]:
    """Give the slots of a time as values of a query."""
    last = min(max(end_ns - 1, 0), LAST_NS) // SLOT_NS
    return {"first": max(start_ns, 0) // SLOT_NS, "last": min(last, 2**31 - 1)}


def _conditions(search: TraceSearch) -> tuple[str, dict[str, Any]]:
    """Give what a search asks of spans, other than their times and attributes, as SQL with its values."""
    asked: tuple[tuple[str, str, object, bool], ...] = (
        ("service = {service:String}", "service", search.service, bool(search.service)),
        ("name = {operation:String}", "operation", search.operation, bool(search.operation)),
        ("duration_ns >= {min_ns:Int64}", "min_ns", search.min_ns, bool(search.min_ns)),
        ("duration_ns <= {max_ns:Int64}", "max_ns", search.max_ns, bool(search.max_ns)),
        ("status = {status:UInt8}", "status", int(search.status or 0), search.status is not None),
        ("kind = {kind:UInt8}", "kind", int(search.kind or 0), search.kind is not None),
    )
    wanted = [(condition, name, value) for condition, name, value, is_asked in asked if is_asked]
    return " AND ".join(["1", *(each[0] for each in wanted)]), {name: value for _, name, value in wanted}
