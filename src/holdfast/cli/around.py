"""`holdfast around`: what moved for a service around a moment, ranked, with when and why."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.moments import read_moment
from holdfast.cli.remote import Remote, UrlOption

_MARKS: Final = {"up": "↑", "down": "↓", "new": "+", "gone": "∅", "happened": "•"}
_BARS: Final = "▁▂▃▄▅▆▇█"
_BAR_WIDTH: Final = 24
_SURE: Final = ((0.95, "sure"), (0.8, "likely"), (0.0, "maybe"))

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("around")(around)


def around(
    service: Annotated[str, typer.Argument(help="Its name, as its signals bear it.")] = "",
    *,
    at: Annotated[str, typer.Option(help="The moment: RFC 3339, Unix seconds, or so long ago (`10m`).")] = "",
    window: Annotated[str, typer.Option(help="How long a time; a third of it after the moment.")] = "15m",
    selector: Annotated[str, typer.Option(help='Labels of signals instead, such as `{job="orders"}`.')] = "",
    trace: Annotated[str, typer.Option(help="The id of a trace; gives service and moment if not given.")] = "",
    most: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Findings that are printed.")] = 20,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what moved around a moment: metrics, logs, operations, checks, events, neighbours."""
    query = {"service": service, "selector": selector, "trace_id": trace, "window": window}
    query |= {"at": read_moment("--at", at).isoformat()} if at else {}
    with Remote(url) as remote:
        found = remote.call("GET", "/around", query={name: text for name, text in query.items() if text})
    if as_json:
        sys.stdout.write(orjson.dumps(found).decode() + "\n")
        return
    show(found, Console(highlight=False), most)


def show(found: dict[str, Any], console: Console, most: int) -> None:
    """Print findings, those ranked highest first, and what could not be looked at."""
    start, end = _clock(found["start"]), _clock(found["end"])
    owner = found["owner"]["owner"] if found["owner"] and found["owner"]["owner"] else ""
    head = Text(f"{found['service'] or 'these labels'}  {start} to {end}", style="bold")
    head.append(f"  owned by {owner}" if owner else "", style="not bold")
    console.print(head, soft_wrap=True)
    if not found["findings"]:
        console.print("nothing moved; a longer time is looked at with --window")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("when", "lane", "", "sure"):
        table.add_column(name, no_wrap=True)
    table.add_column("why", overflow="fold")
    table.add_column("", no_wrap=True)
    for each in found["findings"][:most]:
        reason = each["reason"] + (f" And {each['others']} more series." if each["others"] else "")
        style = "dim" if each["is_usual"] else ""
        mark, curve = _MARKS[each["direction"]], _curve(each["curve"])
        table.add_row(_clock(each["moved_at"]), each["lane"], mark, _sure(each["sure"]), Text(reason, style), curve)
    if found["findings"]:
        console.print(table)
    more = len(found["findings"]) - most + found["left_out"]
    if more > 0:
        console.print(f"{more} more are found with --limit or --json")
    for part in found["parts"]:
        if part["state"] != "whole":
            console.print(Text(f"{part['state']}: {part['lane']}: {part['message']}", style="yellow"), soft_wrap=True)


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S")


def _sure(value: float) -> str:
    return next(word for least, word in _SURE if value >= least)


def _curve(values: list[float | None]) -> str:
    """Give a curve as bars, each the largest of its part; `·` where there is none."""
    if not values:
        return ""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    bars = ""
    for column in range(_BAR_WIDTH):
        part = values[column * len(values) // _BAR_WIDTH : (column + 1) * len(values) // _BAR_WIDTH]
        inside = [value for value in part if value is not None]
        height = (max(inside) - low) / (high - low) if inside and high > low else 0.0
        bars += _BARS[round(height * (len(_BARS) - 1))] if inside else "·"
    return bars
