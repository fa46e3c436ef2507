"""The command and its options; what it prints stands in `drawing`."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.text import Text

from holdfast.cli.moments import read_moment
from holdfast.cli.options import JsonOption
from holdfast.cli.queries.drawing import draw_range, draw_table
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
) -> None:
    """Ask for metrics: a table for one time, a chart with --since."""
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
    console = terminal()
    _print_data(console, answer["data"], (end - _seconds("--since", since), end) if since else None)
    for note in (*answer.get("warnings", ()), *answer.get("infos", ())):
        console.print(Text(f"note: {note}", style="yellow"), soft_wrap=True)


def _print_data(console: Console, data: dict[str, Any], between: tuple[float, float] | None) -> None:
    result = data["result"]
    if data["resultType"] in {"scalar", "string"}:
        console.print(Text(str(result[1])))
    elif not result:
        console.print(Text("no data: nothing matches at this time", style="dim"))
    elif between is not None:
        size = (console.width, console.height if console.is_terminal else _PIPE_ROWS)
        console.print(draw_range(result, *between, size))
    elif data["resultType"] == "vector":
        console.print(draw_table(result))
    else:
        for each in result:
            console.print_json(data=each)


def _moment(text: str | None) -> float:
    return time.time() if text is None else read_moment("--at", text).timestamp()


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except PydanticCustomError as error:
        raise InvalidError(f"{option}: {error.message()}") from None
