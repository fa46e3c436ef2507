"""`holdfast metrics`: where series come from, and what they take on the disk, as tables or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json
from holdfast.kernel.units import format_size


def register(cli: typer.Typer) -> None:
    """Add the group of commands."""
    metrics = typer.Typer(help="Metrics and their series.", no_args_is_help=True)
    metrics.command("cardinality")(cardinality)
    metrics.command("storage")(storage)
    cli.add_typer(metrics, name="metrics")


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


def storage(*, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Say what metrics take on the disk, may take, and about what of it is the tenant's."""
    with Remote(url) as remote:
        report = remote.call("GET", "/metrics/storage")
    if as_json:
        typer.echo(write_json(report))
        return
    limit = report["limit_bytes"]
    may = f"of at most {format_size(limit)}" if limit else "without a limit (metrics.max_size)"
    console = terminal()
    console.print(f"{format_size(report['bytes'])} on the disk, {may}")
    rows = (
        {
            "kind": kind["kind"],
            "size": format_size(kind["bytes"]),
            "own": format_size(kind["tenant_bytes"]),
            "since": kind["since"] or "",
        }
        for kind in report["kinds"]
    )
    _table(console, ("kind", "size", "about yours", "since"), rows)


def _draw(console: Console, report: dict[str, Any]) -> None:
    console.print(f"{report['active']:,} active series of at most {report['limit']:,}; {report['kept']:,} kept")
    for reason, count in report["refused"].items():
        console.print(f"refused by {reason}: {count:,}")
    for one in report["explosions"]:
        console.print(
            f"{one['metric']}: {one['refused']:,} series of {one['origin']} refused by {one['reason']}; "
            f"label {one['label']} has at least about {one['values']:,} values, such as {one['example']}"
        )
    _table(console, ("metric", "active", "kept", "new in 1h", "new in 1d"), report["metrics"])
    _table(console, ("label", "values", "series"), report["labels"])
    _table(console, ("sender", "active"), report["origins"])
    _table(console, ("unused metric", "kept", "active"), report["unused"])


def _table(console: Console, head: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    table = Table(*head, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in row.values()))
    if table.row_count:
        console.print()
        console.print(table)
