"""Asks the app a few times whether it is ready, before anybody else does: code that runs first takes ten times as long.

The same that probes ask, over no connection. These requests are counted like any other.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from holdfast.web.asgi import AsgiApp, Message

TIMES: Final = 10  # CPython specialises code that has run eight times
_HEADERS: Final = [(b"host", b"localhost"), (b"accept", b"*/*"), (b"accept-encoding", b"gzip")]


async def rehearse(app: AsgiApp) -> None:
    """Ask; raises nothing, for the request fence answers whatever goes wrong."""
    for _ in range(TIMES):
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/readyz",
            "raw_path": b"/readyz",
            "query_string": b"",
            "root_path": "",
            "headers": list(_HEADERS),
            "client": None,
            "server": None,
        }
        await app(scope, _wait, _forget)


async def _wait() -> Message:
    """Wait, as a client does that stays for its answer."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable: nobody sets it")


async def _forget(message: Message) -> None:
    """Take what would go to a client."""
