"""`holdfast logs analyze`: what stands in log files, with no server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from holdfast.kernel.errors import InvalidError, Place

PIPE_WIDTH = 160


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("analyze")(analyze)


def analyze(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Text, gzip or zstd; formats are recognised.")],
    *,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write a page of Markdown.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page of HTML with plots.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="Rows of each table.")] = 20,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, max=64, help="Processes at once.", show_default="one per processor"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what stands in log files: levels, errors, requests, patterns, what is new, rare or comes in bursts."""
    # Arrow and the readers take a third of a second to import; other commands never pay.
    from holdfast.telemetry.logs.files import analysing, findings, writing  # noqa: PLC0415 -- see above

    with _progress(files) as tell:
        analysed = analysing.analyse(files, processes=processes, progress=tell)
    found = findings.find(analysed, top=top)
    for path, text in ((markdown, writing.markdown), (html, writing.page)):
        if path is not None:
            _write(path, text(found))
    if as_json:
        typer.echo(writing.json_text(found))
        return
    writing.print_findings(Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH), found)


@contextmanager
def _progress(files: list[Path]) -> Iterator[Callable[[int], None]]:
    total = sum(file.stat().st_size for file in files if file.is_file())
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    is_shown = console.is_terminal
    with Progress(*columns, console=console, transient=True, auto_refresh=False, disable=not is_shown) as progress:
        task = progress.add_task("reading", total=total)

        def tell(size: int) -> None:
            progress.advance(task, size)
            progress.refresh()

        yield tell


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidError(f"cannot be written: {error.strerror}", place=Place(file=str(path))) from error
