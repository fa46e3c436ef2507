"""`holdfast trace compare`: what sets some traces apart from others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from pydantic_core import PydanticCustomError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.traces.conditions import Conditions, JsonOption, print_json, read_conditions
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration

_BAR: Final = 12
_ROWS: Final = 20


def compare(
    conditions: Conditions = None,
    *,
    others: Annotated[
        list[str] | None,
        typer.Option(help="A condition of the traces to compare with, repeatable; the rest if not given."),
    ] = None,
    ago: Annotated[str, typer.Option(help="Compare with a time so long ago, such as 7d.")] = "",
    since: Annotated[str, typer.Option(help="How far back, such as 30m or 2d.")] = "1h",
    sample: Annotated[int, typer.Option(min=10, max=5000, help="Traces of each side at most.")] = 1000,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what sets traces apart: conditions choose some, the rest or --others or another time stand beside them."""
    wanted = selections(conditions or [], others, _length("--since", since), _length("--ago", ago) if ago else None)
    with Remote(url) as remote:
        found = remote.call("POST", "/traces/compare", body={**wanted, "sample": sample})
    if as_json:
        print_json(found)
    else:
        show_comparison(found, Console(highlight=False))


def selections(
    conditions: list[str], others: list[str] | None, back: timedelta, ago: timedelta | None
) -> dict[str, Any]:
    """Give the two sets as the API takes them; without others nor another time it is the server that knows the rest."""
    end = datetime.now(UTC)
    chosen = {**read_conditions(conditions), **_time(end, back)}
    if others is None and ago is None:
        return {"chosen": chosen}
    beside = read_conditions(others) if others is not None else read_conditions(conditions)
    return {"chosen": chosen, "others": {**beside, **_time(end - (ago or timedelta()), back)}}


def show_comparison(found: dict[str, Any], console: Console) -> None:
    """Print the sides, what is more frequent among the chosen, and what takes more time in them."""
    for name, side in (("chosen", found["chosen"]), ("others", found["others"])):
        console.print(f"{name}: {_tell_side(side)}", soft_wrap=True)
    if not found["chosen"]["sampled"] or not found["others"]["sampled"]:
        console.print("nothing to compare: one side has no traces")
        return
    if found["contrasts"]:
        console.print(_contrasts(found["contrasts"][:_ROWS]))
    else:
        console.print("no attribute is more frequent among the chosen")
    if found["growths"]:
        console.print(_growths(found["growths"][:_ROWS]))


def _tell_side(side: dict[str, Any]) -> str:
    if not side["traces"]:
        return "no traces"
    sampled = "" if side["sampled"] == side["traces"] else f", {side['sampled']} of them read"
    return f"{side['traces']} traces{sampled}; p50 {side['p50_ms']:.4g}ms, p95 {side['p95_ms']:.4g}ms"


def _contrasts(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("more frequent among the chosen", overflow="fold")
    for name in ("chosen", "others"):
        table.add_column(name, no_wrap=True)
    table.add_column("lift", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        lift = "only here" if row["lift"] is None else f"{row['lift']:.3g}x"
        sure = Text("significant", style="green") if row["is_significant"] else Text("may be chance", style="dim")
        name = f"{row['name']}={row['value']}"
        table.add_row(Text(name), _bar(row["chosen_share"]), _bar(row["others_share"]), lift, sure)
    return table


def _bar(share: float) -> str:
    return f"{'█' * round(share * _BAR):·<{_BAR}}{share:>5.0%}"


def _growths(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("took more time itself, per trace", overflow="ellipsis", no_wrap=True)
    for name in ("chosen", "others", "more", "calls", "before"):
        table.add_column({"before": "calls beside"}.get(name, name), justify="right", no_wrap=True)
    for row in rows:
        figures = [f"{row[name]:.4g}ms" for name in ("chosen_self_ms", "others_self_ms", "growth_ms")]
        calls = [f"{row[name]:.3g}" for name in ("chosen_calls", "others_calls")]
        table.add_row(Text(f"{row['service']}: {row['operation']}"), *figures, *calls)
    return table


def _time(end: datetime, back: timedelta) -> dict[str, str]:
    return {"start": (end - back).isoformat(), "end": end.isoformat()}


def _length(option: str, text: str) -> timedelta:
    try:
        return timedelta(seconds=parse_duration(text))
    except PydanticCustomError as error:
        raise InvalidError(f"{option}: {error.message()}", hint="write it such as 30m, 2h or 7d") from None
