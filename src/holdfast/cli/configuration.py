"""`holdfast config` and `holdfast check-config`, and how every command finds its settings."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import typer
from rich.console import Console
from rich.text import Text

from holdfast import app, web
from holdfast.cli.options import ConfigOption, JsonOption, OpsOption
from holdfast.cli.sections import settings_file
from holdfast.kernel.errors import ConfigError
from holdfast.kernel.ops import Inspection, inspect_all
from holdfast.kernel.processes import ServerSettings
from holdfast.kernel.settings import Settings, load
from holdfast.kernel.unreadable import missing

SECTIONS: Final = (*app.SECTIONS, web.SECTION)


def register(cli: typer.Typer) -> None:
    """Add the commands to `cli`."""
    cli.command("config")(show_config)
    cli.command("check-config")(check_config)


def read_settings(
    config: Path | None, overrides: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]] | None = None
) -> Settings:
    """Read the settings as `holdfast up` does.

    Args:
        config: the settings file that the command line names.
        overrides: `[server]` fields of the command line; those that are None are left out.
        others: fields of other sections, which win over every source.

    Raises:
        ConfigError: a file, a variable or an option is wrong.
    """
    server = {field: value for field, value in overrides.items() if value is not None}
    return load(
        SECTIONS, file=settings_file(config), environ=os.environ, overrides={**(others or {}), "server": server}
    )


def show_config(config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Print every setting that is in force, secrets masked."""
    tree = read_settings(config, {}).as_dict()
    if as_json:
        typer.echo(orjson.dumps(tree, default=str).decode())
        return
    for section, fields in tree.items():
        typer.echo(f"[{section}]")
        for field, value in fields.items():
            typer.echo(f"{field} = {orjson.dumps(value, default=str).decode()}")
        typer.echo("")


def check_config(ops: OpsOption = None, config: ConfigOption = None, *, as_json: JsonOption = False) -> None:
    """Validate the settings and the whole ops folder, and start nothing. Exit code 0: fine, 2: faults."""
    settings = read_settings(config, {"ops": ops})
    demand_ops(settings, ops)
    folder = settings[ServerSettings].ops
    found = asyncio.run(_inspect(config, folder))
    console = Console(highlight=False, stderr=bool(found.problems), quiet=as_json)
    for warning in found.warnings:
        console.print(Text.assemble(("warning: ", "yellow"), warning), soft_wrap=True)
    if found.problems:
        raise ConfigError(found.problems)
    if as_json:
        typer.echo(orjson.dumps({"ok": True, "path": str(folder), "warnings": found.warnings}).decode())
    count = {0: "", 1: ", 1 warning"}.get(len(found.warnings), f", {len(found.warnings)} warnings")
    said = f"{folder} is valid{count}" if folder.exists() else f"the settings are valid; there is no folder {folder}"
    console.print(f"[green]ok:[/] {said}")


def demand_ops(settings: Settings, named: Path | None) -> None:
    """Refuse an ops folder that somebody named, by `--ops` or a setting, and that is missing; the usual one may be.

    Raises:
        ConfigError: it is missing.
    """
    folder = settings[ServerSettings].ops
    is_named = named is not None or folder != ServerSettings().ops
    if is_named and not folder.exists() and not folder.is_symlink():
        raise ConfigError((missing(folder),))


async def _inspect(config: Path | None, folder: Path) -> Inspection:
    with tempfile.TemporaryDirectory(prefix="holdfast-check-") as scratch:
        holdfast = await app.build(_without_stores(config, folder, Path(scratch)), os.environ)
        try:
            return inspect_all(folder, holdfast.ops.sections)
        finally:
            await holdfast.stop()


def _without_stores(config: Path | None, folder: Path, scratch: Path) -> Settings:
    """Give the settings that are in force, but every store in a scratch folder, so that checking touches nothing."""
    here = {"database": {"url": ""}, "telemetry": {"url": ""}}
    return read_settings(config, {"data": scratch, "ops": folder}, here)
