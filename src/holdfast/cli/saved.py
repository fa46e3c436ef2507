"""`holdfast saved`: saved searches of logs, traces and metrics; their queries are printed for other commands."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.kernel.errors import InvalidError

NameArgument = Annotated[str, typer.Argument(help="Its name or id.")]


class Kind(StrEnum):
    """What is searched."""

    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"


def register(cli: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="Saved searches of logs, traces and metrics.", no_args_is_help=True)
    group.command("list")(list_saved)
    group.command("show")(show_saved)
    group.command("add")(add_saved)
    group.command("delete")(delete_saved)
    cli.add_typer(group, name="saved")


def list_saved(
    words: Annotated[str, typer.Argument(help="A part of the name, folder or query, or a tag.")] = "",
    *,
    kind: Annotated[Kind | None, typer.Option(help="Only of this kind.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the own saved searches and the shared ones."""
    with Remote(url) as remote:
        items = remote.items("/searches", query={"q": words, **({"kind": kind.value} if kind else {})})
    if as_json:
        typer.echo(orjson.dumps(items).decode())
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "kind", "folder", "shared", "query"):
        table.add_column(column, overflow="fold")
    for each in items:
        table.add_row(each["name"], each["kind"], each["folder"], "yes" if each["is_shared"] else "", each["query"])
    console = Console(highlight=False)
    console.print(table if items else "no saved search; save one with `holdfast saved add`")


def show_saved(name: NameArgument, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Print the query of a saved search, as in `holdfast logs "$(holdfast saved show refusals)"`."""
    with Remote(url) as remote:
        found = find(remote, name)
    typer.echo(orjson.dumps(found).decode() if as_json else found["query"])


def add_saved(
    name: Annotated[str, typer.Argument(help="How it is called.")],
    query: Annotated[str, typer.Argument(help="LogQL, PromQL, or conditions of traces such as `service=shop`.")],
    *,
    kind: Annotated[Kind, typer.Option(help="What is searched.")] = Kind.LOGS,
    folder: Annotated[str, typer.Option(help="Where it stands in the list.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag; repeatable.")] = None,
    share: Annotated[bool, typer.Option("--share", help="For everybody of the tenant.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Save a search."""
    body = {"kind": kind.value, "name": name, "query": query, "folder": folder, "tags": tag or [], "is_shared": share}
    with Remote(url) as remote:
        made = remote.call("POST", "/searches", body=body)
    typer.echo(orjson.dumps(made).decode() if as_json else made["id"])


def delete_saved(name: NameArgument, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Delete a saved search."""
    with Remote(url) as remote:
        found = find(remote, name)
        remote.call("DELETE", f"/searches/{found['id']}")
    if as_json:
        typer.echo(orjson.dumps({"deleted": found["id"]}).decode())


def find(remote: Remote, name: str) -> dict[str, Any]:
    """Give the one that bears a name or an id.

    Raises:
        InvalidError: there is none, or several.
    """
    items = remote.items("/searches")
    found = [each for each in items if each["id"] == name] or [each for each in items if each["name"] == name]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InvalidError(f"there is no saved search {name!r}", hint="see `holdfast saved list`")
    ids = ", ".join(each["id"] for each in found)
    raise InvalidError(f"{len(found)} saved searches are called {name!r}", hint=f"name one by its id: {ids}")
