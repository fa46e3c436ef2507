"""`holdfast logs analyze`: what stands in log files, with no server."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from holdfast.kernel.errors import InvalidError, Place

PIPE_WIDTH = 160
_STDIN = Path("-")


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("analyze")(analyze)


def analyze(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Text, gzip, zstd or bzip2, `-` is stdin; formats are recognised."),
    ],
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

    with _kept_stdin(files) as kept, _progress(kept) as tell:
        analysed = analysing.analyse(kept, processes=processes, progress=tell)
        names = {str(path): str(given) for path, given in zip(kept, files, strict=True)}
    analysed = replace(analysed, formats={names[file]: form for file, form in analysed.formats.items()})
    found = findings.find(analysed, top=top)
    for path, text in ((markdown, writing.markdown), (html, writing.page)):
        if path is not None:
            _write(path, text(found))
    if as_json:
        typer.echo(writing.json_text(found))
        return
    writing.print_findings(Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH), found)


@contextmanager
def _kept_stdin(files: list[Path]) -> Iterator[list[Path]]:
    """Put what comes from stdin into a file for the time being: it is read twice, and by several processes."""
    if _STDIN not in files:
        yield files
        return
    with TemporaryDirectory(prefix="holdfast-") as folder:
        kept = Path(folder) / "stdin"
        with kept.open("wb") as out:
            shutil.copyfileobj(sys.stdin.buffer, out, 1 << 20)
        yield [kept if file == _STDIN else file for file in files]


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
