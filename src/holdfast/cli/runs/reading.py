"""`holdfast runs list|show|log|workflows|stranded`: looking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import typer
from rich.live import Live

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import draw_line, draw_run, draw_runs, draw_workflows, terminal, write_json
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration

RunArgument = Annotated[str, typer.Argument(help="The run's id.")]
SHOWN_STEPS: Final = 500
ENDS: Final = frozenset({"succeeded", "failed", "cancelled", "stranded"})


def register(group: typer.Typer) -> None:
    """Add the commands to `group`."""
    group.command("list")(list_runs)
    group.command("show")(show_run)
    group.command("log")(read_log)
    group.command("stranded")(list_stranded)
    group.command("workflows")(list_workflows)


def list_runs(
    *,
    state: Annotated[list[str] | None, typer.Option("--state", help="Only this state; repeatable.")] = None,
    workflow: Annotated[str | None, typer.Option("--workflow", "-w", help="Only this workflow.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Only this queue.")] = None,
    service: Annotated[str | None, typer.Option("--service", "-s", help="Only of this service.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only of the last time, such as 2h.")] = None,
    text: Annotated[str, typer.Option("--text", help="Part of an id, workflow, key, service or error.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="At most this many.")] = 50,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """List runs, newest first."""
    query: dict[str, str | int | list[str]] = {"limit": limit}
    named = {"state": state, "workflow": workflow, "queue": queue, "service": service, "q": text}
    query |= {name: value for name, value in named.items() if value}
    if since is not None:
        query["since"] = _moment_before(since)
    with Remote(url) as remote:
        page = remote.call("GET", "/runs", query=query)
    _print_runs(page, as_json=as_json)


def list_stranded(*, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List runs whose code has changed under them; `holdfast runs resolve` shows them the way out."""
    with Remote(url) as remote:
        page = remote.call("GET", "/runs", query={"state": "stranded", "limit": 500})
    _print_runs(page, as_json=as_json)


def show_run(
    run: RunArgument,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it ends.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one run with its steps."""
    with Remote(url) as remote:
        if follow and not as_json:
            with Live(console=terminal(), refresh_per_second=8) as live:
                for detail, steps in watch(remote, run):
                    live.update(draw_run(detail, steps))
            return
        if follow:
            for _ in watch(remote, run):
                pass
        detail, steps = read_run(remote, run)
    if as_json:
        typer.echo(write_json({**detail, "timeline": steps}))
    else:
        terminal().print(draw_run(detail, steps))


def read_run(remote: Remote, run: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give a run and its first steps."""
    detail = remote.call("GET", f"/runs/{run}")
    return detail, remote.items(f"/runs/{run}/steps", query={"limit": SHOWN_STEPS})


def watch(remote: Remote, run: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Give a run and its steps whenever something changes, until it ends."""
    detail, first = read_run(remote, run)
    steps = {step["key"]: step for step in first}
    yield detail, list(steps.values())
    while detail["state"] not in ENDS:
        for kind, data in remote.follow(f"/runs/{run}/stream"):
            if kind == "run":
                detail = data
            elif kind == "step" and (data["key"] in steps or len(steps) < SHOWN_STEPS):
                steps[data["key"]] = data
            yield detail, sorted(steps.values(), key=lambda step: step["order"])


def read_log(
    run: RunArgument,
    *,
    step: Annotated[str | None, typer.Option("--step", help="Only this step.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run ends.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print what a run and its steps said; with --json one line per line."""
    console = terminal()

    def tell(line: dict[str, Any]) -> None:
        if step is None or line["step"] == step:
            typer.echo(write_json(line)) if as_json else console.print(draw_line(line), soft_wrap=True)

    with Remote(url) as remote:
        last = 0
        while True:
            query: dict[str, str | int | list[str]] = {"after": last, "limit": 5000}
            page = remote.call("GET", f"/runs/{run}/log", query=query)
            for line in page["items"]:
                tell(line)
                last = line["seq"]
            if page["next"] is None:
                break
        if follow and remote.call("GET", f"/runs/{run}")["state"] not in ENDS:
            for kind, line in remote.follow(f"/runs/{run}/stream?after={last}"):
                if kind == "log" and line["seq"] > last:
                    tell(line)
                    last = line["seq"]


def list_workflows(*, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the workflows that the server can start, and what it could not load."""
    with Remote(url) as remote:
        page = remote.call("GET", "/workflows")
    if as_json:
        typer.echo(write_json(page))
        return
    terminal().print(draw_workflows(page["items"]))
    for fault in page["faults"]:
        terminal().print(f"[red]not loaded:[/] {fault}", soft_wrap=True)


def _print_runs(page: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(write_json(page["items"]))
        return
    terminal().print(draw_runs(page["items"]))
    if page["next"]:
        terminal().print("[dim]there are more: narrow the list, or raise --limit[/]")


def _moment_before(span: str) -> str:
    try:
        return (datetime.now(UTC) - timedelta(seconds=parse_duration(span))).isoformat()
    except (ValueError, OverflowError) as error:
        raise InvalidError(f"--since: {error}") from None
