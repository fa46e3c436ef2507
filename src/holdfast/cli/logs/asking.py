"""`holdfast logs QUERY`: the lines of a time, oldest first; with `-f` those that come, too."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console

from holdfast.cli.configuration import JsonOption
from holdfast.cli.logs.drawing import LogLine, draw_line, draw_numbers, line_json, lines_of
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json
from holdfast.kernel.errors import InvalidError, UnavailableError
from holdfast.kernel.units import parse_duration

API: Final = "/loki/api/v1"
_NS: Final = 10**9
_POLL_S: Final = 1.0
_LATE_NS: Final = 10 * _NS  # lines that come so much later than they say are still followed
_FOLLOWED: Final = 5000  # lines of one poll
_PLACE: Final = re.compile(r"at line (\d+), col (\d+)")
_INDENT: Final = 7  # of hints below `error: `
_PAUSES_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)


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
        data = _query(remote, text, end_ns - back_ns, end_ns, limit, step)
        console = terminal()
        if data["resultType"] != "streams":
            if follow:
                raise InvalidError("-f follows lines, not numbers", hint="leave out the aggregation")
            typer.echo(write_json(data["result"])) if as_json else console.print(draw_numbers(data))
            return
        lines = list(lines_of(data["result"]))
        if not lines and not follow and not as_json:
            console.print(f"no line of the last {since} matches", style="dim")
        for line in lines:
            _print(console, line, as_json=as_json)
        if follow:
            for line in _follow(remote, text, end_ns, {line.identity for line in lines}):
                _print(console, line, as_json=as_json)


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
    if found is None or not 1 <= int(found[1]) <= len(lines):
        return ""
    return f"{lines[int(found[1]) - 1]}\n{' ' * (_INDENT + int(found[2]) - 1)}^"


def _follow(remote: Remote, text: str, from_ns: int, seen: set[object]) -> Iterator[LogLine]:
    """Give lines that were not given before; a server that is away for a while is asked again."""
    times: dict[object, int] = dict.fromkeys(seen, from_ns)
    failures = 0
    while True:
        time.sleep(_POLL_S if not failures else _PAUSES_S[min(failures, len(_PAUSES_S)) - 1])
        end_ns = time.time_ns()
        try:
            data = _query(remote, text, from_ns - _LATE_NS, end_ns, _FOLLOWED, None)
        except UnavailableError:
            failures += 1
            if failures > len(_PAUSES_S):
                raise
            continue
        failures = 0
        for line in lines_of(data["result"]):
            if line.identity not in times:
                times[line.identity] = line.ts_ns
                yield line
        from_ns = end_ns
        times = {key: ts_ns for key, ts_ns in times.items() if ts_ns >= from_ns - 2 * _LATE_NS}


def _seconds(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except PydanticCustomError as error:
        raise InvalidError(f"{option}: {error.message()}", hint="write it such as 30m, 2h or 1d") from None
