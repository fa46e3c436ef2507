"""The real app over HTTP: built from settings as `holdfast up` builds it, with nothing replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.kernel.settings import load
from holdfast.web.server import bind, serve

Running = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def ops(tmp_path: Path) -> Path:
    """An empty ops folder."""
    folder = tmp_path / "ops"
    folder.mkdir()
    return folder


@pytest.fixture
def running(tmp_path: Path, ops: Path) -> Running:
    """Start the app on `tmp_path/data` and give a client of it; sections of settings are keyword arguments."""

    @asynccontextmanager
    async def run(**sections: dict[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
        server = {"data": tmp_path / "data", "ops": ops, "auth": "off", **sections.pop("server", {})}
        otlp = {"grpc_listen": "", **sections.pop("otlp", {})}  # tests at once cannot share the usual port
        settings = load(SECTIONS, environ={}, overrides={"server": server, "otlp": otlp, **sections})
        holdfast = await app.build(settings, {})
        try:
            await holdfast.start()
            transport = httpx.ASGITransport(web.build(holdfast))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                yield client
        finally:
            await holdfast.stop()

    return run


@pytest.fixture
def serving(tmp_path: Path, ops: Path) -> Callable[..., AbstractAsyncContextManager[str]]:
    """Start the app on a free port and give its URL, for clients that are no ASGI ones; takes sections of settings.

    `server={"data": "other"}` is a second server, with a folder of its own.
    """

    @asynccontextmanager
    async def run(**sections: dict[str, Any]) -> AsyncIterator[str]:
        own = sections.pop("server", {})
        server = {"ops": ops, "auth": "off", **own, "data": tmp_path / own.get("data", "data")}
        overrides = {"server": server, "otlp": {"grpc_listen": ""}, **sections}
        settings = load(SECTIONS, environ={}, overrides=overrides)
        holdfast = await app.build(settings, {})
        started, stop = asyncio.Event(), asyncio.Event()
        try:
            await holdfast.start()
            listener = bind("127.0.0.1", 0)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            answering = asyncio.create_task(
                serve(web.build(holdfast), listener, settings[web.WebSettings], stop=stop, started=started.set)
            )
            await started.wait()
            try:
                yield url
            finally:
                stop.set()
                await answering
        finally:
            await holdfast.stop()

    return run
