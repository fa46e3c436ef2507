"""`holdfast targets`: what is scraped, and how that goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final

import orjson
import typer
from rich.table import Table
from rich.text import Text

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal

_LOOKS: Final = {"up": ("✓", "green"), "down": ("✗", "red"), "unknown": ("?", "dim")}


def register(cli: typer.Typer) -> None:
    """Add the command to `cli`."""
    cli.command("targets")(list_targets)


def list_targets(
    *,
    pool: Annotated[str, typer.Option("--job", help="Only the targets of this job.")] = "",
    down: Annotated[bool, typer.Option("--down", help="Only targets that are not up.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the targets that are scraped, with their health and the last error, and discoveries that fail."""
    with Remote(url) as remote:
        found = remote.call("GET", "/metrics/targets", query={"pool": pool} if pool else None)
    if down:
        found["activeTargets"] = [one for one in found["activeTargets"] if one["health"] != "up"]
    if as_json:
        typer.echo(orjson.dumps(found).decode())
        return
    terminal().print(_draw(found["activeTargets"]))
    dropped = sum(found["droppedTargetCounts"].values())
    typer.echo(f"{len(found['activeTargets'])} targets, {dropped} dropped by relabelling")
    for one in found.get("discoveryFailures", ()):
        what = f"{one['scrapePool']}: discovery by {one['kind']} fails since {one['since']}"
        why = one["error"] if one["source"] in one["error"] else f"{one['source']}: {one['error']}"
        terminal().print(Text(f"! {what}: {why}", style="red"), soft_wrap=True)


def _draw(targets: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("job", "target", "health", "every", "took", "error"):
        table.add_column(name)
    for one in targets:
        mark, style = _LOOKS.get(one["health"], ("?", ""))
        took = f"{one['lastScrapeDuration'] * 1000:.0f} ms"
        health = Text(f"{mark} {one['health']}", style=style)
        table.add_row(one["scrapePool"], one["scrapeUrl"], health, one["scrapeInterval"], took, one["lastError"])
    return table
