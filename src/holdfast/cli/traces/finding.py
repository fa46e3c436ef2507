"""`holdfast trace groups`, `latency` and `map`: what many traces tell together."""

from __future__ import annotations

from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.traces.conditions import (
    Conditions,
    EndOption,
    JsonOption,
    StartOption,
    print_json,
    read_conditions,
    time_of,
)
from holdfast.cli.traces.showing import write_duration
from holdfast.kernel.errors import InvalidError

_SHADES: Final = " ░▒▓█"
_NAMES_PX: Final = 10
_STATES: Final = {"failing": "bold red", "worse": "yellow", "fine": "green", "gone": "dim"}


def groups(
    of: Annotated[str, typer.Argument(help="`failed` or `slow`.", metavar="failed|slow")],
    conditions: Conditions = None,
    *,
    start: StartOption = "",
    end: EndOption = "",
    limit: Annotated[int, typer.Option(min=1, max=100, help="Groups at most.")] = 20,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Group failed spans by operation and error, or slow ones by operation and statement, with an example each."""
    if of not in {"failed", "slow"}:
        raise InvalidError(f"no such groups: {of!r}", hint="`failed` or `slow`")
    query = {**read_conditions(conditions or []), **time_of(start, end), "of": of, "limit": limit}
    with Remote(url) as remote:
        found = remote.call("GET", "/traces/groups", query=query)
    if as_json:
        print_json(found)
    else:
        show_groups(found, Console(highlight=False), of)


def latency(
    conditions: Conditions = None,
    *,
    start: StartOption = "",
    end: EndOption = "",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw how long the spans of a search took over time."""
    console = Console(highlight=False)
    columns = max(min(console.width - _NAMES_PX - 4, 120), 10)
    query = {**read_conditions(conditions or []), **time_of(start, end), "columns": columns}
    with Remote(url) as remote:
        found = remote.call("GET", "/traces/latency", query=query)
    if as_json:
        print_json(found)
    else:
        show_latency(found, console)


def service_map(
    *,
    start: StartOption = "",
    end: EndOption = "",
    against: Annotated[str, typer.Option(help="Compare with a time so long ago; '' for nothing.")] = "7d",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who calls whom, what came of it, and what has changed since last week."""
    with Remote(url) as remote:
        found = remote.call("GET", "/traces/map", query={**time_of(start, end), "against": against})
    if as_json:
        print_json(found)
    else:
        show_map(found, Console(highlight=False))


def show_groups(found: dict[str, Any], console: Console, of: str) -> None:
    """Print a line per group."""
    if not found["items"]:
        console.print(f"no {of} spans; a longer time is asked for with --start")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("operation", overflow="ellipsis", no_wrap=True)
    table.add_column("error" if of == "failed" else "statement", overflow="fold")
    is_failed = of == "failed"
    for name in ("spans", *(["began here"] if is_failed else []), "of calls", "p95", "usual"):
        table.add_column(name, justify="right", no_wrap=True)
    if not is_failed:
        table.add_column("lost", justify="right", no_wrap=True)
    table.add_column("for example", no_wrap=True)
    for each in found["items"]:
        says = ": ".join(text for text in (each["error"], each["pattern"]) if text)
        share = f"{each['spans'] / max(each['calls'], 1):.1%}"
        times = [
            write_duration(int(each[name] * 10**6))
            for name in ("p95_ms", "usual_ms", *([] if is_failed else ["lost_ms"]))
        ]
        example = each["examples"][0]["trace_id"] if each["examples"] else ""
        operation = f"{each['service']}: {each['operation']}"
        began = [f"{each['origins']:.0f}"] if is_failed else []
        table.add_row(Text(operation), Text(says), f"{each['spans']:.0f}", *began, share, *times, example)
    console.print(table)
    _tell_share(found["share"], console)


def show_latency(found: dict[str, Any], console: Console) -> None:
    """Print a heat map: time to the right, durations upwards, darker where more spans fell."""
    if not found["total"]:
        console.print("no spans; a longer time is asked for with --start")
        return
    bounds, width = found["bounds_ns"], found["columns"]
    grid = [[0.0] * width for _ in bounds[1:]]
    for time, row, spans in zip(found["times"], found["rows"], found["spans"], strict=True):
        grid[row][time] = spans
    most = max(found["spans"])
    for row in reversed(range(len(grid))):
        cells = "".join(_shade(spans / most) for spans in grid[row])
        console.print(f"{write_duration(bounds[row]):>{_NAMES_PX}} │{cells}", no_wrap=True, overflow="crop")
    times = ", ".join(f"{name} {write_duration(int(found[f'{name}_ms'] * 10**6))}" for name in ("p50", "p95", "p99"))
    step = write_duration(found["step_ns"])
    console.print(f"{found['total']:.0f} spans, {found['total_failed']:.0f} failed; {times}; a column is {step}")
    _tell_share(found["share"], console)


def show_map(found: dict[str, Any], console: Console) -> None:
    """Print a line per edge, those that fare worst first."""
    if not found["edges"]:
        console.print("nobody calls anybody; a longer time is asked for with --start")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("from")
    table.add_column("to")
    table.add_column("by")
    for name in ("a second", "errors", "p50", "p95", "p99"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("since then" if found["is_compared"] else "", overflow="fold")
    order = list(_STATES)
    for edge in sorted(found["edges"], key=lambda each: (order.index(each["state"]), each["source"], each["target"])):
        rates = edge["rates"]
        errors = f"{rates['errors'] / rates['calls']:.1%}" if rates["calls"] else "-"
        times = ["-" if rates[f"{p}_ms"] is None else f"{rates[f'{p}_ms']:.4g}ms" for p in ("p50", "p95", "p99")]
        how = edge["protocol"] or edge["connection"].replace("_", " ")
        second = f"{rates['calls'] / found['seconds']:.3g}"
        state = Text(edge["state"], style=_STATES[edge["state"]])
        changes = ", ".join(change.replace("_", " ") for change in edge["changes"])
        table.add_row(*_ends(edge), how, second, errors, *times, state, changes)
    console.print(table)
    if found["before_at"] and not found["is_compared"]:
        console.print(f"nothing to compare with: no spans since {found['before_at'][:19]}Z for as long", style="dim")
    _tell_share(found["share"], console)


def _ends(edge: dict[str, Any]) -> tuple[str, str]:
    """Give both ends; a topic may be called as a service is."""
    source, target = edge["source"], edge["target"]
    is_from, is_to = edge["connection"] == "from_topic", edge["connection"] == "to_topic"
    return f"topic {source}" if is_from else source, f"topic {target}" if is_to else target


def _shade(share: float) -> str:
    return _SHADES[0] if share <= 0 else _SHADES[1 + min(int(share**0.5 * (len(_SHADES) - 1)), len(_SHADES) - 2)]


def _tell_share(share: float, console: Console) -> None:
    if share < 1:
        console.print(f"counted from {share:.1%} of the traces, and scaled", style="dim")
