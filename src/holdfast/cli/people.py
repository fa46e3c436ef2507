"""`holdfast recover NAME`: a way back in for somebody who is locked out, for whoever owns the data folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import orjson
import typer

from holdfast import app
from holdfast.cli.configuration import read_settings
from holdfast.cli.options import ConfigOption, JsonOption
from holdfast.kernel import sql
from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Settings

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.", show_default="holdfast-data")]


def register(cli: typer.Typer) -> None:
    """Add the command to `cli`."""
    cli.command("recover")(recover)


def recover(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    *,
    data: DataOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a user a new password, enable them, and end their sessions; stop the server first."""
    password = asyncio.run(_recover(read_settings(config, {"data": data}), name)).reveal()
    if as_json:
        typer.echo(orjson.dumps({"name": name, "password": password}).decode())
    else:
        typer.echo(f"The new password of {name} is {password}\nChange it after logging in.")


async def _recover(settings: Settings, name: str) -> Secret:
    holdfast = await app.build(settings, os.environ)
    try:
        packages = [wiring.migrations for wiring in holdfast.wirings if wiring.migrations]
        await sql.migrate(holdfast.ground.db, packages)
        return await holdfast.people.people.recover(name)
    finally:
        await holdfast.stop()
