"""How a trace and a list of traces look on a terminal; takes the documents of the API as they come."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

_NAMES_WIDTH: Final = 44
_STATUS_ERROR: Final = 2
_UNITS: Final = ((10**9, "s"), (10**6, "ms"), (10**3, "us"))
_COLOURS: Final = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")


def show_list(lines: list[dict[str, Any]], console: Console) -> None:
    """Print a line per trace."""
    if not lines:
        console.print("no traces; a longer time is asked for with --start")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in (
        ("trace", "left"),
        ("started", "left"),
        ("took", "right"),
        ("spans", "right"),
        ("errors", "right"),
    ):
        table.add_column(name, justify="right" if side == "right" else "left", no_wrap=True)
    table.add_column("root", overflow="ellipsis", no_wrap=True)
    for line in lines:
        errors = Text(str(line["errors"]), style="bold red" if line["errors"] else "dim")
        started = line["started_at"][:19].replace("T", " ")
        root = f"{line['root_service']}: {line['root_name']}"
        table.add_row(line["trace_id"], started, write_duration(line["duration_ns"]), str(line["spans"]), errors, root)
    console.print(table)


def show_waterfall(trace: dict[str, Any], console: Console, most: int | None) -> None:
    """Print a trace: what is said of it, then a row per span; `█` is on the critical path, `▒` is not."""
    spans, services, names = trace["spans"], trace["services"], trace["names"]
    root = f"{services[spans['services'][trace['root']]]['name']}: {names[spans['names'][trace['root']]]}"
    console.print(Text(f"{trace['trace_id']}  {root}", style="bold"), soft_wrap=True)
    counts = f"{trace['count']} spans, {trace['errors']} failed, {len(services)} services"
    console.print(f"{trace['started_at']}  {write_duration(trace['duration_ns'])}  {counts}", soft_wrap=True)
    for warning in trace["warnings"]:
        console.print(Text(f"warning: {warning['message']}", style="yellow"), soft_wrap=True)
    for each in trace["repetitions"]:
        how = "one after the other" if each["kind"] == "n_plus_one" else f"{each['at_once']} at once"
        call, took = f"{each['service']}: {each['name']}", write_duration(each["busy_ns"])
        text = f"repeated: {call} {each['count']} times, {how}, {took}"
        console.print(Text(text, style="yellow"), soft_wrap=True)
    shown = trace["count"] if most is None else min(most, trace["count"])
    bar_width = max(console.width - _NAMES_WIDTH - 12, 10)
    for row in range(shown):
        console.print(_row(trace, row, bar_width), no_wrap=True, overflow="crop")
    if shown < trace["count"]:
        console.print(f"{trace['count'] - shown} more spans are shown with --all")


def _row(trace: dict[str, Any], row: int, bar_width: int) -> Text:
    spans = trace["spans"]
    place = spans["services"][row]
    is_failed = spans["statuses"][row] == _STATUS_ERROR
    name = f"{trace['services'][place]['name']}: {trace['names'][spans['names'][row]]}"
    label = f"{'  ' * min(spans['depths'][row], 12)}{name}"
    label = f"{label[: _NAMES_WIDTH - 2]}…" if len(label) >= _NAMES_WIDTH else label
    line = Text(label.ljust(_NAMES_WIDTH), style="bold red" if is_failed else "")
    whole = max(trace["duration_ns"], 1)
    before = min(spans["starts_ns"][row] * bar_width // whole, bar_width - 1)
    length = max(min(spans["durations_ns"][row] * bar_width // whole, bar_width - before), 1)
    bar = ("█" if spans["critical_ns"][row] else "▒") * length
    line.append(f"{' ' * before}{bar}".ljust(bar_width + 1), style=_COLOURS[place % len(_COLOURS)])
    line.append(f"{write_duration(spans['durations_ns'][row]):>9}{' !' if is_failed else ''}")
    return line


def write_duration(ns: int) -> str:
    """Give a duration with three or four digits."""
    for factor, unit in _UNITS:
        if ns >= factor:
            return f"{ns / factor:.4g}{unit}" if ns < 1000 * factor or unit != "s" else f"{ns // factor}s"
    return f"{ns}ns"
