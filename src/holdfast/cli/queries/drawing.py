"""How answers look on a terminal: the chart with its axes and legend, the table of one time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.cli.queries.chart import COLOURS, Bounds, Canvas, Points

MOST_LINES: Final = len(COLOURS)
_AXIS_WIDTH: Final = 10
_DAY_S: Final = 86_400
_LEAST_GAP: Final = 2
_UNITS: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_ENDS: Final = (1e-3, 1e15)  # beyond these a number has a power of ten
_LETTERS: Final = "abcdefgh"
_PLAIN_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PLAIN_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_CONTROL: Final = {code: f"\\u{code:04x}" for code in (*range(32), *range(127, 160))}


def draw_range(result: Sequence[Mapping[str, Any]], start: float, end: float, size: tuple[int, int]) -> RenderableType:
    """Draw the first series as lines, and name all that are drawn; `size` is columns and rows of the terminal."""
    shown = result[:MOST_LINES]
    lines: list[Points] = [_points(each) for each in shown]
    bounds = Bounds.around(lines, start, end)
    columns, rows = max(size[0] - _AXIS_WIDTH - 1, 20), max(min(size[1] - len(shown) - 4, 16), 6)
    canvas = Canvas(columns, rows, bounds)
    for line, colour in zip(lines, COLOURS, strict=False):
        canvas.draw(line, colour)
    marks = _LETTERS if len(lines) > 1 else " " * len(lines)
    for line, colour, letter in zip(lines, COLOURS, marks, strict=False):
        if letter != " ":
            canvas.mark(line, letter, colour)
    parts: list[RenderableType] = list(_with_axis(canvas.rows(), bounds))
    parts.append(_times(bounds, columns))
    for each, line, colour, letter in zip(shown, lines, COLOURS, marks, strict=False):
        last = shorten(line[-1][1]) if line else "no values"
        kind = "mean " if each.get("histograms") else ""
        parts.append(
            Text.assemble(
                (f"━{letter.strip() or '━'}━ ", colour), write_labels(each["metric"]), (f"  {kind}{last}", "bold")
            )
        )
    if len(result) > len(shown):
        parts.append(Text(f"and {len(result) - len(shown)} more series; --json gives all", style="dim"))
    return Group(*parts)


def _points(series: Mapping[str, Any]) -> Points:
    """Give the points of a series; a native histogram is drawn as its mean, one of nothing as a gap."""
    floats = [(float(at), float(value)) for at, value in series.get("values", ())]
    means = [(float(at), _mean(histogram)) for at, histogram in series.get("histograms", ())]
    return sorted(floats + means, key=lambda point: point[0]) if means else floats


def _mean(histogram: Mapping[str, Any]) -> float:
    count = float(histogram["count"])
    return float(histogram["sum"]) / count if count else math.nan


def _with_axis(rows: Sequence[Text], bounds: Bounds) -> Iterator[Text]:
    for number, row in enumerate(rows):
        value = bounds.high - (bounds.high - bounds.low) * number / max(len(rows) - 1, 1)
        is_marked = number % 4 == 0 or number == len(rows) - 1
        yield Text.assemble(((shorten(value) if is_marked else "").rjust(_AXIS_WIDTH), "dim"), ("┤", "dim"), row)


def _times(bounds: Bounds, columns: int) -> Text:
    form = "%H:%M:%S" if bounds.right - bounds.left < _DAY_S else "%m-%d %H:%M"
    left, middle, right = (
        datetime.fromtimestamp(at, UTC).strftime(form)
        for at in (bounds.left, (bounds.left + bounds.right) / 2, bounds.right)
    )
    right += " UTC"
    gap = columns - len(left) - len(middle) - len(right)
    if gap < 2 * _LEAST_GAP:
        gap, middle = max(columns - len(left) - len(right), _LEAST_GAP), ""
    line = f"{left}{' ' * (gap // 2)}{middle}{' ' * (gap - gap // 2)}{right}"
    return Text(" " * (_AXIS_WIDTH + 1) + line, style="dim")


def draw_table(result: Sequence[Mapping[str, Any]]) -> Table:
    """Give a row per series: its labels and its value."""
    table = Table(box=None, pad_edge=False)
    table.add_column("series", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    for each in result:
        value = each["value"][1] if "value" in each else _write_histogram(each["histogram"][1])
        table.add_row(Text(write_labels(each["metric"])), Text(value))
    return table


def _write_histogram(histogram: Mapping[str, Any]) -> str:
    return f"histogram: count {histogram['count']}, sum {histogram['sum']}"


def write_labels(labels: Mapping[str, str]) -> str:
    """Write a label set as a selector; control characters, which could rule a terminal, are escaped."""
    name = labels.get("__name__", "")
    parts = [
        f"{_quote(label, _PLAIN_LABEL)}={json.dumps(value, ensure_ascii=False)}"
        for label, value in labels.items()
        if label != "__name__"
    ]
    if name and not _PLAIN_METRIC.fullmatch(name):
        parts, name = [_quote(name, _PLAIN_METRIC), *parts], ""
    pairs = ", ".join(parts).translate(_CONTROL)
    return f"{name}{{{pairs}}}" if pairs or not name else name


def _quote(name: str, plain: re.Pattern[str]) -> str:
    return name if plain.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def shorten(value: float) -> str:
    """Give a number in at most nine characters."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value and not _ENDS[0] <= abs(value) < _ENDS[1]:
        digits, power = f"{value:.{1 if value < 0 else 2}e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
    for size, unit in _UNITS:
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"
