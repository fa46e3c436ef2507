"""Finds the traces that a search asks for: the newest hours are looked through first, as most searches end there.

A window that holds enough traces holds the newest ones, for a trace stands in the answer where its newest span does.
What is rare is looked for further and further back; the index of attributes passes over what cannot have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import orjson

from holdfast.telemetry.traces.conditions import slots, write_conditions
from holdfast.telemetry.traces.tables import SLOT_NS

if TYPE_CHECKING:
    from holdfast.kernel.ids import TenantId
    from holdfast.store import Store
    from holdfast.telemetry.traces.selection import TraceSearch

_GROWTH: Final = 4
_SLOTS: Final = "tenant = {tenant:String} AND slot BETWEEN {first:Int32} AND {last:Int32}"
_FIND: Final = (
    f"SELECT trace_id, max(start_ns) AS newest FROM trace_spans WHERE {_SLOTS} AND {{where}}"  # noqa: S608 -- built below
    " GROUP BY trace_id {behind} ORDER BY newest DESC, trace_id DESC LIMIT {limit:UInt32}"
)
_BEHIND: Final = (
    "HAVING newest < {behind_ns:Int64}"
    " OR (newest = {behind_ns:Int64} AND trace_id < toFixedString(unhex({behind_id:String}), 16))"
)
_NEWER: Final = (
    f"SELECT DISTINCT trace_id FROM trace_spans WHERE {_SLOTS} AND {{where}}"  # noqa: S608 -- as above
    " AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))"
)
_RESOURCES: Final = (
    f"SELECT DISTINCT toString(resource) AS text FROM trace_spans WHERE {_SLOTS}"  # noqa: S608 -- constants
    " AND position(resource, {within:String}) > 0 LIMIT {most:UInt32}"
)
_MOST_RESOURCES: Final = 1000  # that stand in a query one by one

Found = dict[str, int]
"""The newest start that a search found in traces, by their ids, in the order of the answer."""


class Search:
    """One search of one tenant."""

    def __init__(self, store: Store, tenant: TenantId, search: TraceSearch) -> None:
        self._store = store
        self._tenant = tenant
        self._search = search

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
        where, values = await self._conditions(start_ns, end_ns)
        if behind is not None:
            values |= {"behind_ns": behind[0], "behind_id": behind[1]}
        sql = _FIND.replace("{where}", where).replace("{behind}", "" if behind is None else _BEHIND)
        table = await self._store.query(sql, values | {"limit": self._search.limit}, tenant=self._tenant)
        return {row["trace_id"].hex(): row["newest"] for row in table.to_pylist()}

    async def _newer(self, found: Found, start_ns: int) -> set[str]:
        """Give those of the traces that the search would find by a newer span; they stood on a page before."""
        if not found:
            return set()
        where, values = await self._conditions(start_ns, self._search.end_ns)
        sql = _NEWER.replace("{where}", where)
        table = await self._store.query(sql, values | {"ids": list(found)}, tenant=self._tenant)
        return {trace_id.hex() for trace_id in table.column("trace_id").to_pylist()}

    async def _conditions(self, start_ns: int, end_ns: int) -> tuple[str, dict[str, Any]]:
        """Give what is asked of spans of a time, with its values.

        An attribute may be the resource's, but only where there are such resources; without them the condition is on
        the span's own attributes alone, which the index knows.
        """
        around = slots(start_ns, end_ns)
        where, values = write_conditions(replace(self._search, start_ns=start_ns, end_ns=end_ns, attributes={}))
        for number, (name, text) in enumerate(self._search.attributes.items()):
            key, value, resources = f"k{number}", f"v{number}", f"r{number}"
            known = await self._resources(name, text, around)
            own = f"attributes[{{{key}:String}}] = {{{value}:String}}"
            if known is None:
                own = f"({own} OR JSONExtractString(resource, {{{key}:String}}) = {{{value}:String}})"
            elif known:
                own = f"({own} OR resource IN {{{resources}:Array(String)}})"
                values[resources] = known
            where += f" AND {own}"
            values |= {key: name, value: text}
        return where, {**values, **around}

    async def _resources(self, name: str, text: str, around: dict[str, int]) -> list[str] | None:
        """Give the resources of some slots that have an attribute; None if there are too many.

        Searched for as text first, which the engine does once per different resource; then each is read.
        """
        within = orjson.dumps(text).decode()
        asked = {**around, "within": within, "most": _MOST_RESOURCES + 1}
        table = await self._store.query(_RESOURCES, asked, tenant=self._tenant)
        found: list[str] = table.column("text").to_pylist()
        if len(found) > _MOST_RESOURCES:
            return None
        return [resource for resource in found if orjson.loads(resource).get(name) == text]


def windows(search: TraceSearch) -> Iterator[tuple[int, int]]:
    """Give the times in which a search looks, one after the other, the newest first; each begins with a slot.

    The first holds the two newest slots, or all that is newer than the trace behind which the search goes on.
    """
    end_ns, count = search.end_ns, 1
    newest_ns = end_ns - 1 if search.behind is None else min(search.behind[0], end_ns - 1)
    start_ns = (newest_ns // SLOT_NS - 1) * SLOT_NS
    while start_ns > search.start_ns:
        yield start_ns, end_ns
        count *= _GROWTH
        start_ns, end_ns = start_ns - count * SLOT_NS, start_ns
    yield search.start_ns, end_ns
