"""`holdfast up` and `holdfast run`: the server, from settings to shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import uvloop
from rich.console import Console

from holdfast import app, journal, web
from holdfast.cli.configuration import demand_ops, read_settings
from holdfast.cli.options import ConfigOption, OpsOption
from holdfast.kernel.processes import ServerSettings, calm_collector, paused_collector
from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Settings

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.", show_default="holdfast-data")]
ListenOption = Annotated[str | None, typer.Option("--listen", help="HOST:PORT.", show_default="127.0.0.1:4653")]
AuthOption = Annotated[str | None, typer.Option("--auth", help="on, or off (on loopback only).", show_default="on")]

FIRST_TURNS_S: Final = 0.1  # all jobs begin at once, which would hold the first requests up by some milliseconds


def register(cli: typer.Typer) -> None:
    """Add the commands to `cli`."""
    cli.command("up")(up)
    cli.command("run")(run)


def up(
    *,
    data: DataOption = None,
    listen: ListenOption = None,
    ops: OpsOption = None,
    auth: AuthOption = None,
    config: ConfigOption = None,
) -> None:
    """Start Holdfast, every role in this one process, and serve until stopped."""
    settings = read_settings(config, {"data": data, "listen": listen, "ops": ops, "auth": auth})
    demand_ops(settings, ops)
    serve(settings)


def run(
    *,
    roles: Annotated[str, typer.Option("--roles", help="Of api, ingest, evaluate, probe, work; comma-separated.")],
    data: DataOption = None,
    listen: ListenOption = None,
    ops: OpsOption = None,
    auth: AuthOption = None,
    config: ConfigOption = None,
) -> None:
    """Start some roles of Holdfast in this process."""
    chosen = [role.strip() for role in roles.split(",") if role.strip()]
    overrides: dict[str, Any] = {"data": data, "listen": listen, "ops": ops, "auth": auth, "roles": chosen}
    settings = read_settings(config, overrides)
    demand_ops(settings, ops)
    serve(settings)


def serve(settings: Settings) -> None:
    """Run the server until SIGINT or SIGTERM."""
    journal.configure(service="holdfast", format="pretty" if sys.stderr.isatty() else "json", stream=sys.stderr)
    for chatty in ("alembic", "uvicorn.error", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    calm_collector()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, port = web.listen_address(settings[ServerSettings])
    with contextlib.closing(web.bind(host, port)) as listener:
        url = f"http://{host}:{listener.getsockname()[1]}"
        with paused_collector():
            holdfast = await app.build(settings, os.environ)
        try:
            await holdfast.start()
            with paused_collector():
                front = web.build(holdfast)
                await web.rehearse(front)
            await asyncio.sleep(FIRST_TURNS_S)
            announce = partial(_announce, url, await holdfast.people.issue_setup_link())
            await web.serve(front, listener, settings[web.WebSettings], stop=stop, started=announce)
        finally:
            await holdfast.stop()


def _announce(url: str, setup: Secret | None) -> None:
    console = Console(stderr=True, highlight=False)
    console.print(f"Holdfast is up at [bold]{url}[/]", soft_wrap=True)
    if setup is not None:
        link = f"{url}/setup?token={setup.reveal()}"
        console.print(f"Create the first administrator, with this link, once: [bold]{link}[/]", soft_wrap=True)
