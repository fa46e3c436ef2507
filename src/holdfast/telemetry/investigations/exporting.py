"""An investigation as Markdown: readable by itself, with what was seen, for a ticket or a post-mortem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from holdfast.telemetry.investigations.cells import CellKind, aware

if TYPE_CHECKING:
    from holdfast.telemetry.investigations.cells import Cell
    from holdfast.telemetry.investigations.notebook import Investigation

_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 40
_MOST_SERIES: Final = 10
_MOST_LINES: Final = 50
_MOST_SPANS: Final = 30
_ERROR: Final = 2
_MARKS: Final = str.maketrans({sign: f"\\{sign}" for sign in r"\`*_{}[]<>#|!"})


def write_markdown(investigation: Investigation, cells: Sequence[Cell]) -> str:
    """Give the whole page."""
    made = _time(investigation.made_at)
    parts = [f"# {_plain(investigation.title)}", f"Begun {made}, last changed {_time(investigation.updated_at)}."]
    parts += ["\n\n".join(_write(cell)) for cell in cells]
    return "\n\n".join(parts) + "\n"


def _write(cell: Cell) -> Iterator[str]:
    content, data = cell.content, cell.evidence.data
    if cell.kind is not CellKind.NOTE:
        yield f"## {_plain(content.title or title_of(cell))}"
    elif content.title:
        yield f"## {_plain(content.title)}"
    if content.start and content.end:
        yield f"{_time(content.start)} to {_time(content.end)}"
    for query in content.queries:
        yield _fenced(query, "promql" if cell.kind is CellKind.METRICS else "")
    yield from _EVIDENCE[cell.kind](cell, data)
    if cell.evidence.problem:
        yield f"Nothing was kept: {_plain(cell.evidence.problem)}"
    elif cell.evidence.taken_at:
        yield f"As seen at {_time(cell.evidence.taken_at)}."
    if content.text:
        yield content.text


def title_of(cell: Cell) -> str:
    """Give what a cell without a title is called."""
    content = cell.content
    if cell.kind is CellKind.TRACE:
        return f"Trace {content.trace_id}"
    if content.finding is not None:
        return f"{content.finding.service}: {content.finding.lane}"
    return {CellKind.METRICS: "Metrics", CellKind.LOGS: "Logs", CellKind.LINE: "A line"}.get(cell.kind, "")


def _nothing(_cell: Cell, _data: Mapping[str, Any]) -> Iterator[str]:
    return iter(())


def _series(_cell: Cell, data: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        f"| `{_labels(each['labels'])}` | {_bars(each['values'])} | {_last(each['values'])} |"
        for each in data.get("series", ())[:_MOST_SERIES]
    ]
    if rows:
        yield "\n".join(("| series | curve | last |", "|---|---|---|", *rows))
    more = len(data.get("series", ())) - len(rows) + data.get("left_out", 0)
    if more > 0:
        yield f"And {more} more series."


def _found(cell: Cell, data: Mapping[str, Any]) -> Iterator[str]:
    lines = data.get("lines", ())
    if not lines:
        yield from _series(cell, data)
        return
    yield _fenced("\n".join(f"{_time_ns(line['ns'])} {line['text']}" for line in lines[:_MOST_LINES]))
    if len(lines) > _MOST_LINES or data.get("is_cut"):
        yield f"And more than {len(lines) - _MOST_LINES} further lines."


def _line(cell: Cell, _data: Mapping[str, Any]) -> Iterator[str]:
    line = cell.content.line
    if line is not None:
        yield _fenced(f"{_time_ns(line.ns)} {line.text}")
        yield f"`{_labels(line.labels)}`"


def _trace(_cell: Cell, data: Mapping[str, Any]) -> Iterator[str]:
    if not data:
        return
    spans, names, services = data["spans"], data["names"], data["services"]
    yield f"{data['count']} spans, {data['errors']} failed, {data['duration_ns'] / 1e6:.4g} ms, {data['started_at']}"
    shown = min(len(spans["ids"]), _MOST_SPANS)
    rows = [
        f"{'  ' * spans['depths'][row]}{services[spans['services'][row]]['name']}: {names[spans['names'][row]]}"
        f"  {spans['durations_ns'][row] / 1e6:.4g} ms{' failed' if spans['statuses'][row] == _ERROR else ''}"
        for row in range(shown)
    ]
    yield _fenced("\n".join(rows))
    if data["count"] > shown:
        yield f"And {data['count'] - shown} more spans."


def _finding(cell: Cell, _data: Mapping[str, Any]) -> Iterator[str]:
    finding = cell.content.finding
    if finding is not None:
        yield f"{_time(finding.moved_at)}: {_plain(finding.reason)}"
        if finding.curve:
            yield _bars(finding.curve)


_EVIDENCE: Final = {
    CellKind.NOTE: _nothing,
    CellKind.METRICS: _series,
    CellKind.LOGS: _found,
    CellKind.LINE: _line,
    CellKind.TRACE: _trace,
    CellKind.FINDING: _finding,
}


def _bars(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    bars = ""
    width = min(_WIDTH, len(values))
    for column in range(width):
        part = values[column * len(values) // width : (column + 1) * len(values) // width]
        inside = [value for value in part if value is not None]
        height = (max(inside) - low) / (high - low) if inside and high > low else 0.0
        bars += _BARS[round(height * (len(_BARS) - 1))] if inside else "·"
    return bars


def _last(values: Sequence[float | None]) -> str:
    found = next((value for value in reversed(values) if value is not None), None)
    return "" if found is None else f"{found:.5g}"


def _labels(labels: Mapping[str, str]) -> str:
    name = labels.get("__name__", "")
    inside = ", ".join(f'{label}="{value}"' for label, value in sorted(labels.items()) if label != "__name__")
    return f"{name}{{{inside}}}".replace("`", "'").replace("|", "\\|").replace("\n", " ")


def _fenced(text: str, language: str = "") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _plain(text: str) -> str:
    return " ".join(text.split()).translate(_MARKS)


def _time(at: datetime) -> str:
    try:
        return aware(at).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except OverflowError:  # the first or the last day of the calendar, which were taken once
        return at.isoformat()


def _time_ns(ns: str) -> str:
    return datetime.fromtimestamp(int(ns) / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
