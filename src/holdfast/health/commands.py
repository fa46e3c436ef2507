"""`holdfast check`: runs checks once and says how things are, in words, as a document, as an exit code.

`holdfast discover` has its own file. Neither needs a server.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from holdfast.catalog import Entities, read_folder
from holdfast.health.checking import PATTERNS
from holdfast.health.checks import Check, load_checks
from holdfast.health.describing import describe_target
from holdfast.health.discover import commands as discovery
from holdfast.health.engine import Result, check_once
from holdfast.health.kinds import find_kinds
from holdfast.health.probes import ProbeContext
from holdfast.health.reports import EXIT_CODES, Report, draw_report, mark, write_html, write_json, write_markdown
from holdfast.health.selection import Choice, choose
from holdfast.health.verdict import Verdict
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import ConfigError, HoldfastError, InvalidError, Place
from holdfast.kernel.secrets import Secrets
from holdfast.kernel.wiring import OpsFolder

DEFAULT_OPS: Final = Path("ops")
PIPE_WIDTH: Final = 160  # characters of a line where no terminal says its own width

Complain = Callable[[HoldfastError], None]


def register(cli: typer.Typer, environ: Mapping[str, str], complain: Complain) -> None:
    """Add the commands to `cli`.

    Args:
        cli: the command line.
        environ: where `${env:...}` references are looked up.
        complain: tells an error to whoever started the command; it then exits with 3, for 2 means down.
    """
    discovery.register(cli)

    @cli.command("check")
    def check(
        *,
        names: Annotated[list[str] | None, typer.Argument(help="Checks to run; all if none is named.")] = None,
        ops: Annotated[Path, typer.Option("--ops", help="The folder of ops as code.")] = DEFAULT_OPS,
        file: Annotated[
            list[Path] | None, typer.Option("--file", "-f", help="Read these check files instead of the ops folder.")
        ] = None,
        service: Annotated[
            list[str] | None, typer.Option("--service", "-s", help="Run the checks of this service.")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
        as_markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
        as_html: Annotated[bool, typer.Option("--html", help="Print an HTML page.")] = False,
    ) -> None:
        """Run checks once, without a server.

        Exit code 0: all up, 1: degraded, 2: down, 3: unknown, or nothing could be checked. The worst wins, and down is
        worse than degraded, degraded worse than unknown.
        """
        try:
            choice = _choose(names or [], ops, file or [], service or [])
            report = asyncio.run(_run(choice, environ))
        except HoldfastError as error:
            complain(error)
            raise typer.Exit(EXIT_CODES[Verdict.UNKNOWN]) from None
        if as_json:
            typer.echo(write_json(report))
        elif as_markdown:
            typer.echo(write_markdown(report), nl=False)
        elif as_html:
            typer.echo(write_html(report), nl=False)
        else:
            width = None if sys.stdout.isatty() else PIPE_WIDTH
            Console(highlight=False, width=width).print(draw_report(report))
        raise typer.Exit(report.exit_code)


def _choose(names: list[str], ops: Path, files: list[Path], services: list[str]) -> Choice:
    if not files and not ops.is_dir():
        hint = "name it with --ops, or let `holdfast discover --write ops` write one"
        raise ConfigError((InvalidError("there is no such folder", hint=hint, place=Place(str(ops))),))
    root = None if files else ops
    book = load_checks(files or OpsFolder(ops).files(*PATTERNS), find_kinds().kinds, root=root)
    entities = read_folder(ops) if services and ops.is_dir() else Entities()
    return choose(book.checks, names, services, entities)


async def _run(choice: Choice, environ: Mapping[str, str]) -> Report:
    clock = SystemClock()
    secrets = Secrets.standard(environ, clock)

    def grant(check: Check) -> ProbeContext:
        return ProbeContext(check.timeout_s, lambda text: secrets.resolve(text).reveal())

    at, started_s = clock.now(), clock.monotonic()
    checks = (*choice.asked, *choice.needed)
    with _progress(len(checks)) as tell:
        results = await check_once(checks, grant, clock, tell=tell)
    asked = {check.name for check in choice.asked}
    # A parent that was only needed says something when it explains: when it is not up.
    shown = [result for result in results if result.check in asked or result.verdict is not Verdict.UP]
    targets = {check.name: describe_target(check) for check in checks}
    left_out = tuple(check.name for check in choice.left_out)
    return Report(at, clock.monotonic() - started_s, tuple(shown), targets, left_out)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Result], None]]:
    """Show a bar on a terminal; nothing elsewhere, so that logs stay clean."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("checking", total=total)

        def tell(result: Result) -> None:
            if result.verdict is not Verdict.UP and console.is_terminal:
                bar.console.print(mark(result.verdict), result.check)
            bar.advance(task)

        yield tell
