"""Gathers the commands and turns errors into one clear message and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.text import Text

import holdfast
from holdfast import health, telemetry
from holdfast.cli import (
    around,
    configuration,
    demo,
    documents,
    investigations,
    logs,
    metrics,
    people,
    queries,
    runs,
    saved,
    serving,
    ship,
    targets,
    tokens,
    traces,
    usage,
)
from holdfast.kernel.errors import ConfigError, HoldfastError

EXIT_ERROR: Final = 2
_TELLS: Final = """Holdfast watches your services, pages the right person, finds the cause and runs the fix.

Start with `holdfast up`, or see it at work with `holdfast demo`.
"""

cli = typer.Typer(
    name="holdfast",
    help=_TELLS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of a Typer callback
    if wanted:
        typer.echo(f"holdfast {holdfast.__version__}")
        raise typer.Exit


@cli.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Hold the options that every command has."""


for _part in (
    serving,
    queries,
    runs,
    metrics,
    ship,
    logs,
    traces,
    usage,
    around,
    saved,
    investigations,
    people,
    tokens,
    targets,
    demo,
    configuration,
    documents,
):
    _part.register(cli)
health.register_commands(cli, os.environ, lambda error: report(error, as_json="--json" in sys.argv))
health.register_host(cli)
telemetry.register_transfer(cli, os.environ)
telemetry.register_exporter(cli, os.environ)


def main() -> None:
    """Run the command line; a `HoldfastError` becomes a message on stderr and exit code 2."""
    try:
        cli()
    except HoldfastError as error:
        report(error, as_json="--json" in sys.argv)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def report(error: HoldfastError, *, as_json: bool) -> None:
    """Tell `error` to a person on stderr, or to a program as JSON on stdout."""
    problems = error.problems if isinstance(error, ConfigError) else (error,)
    if as_json:
        told = [
            {
                "code": problem.code,
                "message": problem.message,
                "hint": problem.hint,
                "file": problem.place.file,
                "line": problem.place.line,
                "field": problem.place.field,
            }
            for problem in problems
        ]
        sys.stdout.write(orjson.dumps({"error": error.code, "problems": told}).decode() + "\n")
        return
    console = Console(stderr=True, highlight=False)
    for problem in problems:
        line = Text("error: ", style="bold red")
        place = str(problem.place)
        if place:
            line.append(f"{place}: ", style="bold")
        line.append(problem.message)
        console.print(line, soft_wrap=True)
        if problem.hint:
            console.print(Text(f"       {problem.hint}", style="dim"), soft_wrap=True)
