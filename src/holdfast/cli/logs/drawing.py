"""How lines and numbers of a query look on a terminal; takes the data of Loki's API as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

_NS: Final = 10**9
_LOOKS: Final = {
    "trace": "dim",
    "debug": "dim",
    "info": "green",
    "warn": "yellow",
    "error": "red",
    "critical": "bold red",
    "fatal": "bold red",
}
_WIDEST: Final = 5  # letters of a level
_CONTROL: Final = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), "�")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line with its labels, among them those that parsers gave and the structured metadata."""

    ts_ns: int
    text: str
    labels: Mapping[str, str]

    @property
    def level(self) -> str:
        """As the server detected it."""
        return self.labels.get("detected_level") or self.labels.get("level") or ""

    @property
    def identity(self) -> tuple[int, str, tuple[tuple[str, str], ...]]:
        """What tells it from others."""
        return self.ts_ns, self.text, tuple(sorted(self.labels.items()))


def lines_of(result: Sequence[Mapping[str, Any]], *, is_newest_first: bool = False) -> Iterator[LogLine]:
    """Give the lines of all streams, oldest first; those of one time in the order in which they were written."""
    order = -1 if is_newest_first else 1
    lines = [LogLine(int(at), text, each["stream"]) for each in result for at, text, *_ in each["values"][::order]]
    yield from sorted(lines, key=lambda line: line.ts_ns)


def draw_line(line: LogLine) -> Text:
    """Give a line with its time, level and service; control characters, which could rule a terminal, are replaced."""
    at = datetime.fromtimestamp(line.ts_ns // _NS, UTC).strftime("%Y-%m-%d %H:%M:%S")
    look = _LOOKS.get(line.level, "")
    drawn = Text(f"{at}.{line.ts_ns % _NS // 10**6:03d} ", style="dim")
    drawn.append(f"{line.level[:_WIDEST]:{_WIDEST}} ", style=look)
    service = line.labels.get("service_name", "")
    if service:
        drawn.append(f"{service.translate(_CONTROL)} ", style="cyan")
    drawn.append(line.text.rstrip("\n").translate(_CONTROL), style=look if look.endswith("red") else "")
    return drawn


def line_json(line: LogLine) -> str:
    """Give a line as one JSON object."""
    at = datetime.fromtimestamp(line.ts_ns // _NS, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    document = {
        "time": f"{at}.{line.ts_ns % _NS:09d}Z",
        "level": line.level,
        "labels": dict(line.labels),
        "line": line.text,
    }
    return orjson.dumps(document).decode()


def draw_numbers(data: Mapping[str, Any]) -> RenderableType:
    """Give the last value of each series of a metric query."""
    result = data["result"]
    if data["resultType"] == "scalar":
        return Text(str(result[1]))
    if not result:
        return Text("no data: nothing matches in this time", style="dim")
    table = Table("labels", "points", "lowest", "highest", "last", box=None, pad_edge=False)
    for each in result:
        points = each.get("values") or [each["value"]]
        numbers = [float(value) for _, value in points]
        labels = ", ".join(f'{name}="{value}"' for name, value in each["metric"].items())
        shown = [f"{number:g}" for number in (min(numbers), max(numbers), numbers[-1])]
        table.add_row(Text(f"{{{labels}}}".translate(_CONTROL)), str(len(points)), *shown)
    return table
