"""Draws what came in of each signal and what was left out, with reasons and what to do, as `holdfast usage` says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.table import Table

from holdfast.cli.runs.drawing import terminal
from holdfast.kernel.units import format_size

_SHOWN: Final = 30  # rows of a table; `--json` has all
UNKNOWN: Final = "(not told)"


def print_intake(intake: Mapping[str, Any]) -> None:
    """Print totals by signal, the largest services, and every reason why something was left out."""
    out = terminal()
    out.print(f"{_hour(intake['start'])} to {_hour(intake['end'])} UTC, by the time of arrival")
    for signal, records, size, dropped in _totals(intake["hours"]):
        left_out = f", {dropped:,} left out" if dropped else ""
        out.print(f"{signal}: {records:,} records, {format_size(size)} as they came{left_out}")
    services = intake["services"]
    table = Table("service", "team", "signal", "records", "as they came", "left out", box=None, pad_edge=False)
    for each in services[:_SHOWN]:
        stored, dropped = each["stored"], each["dropped"]
        amounts = (f"{stored['records']:,}", format_size(stored["bytes"]), f"{dropped['records']:,}")
        table.add_row(each["service"] or UNKNOWN, each["team"], each["signal"], *amounts)
    if services:
        out.print()
        out.print(table)
    if intake["services_total"] > _SHOWN:
        out.print(f"and {intake['services_total'] - _SHOWN} more: --json has them")
    _print_drops(intake["drops"])


def _print_drops(drops: Sequence[Mapping[str, Any]]) -> None:
    out = terminal()
    reasons: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in drops:
        reasons.setdefault((each["signal"], each["reason"]), []).append(each)
    for (signal, reason), each_of in reasons.items():
        first = each_of[0]
        records = sum(each["amount"]["records"] for each in each_of)
        requests = sum(each["amount"]["requests"] for each in each_of)
        counted = _count(records, "record") if records else _count(requests, "request")
        names = ", ".join(each["service"] or UNKNOWN for each in each_of[:5])
        more = f" and {len(each_of) - 5} more" if len(each_of) > 5 else ""
        out.print()
        out.print(f"{counted} of {signal} left out: {reason} ({names}{more})", markup=False)
        out.print(f"  {first['meaning']}", markup=False)
        settings = f" ({', '.join(first['settings'])})" if first["settings"] else ""
        out.print(f"  {first['fix']}{settings}", markup=False)


def _count(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def _totals(hours: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, int, int]]:
    sums: dict[str, list[int]] = {}
    for hour in hours:
        own = sums.setdefault(hour["signal"], [0, 0, 0])
        own[0] += hour["stored"]["records"]
        own[1] += hour["stored"]["bytes"]
        own[2] += hour["dropped"]["records"]
    return [(signal, records, size, dropped) for signal, (records, size, dropped) in sorted(sums.items())]


def _hour(moment: str) -> str:
    return moment[:16].replace("T", " ")
