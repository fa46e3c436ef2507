"""`up`: every service in a process of its own, started together, started again when one dies, stopped together.

It is no init system: what a container platform does better is left to it. A child that loses its supervisor stops by
itself: each holds the reading end of a pipe whose writing end only the supervisor has.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast.resilience import Backoff, Pauses
from shop.control import ask
from shop.errors import ShopError
from shop.residence import move_in
from shop.settings import LIFELINE, ServiceName, Settings

GRACE_S = 6.0
BACKOFF = Backoff(base_s=0.3, cap_s=10.0, jitter="none")
STABLE_S = 20.0
READY_TIMEOUT_S = 60.0
LOG_LIMIT_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Program:
    """One child: its name, its arguments after `python -m shop`, and where it says that it is ready."""

    name: str
    arguments: Sequence[str]
    ready_url: str | None = None


def supervise(settings: Settings, environ: Mapping[str, str], traffic: Sequence[str] | None) -> int:
    """Run the shop until SIGINT or SIGTERM; return the exit code.

    Raises:
        ShopError: The folder or a port is taken.
    """
    with move_in(settings.data, settings.base_port):
        _refuse_taken_ports(settings)
        programs = [Program(name.value, ["run", name.value], f"{settings.url(name)}/readyz") for name in ServiceName]
        late = [] if traffic is None else [Program("traffic", ["traffic", *traffic])]
        return asyncio.run(_Supervisor(settings, environ).run(programs, late))


class _Supervisor:
    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._logs = settings.data / "logs"
        self._read_end, self._write_end = os.pipe()
        self._environ = dict(environ) | {
            "SHOP_DATA": str(settings.data),
            "SHOP_HOST": settings.host,
            "SHOP_BASE_PORT": str(settings.base_port),
            LIFELINE: str(self._read_end),
        }
        self._stopping = asyncio.Event()

    async def run(self, programs: Sequence[Program], late: Sequence[Program]) -> int:
        """Keep the programs running until a signal comes; `late` ones start when the others are ready."""
        self._logs.mkdir(exist_ok=True)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        async with asyncio.TaskGroup() as tasks:
            for program in programs:
                tasks.create_task(self._keep(program))
            tasks.create_task(self._cut_logs())
            announcing = tasks.create_task(self._announce(programs))
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait([announcing, stopping], return_when=asyncio.FIRST_COMPLETED)
            for program in [] if stopping.done() else late:
                tasks.create_task(self._keep(program))
            await stopping
            announcing.cancel()
            _say("stopping")
        _say("stopped")
        return 0

    async def _keep(self, program: Program) -> None:
        """Start a program again and again; wait longer when it dies young."""
        pauses = Pauses(BACKOFF)
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_once(program)
            if self._stopping.is_set():
                return
            if time.monotonic() - began > STABLE_S:
                pauses.reset()
            pause_s = pauses.next_s()
            _say(f"{program.name:<10} ended with {_describe(code)}; again in {pause_s:g} s ({self._log(program)})")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _run_once(self, program: Program) -> int:
        with self._log(program).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "shop", *program.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environ,
                pass_fds=[self._read_end],
                start_new_session=True,
            )
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ended.done():
            process.terminate()
            await asyncio.wait([ended], timeout=GRACE_S)
        if not ended.done():
            process.kill()
        return await ended

    async def _announce(self, programs: Sequence[Program]) -> None:
        began = time.monotonic()
        services = [program for program in programs if program.ready_url]
        are_ready = await asyncio.gather(*(self._announce_one(program, began) for program in services))
        if all(are_ready):
            _say(f"all {len(services)} services are ready after {time.monotonic() - began:.1f} s")

    async def _announce_one(self, program: Program, began: float) -> bool:
        while time.monotonic() - began < READY_TIMEOUT_S:
            # Until its peers are up a service is not ready: it is asked again, not yet reported.
            with contextlib.suppress(OSError, ValueError):
                reply = await asyncio.to_thread(ask, program.ready_url or "")
                if reply.status == 200:
                    _say(f"{program.name:<10} {program.ready_url}  ready after {time.monotonic() - began:.1f} s")
                    return True
            await asyncio.sleep(0.1)
        _say(f"{program.name:<10} is not ready after {READY_TIMEOUT_S:g} s; see {self._log(program)}")
        return False

    async def _cut_logs(self) -> None:
        """Keep each log under its limit; children append, so that truncating under them is safe."""
        while not self._stopping.is_set():
            for log in self._logs.glob("*.log"):
                if log.stat().st_size > LOG_LIMIT_BYTES:
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 30)

    def _log(self, program: Program) -> Path:
        return self._logs / f"{program.name}.log"


def _refuse_taken_ports(settings: Settings) -> None:
    ports = {name.value: settings.http_port(name) for name in ServiceName}
    for service, port in (ports | {"inventory's gRPC": settings.grpc_port}).items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings.host, port))
            except OSError as error:
                detail = f"port {port} for {service} is taken. Free it, or give another --base-port."
                raise ShopError(detail) from error


def _describe(code: int) -> str:
    return f"code {code}" if code >= 0 else signal.Signals(-code).name


def _say(line: str) -> None:
    # A reader that went away is no reason to stop the shop.
    with contextlib.suppress(BrokenPipeError):
        print(f"shop: {line}", flush=True)
