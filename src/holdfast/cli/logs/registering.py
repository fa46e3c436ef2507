"""The command group: what stands behind `logs` is a query unless it is a command's name."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import typer

from holdfast.cli.offering import Offer, Offering

ASK: Final = "query"
_HELP: Final = """Lines that match a query, such as '{service_name="orders"} |= "timeout"'; `analyze` reads files."""


class QueryFirst(Offering):
    """A group whose first word is a query of its own where it names no command."""

    offers: ClassVar[tuple[Offer, ...]] = (
        Offer(ASK, "holdfast.cli.logs.asking:register", "Ask for logs in LogQL; with --json one object per line."),
        Offer(
            "analyze",
            "holdfast.cli.rooms:register_log_analysis",
            "Say what stands in log files: levels, errors, requests, patterns, what is new, rare or comes in bursts.",
        ),
        Offer(
            "usage",
            "holdfast.cli.logs.usage:register",
            "Say how many records are kept, their letters, and about what they take on the disk, by day.",
        ),
    )

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the asking command before what is a query."""
        is_help = bool(args) and args[0] in self.get_help_option_names(ctx)
        if args and not is_help and args[0] not in self.commands:
            args = [ASK, *args]
        return super().parse_args(ctx, args)


def register(cli: typer.Typer) -> None:
    """Add the group."""
    cli.add_typer(typer.Typer(cls=QueryFirst, help=_HELP, no_args_is_help=True, callback=_be_group), name="logs")


def _be_group() -> None:
    pass
