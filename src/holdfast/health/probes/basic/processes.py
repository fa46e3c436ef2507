"""A child process in a group of its own, with bounded output, that never outlives its attempt."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final, cast

MAX_OUTPUT_BYTES: Final = 256 * 1024
_OUT: Final = 1
_DEATH_S: Final = 1.0
_LAST_WORDS_S: Final = 1.0


class Process(asyncio.SubprocessProtocol):
    """Collects the first part of each output; the rest is read and dropped, or the command would stop."""

    def __init__(self) -> None:
        self._kept = {1: bytearray(), 2: bytearray()}
        self._open_pipes = {1, 2}
        self._drained = asyncio.Event()
        self._exited = asyncio.Event()
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what there is room for."""
        kept = self._kept[fd]
        kept += data[: MAX_OUTPUT_BYTES - len(kept)]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Note that one output has ended."""
        self._open_pipes.discard(fd)
        if not self._open_pipes:
            self._drained.set()

    def process_exited(self) -> None:
        """Note that the command itself has ended; its children may still hold the pipes."""
        self._exited.set()

    async def wait(self) -> int:
        """Wait for the command, kill its children, read the last words; give its exit code, or minus the signal."""
        await self._exited.wait()
        self.kill()
        with suppress(TimeoutError):  # a child in a session of its own may hold the pipes for ever
            async with asyncio.timeout(_LAST_WORDS_S):
                await self._drained.wait()
        assert self._transport is not None
        code = self._transport.get_returncode()
        assert code is not None
        return code

    def kill(self) -> None:
        """Kill all that is left of the process group."""
        assert self._transport is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._transport.get_pid(), signal.SIGKILL)

    async def end(self) -> None:
        """Kill the process group, wait for its death, close the pipes."""
        assert self._transport is not None
        self.kill()
        try:
            with suppress(TimeoutError):  # a process that waits for a dead disk dies later
                async with asyncio.timeout(_DEATH_S):
                    await self._exited.wait()
        finally:
            self._transport.close()

    def output(self, fd: int = _OUT) -> str:
        """Give what was kept of the standard output (1) or the error output (2)."""
        return self._kept[fd].decode("utf-8", "replace")


@asynccontextmanager
async def start(argv: tuple[str, ...], env: Mapping[str, str], directory: str) -> AsyncIterator[Process]:
    """Start a command in a new session; kill whatever is left of its group in the end.

    Raises:
        OSError: it cannot be started.
        ValueError: an argument holds a null byte.
    """
    loop = asyncio.get_running_loop()
    starting = asyncio.ensure_future(
        loop.subprocess_exec(
            Process, *argv, stdin=asyncio.subprocess.DEVNULL, env=dict(env), cwd=directory, start_new_session=True
        )
    )
    try:
        # Shielded: asyncio leaks the pipes of a start that is cancelled half-way.
        _, process = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):
            _, process = await starting
            await process.end()
        raise
    try:
        yield process
    finally:
        await process.end()
