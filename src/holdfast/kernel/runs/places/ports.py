"""What is to be done in a step, and the port of the places where it may be done."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from holdfast.kernel.secrets import Secret

Stream = Literal["stdout", "stderr", "log"]
WriteLine = Callable[[str, str, Mapping[str, Any]], None]  # stream, text, fields
CleanUp = Callable[[], Coroutine[Any, Any, None]]


def write_nowhere(_stream: str, _text: str, _fields: Mapping[str, Any]) -> None:
    """Drop a line."""


def is_ours() -> bool:
    """Tell that nobody else goes on with the work."""
    return False


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run as a step, instead of a function; no shell reads it.

    Attributes:
        argv: the program and its arguments.
        env: added to the environment; values may be secrets.
        cwd: the folder to start in.
        stdin: what the program reads.
        ok: exit codes that are no failure.
        keep_bytes: how much of the end of each output stream the result holds.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str | Secret] = field(default_factory=dict)
    cwd: str = ""
    stdin: bytes = b""
    ok: tuple[int, ...] = (0,)
    keep_bytes: int = 16 * 1024


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended; `stdout` and `stderr` are the ends of what it wrote."""

    exit_code: int
    stdout: str
    stderr: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt of a step.

    Attributes:
        name: the step's key, such as `ship[17]/label`.
        todo: the function, or the command.
        args: what the function is called with.
        named: what the function gets by name; another process can be given `step` only.
        idempotency_key: names the step's effect; the same in every attempt of its group.
        attempt: from 1.
        run_id: of the run.
        timeout_s: what the engine will wait for; it cancels by itself. A place far away may use it as a second net.
        write: takes lines of output; never blocks.
        is_handed_over: told when the work is cancelled: the worker stops and another goes on with the run, so what
            runs far away is to be left there for it.
        later: takes what is to be removed only when the outcome is on the disk, because until then a worker that comes
            after a crash finds the outcome there; None means that nobody comes, so remove it at once.
    """

    name: str
    todo: Callable[..., Any] | Command
    args: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str = ""
    attempt: int = 1
    run_id: str = ""
    timeout_s: float | None = None
    write: WriteLine = write_nowhere
    is_handed_over: Callable[[], bool] = is_ours
    later: Callable[[CleanUp], None] | None = None


class Place(Protocol):
    """Where step code runs."""

    async def run(self, work: Work) -> Any:
        """Do it and give the result, or raise what it raised.

        Cancelling ends the work for real where the place can, and returns once it has.
        """
        ...

    async def close(self) -> None:
        """End what still runs."""
        ...
