"""Compresses answers with zstd or gzip, as the client asks. Streams of events pass untouched, so that none waits.

An answer that arrives in one piece is compressed in one go, a large one in a thread; a longer one piece by piece.
"""

from __future__ import annotations

import asyncio
import re
import sys
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from isal import isal_zlib

from holdfast.web.asgi import header

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from holdfast.web.asgi import AsgiApp, Headers, Message, Receive, Scope, Send

SMALLEST: Final = 1024  # below this the headers cost more than the body saves, and small secrets stay unmixed
_BIG: Final = 1 << 18  # from here on it takes longer than a millisecond
GZIP_LEVEL: Final = 1  # of ISA-L: at most a tenth larger than zlib's 6, in an eighteenth to a third of its time
ZSTD_LEVEL: Final = 3
_COMPRESSIBLE: Final = re.compile(rb"text/(?!event-stream)|application/(.*\+)?(json|javascript|xml|yaml)|image/svg")


class Compression:
    """Wraps the app."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        encoding = choose_encoding(header(scope["headers"], b"accept-encoding")) if scope["type"] == "http" else ""
        if not encoding or scope["method"] == "HEAD":
            return self._app(scope, receive, send)
        return self._app(scope, receive, _Answer(send, encoding).send)


@lru_cache(64)  # browsers and libraries send the same few
def choose_encoding(accepted: bytes | None) -> str:
    """Give `zstd`, `gzip` or nothing, by what the client accepts (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in (accepted or b"").decode("latin-1").lower().split(","):
        name, _, parameters = part.partition(";")
        _, _, weight = parameters.partition("q=")
        try:
            weights[name.strip()] = float(weight) if weight else 1.0
        except ValueError:
            weights[name.strip()] = 0.0
    other = weights.get("*", 0.0)
    best = max(("zstd", "gzip"), key=lambda name: weights.get(name, other))
    return best if weights.get(best, other) > 0 else ""


def compressor(encoding: str) -> Any:
    """Give an object with `compress` and `flush`."""
    if encoding == "zstd":
        return zstd.ZstdCompressor(ZSTD_LEVEL)
    return isal_zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)


def pack(body: bytes, encoding: str) -> bytes:
    """Compress a body that is sent many times as small as it gets."""
    if encoding == "zstd":
        return zstd.compress(body, 12)
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()


class _Answer:
    __slots__ = ("_compressor", "_encoding", "_send", "_start")

    def __init__(self, send: Send, encoding: str) -> None:
        self._send = send
        self._encoding = encoding
        self._start: Message | None = None
        self._compressor: Any = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if _is_compressible(message):
                self._start = message  # held back until the first piece shows whether it is worth it
            else:
                await self._send(message)
        elif self._start is not None:
            await self._begin(self._start, message)
            self._start = None
        elif self._compressor is not None:
            await self._continue(message)
        else:
            await self._send(message)

    async def _begin(self, start: Message, message: Message) -> None:
        body, has_more = message.get("body", b""), message.get("more_body", False)
        headers: Headers = [*start["headers"], (b"vary", b"accept-encoding")]
        if not has_more and len(body) < SMALLEST:
            await self._send({**start, "headers": headers})
            await self._send(message)
            return
        self._compressor = compressor(self._encoding)
        headers = [pair for pair in headers if pair[0].lower() != b"content-length"]
        headers.append((b"content-encoding", self._encoding.encode()))
        if not has_more:
            body = self._whole(body) if len(body) < _BIG else await asyncio.to_thread(self._whole, body)
            headers.append((b"content-length", str(len(body)).encode()))
            await self._send({**start, "headers": headers})
            await self._send({**message, "body": body})
            return
        await self._send({**start, "headers": headers})
        await self._continue(message)

    def _whole(self, body: bytes) -> bytes:
        packed: bytes = self._compressor.compress(body) + self._compressor.flush()
        return packed

    async def _continue(self, message: Message) -> None:
        has_more = message.get("more_body", False)
        body = self._compressor.compress(message.get("body", b""))
        if not has_more:
            body += self._compressor.flush()
        if body or not has_more:
            await self._send({**message, "body": body})


def _is_compressible(start: Message) -> bool:
    headers = start.get("headers", [])
    kind = header(headers, b"content-type")
    return bool(
        start["status"] not in {204, 206, 304}
        and kind is not None
        and _COMPRESSIBLE.match(kind)
        and header(headers, b"content-encoding") is None
    )
