"""Opens the command line and turns errors into one clear message and an exit code; `contents` lists the commands."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated, Final, NoReturn

import typer

import holdfast
from holdfast.cli.answering import SERVERS
from holdfast.cli.contents import Contents
from holdfast.kernel.errors import HoldfastError, InvalidError, Place

EXIT_ERROR: Final = 2
# What comes of an answer that is not what a command reads; any other kind of fault is ours, and keeps its traceback.
_MISREAD: Final = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_TELLS: Final = """Holdfast watches your services, pages the right person, finds the cause and runs the fix.

Start with `holdfast up`, or see it at work with `holdfast demo`.
"""

cli = typer.Typer(
    cls=Contents,
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


def main() -> None:
    """Run the command line; what goes wrong on purpose becomes a message on stderr and exit code 2."""
    servers: list[str] = []
    SERVERS.set(servers)
    try:
        cli()
    except HoldfastError as error:
        _end(error)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader of a pipe has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        _end(InvalidError(error.strerror or str(error), place=Place(file=str(error.filename or ""))))
    except _MISREAD as error:
        if servers:
            _end(_unreadable(servers[-1], error))
        raise


def _end(error: HoldfastError) -> NoReturn:
    from holdfast.cli.reporting import report  # noqa: PLC0415 -- what draws errors need not be there without one

    report(error, as_json="--json" in sys.argv)
    sys.exit(EXIT_ERROR)


def _unreadable(url: str, error: Exception) -> InvalidError:
    """Tell that a command could not work with an answer; where it stood, for those who know the program."""
    code, line = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)][-1]
    where = f"{type(error).__name__} in {code.co_name}, line {line}"
    hint = f"is this a Holdfast server, of version {holdfast.__version__} as this command?"
    return InvalidError(f"{url} answered what this command cannot read: {error} ({where})", hint=hint)
