"""`holdfast exporter FILE`: serves a file's sources as metrics, checks the file, or reads all once and prints them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import orjson
import typer

from holdfast import journal
from holdfast.kernel.clock import SystemClock
from holdfast.kernel.errors import InvalidError, Place
from holdfast.kernel.secrets import Secrets
from holdfast.telemetry.metrics.exporter.book import ExporterBook
from holdfast.telemetry.metrics.exporter.files import load_exporter
from holdfast.telemetry.metrics.exporter.serving import open_exporter, serve

LISTEN: Final = "127.0.0.1:4654"


def register(cli: typer.Typer, environ: Mapping[str, str]) -> None:
    """Add the command to `cli`; `environ` is where `${env:...}` references are looked up."""

    @cli.command("exporter")
    def exporter(
        *,
        file: Annotated[Path, typer.Argument(help="The YAML file that names sources and metrics.")],
        listen: Annotated[str, typer.Option("--listen", help="HOST:PORT of /metrics.")] = LISTEN,
        check: Annotated[bool, typer.Option("--check", help="Validate the file and read no source.")] = False,
        once: Annotated[bool, typer.Option("--once", help="Read every source once and print the metrics.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="With --check: print JSON.")] = False,
    ) -> None:
        """Turn JSON, text and SQL into metrics, as a file says, and serve them to Prometheus.

        With --once: exit code 0 if every source could be read, 1 if one could not.
        """
        secrets = Secrets.standard(environ, SystemClock())
        book = load_exporter(file, secrets)
        if check:
            typer.echo(_describe(file, book, as_json=as_json))
        elif once:
            journal.configure(service="exporter", level="error", format="pretty", stream=sys.stderr)
            raise typer.Exit(asyncio.run(_print_once(book, secrets)))
        else:
            host, port = parse_listen(listen)
            journal.configure(service="exporter", format="pretty" if sys.stderr.isatty() else "json", stream=sys.stderr)
            journal.get_logger().info("exporter.started", url=f"http://{listen}/metrics", sources=len(book.sources))
            asyncio.run(serve(open_exporter(book, secrets), host, port))


def parse_listen(text: str) -> tuple[str, int]:
    """Read `HOST:PORT`; IPv6 addresses stand in brackets.

    Raises:
        InvalidError: it is none.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        hint = f"write one such as {LISTEN} or [::]:4654"
        raise InvalidError(f"{text!r} is not HOST:PORT", hint=hint, place=Place(field="--listen"))
    return host.strip("[]"), int(port)


def _describe(file: Path, book: ExporterBook, *, as_json: bool) -> str:
    metrics = sorted({metric.name for source in book.sources for metric in source.metrics})
    if as_json:
        sources = [source.name for source in book.sources]
        return orjson.dumps({"file": str(file), "sources": sources, "metrics": metrics}).decode()
    return f"{file} is valid: {_count(len(book.sources), 'source')}, {_count(len(metrics), 'metric')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


async def _print_once(book: ExporterBook, secrets: Secrets) -> int:
    exporter = open_exporter(book, secrets)
    try:
        await exporter.poller.look_at_all()
    finally:
        await exporter.http.aclose()
    typer.echo(exporter.render(), nl=False)
    failed = [state for state in exporter.poller.states.values() if not state.is_up]
    for state in failed:
        typer.echo(f"{state.source.name}: {state.error_kind}: {state.error}", err=True)
    return 1 if failed else 0
