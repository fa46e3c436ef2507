"""`holdfast usage` says what came in, who keeps and reads it, `holdfast storage` what the store is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from holdfast.cli.intake import print_intake
from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json
from holdfast.kernel.units import format_size


def register(cli: typer.Typer) -> None:
    """Add the commands to `cli`."""
    cli.command("usage")(usage)
    cli.command("storage")(storage)


class SignalName(StrEnum):
    """What may be asked for."""

    ALL = "all"
    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"


def usage(
    *,
    signal: Annotated[SignalName, typer.Option("--signal", help="Of which signal.")] = SignalName.ALL,
    since: Annotated[str, typer.Option("--since", help="How far back, such as 24h or 7d; up to 400d.")] = "24h",
    service: Annotated[str, typer.Option("--service", help="What came in of one service only.")] = "",
    team: Annotated[str, typer.Option("--team", help="What came in of the services that a team owns.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Who had something left out for this reason.")] = "",
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what came in by signal and service, what was left out and why, what is kept, who reads it, its cost."""
    asked = "" if signal is SignalName.ALL else signal.value
    with Remote(url) as remote:
        query = {"since": since, "signal": asked, "service": service, "team": team, "reason": reason}
        intake = remote.call("GET", "/usage/intake", query=query)
        days = {"start": intake["start"][:10], "end": datetime.now(UTC).date().isoformat()}
        is_narrowed = bool(asked or service or team or reason)
        report = None if is_narrowed else remote.call("GET", "/usage", query=days)
    if as_json:
        typer.echo(write_json({"intake": intake, "kept": report}))
        return
    print_intake(intake)
    if report is not None:
        _print_kept(report)


def _print_kept(report: dict[str, Any]) -> None:
    terminal().print()
    for each in report["signals"]:
        terminal().print(f"{each['signal']}: {format_size(each['disk_bytes'])} on the disk")
    for title, uses in (("service", report["services"]), ("stream", report["streams"])):
        _print(title, ("records", "letters", "about on the disk", "read", "cost"), [_use(use, report) for use in uses])
    readers = [(each["reader"], f"{each['records']:,}", format_size(each["bytes"])) for each in report["readers"]]
    _print("reader", ("records", "letters"), readers)
    limits = [(each["name"], *(_amount(each, name) for name in ("used", "limit"))) for each in report["limits"]]
    _print("limit", ("used", "of"), limits)


def storage(*, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Say what the store is made of: tables, rows, parts, what is oldest and newest, retention, room on the disk."""
    with Remote(url) as remote:
        report = remote.call("GET", "/storage")
    if as_json:
        typer.echo(write_json(report))
        return
    if report["disk_free_bytes"] is not None:
        terminal().print(f"{format_size(report['disk_free_bytes'])} free of {format_size(report['disk_bytes'])}")
    tables = [
        (each["table"], f"{each['rows']:,}", format_size(each["size_bytes"]), str(each["parts"]), _day(each["oldest"]))
        for each in report["tables"]
        if each["rows"]
    ]
    _print("table", ("rows", "size", "parts", "oldest"), tables)
    rules = [
        (rule["signal"], rule["tenant"] or "every", rule["match"], f"{rule['keep_s'] / 86_400:g} d", rule["setting"])
        for rule in report["retention"]
    ]
    _print("signal", ("tenant", "matcher", "kept", "setting"), rules)


def _use(use: dict[str, Any], report: dict[str, Any]) -> tuple[str, ...]:
    labels = use["labels"]
    name = labels["service_name"] if len(labels) == 1 else ", ".join(f"{key}={value}" for key, value in labels.items())
    disk = format_size(use["disk_bytes"] + use["span_disk_bytes"])
    cost = "" if use["cost"] is None else f"{use['cost']:.4f} {report['currency']}"
    return name, f"{use['records']:,}", format_size(use["bytes"]), disk, format_size(use["read_bytes"]), cost


def _amount(limit: dict[str, Any], name: str) -> str:
    if name == "limit" and not limit["limit"]:
        return "no limit"
    return format_size(int(limit[name])) if limit["unit"] == "bytes" else f"{limit[name]:,.0f}"


def _day(moment: str | None) -> str:
    return moment[:10] if moment else ""


def _print(first: str, others: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    if not rows:
        return
    table = Table(first, *others, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*row)
    terminal().print()
    terminal().print(table)
