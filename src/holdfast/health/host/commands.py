"""`holdfast host`: this machine as a table, as JSON, or watched; needs no server."""

from __future__ import annotations

import time
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.live import Live

from holdfast.health.host.reading import HostReader
from holdfast.health.host.shapes import HostOut, show_host
from holdfast.health.host.snapshot import HostSnapshot
from holdfast.health.host.table import draw_host
from holdfast.kernel.clock import SystemClock

_BETWEEN_S: Final = 0.5  # rates need two readings
_WATCH_S: Final = 2.0


def register(cli: typer.Typer) -> None:
    """Add the command to `cli`."""
    cli.command("host")(show)


def show(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; one line per reading with --watch.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Read again every two seconds until Ctrl-C.")] = False,
    processes: Annotated[
        int, typer.Option("--processes", "-p", min=0, max=15, help="How many processes to show.")
    ] = 10,
) -> None:
    """Show this machine: processors, memory, disks, network and the processes that use the most."""
    reader = HostReader(SystemClock())
    reader.read()
    time.sleep(_BETWEEN_S)
    if as_json:
        _print_json(reader.read())
        while watch:
            time.sleep(_WATCH_S)
            _print_json(reader.read())
    elif watch:
        _watch(reader, processes)
    else:
        Console(highlight=False).print(draw_host(reader.read(), processes=processes))


def _watch(reader: HostReader, processes: int) -> None:
    with Live(draw_host(reader.read(), processes=processes), screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(_WATCH_S)
            live.update(draw_host(reader.read(), processes=processes), refresh=True)


def _print_json(snapshot: HostSnapshot) -> None:
    typer.echo(TypeAdapter(HostOut).dump_json(show_host(snapshot)).decode())
