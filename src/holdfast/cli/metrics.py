"""`holdfast metrics cardinality`: where series come from, as tables or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from holdfast.cli.configuration import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json


def register(cli: typer.Typer) -> None:
    """Add the group of commands."""
    metrics = typer.Typer(help="Metrics and their series.", no_args_is_help=True)
    metrics.command("cardinality")(cardinality)
    metrics.callback()(_metrics)
    cli.add_typer(metrics, name="metrics")


def _metrics() -> None:
    """Hold the group; without it a single command would be the group itself."""


def cardinality(
    *,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="Rows of each list.")] = 20,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which metrics, labels and senders make the series, what is refused, and which metrics nobody uses."""
    with Remote(url) as remote:
        report = remote.call("GET", "/metrics/cardinality", query={"top": top})
    typer.echo(write_json(report)) if as_json else _draw(terminal(), report)


def _draw(console: Console, report: dict[str, Any]) -> None:
    console.print(f"{report['active']:,} active series of at most {report['limit']:,}; {report['kept']:,} kept")
    for reason, count in report["refused"].items():
        console.print(f"refused by {reason}: {count:,}")
    for one in report["explosions"]:
        console.print(
            f"{one['metric']}: about {one['refused']:,} series of {one['origin']} refused by {one['reason']}; "
            f"label {one['label']} has about {one['values']:,} values, such as {one['example']}"
        )
    _table(console, ("metric", "active", "kept", "new in 1h", "new in 1d"), report["metrics"])
    _table(console, ("label", "values", "series"), report["labels"])
    _table(console, ("sender", "active"), report["origins"])
    _table(console, ("unused metric", "series"), report["unused"])


def _table(console: Console, head: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()))
    if table.row_count:
        console.print()
        console.print(table)
