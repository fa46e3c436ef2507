"""Adds the three groups to the command line."""

from __future__ import annotations

import typer

from holdfast.cli.runs import changing, queues, reading, schedules


def register(cli: typer.Typer) -> None:
    """Add the groups to `cli`."""
    runs = typer.Typer(help="Durable runs of a server.", no_args_is_help=True)
    reading.register(runs)
    changing.register(runs)
    cli.add_typer(runs, name="runs")
    cli.add_typer(queues.group(), name="queues")
    cli.add_typer(schedules.group(), name="schedules")
