"""Options that many commands have; importing them costs nothing, so that small commands stay small."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

FILE: Final = "holdfast.toml"

OpsOption = Annotated[Path | None, typer.Option("--ops", help="The folder of ops as code.", show_default="ops")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="The settings file.", show_default=FILE)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
