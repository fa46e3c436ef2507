"""`holdfast schedules list|pause|resume|start`."""

from __future__ import annotations

from typing import Annotated

import typer

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import draw_schedules, terminal, write_json

Name = Annotated[str, typer.Argument(help="The schedule's name.")]


def group() -> typer.Typer:
    """Give the group of commands."""
    schedules = typer.Typer(help="What starts runs by the clock.", no_args_is_help=True)
    for command in (list_schedules, pause, resume, start):
        schedules.command(command.__name__.partition("_")[0])(command)
    return schedules


def list_schedules(*, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the schedules: when each starts what next."""
    with Remote(url) as remote:
        items = remote.items("/schedules")
    typer.echo(write_json(items)) if as_json else terminal().print(draw_schedules(items))


def pause(name: Name, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Start nothing by a schedule until it is resumed."""
    _change(url, name, "pause", as_json=as_json)


def resume(name: Name, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Let a paused schedule go on with its next time."""
    _change(url, name, "resume", as_json=as_json)


def start(name: Name, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Start a schedule's workflow now, out of turn."""
    with Remote(url) as remote:
        run = remote.call("POST", f"/schedules/{name}/start")["run"]
    typer.echo(write_json(run) if as_json else run["id"])


def _change(url: str | None, name: str, what: str, *, as_json: bool) -> None:
    with Remote(url) as remote:
        schedule = remote.call("POST", f"/schedules/{name}/{what}")
    typer.echo(write_json(schedule)) if as_json else terminal().print(draw_schedules([schedule]))
