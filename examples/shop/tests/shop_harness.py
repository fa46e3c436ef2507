"""Runs services for tests: one in this process, or the whole shop in processes of its own."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import nats
import psycopg
import pytest
import uvicorn
from nats.js.errors import NotFoundError, ServiceUnavailableError

from shop.settings import SIDE_PORT_OFFSET, ServiceName, Settings

SOURCES = [Path(__file__).parents[1] / "src", Path(__file__).parents[3] / "src"]


@contextlib.asynccontextmanager
async def running(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run a service in this process, from the begin of its lifespan to its end; give a client of it."""
    inner = app.app
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        inner.router.lifespan_context(inner),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


@contextlib.asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve an app on a free port of this process; give its URL."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]  # pytest keeps its own
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
        if serving.done():
            await serving
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


async def eventually(condition: Callable[[], bool | Awaitable[bool]], within_s: float = 10.0) -> None:
    """Wait until a condition holds, looking every few milliseconds; fail when it does not in time."""
    async with asyncio.timeout(within_s):
        while True:
            found = condition()
            if await found if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.005)


def free_base_port() -> int:
    """Find a base from which all ports of a shop are free.

    Below 32,768 no connection of another test is given its port: a service that restarts must find its own again.
    """
    offsets = [*range(len(ServiceName)), list(ServiceName).index(ServiceName.INVENTORY) + SIDE_PORT_OFFSET]
    while True:
        base = random.SystemRandom().randrange(10_000, 30_000)
        if all(_is_free(base + offset) for offset in offsets):
            return base


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


@dataclass(slots=True)
class RunningShop:
    """The whole shop, as `python -m shop up` runs it."""

    data: Path
    base_port: int
    process: "subprocess.Popen[str]"
    environ: dict[str, str]

    def url(self, service: str) -> str:
        """Base URL of a service's HTTP side."""
        return Settings(data=self.data, base_port=self.base_port).url(service)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of the shop on the same data folder."""
        return subprocess.run(
            [sys.executable, "-m", "shop", *arguments, "--data", str(self.data)],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def wait_until(self, condition: Callable[[], bool], within_s: float, what: str) -> float:
        """Poll until a condition holds; return the seconds it took, or fail with the logs' tail."""
        began = time.monotonic()
        while time.monotonic() - began < within_s:
            with contextlib.suppress(httpx.HTTPError):
                if condition():
                    return time.monotonic() - began
            time.sleep(0.05)
        tails = {log.name: log.read_text()[-2000:] for log in (self.data / "logs").glob("*.log")}
        pytest.fail(f"not within {within_s} s: {what}\n{tails}")


def start_shop(data: Path, *options: str, **environ: str) -> RunningShop:
    """Start `python -m shop up` on free ports; wait until it says that all services are ready."""
    base_port = free_base_port()
    known = {name: value for name, value in os.environ.items() if not name.startswith(("SHOP_", "OTEL_"))}
    full_environ = known | {"PYTHONPATH": os.pathsep.join(map(str, SOURCES))} | environ
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "shop",
            "up",
            "--data",
            str(data),
            "--base-port",
            str(base_port),
            "--traffic",
            "0",
            *options,
        ],
        env=full_environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "services are ready" in line:
            return RunningShop(data, base_port, process, full_environ)
    pytest.fail(f"the shop did not come up: code {process.wait()}")


def stop_shop(shop: RunningShop) -> int:
    """Stop the shop as a terminal would; return its exit code."""
    shop.process.send_signal(signal.SIGINT)
    code = shop.process.wait(timeout=15)
    if shop.process.stdout is not None:
        shop.process.stdout.close()
    return code


def pid_of(shop: RunningShop, service: str) -> int | None:
    """Find the process of one of a shop's services."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_text().split("\0")
            environ = (entry / "environ").read_text()
        except OSError:
            continue
        if words[2:5] == ["shop", "run", service] and f"SHOP_DATA={shop.data}\0" in environ:
            return int(entry.name)
    return None


@contextlib.contextmanager
def temporary_database(postgres_url: str) -> Iterator[str]:
    """Make an empty PostgreSQL database for as long as it is needed; give its URL."""
    name = f"shop_test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def drop_stream(nats_url: str, prefix: str) -> None:
    """Remove a shop's stream; skip the test where the server keeps no streams."""
    client = await nats.connect(nats_url)
    try:
        await client.jetstream().delete_stream(Settings(Path(), nats_prefix=prefix).order_stream)
    except NotFoundError:
        pass
    except (nats.errors.NoRespondersError, ServiceUnavailableError):
        pytest.skip("this NATS server has no JetStream; start it with -js")
    finally:
        await client.close()
