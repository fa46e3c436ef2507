"""The command: starts both systems, tells the story, goes on until interrupted, and cleans up."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final, NoReturn

import httpx
import orjson
import typer
from rich.console import Console

from holdfast.cli.demo.children import Child, started
from holdfast.cli.demo.places import ShopPlace, demand_shop_ports, find_shop, free_port
from holdfast.cli.demo.story import CAUSE, Observation, Story, observe
from holdfast.kernel.errors import HoldfastError

PORT: Final = 4653
_REST_S: Final = 45.0  # between two rounds of the story

ShopOption = Annotated[Path | None, typer.Option("--shop", help="The folder of the shop.")]


def register(cli: typer.Typer) -> None:
    """Add the command to `cli`."""
    cli.command("demo")(demo)


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Tell the story once, then stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the timings as JSON.")] = False,
    shop: ShopOption = None,
    traffic: Annotated[float, typer.Option("--traffic", help="Requests per second to the shop.")] = 5.0,
) -> None:
    """Watch a small shop: see it green, see a bad release turn it red, see it heal.

    With --once the exit code is 0 only if every stage was seen through the API.
    """
    console = Console(stderr=as_json, highlight=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)  # whoever ends us, the children are cleaned up
    place = find_shop(shop)
    demand_shop_ports()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="holdfast-demo-")))
        url, children, story = stack.enter_context(_running(place, folder, traffic))
        seen, failure = _tell(story, children, console, url)
        if once or failure is not None:
            _report(seen, failure, as_json=as_json)
            raise typer.Exit(0 if failure is None else 1)
        _go_on(story, children, console)


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _running(place: ShopPlace, folder: Path, traffic: float) -> Iterator[tuple[str, tuple[Child, ...], Story]]:
    url = f"http://127.0.0.1:{free_port(PORT)}"
    paths = [str(place.code), *(entry for entry in sys.path if entry)]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OTEL_SDK_DISABLED": "true"}
    data = str(folder / "shop")
    environ["SHOP_DATA"] = data  # the shop's own workflows find the token of its levers there
    telling = {name: value for name, value in environ.items() if name != "OTEL_SDK_DISABLED"}
    telling["OTEL_EXPORTER_OTLP_ENDPOINT"] = url  # the shop's traces and logs come in as any program's do
    up = ["-m", "holdfast.cli", "up", "--data", str(folder / "holdfast"), "--ops", str(place.ops), "--auth", "off"]
    with (
        started("shop", ["-m", "shop", "up", "--data", data, "--traffic", str(traffic)], folder, telling) as shop,
        started("holdfast", [*up, "--listen", url.removeprefix("http://")], folder, environ) as server,
        httpx.Client(base_url=url, timeout=5.0) as api,
    ):
        story = Story(api, lambda arguments: ["-m", "shop", *arguments, "--data", data], environ)
        yield url, (shop, server), story


def _tell(
    story: Story, children: tuple[Child, ...], console: Console, url: str
) -> tuple[list[Observation], HoldfastError | None]:
    seen: list[Observation] = []
    for stage in story.stages():
        try:
            with console.status(f"{stage.told} ..."):
                observation = observe(stage, children)
        except HoldfastError as error:
            console.print(f"[red]✗[/] {stage.told}: {error}", soft_wrap=True)
            return seen, error
        seen.append(observation)
        console.print(f"[green]✓[/] {stage.told} [dim]({observation.seconds:.1f} s)[/]", soft_wrap=True)
        if stage.name == "ready":
            console.print(f"\n  Open [bold]{url}[/] and watch.\n", soft_wrap=True)
    return seen, None


def _go_on(story: Story, children: tuple[Child, ...], console: Console) -> None:
    console.print("\nThe shop goes on, and breaks again now and then. Ctrl-C ends the demo and cleans up.\n")
    again = [stage for stage in story.stages()[1:] if stage.name != CAUSE]
    try:
        while True:
            _rest(children)
            for stage in again:
                observation = observe(stage, children)
                console.print(f"[green]✓[/] {stage.told} [dim]({observation.seconds:.1f} s)[/]", soft_wrap=True)
    except KeyboardInterrupt:
        console.print("\nCleaning up ...")


def _rest(children: tuple[Child, ...]) -> None:
    until = time.monotonic() + _REST_S
    while time.monotonic() < until:
        for child in children:
            child.demand_alive()
        time.sleep(1.0)


def _report(seen: list[Observation], failure: HoldfastError | None, *, as_json: bool) -> None:
    if as_json:
        stages = {observation.stage: {"seconds": observation.seconds} for observation in seen}
        told = {"ok": failure is None, "stages": stages, "error": str(failure) if failure else None}
        typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
