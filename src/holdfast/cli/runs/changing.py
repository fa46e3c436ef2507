"""`holdfast runs start|signal|cancel|retry|replay|resolve`: steering."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from holdfast.cli.options import JsonOption
from holdfast.cli.remote import Remote, UrlOption
from holdfast.cli.runs.drawing import draw_run, draw_state, terminal, write_json
from holdfast.cli.runs.reading import RunArgument, read_run, watch
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.units import parse_duration

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; it stands in the audit trail.")]
FromOption = Annotated[str | None, typer.Option("--from", help="The key of the step to begin with.")]


class Way(StrEnum):
    """The ways out of being stranded."""

    FINISH_OLD = "finish-old"
    REPLAY = "replay"
    CANCEL = "cancel"


def register(group: typer.Typer) -> None:
    """Add the commands to `group`."""
    group.command("start")(start)
    group.command("signal")(signal)
    group.command("cancel")(cancel)
    group.command("retry")(retry)
    group.command("replay")(replay)
    group.command("resolve")(resolve)


def start(
    workflow: Annotated[str, typer.Argument(help="Its name.")],
    *,
    given: Annotated[str, typer.Option("--input", "-i", help="JSON, or @FILE that holds it.")] = "null",
    key: Annotated[str | None, typer.Option("--key", help="Start it once, however often this is asked.")] = None,
    queue: Annotated[str | None, typer.Option("--queue", help="Not the workflow's own queue.")] = None,
    priority: Annotated[int, typer.Option("--priority", help="Greater comes first.")] = 0,
    delay: Annotated[str | None, typer.Option("--delay", help="Such as 10m.")] = None,
    service: Annotated[str | None, typer.Option("--service", "-s", help="The service that it is about.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only plan: change nothing.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until it ends; exit code 1 unless it succeeded.")] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Start a run of a workflow."""
    body: dict[str, Any] = {"workflow": workflow, "input": _read_json(given), "priority": priority, "dry_run": dry_run}
    body |= {name: value for name, value in {"key": key, "queue": queue, "service": service}.items() if value}
    if delay is not None:
        body["delay_s"] = _seconds(delay)
    with Remote(url) as remote:
        run = remote.call("POST", "/runs", body=body)["run"]
        if not wait:
            typer.echo(write_json(run) if as_json else run["id"])
            return
        for _ in watch(remote, run["id"]):
            pass
        detail, steps = read_run(remote, run["id"])
    if as_json:
        typer.echo(write_json({**detail, "timeline": steps}))
    else:
        terminal().print(draw_run(detail, steps))
    raise typer.Exit(0 if detail["state"] == "succeeded" else 1)


def signal(
    run: RunArgument,
    name: Annotated[str, typer.Argument(help="What the run waits for.")],
    *,
    payload: Annotated[str, typer.Option("--payload", "-p", help="JSON, or @FILE that holds it.")] = "null",
    key: Annotated[str | None, typer.Option("--key", help="Tell it once, however often this is asked.")] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell a run something, such as an approval."""
    body = {"payload": _read_json(payload), **({"key": key} if key else {})}
    with Remote(url) as remote:
        sent = remote.call("POST", f"/runs/{run}/signals/{name}", body=body)
    typer.echo(write_json(sent) if as_json else f"signalled {name}")


def cancel(run: RunArgument, *, reason: ReasonOption = "", url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Ask a run to stop; what it did is undone where its steps say how."""
    _change(url, run, "cancel", {"reason": reason}, as_json=as_json)


def retry(run: RunArgument, *, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Let a failed or cancelled run go on from the step that failed."""
    _change(url, run, "retry", None, as_json=as_json)


def replay(
    run: RunArgument, *, from_step: FromOption = None, url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Do an ended run anew from a step on, with the newest code; without --from, from what failed or is missing."""
    _change(url, run, "replay", {"from_step": from_step}, as_json=as_json)


def resolve(
    run: RunArgument,
    way: Annotated[Way, typer.Argument(help="The way out.")],
    *,
    from_step: FromOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Choose the way out of a stranded run."""
    _change(url, run, "resolve", {"way": way.value, "from_step": from_step}, as_json=as_json)


def _change(url: str | None, run: str, what: str, body: dict[str, Any] | None, *, as_json: bool) -> None:
    with Remote(url) as remote:
        detail = remote.call("POST", f"/runs/{run}/{what}", body=body)
    if as_json:
        typer.echo(write_json(detail))
    else:
        terminal().print(detail["id"], draw_state(detail["state"]))


def _read_json(given: str) -> Any:
    try:
        text = Path(given[1:]).read_text(encoding="utf-8") if given.startswith("@") else given
        return orjson.loads(text)
    except OSError as error:
        raise InvalidError(f"{given[1:]} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise InvalidError(
            f"this is not JSON: {error}", hint="""quote it for the shell: --input '{"order": 7}'"""
        ) from None


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidError(f"--delay: {error}") from None
