"""The command group: what stands behind `trace` is the id of a trace unless it is a command's name."""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.core import TyperGroup

from holdfast.cli.traces.asking import search, show
from holdfast.cli.traces.comparing import compare
from holdfast.cli.traces.finding import groups, latency, service_map

SHOW: Final = "show"
_HELP: Final = "A trace by its id, as a waterfall; searches for traces, and what many traces tell together."


class IdFirst(TyperGroup):
    """A group whose first word is an id where it names no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the showing command before what is an id."""
        is_help = bool(args) and args[0] in self.get_help_option_names(ctx)
        if args and not is_help and args[0] not in self.commands:
            args = [SHOW, *args]
        return super().parse_args(ctx, args)


def register(cli: typer.Typer) -> None:
    """Add the group."""
    traces = typer.Typer(cls=IdFirst, help=_HELP, no_args_is_help=True)
    traces.command(SHOW)(show)
    traces.command("search")(search)
    traces.command("groups")(groups)
    traces.command("compare")(compare)
    traces.command("latency")(latency)
    traces.command("map")(service_map)
    cli.add_typer(traces, name="trace")
