"""`holdfast investigation`: investigations listed, shown and exported as Markdown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption

NameArgument = Annotated[str, typer.Argument(help="Its id, as the list and its address show it.", metavar="ID")]


def register(cli: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Investigations: what people collected, with notes.", no_args_is_help=True)
    group.command("list")(list_investigations)
    group.command("show")(show_investigation)
    group.command("export")(export_investigation)
    cli.add_typer(group, name="investigation")


def list_investigations(
    words: Annotated[str, typer.Argument(help="A part of the title.")] = "",
    *,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List investigations, the one changed last first."""
    with Remote(url) as remote:
        items = remote.items("/investigations", query={"q": words})
    if as_json:
        typer.echo(orjson.dumps(items).decode())
        return
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("id", "title", "cells", "changed"):
        table.add_column(column, no_wrap=column != "title")
    for each in items:
        changed = datetime.fromisoformat(each["updated_at"]).astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(each["id"], each["title"], str(each["cells"]), changed)
    console.print(table if items else "no investigation; the console begins one at /investigations")


def show_investigation(name: NameArgument, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show an investigation in the terminal."""
    with Remote(url) as remote:
        if as_json:
            typer.echo(orjson.dumps(remote.call("GET", f"/investigations/{name}")).decode())
            return
        text = remote.text(f"/investigations/{name}/export")
    console = Console(highlight=False)
    console.print(Markdown(text) if console.is_terminal else text, soft_wrap=not console.is_terminal, markup=False)


def export_investigation(
    name: NameArgument,
    *,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="A file; the terminal if not given.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an investigation as Markdown, with what was seen."""
    with Remote(url) as remote:
        text = remote.text(f"/investigations/{name}/export")
    if out is not None:
        out.write_text(text, encoding="utf-8")
    if as_json:
        typer.echo(orjson.dumps({"file": str(out)} if out else {"markdown": text}).decode())
    elif out is None:
        typer.echo(text, nl=False)
