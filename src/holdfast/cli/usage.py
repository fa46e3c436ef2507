"""`holdfast usage` says who keeps and reads how much, `holdfast storage` what the store is made of; tables or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import terminal, write_json
from holdfast.kernel.units import format_size


def register(cli: typer.Typer) -> None:
    """Add the commands to `cli`."""
    cli.command("usage")(usage)
    cli.command("storage")(storage)


def usage(
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=400, help="How many, up to today.")] = 7,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which services and streams keep how much, who reads, what it costs, and how close limits are."""
    today = datetime.now(UTC).date()
    with Remote(url) as remote:
        report = remote.call("GET", "/usage", query={"start": str(today - timedelta(days=days - 1)), "end": str(today)})
    if as_json:
        typer.echo(write_json(report))
        return
    for signal in report["signals"]:
        terminal().print(f"{signal['signal']}: {format_size(signal['disk_bytes'])} on the disk")
    for title, uses in (("service", report["services"]), ("stream", report["streams"])):
        _print(title, ("records", "letters", "about on the disk", "read", "cost"), [_use(use, report) for use in uses])
    readers = [(each["reader"], f"{each['records']:,}", format_size(each["bytes"])) for each in report["readers"]]
    _print("reader", ("records", "letters"), readers)
    limits = [(each["name"], *(_amount(each, name) for name in ("used", "limit"))) for each in report["limits"]]
    _print("limit", ("used", "of"), limits)
    for reason, count in report["dropped"].items():
        terminal().print(f"{count:,} log records were left out: {reason}")


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
