"""Step code in a process of its own: what can be ended for real, limited in memory, and heard line by line."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from holdfast.kernel.runs.places.errors import StepPlaceError
from holdfast.kernel.runs.places.guarded import GRACE_S, Guarded, Order, describe_exit, started
from holdfast.kernel.runs.places.lines import LineCutter, Tail
from holdfast.kernel.runs.places.ports import Command, CommandResult, Stream, Work
from holdfast.kernel.runs.places.remote import CALLEE, Answers, spell_request
from holdfast.kernel.runs.places.verdicts import judge_command
from holdfast.kernel.secrets import Secret
from holdfast.resilience import bulkhead

MOST_PROCESSES: Final = 16
MOST_WAITING: Final = 100_000  # steps; more than a few fan-outs have items
MAX_RESULT_BYTES: Final = 32 * 1024 * 1024

_AFTER_ANSWER_S: Final = 10.0  # for a process that has answered, but does not end
_PIECE_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class Process:
    """How a step's process is run; `ctx.step(..., place=Process(memory_bytes=...))`.

    Attributes:
        memory_bytes: most address space that it may take; 0 means no limit. Beyond it Python raises MemoryError.
        grace_s: from SIGTERM to SIGKILL.
    """

    memory_bytes: int = 0
    grace_s: float = GRACE_S


class ProcessMetrics:
    """Counts the processes of steps; shared by every `ProcessPlace`."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        self.running = Gauge("holdfast_run_processes", "Processes of steps that run now.", registry=registry)
        self.queued = Gauge("holdfast_run_processes_queued", "Steps that wait for a process.", registry=registry)
        self.ended = Counter(
            "holdfast_run_processes_ended_total",
            "Processes of steps by how they ended: ok, failed, killed.",
            ("outcome",),
            registry=registry,
        )


class ProcessPlace:
    """Runs functions and commands, each in a fresh process; at most `most` at once, others wait."""

    def __init__(
        self,
        *,
        most: int = MOST_PROCESSES,
        max_result_bytes: int = MAX_RESULT_BYTES,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._room = bulkhead(most, queue=MOST_WAITING, name="run_processes")
        self._max_result_bytes = max_result_bytes
        self._metrics = ProcessMetrics(registry)

    async def run(self, work: Work, options: Process | None = None) -> Any:
        """Run it; cancelling sends SIGTERM, after the grace SIGKILL, and leaves nothing of it alive."""
        options = options or Process()
        run = self._run_command if isinstance(work.todo, Command) else self._run_function
        async with contextlib.AsyncExitStack() as place:
            with self._metrics.queued.track_inprogress():
                await place.enter_async_context(self._room)
            outcome = "killed"
            try:
                with self._metrics.running.track_inprogress():
                    result = await run(work, options)
                outcome = "ok"
            except Exception:
                outcome = "failed"
                raise
            finally:
                self._metrics.ended.labels(outcome).inc()
            return result

    async def close(self) -> None:
        """Whatever still runs is ended by the cancelling of its step."""

    async def _run_command(self, work: Work, options: Process) -> CommandResult:
        command = work.todo
        assert isinstance(command, Command)
        if not command.argv:
            raise StepPlaceError(f"step {work.name}: the command is empty")
        order = Order(
            command.argv,
            env={name: _reveal(value) for name, value in command.env.items()},
            cwd=command.cwd,
            stdin=command.stdin,
            memory_bytes=options.memory_bytes,
            grace_s=options.grace_s,
        )
        tails = {"stdout": Tail(command.keep_bytes), "stderr": Tail(command.keep_bytes)}
        listener = Listener(work, tails)
        async with started(order, listener.take) as process:
            code = await process.wait()
        listener.end()
        return judge_command(work, command, code, tails)

    async def _run_function(self, work: Work, options: Process) -> Any:
        answers = Answers(work, self._max_result_bytes)
        listener = Listener(work)
        ours, theirs = socket.socketpair()
        ours.settimeout(0)
        with ours, theirs:
            order = Order(
                (sys.executable, "-P", str(CALLEE), str(theirs.fileno())),
                stdin=spell_request(work, is_near=True),
                memory_bytes=options.memory_bytes,
                grace_s=options.grace_s,
                fds=(theirs.fileno(),),
            )
            try:
                async with started(order, listener.take) as process:
                    theirs.close()
                    ending = await _hear_out(process, answers, ours)
            finally:
                listener.end()
        return answers.settle(ending)


class Listener:
    """Passes what a process writes on to the run's log, line by line."""

    def __init__(self, work: Work, tails: dict[str, Tail] | None = None) -> None:
        self._work = work
        self._tails = tails or {}
        self._cutters: dict[Stream, LineCutter] = {"stdout": LineCutter(), "stderr": LineCutter()}

    def take(self, stream: Stream, data: bytes) -> None:
        """Take some bytes of one stream."""
        if stream in self._tails:
            self._tails[stream].feed(data)
        for line in self._cutters[stream].feed(data):
            self._work.write(stream, line, {})

    def end(self) -> None:
        """Pass on the last lines, although they have no end."""
        for stream, cutter in self._cutters.items():
            for line in cutter.feed(b"", is_end=True):
                self._work.write(stream, line, {})


async def _hear_out(process: Guarded, answers: Answers, line: socket.socket) -> str:
    """Wait for the answer and the process' end; one that lingers too long after its answer is ended."""
    hearing = asyncio.create_task(_hear(line, answers))
    ending = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({hearing, ending}, return_when=asyncio.FIRST_COMPLETED)
        if hearing.done():
            hearing.result()
            await asyncio.wait({ending}, timeout=_AFTER_ANSWER_S)
            if not ending.done():
                await process.stop()
        code = await ending
        await hearing
    finally:
        hearing.cancel()
        ending.cancel()
        await asyncio.gather(hearing, ending, return_exceptions=True)
    return describe_exit(code)


async def _hear(line: socket.socket, answers: Answers) -> None:
    loop = asyncio.get_running_loop()
    while not answers.is_complete and (piece := await loop.sock_recv(line, _PIECE_BYTES)):
        answers.feed(piece)


def _reveal(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
