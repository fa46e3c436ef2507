"""`holdfast logs QUERY`: the lines of a time, oldest first; with `-f` those that come, too."""

from __future__ import annotations

import re
import time
from typing import Annotated, Any, Final

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console

from holdfast.cli.logs.drawing import LogLine, draw_line, draw_numbers, line_json, lines_of
from holdfast.cli.logs.following import Follower
from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration

API: Final = "/loki/api/v1"
_NS: Final = 10**9
_PLACE: Final = re.compile(r"at line (\d+), col (\d+)")
_INDENT: Final = 7  # of hints below `error: `


def register(logs: typer.Typer) -> None:
    """Add the command."""
    logs.command("query")(ask)


def ask(
    text: Annotated[str, typer.Argument(metavar="LOGQL", help="""Such as '{service_name="orders"} |= "timeout"'.""")],
    *,
    since: Annotated[str, typer.Option("--since", help="How far back, such as 30m or 2d.")] = "1h",
    limit: Annotated[int, typer.Option("--limit", min=1, max=5000, help="The newest so many lines.")] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with lines as they come.")] = False,
    step: Annotated[str | None, typer.Option("--step", help="Between two points of a metric query.")] = None,
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose logs.", show_default="default")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for logs in LogQL; with --json one object per line."""
    back_ns = int(_seconds("--since", since) * _NS)
    with Remote(url, api=API, tenant=tenant) as remote:
        end_ns = time.time_ns()
        if follow:
            _follow(Follower(remote, text, end_ns - back_ns, limit, _say), as_json=as_json)
            return
        data = _query(remote, text, end_ns - back_ns, end_ns, limit, step)
        console = terminal()
        if data["resultType"] != "streams":
            typer.echo(write_json(data["result"])) if as_json else console.print(draw_numbers(data))
            return
        lines = list(lines_of(data["result"], is_newest_first=True))
        if not lines and not as_json:
            console.print(f"no line of the last {since} matches", style="dim")
        for line in lines:
            _print(console, line, as_json=as_json)


def _follow(follower: Follower, *, as_json: bool) -> None:
    console = terminal()
    try:
        for line in follower.lines():
            _print(console, line, as_json=as_json)
    except InvalidError as error:
        raise InvalidError(error.message, hint=_point(follower.query, error.message) or error.hint) from error


def _say(words: str) -> None:
    Console(stderr=True, highlight=False).print(words, style="dim", soft_wrap=True)


def _print(console: Console, line: LogLine, *, as_json: bool) -> None:
    typer.echo(line_json(line)) if as_json else console.print(draw_line(line), soft_wrap=True)


def _query(remote: Remote, text: str, start_ns: int, end_ns: int, limit: int, step: str | None) -> dict[str, Any]:
    form: dict[str, str | int | list[str]] = {
        "query": text,
        "start": str(start_ns),
        "end": str(end_ns),
        "limit": limit,
        "direction": "backward",
    }
    if step:
        form["step"] = step
    try:
        answer: dict[str, Any] = remote.call("POST", "/query_range", form=form)
    except InvalidError as error:
        raise InvalidError(error.message, hint=_point(text, error.message) or error.hint) from error
    return dict(answer["data"])


def _point(query: str, message: str) -> str:
    """Give the line of the query that an error names, with a mark below the place."""
    found = _PLACE.search(message)
    lines = query.split("\n")
    if found is None or int(found[1]) > len(lines):
        return ""
    return f"{lines[max(int(found[1]), 1) - 1]}\n{' ' * (_INDENT + int(found[2]) - 1)}^"


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except PydanticCustomError as error:
        raise InvalidError(f"{option}: {error.message()}", hint="write it such as 30m, 2h or 1d") from None
