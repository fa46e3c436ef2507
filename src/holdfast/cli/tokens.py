"""`holdfast token`: API tokens of a running server, listed, made and revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration


def register(cli: typer.Typer) -> None:
    """Add the group to `cli`."""
    group = typer.Typer(help="API tokens of a running server.", no_args_is_help=True)
    group.command("list")(list_tokens)
    group.command("create")(create_token)
    group.command("revoke")(revoke_token)
    cli.add_typer(group, name="token")


def list_tokens(
    *,
    everybody: Annotated[bool, typer.Option("--everybody", help="Not only the own ones.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List tokens; their secrets are kept nowhere."""
    with Remote(url) as remote:
        items = remote.items("/tokens", query={"everybody": str(everybody).lower()})
    if as_json:
        typer.echo(orjson.dumps(items).decode())
        return
    table = Table(box=None, header_style="dim")
    columns = ("id", "name", "owner", "role", "expires_at", "last_used_at")
    for column in columns:
        table.add_column(column.removesuffix("_at").replace("_", " "))
    for item in items:
        table.add_row(*(str(item.get(column) or "never") for column in columns))
    Console(highlight=False).print(table)


def create_token(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    role: Annotated[str | None, typer.Option("--role", help="viewer, responder, operator or admin.")] = None,
    scope: Annotated[list[str] | None, typer.Option("--scope", help="A permission; repeatable.")] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="Such as 30d.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a token and print it, this once."""
    body: dict[str, Any] = {"name": name, "scopes": scope or []}
    if role is not None:
        body["role"] = role
    if expires is not None:
        body["expires_at"] = _instant(expires).isoformat()
    with Remote(url) as remote:
        made = remote.call("POST", "/tokens", body=body)
    typer.echo(orjson.dumps(made).decode() if as_json else made["secret"])


def revoke_token(token_id: Annotated[str, typer.Argument(help="Its id.")], *, url: UrlOption = None) -> None:
    """End a token at once."""
    with Remote(url) as remote:
        remote.call("DELETE", f"/tokens/{token_id}")
    typer.echo(f"revoked {token_id}")


def _instant(expires: str) -> datetime:
    try:
        return datetime.now(UTC) + timedelta(seconds=parse_duration(expires))
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"--expires: {error}") from None
