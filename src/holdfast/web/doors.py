"""Watches the answers to requests that bring signals, so that what a door refuses is counted with its reason."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from holdfast.kernel.auth import ADMITTED
from holdfast.telemetry import answering
from holdfast.web.asgi import header

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from holdfast.kernel.auth import Identity
    from holdfast.telemetry import RefusedAtDoors
    from holdfast.web.asgi import AsgiApp, Message, Receive, Scope, Send

_TENANT: Final = b"x-scope-orgid"


class WatchedDoors:
    """Wraps the app; what is no request to a door passes untouched."""

    def __init__(self, app: AsgiApp, refused: RefusedAtDoors) -> None:
        self._app = app
        self._refused = refused

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        is_http = scope["type"] == "http"
        signal = self._refused.signal_of(scope["method"], scope["path"]) if is_http else None
        if signal is None:
            return self._app(scope, receive, send)
        return self._watch(partial(self._refused.note, signal), scope, receive, send)

    async def _watch(self, note: Callable[..., None], scope: Scope, receive: Receive, send: Send) -> None:
        admitted: list[Identity] = []
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with answering() as call:
            await self._app({**scope, ADMITTED: admitted}, receive, watched)
        if not call.has_told:
            length = header(scope["headers"], b"content-length") or b""
            note(
                status,
                admitted=admitted[-1].tenant if admitted else None,
                named=(header(scope["headers"], _TENANT) or b"").decode("latin-1"),
                size=int(length) if length.isdigit() else 0,
            )
