"""`holdfast openapi`: the server's own description of its API, without starting it."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.settings import load


def register(cli: typer.Typer) -> None:
    """Add the command to `cli`."""
    cli.command("openapi")(print_openapi)


def print_openapi(
    write: Annotated[Path | None, typer.Option("--write", help="Write to this file instead of the terminal.")] = None,
) -> None:
    """Print the OpenAPI 3.1 description of the REST API."""
    text = asyncio.run(describe())
    if write is None:
        typer.echo(text, nl=False)
    else:
        write.write_text(text, encoding="utf-8")


async def describe() -> str:
    """Give the description as the server would serve it."""
    with tempfile.TemporaryDirectory(prefix="holdfast-openapi-") as scratch:
        settings = load(SECTIONS, environ={}, overrides={"server": {"data": scratch, "ops": scratch}})
        holdfast = await app.build(settings, {})
        try:
            return web.build(holdfast).openapi_text()
        finally:
            await holdfast.stop()
