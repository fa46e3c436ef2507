"""A report for a person at a terminal. Colour never stands alone: a word and a sign are beside it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.health.reports.report import ICONS, Report
from holdfast.health.verdict import Verdict

STYLES: Final = MappingProxyType(
    {Verdict.UP: "green", Verdict.DEGRADED: "yellow", Verdict.DOWN: "bold red", Verdict.UNKNOWN: "magenta"}
)


def mark(verdict: Verdict) -> Text:
    """Give sign and word in their colour."""
    return Text(f"{ICONS[verdict]} {verdict}", style=STYLES[verdict])


def draw_report(report: Report) -> RenderableType:
    """Draw the table, the worst first, and one line below it."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("verdict", no_wrap=True)
    table.add_column("check", no_wrap=True)
    table.add_column("service", style="dim", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("message", overflow="fold")
    for result in report.worst_first():
        took = format_time(result.duration_s) if result.attempts else ""
        table.add_row(mark(result.verdict), result.check, result.service or "", took, result.message)
    last = Text.assemble("\n", mark(report.verdict), "  ", report.summary)
    if report.left_out:
        last.append(f"\nleft out: {', '.join(report.left_out)}: only a running Holdfast hears their calls", style="dim")
    return Group(table, last)


def format_time(seconds: float) -> str:
    """Give a duration with three digits that matter: `0.4 ms`, `12 ms`, `1.20 s`."""
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"
