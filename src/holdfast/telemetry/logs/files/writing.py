"""Findings as text for the terminal, Markdown, HTML with plots in SVG, and JSON."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from holdfast.telemetry.logs.files.findings import Findings, Point
from holdfast.telemetry.logs.files.tables import Section, sections, summary

_BARS: Final = " ▁▂▃▄▅▆▇█"
_LOOKS: Final = {
    "error": "red",
    "critical": "bold red",
    "fatal": "bold red",
    "warn": "yellow",
    "info": "green",
    "new": "bold magenta",
    "more": "magenta",
    "gone": "cyan",
    "less": "cyan",
}
_CONTROL: Final = dict.fromkeys((*range(32), *range(127, 160)), "\ufffd")
_WIDTH, _HEIGHT = 960, 160
_STYLE: Final = """
:root{color-scheme:light dark;--line:#8884;--bar:#4c78a8;--bad:#d62728}
body{font:14px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}
th,td{text-align:left;padding:.2rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.t{font-family:ui-monospace,monospace;font-size:12.5px}
svg{width:100%;height:auto}text{font-size:11px;fill:currentColor}
"""


def print_findings(console: Console, findings: Findings) -> None:
    """Print a summary and tables."""
    for name, fact in summary(findings):
        console.print(Text(f"{name:9} ", style="dim").append(_safe(fact)), soft_wrap=True)
    if len(findings.series) > 1:
        console.print(Text("records   ", style="dim").append(_sparkline([point.records for point in findings.series])))
        if any(point.errors for point in findings.series):
            bars = _sparkline([point.errors for point in findings.series])
            console.print(Text("errors    ", style="dim").append(bars, style="red"))
    for section in sections(findings):
        table = Table(title=section.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for name in section.head:
            is_number = name in section.numbers
            table.add_column(name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
        for row in section.rows:
            table.add_row(*(Text(_safe(cell), style=_LOOKS.get(cell, "")) for cell in row))
        console.print()
        console.print(table)


def markdown(findings: Findings) -> str:
    """Give a page of Markdown."""
    lines = ["# Log analysis", ""]
    lines += [f"- **{name}**: {_escaped(fact)}" for name, fact in summary(findings)]
    for section in sections(findings):
        marks = ["---:" if name in section.numbers else "---" for name in section.head]
        lines += ["", f"## {section.title}", "", _row(section.head), _row(marks)]
        lines += [_row([_escaped(cell) for cell in row]) for row in section.rows]
    return "\n".join(lines) + "\n"


def page(findings: Findings) -> str:
    """Give a page of HTML that needs nothing else."""
    facts = "".join(f"<tr><th>{name}</th><td>{html.escape(_safe(fact))}</td></tr>" for name, fact in summary(findings))
    plot = f"<h2>Records over time</h2>{_plot(findings.series)}" if len(findings.series) > 1 else ""
    tables = "".join(_table(section) for section in sections(findings))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Log analysis</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>Log analysis</h1><table>{facts}</table>{plot}{tables}</body></html>\n"
    )


def json_text(findings: Findings) -> str:
    """Give one JSON object."""
    return orjson.dumps(findings, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode()


def _table(section: Section) -> str:
    kinds = ["n" if name in section.numbers else "t" for name in section.head]
    head = "".join(f'<th class="{kind}">{name}</th>' for kind, name in zip(kinds, section.head, strict=True))
    rows = []
    for row in section.rows:
        cells = zip(kinds, row, strict=True)
        rows.append(
            "<tr>" + "".join(f'<td class="{kind}">{html.escape(_safe(cell))}</td>' for kind, cell in cells) + "</tr>"
        )
    bars = _share_bars(section)
    return f"<h2>{section.title}</h2>{bars}<table><tr>{head}</tr>{''.join(rows)}</table>"


def _share_bars(section: Section) -> str:
    if "share" not in section.head or section.title not in {"Levels", "Status codes"}:
        return ""
    shares = [float(row[section.head.index("share")].rstrip("%")) for row in section.rows]
    parts = []
    for place, (share, row) in enumerate(zip(shares, section.rows, strict=True)):
        y = place * 20
        parts.append(
            f'<text x="90" y="{y + 13}" text-anchor="end">{html.escape(_safe(row[-1]))}</text>'
            f'<rect x="100" y="{y + 2}" width="{share * 8:.1f}" height="14" fill="var(--bar)"/>'
        )
    height = len(shares) * 20
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{section.title}">{"".join(parts)}</svg>'


def _plot(series: Sequence[Point]) -> str:
    most = max(point.records for point in series) or 1
    width = (_WIDTH - 60) / len(series)
    bars = []
    for place, point in enumerate(series):
        x, label = 50 + place * width, f"{point.at:%Y-%m-%d %H:%M}: {point.records:,} records, {point.errors:,} errors"
        rects = "".join(
            f'<rect x="{x:.1f}" y="{_HEIGHT - high + 10:.1f}" width="{max(width - 1, 0.5):.1f}" height="{high:.1f}" '
            f'fill="var(--{colour})"/>'
            for high, colour in ((point.records / most * _HEIGHT, "bar"), (point.errors / most * _HEIGHT, "bad"))
        )
        bars.append(f"<g><title>{label}</title>{rects}</g>")
    base = _HEIGHT + 26
    texts = (
        f'<text x="45" y="18" text-anchor="end">{most:,}</text>'
        f'<text x="45" y="{_HEIGHT + 10}" text-anchor="end">0</text>'
        f'<text x="50" y="{base}">{series[0].at:%Y-%m-%d %H:%M}</text>'
        f'<text x="{_WIDTH - 10}" y="{base}" text-anchor="end">{series[-1].at:%Y-%m-%d %H:%M}</text>'
    )
    head = f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 32}" role="img" aria-label="Records over time">'
    return f"{head}{''.join(bars)}{texts}</svg>"


def _sparkline(values: Sequence[int]) -> str:
    most = max(values) or 1
    return "".join(_BARS[-(-value * (len(_BARS) - 1) // most)] for value in values)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe(text: str) -> str:
    return text.encode("utf-8", "replace").decode().translate(_CONTROL)


def _escaped(text: str) -> str:
    safe = _safe(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
    return safe.replace("*", "\\*").replace("[", "\\[")
