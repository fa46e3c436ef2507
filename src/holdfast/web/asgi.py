"""The types of ASGI, and small steps that several middlewares take. No framework: it runs per request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from holdfast import journal
from holdfast.kernel.http import problems

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


def header(pairs: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Give the first header called `name`, in lower case, or None."""
    for key, value in pairs:  # a loop, not a generator, which takes three times as long and is on the way of each call
        if key == name or key.lower() == name:
            return value
    return None


async def send_problem(send: Send, error: Exception) -> None:
    """Answer with the problem document of `error`."""
    problem = problems.describe(error, correlation_id=journal.correlation_id())
    body = problem.body()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in problem.headers.items()),
    ]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
