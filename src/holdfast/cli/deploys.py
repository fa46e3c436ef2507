"""`holdfast deploys` lists which versions run since when; `holdfast deploy record` is for who deploys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table

from holdfast.cli.moments import read_moment
from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption

_ENDINGS: Final = {"replaced": "replaced by", "rolled_back": "rolled back to"}


def register(cli: typer.Typer) -> None:
    """Add the list and the group."""
    cli.command("deploys")(list_deploys)
    group = typer.Typer(help="Deploys of services, for programs that deploy.", no_args_is_help=True)
    group.command("record")(record_deploy)
    group.callback()(_be_group)
    cli.add_typer(group, name="deploy")


def list_deploys(
    *,
    service: Annotated[str, typer.Option(help="Only of this service.")] = "",
    since: Annotated[str, typer.Option(help="Only from this time on: RFC 3339, Unix seconds, or so long ago.")] = "",
    most: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 100,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List deploys of services, the newest first: since when, what ran before, and how each ended."""
    query = {"service": service, "since": read_moment("--since", since).isoformat() if since else ""}
    known: dict[str, str | int] = {name: text for name, text in query.items() if text}
    with Remote(url) as remote:
        items = remote.items("/deploys", query=known | {"limit": most})
    if as_json:
        typer.echo(orjson.dumps(items).decode())
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("since", "service", "environment", "version", "before", "state", "by"):
        table.add_column(column, overflow="fold")
    for each in items:
        table.add_row(*_row(each))
    nothing = "no version is known; send `service.version`, or record one with `holdfast deploy record`"
    Console(highlight=False).print(table if items else nothing, soft_wrap=not items)


def record_deploy(  # noqa: PLR0913 -- all that the API takes, most of it seldom given
    service: Annotated[str, typer.Argument(help="Its name, as its signals bear it.")],
    version: Annotated[str, typer.Argument(help="What runs now, as its `service.version` says it.")],
    *,
    environment: Annotated[str, typer.Option(help="Where, as in `deployment.environment.name`.")] = "",
    commit: Annotated[str, typer.Option(help="From which commit it was built.")] = "",
    link: Annotated[str, typer.Option(help="An address to read more at, such as that of the build.")] = "",
    by: Annotated[str, typer.Option(help="Who or what deployed.")] = "",
    at: Annotated[str, typer.Option(help="When, if not now: RFC 3339, Unix seconds, or so long ago.")] = "",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record that a version was deployed; the same version makes one event, whoever tells it first."""
    body = {"service": service, "version": version, "environment": environment, "commit": commit, "url": link, "by": by}
    body |= {"at": read_moment("--at", at).isoformat()} if at else {}
    with Remote(url) as remote:
        made = remote.call("POST", "/deploys", body=body)
    if as_json:
        typer.echo(orjson.dumps(made).decode())
        return
    before = f", after {made['deploy']['from_version']}" if made["deploy"]["from_version"] else ""
    known = f"{service} {version} is known already"
    typer.echo(f"{service} {version} is recorded{before}" if made["is_new"] else known)


def _be_group() -> None:
    """Make a group of a single command, too."""


def _row(deploy: dict[str, Any]) -> tuple[str, ...]:
    before, by = deploy["from_version"] or "", deploy["by"] or deploy["commit"]
    place = (deploy["service"], deploy["environment"], deploy["version"])
    return _clock(deploy["began_at"]), *place, before, _state(deploy), by


def _state(deploy: dict[str, Any]) -> str:
    """Say where it stands; of what is past, how it ended."""
    if deploy["ending"]:
        return f"{_ENDINGS[deploy['ending']]} {deploy['to_version']} at {_clock(deploy['ended_at'])}"
    if deploy["state"] != "running":
        return str(deploy["state"])
    settled = ", settled" if deploy["settled_at"] else ""
    more = ", first heard" if deploy["is_baseline"] else ", a way back" if deploy["is_rollback"] else settled
    return f"running{more}"


def _clock(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
