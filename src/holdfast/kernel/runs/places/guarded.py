"""Starts a process behind a guard, follows its output, and ends it with everything that it has started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import orjson

from holdfast.kernel.runs.places.errors import StepDiedError, StepPlaceError

GUARD: Final = str(Path(__file__).with_name("guard.py"))
GRACE_S: Final = 5.0

_PIECE_BYTES: Final = 65536
_SLACK_S: Final = 5.0  # how long a guard may take beyond the grace before it is killed itself

Take = Callable[[Literal["stdout", "stderr"], bytes], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What a guard is told to start; `memory_bytes` 0 means no limit."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""
    stdin: bytes = b""
    memory_bytes: int = 0
    grace_s: float = GRACE_S
    fds: tuple[int, ...] = ()


class _Ears(asyncio.SubprocessProtocol):
    """Hears the output of a process, and its end."""

    def __init__(self, take: Take) -> None:
        loop = asyncio.get_running_loop()
        self._take = take
        self.has_exited: asyncio.Future[None] = loop.create_future()
        self.is_silent: asyncio.Future[None] = loop.create_future()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Pass it on."""
        self._take("stdout" if fd == 1 else "stderr", data)

    def process_exited(self) -> None:
        """Its guard has ended."""
        if not self.has_exited.done():
            self.has_exited.set_result(None)

    def connection_lost(self, _error: Exception | None) -> None:
        """Nobody is left who could write."""
        for told in (self.has_exited, self.is_silent):
            if not told.done():
                told.set_result(None)


class Guarded:
    """One process and its guard; its output is passed on until its end, also while it is being ended."""

    def __init__(self, transport: asyncio.SubprocessTransport, ears: _Ears, line: socket.socket, order: Order) -> None:
        self._transport = transport
        self._ears = ears
        self._line = line
        self._order = order
        self._ending = asyncio.create_task(self._follow(), name=f"guarded:{order.argv[0]}")

    async def wait(self) -> int:
        """Wait for its end; give its exit code, negative for a signal.

        Raises:
            StepPlaceError: it could not be started.
            StepDiedError: its guard was killed.
        """
        return await asyncio.shield(self._ending)

    async def stop(self) -> None:
        """SIGTERM to the process group, after the grace SIGKILL, and to all that is left below it."""
        try:
            if not self._ending.done():
                with contextlib.suppress(OSError):
                    await asyncio.get_running_loop().sock_sendall(self._line, b"t")
                await asyncio.wait({self._ending}, timeout=self._order.grace_s + _SLACK_S)
        finally:
            await self._end()

    async def _end(self) -> None:
        """See to it that nothing is left, at once."""
        try:
            if not self._ending.done():
                with contextlib.suppress(OSError):
                    self._line.shutdown(socket.SHUT_WR)  # the guard kills everything
                await asyncio.wait({self._ending}, timeout=_SLACK_S)
        finally:
            self._ending.cancel()
            self._transport.close()  # kills a guard that still lives, and that takes its child along
            await asyncio.gather(self._ending, return_exceptions=True)

    async def _follow(self) -> int:
        self._feed()
        await asyncio.shield(self._ears.has_exited)
        loop, report = asyncio.get_running_loop(), bytearray()
        with contextlib.suppress(OSError):
            while piece := await loop.sock_recv(self._line, _PIECE_BYTES):
                report += piece
        if not report:
            raise StepDiedError("the guard of the step's process was killed", hint="is the machine out of memory?")
        told = orjson.loads(report)
        if told["problem"]:
            raise StepPlaceError(f"{self._order.argv[0]} cannot be run: {told['problem']}")
        await asyncio.shield(self._ears.is_silent)
        return os.waitstatus_to_exitcode(told["status"])

    def _feed(self) -> None:
        stdin: Any = self._transport.get_pipe_transport(0)  # uvloop's is no asyncio.WriteTransport
        if stdin is not None:
            stdin.write(self._order.stdin)
            stdin.close()  # once it is written


@asynccontextmanager
async def started(order: Order, take: Take) -> AsyncIterator[Guarded]:
    """Start a process; leaving the block ends it, for real, whatever happened inside."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    with ours:
        with theirs:
            transport, ears = await loop.subprocess_exec(
                lambda: _Ears(take),
                sys.executable,
                *("-I", "-S", GUARD, str(theirs.fileno())),
                stdin=subprocess.PIPE if order.stdin else subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *order.fds),
                start_new_session=True,  # a Ctrl-C on our terminal is for us
            )
        guarded = Guarded(transport, ears, ours, order)
        try:
            with contextlib.suppress(OSError):  # a guard that is dead already is told by `wait`
                await loop.sock_sendall(ours, _spell(order))
            yield guarded
        finally:
            await guarded.stop()


def describe_exit(code: int) -> str:
    """Say how a process ended, as people do."""
    if code >= 0:
        return f"exited with status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
    return f"was killed by {name}" + (" (out of memory?)" if -code == signal.SIGKILL else "")


def _spell(order: Order) -> bytes:
    told: dict[str, Any] = {
        "argv": order.argv,
        "env": dict(order.env),
        "cwd": order.cwd,
        "memory_bytes": order.memory_bytes,
        "grace_s": order.grace_s,
        "fds": order.fds,
    }
    return orjson.dumps(told) + b"\n"
