"""A byte stream with a bound, for protocols that are spoken a line or a frame at a time.

It knows no protocol. A peer that sends more than `limit` bytes unread is cut off.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, cast

from holdfast.health.probes.attempts import now_s
from holdfast.health.probes.faults import FaultError
from holdfast.health.probes.network.dialing import dial, secure
from holdfast.kernel.units import format_size

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from holdfast.health.probes.attempts import Attempt
    from holdfast.health.probes.network.addresses import Endpoint
    from holdfast.health.probes.network.trust import TlsOptions

DEFAULT_LIMIT: Final = 1024 * 1024


class Wire(asyncio.Protocol):
    """One connection: bytes wait here until somebody asks for them."""

    def __init__(self, attempt: Attempt, limit: int = DEFAULT_LIMIT) -> None:
        self._attempt = attempt
        self._limit = limit
        self._unread = bytearray()
        self._ended = False
        self._paused = False
        self._error: Exception | None = None
        self._wakes: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport | None = None
        self.tls: ssl.SSLObject | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Store what arrived; stop reading from a peer that floods."""
        self._unread += data
        if len(self._unread) > self._limit and not self._paused and self.transport is not None:
            self._paused = True
            self.transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """The peer will send no more."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._ended = True
        self._error = exc
        self._wake()

    def _wake(self) -> None:
        if self._wakes is not None and not self._wakes.done():
            self._wakes.set_result(None)

    # What a probe calls.

    def send(self, data: bytes) -> None:
        """Send all of `data`."""
        assert self.transport is not None
        self.transport.write(data)

    async def receive_line(self, limit: int = 8192) -> bytes:
        r"""Give the bytes up to the next `\n`, without it and without `\r`.

        Raises:
            FaultError: the peer ended first, or the line is longer than `limit` bytes.
        """
        sought = 0
        while (end := self._unread.find(b"\n", sought)) < 0:
            sought = len(self._unread)
            if sought > limit:
                raise FaultError(f"a line longer than {format_size(limit)} while {self._attempt.stage}")
            await self._more()
        line = bytes(self._unread[:end])
        self._drop(end + 1)
        return line.removesuffix(b"\r")

    async def receive_exactly(self, count: int) -> bytes:
        """Give the next `count` bytes.

        Raises:
            FaultError: the peer ended first, or `count` is more than this wire holds.
        """
        if count > self._limit:
            raise FaultError(f"a message of {format_size(count)} is too large while {self._attempt.stage}")
        while len(self._unread) < count:
            await self._more()
        data = bytes(self._unread[:count])
        self._drop(count)
        return data

    async def receive_some(self) -> bytes:
        """Give what has arrived, waiting for at least one byte; nothing at the end of the stream."""
        while not self._unread:
            if self._ended:
                self._raise_error()
                return b""
            await self._wait()
        data = bytes(self._unread)
        self._drop(len(data))
        return data

    async def _more(self) -> None:
        if self._ended:
            self._raise_error()
            raise FaultError(f"the server closed the connection while {self._attempt.stage}")
        await self._wait()

    async def _wait(self) -> None:
        began_s = now_s()
        self._wakes = asyncio.get_running_loop().create_future()
        try:
            await self._wakes
        finally:
            self._wakes = None
        if self._attempt.first_byte_s is None:
            self._attempt.first_byte_s = now_s() - began_s

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _drop(self, count: int) -> None:
        del self._unread[:count]
        if self._paused and len(self._unread) <= self._limit and self.transport is not None:
            self._paused = False
            self.transport.resume_reading()

    async def start_tls(self, endpoint: Endpoint, options: TlsOptions, alpn: tuple[str, ...] = ()) -> None:
        """Go on in TLS; whatever was sent before it is forgotten, because nobody vouches for it."""
        assert self.transport is not None
        self._unread.clear()
        self.transport, self.tls = await secure(self._attempt, self.transport, endpoint, options, alpn)

    def abort(self) -> None:
        """Cut the connection."""
        if self.transport is not None:
            self.transport.abort()


@asynccontextmanager
async def open_wire(
    attempt: Attempt, endpoint: Endpoint, tls: TlsOptions | None = None, limit: int = DEFAULT_LIMIT
) -> AsyncIterator[Wire]:
    """Connect to `endpoint`, in TLS when `tls` is given, and cut the connection in the end."""
    _, wire = await dial(attempt, endpoint, lambda: Wire(attempt, limit))
    try:
        if tls is not None:
            await wire.start_tls(endpoint, tls)
        yield wire
    finally:
        wire.abort()
