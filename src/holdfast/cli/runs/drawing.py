"""How runs, steps, queues and schedules look on a terminal. Takes the API's own documents."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from holdfast.kernel.units import format_duration

PIPE_WIDTH: Final = 160  # characters of a line where no terminal says its own width
_LOOKS: Final = {
    "queued": ("○", "dim"),
    "running": ("▶", "blue"),
    "waiting": ("◔", "cyan"),
    "cancelling": ("◁", "yellow"),
    "succeeded": ("✓", "green"),
    "failed": ("✗", "red"),
    "cancelled": ("⊘", "yellow"),
    "stranded": ("!", "bold magenta"),
    "compensated": ("↶", "yellow"),
    "compensation_failed": ("✗", "bold red"),
    "skipped": ("-", "dim"),
    "open": ("✓", "green"),
    "paused": ("⏸", "yellow"),
    "draining": ("⏏", "cyan"),
}


def terminal() -> Console:
    """Give the console for documents: as wide as the terminal or `COLUMNS` says, or as a line of a pipe may be."""
    told = os.environ.get("COLUMNS", "")
    is_told = sys.stdout.isatty() or (told.isdigit() and told.strip("0") != "")  # what knows no width sets 0
    return Console(highlight=False, width=None if is_told else PIPE_WIDTH)


def draw_state(state: str) -> Text:
    """Give a state's mark and word."""
    mark, style = _LOOKS.get(state, ("?", ""))
    return Text(f"{mark} {state}", style=style)


def draw_runs(items: Iterable[Mapping[str, Any]]) -> Table:
    """Give a table of runs."""
    table = _table("id", "workflow", "state", "queue", "created", "took", "about")
    for run in items:
        row = (run["queue"], ago(run["created_at"]), took(run["started_at"], run["finished_at"]), _about(run))
        table.add_row(run["id"], run["workflow"], draw_state(run["state"]), *row)
    return table


def draw_run(run: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> RenderableType:
    """Give a run as a page: what it is, how it stands, its steps."""
    facts = Table.grid(padding=(0, 2))
    for name, value in _facts(run):
        facts.add_row(Text(name, style="dim"), value)
    return Group(facts, Text(""), draw_steps(steps))


def draw_steps(steps: Iterable[Mapping[str, Any]]) -> Table:
    """Give the steps as an indented table."""
    table = _table("step", "kind", "state", "took", "tries", "about")
    for step in steps:
        depth = step["key"].count("/")
        tries = str(step["attempt_count"] or "")
        duration = took(step["started_at"], step["finished_at"])
        name = "  " * depth + step["key"].rsplit("/", 1)[-1]
        table.add_row(name, step["kind"], draw_state(step["state"]), duration, tries, _about_step(step))
    return table


def draw_queues(items: Iterable[Mapping[str, Any]]) -> Table:
    """Give a table of queues."""
    table = _table("queue", "state", "queued", "running", "delayed", "oldest wait", "limits")
    for queue in items:
        oldest = format_duration(round(queue["oldest_wait_s"])) if queue["oldest_wait_s"] is not None else ""
        counts = (str(queue[name]) for name in ("queued", "running", "delayed"))
        table.add_row(queue["name"], draw_state(queue["state"]), *counts, oldest, _limits(queue))
    return table


def draw_schedules(items: Iterable[Mapping[str, Any]]) -> Table:
    """Give a table of schedules."""
    table = _table("schedule", "workflow", "rule", "state", "next", "last", "last run")
    for it in items:
        rule = f"{it['rule']} {it['zone'] or ''}".strip()
        state = draw_state("paused" if it["is_paused"] else "open")
        table.add_row(
            it["name"], it["workflow"], rule, state, ahead(it["next_at"]), ago(it["last_at"]), it["last_run_id"] or ""
        )
    return table


def draw_workflows(items: Iterable[Mapping[str, Any]]) -> Table:
    """Give a table of workflows."""
    table = _table("workflow", "version", "queue", "from", "about")
    for it in items:
        table.add_row(it["name"], str(it["version"]), it["queue"], it["source"], it["summary"])
    return table


def draw_line(line: Mapping[str, Any]) -> Text:
    """Give one line of a run's log."""
    fields = " ".join(f"{name}={value}" for name, value in line["fields"].items())
    style = "red" if line["stream"] == "stderr" else ""
    at = datetime.fromisoformat(line["at"]).astimezone().strftime("%H:%M:%S")
    return Text.assemble((f"{at} ", "dim"), (f"{line['step'] or '-'}: ", "dim"), (line["text"], style), f" {fields}")


def ago(moment: str | None) -> str:
    """Give how long ago a moment was."""
    return f"{_rough(datetime.now(UTC) - datetime.fromisoformat(moment))} ago" if moment else ""


def ahead(moment: str | None) -> str:
    """Give how far away a moment is."""
    return f"in {_rough(datetime.fromisoformat(moment) - datetime.now(UTC))}" if moment else ""


def took(started: str | None, finished: str | None) -> str:
    """Give how long something took, or has taken so far."""
    if started is None:
        return ""
    end = datetime.fromisoformat(finished) if finished else datetime.now(UTC)
    spent = (end - datetime.fromisoformat(started)).total_seconds()
    return format_duration(round(spent, 3) if spent < 1 else round(spent, 1))


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _rough(span: Any) -> str:
    seconds = max(0, round(span.total_seconds()))
    for unit in (86400, 3600, 60):
        if seconds >= 2 * unit:
            return format_duration(seconds // unit * unit)
    return format_duration(seconds)


def _about(run: Mapping[str, Any]) -> str:
    if run["failure"]:
        return f"{run['failure']['type']}: {run['failure']['message']}"[:200]
    parts = [f"waits for {_wait(wait)}" for wait in run["waits"][:1]]
    parts += ["dry run"] if run["is_dry_run"] else []
    parts += [run["service"]] if run["service"] else []
    return ", ".join(parts)


def _wait(wait: Mapping[str, Any]) -> str:
    until = f" until {ahead(wait['until'])}" if wait["until"] else ""
    return f"{wait['kind']} {wait['name']}{until}"


def _about_step(step: Mapping[str, Any]) -> str:
    return next(iter(_notes(step)), "")


def _notes(step: Mapping[str, Any]) -> Iterator[str]:
    """Give what is worth saying about a step, the most important first."""
    if step["failure"]:
        yield f"{step['failure']['type']}: {step['failure']['message']}"[:200]
    if step["wait"]:
        yield f"waits for {_wait(step['wait'])}"
    if step["items"]:
        yield ", ".join(f"{count} {state}" for state, count in step["items"]["counts"].items())
    if step["signalled_by"]:
        yield f"by {step['signalled_by']}"
    if step["plan"]:
        yield step["plan"]["summary"][:200]
    if step["output"]:
        yield step["output"]["preview"][:100]


def _facts(run: Mapping[str, Any]) -> Iterable[tuple[str, RenderableType]]:
    yield "run", Text(run["id"])
    yield "workflow", Text(f"{run['workflow']} version {run['version']}")
    yield "state", draw_state(run["state"])
    yield "started by", Text(f"{run['actor']}, {ago(run['created_at'])}")
    for name in ("service", "key", "schedule", "parent_id"):
        if run[name]:
            yield name.removesuffix("_id"), Text(run[name])
    yield "input", Text(run["input"]["preview"])
    if run["output"]:
        yield "result", Text(run["output"]["preview"])
    for wait in run["waits"]:
        yield "waits for", Text(_wait(wait), style="cyan")
    for signal in run["signals"]:
        yield "signal", Text(f"{signal['name']} by {signal['actor']}, {ago(signal['at'])}")
    if run["failure"]:
        yield "error", Text(f"{run['failure']['type']}: {run['failure']['message']}", style="red")
    if run["stranded"]:
        ways = ", ".join(run["stranded"]["ways"])
        yield "stranded", Text(f"{run['stranded']['reason']}; ways out: {ways}", style="magenta")
    for plan in run["plan"]:
        diffs = [change["diff"] for change in plan["changes"] if change["diff"]]
        yield f"plan: {plan['step']}", Text("\n".join([plan["summary"], *diffs]))


def _limits(queue: Mapping[str, Any]) -> str:
    names = ("concurrency", "per_worker", "per_key", "rate")
    return ", ".join(f"{name.replace('_', ' ')} {queue[name]}" for name in names if queue[name] is not None)


def write_json(document: Any) -> str:
    """Give a document as one line of JSON."""
    return orjson.dumps(document).decode()
