"""The command group: what stands behind `logs` is a query unless it is a command's name."""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.core import TyperGroup

from holdfast import telemetry
from holdfast.cli.logs.asking import ask
from holdfast.cli.logs.usage import usage

ASK: Final = "query"
_HELP: Final = """Lines that match a query, such as '{service_name="orders"} |= "timeout"'; `analyze` reads files."""


class QueryFirst(TyperGroup):
    """A group whose first word is a query of its own where it names no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the asking command before what is a query."""
        is_help = bool(args) and args[0] in self.get_help_option_names(ctx)
        if args and not is_help and args[0] not in self.commands:
            args = [ASK, *args]
        return super().parse_args(ctx, args)


def register(cli: typer.Typer) -> None:
    """Add the group."""
    logs = typer.Typer(cls=QueryFirst, help=_HELP, no_args_is_help=True)
    logs.command(ASK)(ask)
    telemetry.register_log_analysis(logs)
    logs.command("usage")(usage)
    cli.add_typer(logs, name="logs")
