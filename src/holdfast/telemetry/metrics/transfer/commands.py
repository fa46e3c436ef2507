"""`holdfast import` and `holdfast export`: samples from files to a running server, and back."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from holdfast.kernel.errors import InvalidError, Place
from holdfast.telemetry.metrics.promql import parse_matchers
from holdfast.telemetry.metrics.transfer.exporting import (
    Exported,
    Writable,
    fetch,
    writable_format,
    write_openmetrics,
    write_parquet,
)
from holdfast.telemetry.metrics.transfer.importing import Format, Report, format_of, import_file, size_of
from holdfast.telemetry.metrics.transfer.sending import Destination
from holdfast.telemetry.metrics.transfer.table_files import read_time_ms

DEFAULT_URL: Final = "http://127.0.0.1:4653"
EXIT_REFUSED: Final = 1

Url = Annotated[str, typer.Option("--url", help="The server; also HOLDFAST_URL.", envvar="HOLDFAST_URL")]
Tenant = Annotated[str, typer.Option("--tenant", help="The tenant, if not the token's.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(cli: typer.Typer, environ: Mapping[str, str]) -> None:
    """Add the commands to `cli`; the token comes from HOLDFAST_TOKEN in `environ`."""

    @cli.command("import")
    def import_(
        files: Annotated[list[Path], typer.Argument(help="What to import.", exists=True, dir_okay=False)],
        *,
        format_: Annotated[Format | None, typer.Option("--format", help="If the ending does not tell.")] = None,
        restart: Annotated[bool, typer.Option("--restart", help="Send all of it again.")] = False,
        url: Url = DEFAULT_URL,
        tenant: Tenant = "",
        as_json: Json = False,
    ) -> None:
        """Send samples with timestamps to a running server: OpenMetrics, Prometheus' text and dumps, CSV, Parquet.

        An import that broke off goes on where it was when it is started again. Exit code 1: samples were refused.
        """
        token = environ.get("HOLDFAST_TOKEN", "")
        kinds = {file: format_of(file, format_) for file in files}
        reports: list[Report] = []
        try:
            with Destination(url, token=token, tenant=tenant) as destination:
                reports.extend(_imported(kinds, destination, tenant=tenant, is_restarting=restart))
        finally:  # what was done before a fault is told, too
            if reports:
                _show(reports, as_json=as_json)
        if any(report.refused for report in reports):
            raise typer.Exit(EXIT_REFUSED)

    @cli.command("export")
    def export(
        *,
        match: Annotated[str, typer.Option("--match", help="Such as 'up{job=\"shop\"}' or '{job=~\"s.*\"}'.")],
        start: Annotated[str, typer.Option("--start", help="ISO 8601, or Unix seconds.")] = "0",
        end: Annotated[str, typer.Option("--end", help="The same; now if not given.")] = "",
        format_: Annotated[Writable | None, typer.Option("--format", help="If the ending does not tell.")] = None,
        output: Annotated[Path | None, typer.Option("--output", "-o", help="A file; stdout if none.")] = None,
        url: Url = DEFAULT_URL,
        tenant: Tenant = "",
        as_json: Json = False,
    ) -> None:
        """Write the raw samples of a running server to a file, as OpenMetrics or Parquet."""
        window_ms = (_time("--start", start), _time("--end", end or str(time.time())))
        if window_ms[0] > window_ms[1]:
            raise InvalidError("the end lies before the start", place=Place(field="--end"))
        counts, kind = Exported(), writable_format(output, format_)
        with (
            Destination(url, token=environ.get("HOLDFAST_TOKEN", ""), tenant=tenant) as source,
            _bar("exporting", None) as tell,
        ):
            found = fetch(source, parse_matchers(match), window_ms, counts, kind)
            if kind is Writable.PARQUET and output is not None:
                with _whole(output) as fresh:
                    write_parquet(found, fresh, tell)
            else:
                with _opened(output) as target:
                    write_openmetrics(found, target, tell)
        _tell_exported(counts, output, as_json=as_json)


def _imported(
    kinds: Mapping[Path, Format], destination: Destination, *, tenant: str, is_restarting: bool
) -> Iterator[Report]:
    for file, kind in kinds.items():
        with _bar(file.name, size_of(file, kind)) as tell:
            yield import_file(file, kind, destination, tenant=tenant, is_restarting=is_restarting, tell=tell)


@contextlib.contextmanager
def _whole(output: Path) -> Iterator[Path]:
    """Write beside the file that is meant, and put it there once it is whole: what breaks off leaves the old one."""
    if output.exists() and not output.is_file():
        with _named(output):
            yield output
        return
    fresh = output.with_name(f".{output.name}.part")
    try:
        with _named(output):
            yield fresh
            fresh.replace(output)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink(missing_ok=True)


@contextlib.contextmanager
def _named(output: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        place = Place(file=str(output))
        raise InvalidError(f"it cannot be written: {error.strerror or error}", place=place) from None


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        return
    with _whole(output) as fresh, fresh.open("wb") as target:
        yield target


def _tell_exported(counts: Exported, output: Path | None, *, as_json: bool) -> None:
    if as_json and output is not None:
        told = {
            "series": counts.series,
            "samples": counts.samples,
            "histograms_left_out": counts.histograms_left_out,
            "exemplars": counts.exemplars,
            "exemplars_left_out": counts.exemplars_left_out,
            "file": str(output),
        }
        typer.echo(orjson.dumps(told).decode())
        return
    typer.echo(f"{counts.samples} samples of {counts.series} series", err=True)
    if counts.exemplars_left_out:
        typer.echo(f"{counts.exemplars_left_out} exemplars found no sample to stand beside", err=True)
    if counts.histograms_left_out:
        typer.echo(
            f"{counts.histograms_left_out} native histograms have no form in this file; Parquet has one", err=True
        )


def _time(option: str, text: str) -> int:
    try:
        return read_time_ms(text)
    except ValueError:
        hint = "write one such as 2026-01-31T12:00:00Z or 1767225600"
        raise InvalidError(f"{text!r} is no time", hint=hint, place=Place(field=option)) from None


def _show(reports: list[Report], *, as_json: bool) -> None:
    if as_json:
        told: list[dict[str, Any]] = [
            {name: getattr(report, name) for name in ("file", "samples", "refused", "resumed_at", "reasons")}
            for report in reports
        ]
        typer.echo(orjson.dumps(told).decode())
        return
    for report in reports:
        rest = f", {report.refused} refused" if report.refused else ""
        typer.echo(f"{report.file}: {report.samples} samples{rest}")
        for reason in report.reasons:
            typer.echo(f"  {reason}", err=True)


@contextlib.contextmanager
def _bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal; nothing elsewhere. The function takes the position, or without a total a step."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)

        def tell(amount: int) -> None:
            if total is None:
                bar.advance(task, amount)
            else:
                bar.update(task, completed=amount)

        yield tell
