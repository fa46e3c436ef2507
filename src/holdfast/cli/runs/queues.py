"""`holdfast queues list|pause|resume|drain`."""

from __future__ import annotations

from typing import Annotated

import typer

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import draw_queues, terminal, write_json

Name = Annotated[str, typer.Argument(help="The queue's name.")]


def group() -> typer.Typer:
    """Give the group of commands."""
    queues = typer.Typer(help="The queues of runs.", no_args_is_help=True)
    for command in (list_queues, pause, resume, drain):
        queues.command(command.__name__.partition("_")[0])(command)
    return queues


def list_queues(*, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the queues: what waits in them, and how long."""
    with Remote(url) as remote:
        items = remote.items("/queues")
    typer.echo(write_json(items)) if as_json else terminal().print(draw_queues(items))


def pause(name: Name, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Start nothing from a queue until it is resumed; what runs goes on."""
    _change(url, name, "pause", as_json=as_json)


def resume(name: Name, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Open a paused or draining queue again."""
    _change(url, name, "resume", as_json=as_json)


def drain(name: Name, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Take no new runs into a queue, and finish those that are in it."""
    _change(url, name, "drain", as_json=as_json)


def _change(url: str | None, name: str, what: str, *, as_json: bool) -> None:
    with Remote(url) as remote:
        queue = remote.call("POST", f"/queues/{name}/{what}")
    typer.echo(write_json(queue)) if as_json else terminal().print(draw_queues([queue]))
