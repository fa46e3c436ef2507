"""The command `holdfast ship`."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from holdfast.cli.options import ConfigOption, JsonOption
from holdfast.cli.remote import DEFAULT_URL
from holdfast.cli.sections import read_sections
from holdfast.cli.ship.entries import Batch, Source
from holdfast.cli.ship.files import Files
from holdfast.cli.ship.journald import KEY, Journald
from holdfast.cli.ship.meters import ShipMeters, served
from holdfast.cli.ship.sending import TIMEOUT_S, Sending
from holdfast.cli.ship.spool import Spool
from holdfast.kernel.errors import ConfigError, InvalidError
from holdfast.kernel.peers import open_client
from holdfast.kernel.units import parse_size
from holdfast.resilience import Backoff, Pauses
from holdfast.telemetry import SCRUB_SECTION, ScrubSettings, SenderScrubber

POLL_S: Final = 0.2
_AGAIN: Final = Backoff(base_s=1.0, cap_s=30.0, jitter="equal")


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command("ship")(ship)


def ship(
    files: Annotated[list[str] | None, typer.Argument(metavar="FILE|GLOB...", help="Files to follow.")] = None,
    *,
    url: Annotated[str, typer.Option("--to", help="The server.", envvar="HOLDFAST_URL")] = DEFAULT_URL,
    journald: Annotated[bool, typer.Option("--journald", help="Follow systemd's journal.")] = False,
    service: Annotated[str, typer.Option("--service", help="The service, else the file's name to its dot.")] = "",
    label: Annotated[list[str] | None, typer.Option("--label", help="NAME=VALUE for every line.")] = None,
    state: Annotated[Path | None, typer.Option("--state", help="Folder of positions and the disk buffer.")] = None,
    buffer: Annotated[str, typer.Option("--buffer", help="Most bytes on the disk while the server is away.")] = "1GB",
    once: Annotated[bool, typer.Option("--once", help="Send what is there, then end.")] = False,
    tenant: Annotated[str, typer.Option("--tenant", help="The tenant, if not the token's.")] = "",
    config: ConfigOption = None,
    metrics: Annotated[str, typer.Option("--metrics-listen", help="HOST:PORT of its own metrics; none if empty.")] = "",
    as_json: JsonOption = False,
    journalctl: Annotated[str, typer.Option("--journalctl", help="The program that reads the journal.")] = "journalctl",
) -> None:
    """Follow files and the journal, and send every line at least once; the token comes from HOLDFAST_TOKEN.

    What `[scrub]` of the settings says is taken out before a line is on the disk of the buffer.
    """
    if not files and not journald:
        raise InvalidError("nothing to ship", hint="name files, or --journald")
    labels = _labels(label or (), service)
    token = os.environ.get("HOLDFAST_TOKEN", "")
    client = open_client(url.rstrip("/"), token=token, tenant=tenant, timeout_s=TIMEOUT_S)
    scrubber = SenderScrubber(read_sections(config, (SCRUB_SECTION,))[ScrubSettings], tenant)
    spool = Spool(state or _default_state(), _size(buffer))
    known = spool.positions
    tell = _json_words if as_json else _words
    in_files = {key: value for key, value in known.items() if files and key != KEY}
    followed = Files(files or (), labels, socket.gethostname(), in_files, None if once else tell)
    sources: list[Source] = [followed] if files else []
    if journald:
        sources.append(Journald(journalctl, labels, known))
    meters = ShipMeters()
    meters.watch(spool, scrubber)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with client, served(meters, metrics):
        sending = Sending(spool, client, tell, meters)
        sending.start()
        try:
            _run(Shipping(spool, sources, sending, scrubber, meters), stop, is_once=once)
        finally:
            sending.stop()
            for source in sources:
                source.close()
            if as_json:
                typer.echo(orjson.dumps(meters.summary()).decode())
            spool.close()
    if once and followed.faults:
        raise ConfigError(tuple(followed.faults.values()))


def _words(words: str) -> None:
    typer.echo(f"ship: {words}", err=True)


def _json_words(words: str) -> None:
    typer.echo(orjson.dumps({"level": "warning", "message": words}).decode(), err=True)


@dataclass(frozen=True, slots=True)
class Shipping:
    """What a line meets on its way."""

    spool: Spool
    sources: Sequence[Source]
    sending: Sending
    scrubber: SenderScrubber
    meters: ShipMeters


def _run(shipping: Shipping, stop: threading.Event, *, is_once: bool) -> None:
    spool = shipping.spool
    while not stop.is_set():
        if spool.is_full:
            stop.wait(POLL_S)
            continue
        batch = Batch()
        for source in shipping.sources:
            source.fill(batch, is_last=is_once)
        if batch.entries:
            positions: dict[str, Any] = {}
            for source in shipping.sources:
                positions |= source.positions()
            batch.scrub(shipping.scrubber)
            shipping.meters.note(batch)
            _put(spool, batch.body(), positions, stop)
            shipping.sending.wake()
        elif is_once and not len(spool):
            return
        else:
            stop.wait(POLL_S)


def _put(spool: Spool, body: bytes, positions: Mapping[str, Any], stop: threading.Event) -> None:
    pauses = Pauses(_AGAIN)
    while not stop.is_set():
        try:
            spool.append(body, positions)
        except OSError as error:
            typer.echo(f"ship: the disk buffer takes nothing now: {error}", err=True)
            stop.wait(pauses.next_s())
        else:
            return


def _labels(given: Sequence[str], service: str) -> Mapping[str, str]:
    labels = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.isidentifier() or not value:
            raise InvalidError(f"--label {each!r} is none", hint="write --label environment=production")
        labels[name] = value
    return labels | ({"service_name": service} if service else {})


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise InvalidError(f"--buffer: {error}") from None


def _default_state() -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "holdfast" / "ship"
