"""A report as JSON for programs, as Markdown for tickets, as one HTML file for mail. Each stands alone."""

from __future__ import annotations

import dataclasses
import html
from typing import Any, Final

import orjson

from holdfast.health.engine import Result
from holdfast.health.reports.report import ICONS, Report
from holdfast.health.reports.terminal import format_time

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2430;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .8rem .35rem 0;vertical-align:top}
th{color:#5b6675;font-weight:500;border-bottom:1px solid #d6dbe2}td{border-bottom:1px solid #eef0f3}
td.time{font-variant-numeric:tabular-nums;white-space:nowrap}.verdict{white-space:nowrap;font-weight:600}
.up{color:#1a7f37}.degraded{color:#8a5a00}.down{color:#c1121f}.unknown{color:#6f42c1}
@media(prefers-color-scheme:dark){body{color:#dfe4ea;background:#14181e}td{border-color:#262c35}th{border-color:#39414c}
.up{color:#4cc46a}.degraded{color:#e0a63a}.down{color:#ff7b72}.unknown{color:#b392f0}}
"""


def write_json(report: Report) -> str:
    """Give the report as one JSON object; verdicts and fields are those of the API."""
    document = {
        "verdict": report.verdict,
        "exit_code": report.exit_code,
        "at": report.at,
        "duration_s": round(report.duration_s, 6),
        "counts": {verdict.value: count for verdict, count in report.counts.items()},
        "checks": [_as_data(result, report) for result in report.worst_first()],
        "left_out": list(report.left_out),
    }
    return orjson.dumps(document, option=orjson.OPT_UTC_Z).decode()


def _as_data(result: Result, report: Report) -> dict[str, Any]:
    return {
        "name": result.check,
        "kind": result.kind,
        "service": result.service,
        "target": report.targets.get(result.check, ""),
        "verdict": result.verdict,
        "message": result.message,
        "duration_s": round(result.duration_s, 6),
        "phases": dataclasses.asdict(result.phases),
        "attempts": result.attempts,
        "facts": dict(result.facts),
        "blocked_by": result.blocked_by,
    }


def write_markdown(report: Report) -> str:
    """Give the report as a Markdown table below one line that sums it up."""
    lines = [
        f"**{ICONS[report.verdict]} {report.verdict}**: {report.summary}, {report.at:%Y-%m-%d %H:%M:%S} UTC",
        "",
        "| verdict | check | service | time | message |",
        "|---|---|---|---:|---|",
    ]
    for result in report.worst_first():
        cells = (
            f"{ICONS[result.verdict]} {result.verdict}",
            f"`{result.check}`",
            _plain(result.service or ""),
            format_time(result.duration_s) if result.attempts else "",
            _plain(result.message),
        )
        lines.append(f"| {' | '.join(cells)} |")
    if report.left_out:
        names = ", ".join(f"`{name}`" for name in report.left_out)
        lines += ["", f"Left out: {names}. Only a running Holdfast hears their calls."]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Keep foreign text from becoming Markdown or HTML."""
    text = html.escape(text, quote=False)
    return "".join(f"\\{letter}" if letter in "\\`*_[]|#" else letter for letter in text)


def write_html(report: Report) -> str:
    """Give the report as one HTML page without scripts or outside files."""
    rows = "\n".join(_row(result) for result in report.worst_first())
    title = f"{report.verdict}: {report.summary}"
    left_out = ""
    if report.left_out:
        names = html.escape(", ".join(report.left_out))
        left_out = f"<p>Left out: {names}. Only a running Holdfast hears their calls.</p>"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n"
        f'<h1><span class="{report.verdict}">{ICONS[report.verdict]} {report.verdict}</span></h1>\n'
        f"<p>{html.escape(report.summary)}, <time>{report.at:%Y-%m-%d %H:%M:%S} UTC</time></p>\n"
        f"<table><thead><tr><th>verdict</th><th>check</th><th>service</th><th>time</th><th>message</th></tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>{left_out}\n</body></html>\n"
    )


def _row(result: Result) -> str:
    took = format_time(result.duration_s) if result.attempts else ""
    return (
        f'<tr><td class="verdict {result.verdict}">{ICONS[result.verdict]} {result.verdict}</td>'
        f"<td>{html.escape(result.check)}</td><td>{html.escape(result.service or '')}</td>"
        f'<td class="time">{took}</td><td>{html.escape(result.message)}</td></tr>'
    )
