"""`holdfast trace ID` and `holdfast trace search`."""

from __future__ import annotations

import re
from typing import Annotated, Final

import typer
from rich.console import Console

from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.traces.conditions import Conditions, EndOption, JsonOption, StartOption, print_json, time_of
from holdfast.cli.traces.conditions import read_conditions as read
from holdfast.cli.traces.showing import show_list, show_waterfall
from holdfast.kernel.errors import InvalidError

_ID: Final = re.compile(r"[0-9a-fA-F]{1,32}")
_SHORT: Final = 200  # spans that are shown without --all


def show(
    trace_id: Annotated[str, typer.Argument(help="The id of a trace.", metavar="ID")],
    *,
    every_span: Annotated[bool, typer.Option("--all", help=f"Show more than {_SHORT} spans.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a trace as a waterfall; its id alone does the same."""
    if not _ID.fullmatch(trace_id):
        hint = "an id is up to 32 hexadecimal digits; `holdfast trace search service=shop` finds some"
        raise InvalidError(f"{trace_id!r} is neither the id of a trace nor a command", hint=hint)
    with Remote(url) as remote:
        found = remote.call("GET", f"/traces/{trace_id}")
    if as_json:
        print_json(found)
    else:
        show_waterfall(found, Console(highlight=False), None if every_span else _SHORT)


def search(
    conditions: Conditions = None,
    *,
    start: StartOption = "",
    end: EndOption = "",
    limit: Annotated[int, typer.Option(min=1, max=500, help="Traces at most.")] = 20,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for traces with a span for which all conditions hold, newest first."""
    with Remote(url) as remote:
        query = {**read(conditions or []), **time_of(start, end), "limit": limit}
        found = remote.call("GET", "/traces", query=query)
    if as_json:
        print_json(found)
    else:
        show_list(found["items"], Console(highlight=False))
