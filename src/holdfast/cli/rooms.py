"""Commands that rooms bring along: each function adds those of one door."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from holdfast import health, telemetry
from holdfast.cli.reporting import report

if TYPE_CHECKING:
    import typer


def register_checks(cli: typer.Typer) -> None:
    """Add `check` and `discover`."""
    health.register_commands(cli, os.environ, lambda error: report(error, as_json="--json" in sys.argv))


def register_host(cli: typer.Typer) -> None:
    """Add `host`."""
    health.register_host(cli)


def register_transfer(cli: typer.Typer) -> None:
    """Add `import` and `export`."""
    telemetry.register_transfer(cli, os.environ)


def register_exporter(cli: typer.Typer) -> None:
    """Add `exporter`."""
    telemetry.register_exporter(cli, os.environ)


def register_log_analysis(logs: typer.Typer) -> None:
    """Add `analyze` to the group of logs."""
    telemetry.register_log_analysis(logs)
