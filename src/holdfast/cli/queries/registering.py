"""The command and its options; what it prints stands in `drawing`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.text import Text

from holdfast.cli.moments import read_moment
from holdfast.cli.options import JsonOption
from holdfast.cli.queries.drawing import draw_range, draw_table
from holdfast.cli.queries.rows import write_rows
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration

API: Final = "/prometheus/api/v1"
_POINTS: Final = 240  # of a series in a chart, if no step is given: two for each column of a usual terminal
_PIPE_ROWS: Final = 24


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("query")(query)


def query(
    text: Annotated[
        str, typer.Argument(metavar="PROMQL", help="Such as 'sum by (job) (rate(http_requests_total[5m]))'.")
    ],
    *,
    since: Annotated[str | None, typer.Option("--since", help="Draw this long up to --at, such as 1h.")] = None,
    step: Annotated[
        str | None, typer.Option("--step", help="Between two points; chosen from --since if left out.")
    ] = None,
    at: Annotated[str | None, typer.Option("--at", help="RFC 3339 or Unix seconds; now if left out.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose metrics.", show_default="default")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV: a row per sample.")] = False,
) -> None:
    """Ask for metrics: a table for one time, a chart with --since."""
    if as_json and as_csv:
        raise InvalidError("--json and --csv: an answer has one form; leave one of them out")
    end = _moment(at)
    with Remote(url, api=API, tenant=tenant) as remote:
        if since is None:
            answer = remote.call("POST", "/query", form={"query": text, "time": repr(end)})
        else:
            length = _seconds("--since", since)
            width = _seconds("--step", step) if step else max(length / _POINTS, 1.0)
            form = {"query": text, "start": repr(end - length), "end": repr(end), "step": repr(width)}
            answer = remote.call("POST", "/query_range", form=form)
    if as_json:
        typer.echo(write_json(answer))
        return
    if as_csv:
        typer.echo(write_rows(answer["data"]), nl=False)
        for note in (*answer.get("warnings", ()), *answer.get("infos", ())):
            typer.echo(f"note: {note}", err=True)
        return
    console = terminal()
    _print_data(console, answer["data"], (end - _seconds("--since", since), end) if since else (end, end))
    for note in (*answer.get("warnings", ()), *answer.get("infos", ())):
        console.print(Text(f"note: {note}", style="yellow"), soft_wrap=True)


def _print_data(console: Console, data: dict[str, Any], between: tuple[float, float]) -> None:
    result = data["result"]
    if data["resultType"] in {"scalar", "string"}:
        console.print(Text(str(result[1])))
    elif not result:
        console.print(Text(f"no data: nothing matches {_write_range(*between)}", style="dim"), soft_wrap=True)
    elif between[0] < between[1]:
        size = (console.width, console.height if console.is_terminal else _PIPE_ROWS)
        console.print(draw_range(result, *between, size))
    elif data["resultType"] == "vector":
        console.print(draw_table(result))
    else:
        for each in result:
            console.print_json(data=each)


def _write_range(start: float, end: float) -> str:
    first, last = (
        datetime.fromtimestamp(at, UTC).isoformat(" ", "seconds").removesuffix("+00:00") for at in (start, end)
    )
    return f"at {last} UTC" if start == end else f"from {first} to {last} UTC"


def _moment(text: str | None) -> float:
    return time.time() if text is None else read_moment("--at", text).timestamp()


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except PydanticCustomError as error:
        raise InvalidError(f"{option}: {error.message()}") from None
