"""`holdfast logs usage`: what logs take, by day and service, as a table or as JSON."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json
from holdfast.kernel.units import format_size


def register(logs: typer.Typer) -> None:
    """Add the command."""
    logs.command("usage")(usage)


def usage(
    *,
    start: Annotated[
        str, typer.Option("--start", help="The first day, such as 2026-01-31; six days ago if not given.")
    ] = "",
    end: Annotated[str, typer.Option("--end", help="The last day; today if not given.")] = "",
    by: Annotated[
        str, typer.Option("--by", help="The label whose values are counted; '' for every stream.")
    ] = "service_name",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say how many records are kept, their letters, and about what they take on the disk, by day."""
    days = {name: day for name, day in (("start", start), ("end", end)) if day}
    with Remote(url) as remote:
        report = remote.call("GET", "/logs/usage", query={"by": by, **days})
    if as_json:
        typer.echo(write_json(report))
        return
    limit = report["limit_bytes"]
    may = f"of at most {format_size(limit)}" if limit else "without a limit (logs.max_size)"
    terminal().print(f"{format_size(report['bytes'])} on the disk, {may}")
    table = Table("day", by or "stream", "records", "letters", "about on the disk", box=None, pad_edge=False)
    for use in report["uses"]:
        table.add_row(use["day"], _name(use["labels"], by), f"{use['records']:,}", *_sizes(use))
    if table.row_count:
        terminal().print(table)


def _name(labels: dict[str, str], by: str) -> str:
    return labels[by] if by else ", ".join(f"{name}={value}" for name, value in labels.items())


def _sizes(use: dict[str, Any]) -> tuple[str, str]:
    return format_size(use["bytes"]), format_size(use["disk_bytes"])
