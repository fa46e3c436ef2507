"""`holdfast trace`: a trace as a waterfall in the terminal, and searches for traces."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.remote import Remote, UrlOption

_SHORT: Final = 200  # spans that are shown without --all
_NAMES_WIDTH: Final = 44
_STATUS_ERROR: Final = 2
_WORDS: Final = ("service", "operation", "status", "kind", "min_duration", "max_duration")
_UNITS: Final = ((10**9, "s"), (10**6, "ms"), (10**3, "us"))
_COLOURS: Final = ("cyan", "magenta", "green", "yellow", "blue", "bright_cyan", "bright_magenta", "bright_green")

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("trace")(trace)


def trace(
    what: Annotated[str, typer.Argument(help="The id of a trace, or `search`.", metavar="ID|search")],
    conditions: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"search: {', '.join(_WORDS)} or any attribute, each as name=value; all must hold.",
            metavar="NAME=VALUE...",
        ),
    ] = None,
    *,
    start: Annotated[str, typer.Option(help="search: since when; an hour ago if not given.")] = "",
    end: Annotated[str, typer.Option(help="search: until when; now if not given.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="search: traces at most.")] = 20,
    every_span: Annotated[bool, typer.Option("--all", help=f"Show more than {_SHORT} spans.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a trace as a waterfall, or search for traces."""
    console = Console(highlight=False)
    with Remote(url) as remote:
        if what != "search":
            found = remote.call("GET", f"/traces/{what}")
            _print_json(found) if as_json else show_waterfall(found, console, None if every_span else _SHORT)
            return
        query = read_conditions(conditions or [])
        query |= {name: text for name, text in (("start", start), ("end", end)) if text}
        listed = remote.call("GET", "/traces", query={**query, "limit": limit})
        _print_json(listed) if as_json else show_list(listed["items"], console)


def read_conditions(conditions: list[str]) -> dict[str, str | list[str]]:
    """Give the query of the API: its own words, and everything else as attributes."""
    query: dict[str, str | list[str]] = {}
    attributes: list[str] = []
    for condition in conditions:
        name, _, value = condition.partition("=")
        if name in _WORDS:
            query[name] = value
        else:
            attributes.append(condition)
    return query | {"attribute": attributes}


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


def _print_json(document: Any) -> None:
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
