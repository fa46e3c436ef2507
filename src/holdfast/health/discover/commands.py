"""`holdfast discover`: what listens on this host, and checks for it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from holdfast.health.discover.asking import look_at
from holdfast.health.discover.listening import Listener, find_listeners
from holdfast.health.discover.proposing import Proposal, propose
from holdfast.health.discover.writing import Written, write_files
from holdfast.health.kinds import KINDS
from holdfast.health.reports import mark


def register(cli: typer.Typer) -> None:
    """Add the command to `cli`."""
    cli.command("discover")(discover)


def discover(
    *,
    write: Annotated[Path | None, typer.Option("--write", help="Write checks/*.yaml in this ops folder.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    port: Annotated[list[int] | None, typer.Option("--port", "-p", help="Look at this port only.")] = None,
    skip: Annotated[list[int] | None, typer.Option("--skip", help="Leave this port alone.")] = None,
    patience: Annotated[
        float, typer.Option("--patience", min=0.1, max=10, help="Seconds to wait for an answer.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find what listens on this host, ask what it is, and write checks for it.

    Every listening TCP port is asked who it is, with questions that change nothing; some products log such questions.
    """
    listeners = [
        listener
        for listener in find_listeners()
        if (not port or listener.port in port) and listener.port not in (skip or [])
    ]
    console = Console(stderr=True, highlight=False)
    with console.status(f"asking {len(listeners)} ports who they are"):
        proposals = asyncio.run(_propose(listeners, patience))
    written = write_files(proposals, write, force=force) if write else None
    if as_json:
        typer.echo(orjson.dumps({"found": [_as_data(proposal) for proposal in proposals]}).decode())
        return
    out = Console(highlight=False)
    out.print(_draw(proposals) if proposals else "nothing listens here")
    _tell(out, written, write)


async def _propose(listeners: list[Listener], patience_s: float) -> list[Proposal]:
    return await propose(await look_at(listeners, patience_s), KINDS)


def _draw(proposals: list[Proposal]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("port", "process", "what", "check", "kind", "verdict", "message"):
        table.add_column(column, justify="right" if column == "port" else "left", overflow="fold")
    for proposal in proposals:
        listener, what = proposal.found.listener, proposal.found.what
        said = f"{what.name} {what.version}".strip() if what else "?"
        table.add_row(
            str(listener.port),
            listener.process,
            said,
            proposal.name,
            proposal.kind,
            mark(proposal.observation.verdict),
            proposal.tried or proposal.observation.message,
        )
    return table


def _tell(out: Console, written: Written | None, folder: Path | None) -> None:
    if written is None:
        out.print("\n[dim]write them with[/] holdfast discover --write ops")
        return
    out.print(f"\nwrote {len(written.new)} files in {folder}/checks", style="green" if written.new else "")
    if written.kept:
        names = ", ".join(path.name for path in written.kept)
        out.print(f"kept as they are: {names} [dim](--force replaces them)[/]")
    out.print(f"[dim]run them with[/] holdfast check --ops {folder}")


def _as_data(proposal: Proposal) -> dict[str, object]:
    listener, what = proposal.found.listener, proposal.found.what
    return {
        "host": listener.host,
        "port": listener.port,
        "process": listener.process,
        "protocol": what.protocol if what else None,
        "product": what.product if what else None,
        "version": what.version if what else None,
        "needs_login": bool(what and what.needs_login),
        "tls": bool(what and what.is_tls),
        "check": {"name": proposal.name, "kind": proposal.kind, proposal.kind: dict(proposal.section)},
        "verdict": proposal.observation.verdict,
        "message": proposal.observation.message,
        "note": proposal.tried,
    }
