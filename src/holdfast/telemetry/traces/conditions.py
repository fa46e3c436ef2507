"""A search as SQL over `trace_spans`: which slots it reads, and what holds for the spans it wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.traces.tables import SLOT_NS

if TYPE_CHECKING:
    from holdfast.telemetry.traces.selection import TraceSearch

LAST_NS: Final = 2**62


def slots(start_ns: int, end_ns: int) -> dict[str, int]:
    """Give the `first` and `last` slot of a time."""
    last = min(max(end_ns - 1, 0), LAST_NS) // SLOT_NS
    return {"first": max(start_ns, 0) // SLOT_NS, "last": min(last, 2**31 - 1)}


def write_conditions(search: TraceSearch, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """Give a search as SQL, with its values; the names of the values begin with `prefix`."""
    parts: list[str] = []
    values: dict[str, Any] = {}

    def add(condition: str, kind: str, value: Any) -> None:
        name = f"{prefix}w{len(values)}"
        parts.append(condition.replace("?", f"{{{name}:{kind}}}"))
        values[name] = value

    add("start_ns >= ?", "Int64", search.start_ns)
    add("start_ns < ?", "Int64", search.end_ns)
    if search.service:
        add("service = ?", "String", search.service)
    if search.operation:
        add("name = ?", "String", search.operation)
    if search.min_ns:
        add("duration_ns >= ?", "Int64", search.min_ns)
    if search.max_ns:
        add("duration_ns <= ?", "Int64", search.max_ns)
    if search.status is not None:
        add("status = ?", "UInt8", int(search.status))
    if search.kind is not None:
        add("kind = ?", "UInt8", int(search.kind))
    if search.is_root:
        parts.append("parent_id = toFixedString('', 8)")
    for number, (name, text) in enumerate(search.attributes.items()):
        key, value = f"{prefix}k{number}", f"{prefix}v{number}"
        own = f"attributes[{{{key}:String}}] = {{{value}:String}}"
        shared = f"JSONExtractString(resource, {{{key}:String}}) = {{{value}:String}}"
        parts.append(f"({own} OR {shared})")
        values |= {key: name, value: text}
    return " AND ".join(parts), values
