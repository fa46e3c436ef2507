"""The demo's child processes: started in groups of their own, logged to files, and always cleaned up."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast.kernel.errors import UnavailableError

_GRACE_S: Final = 15.0
_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


@dataclass(slots=True)
class Child:
    """A process and the file that holds what it said."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def demand_alive(self) -> None:
        """Raise UnavailableError with the last lines of its log when it has ended."""
        if self.process.poll() is not None:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise UnavailableError(f"{self.name} ended with exit code {self.process.returncode}:\n{tail}")

    def stop(self) -> None:
        """Ask it to end, then make it; its whole group with it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_GRACE_S)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def started(name: str, command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> Iterator[Child]:
    """Run `command` with this Python until the block ends; its output goes to `folder/<name>.log`."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own modules, with arguments that we chose
            [sys.executable, *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=dict(environ),
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - the demo has one thread, so forking is safe
        )
    child = Child(name, process, log)
    try:
        yield child
    finally:
        child.stop()


def _end_with_parent() -> None:
    """Have Linux end this process when the demo dies, however it dies."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
