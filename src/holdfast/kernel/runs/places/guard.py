"""A program of its own between us and a step's process: whatever ends us ends that process and all that it has started.

Run by path, needs nothing but the standard library. It reads one line of JSON from a socket, starts what stands there,
and then waits for the process to end, for `t` (terminate, then kill) or for the socket to close (we died: kill).
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1  # prctl(2)
_PR_SET_CHILD_SUBREAPER = 36


def prctl(option: int, value: int) -> None:
    """Ask the kernel; elsewhere than on Linux process groups alone have to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def main() -> None:
    """Guard one process; `argv` is the number of the socket."""
    line = socket.socket(fileno=int(sys.argv[1]))
    line.set_inheritable(False)
    order = json.loads(_read_line(line))
    prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans below us come to us instead of to init
    wake, waker = socket.socketpair()
    for end in (wake, waker):
        end.settimeout(0)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _heed)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child, problem = _start(order)
    _let_go_of_output(order["fds"])
    status = -1
    try:
        if not problem:
            status = _wait(child, line, wake, order["grace_s"])
    except BaseException:
        _signal_group(child, signal.SIGKILL)
        _kill_the_rest()
        raise
    _kill_the_rest()
    report = json.dumps({"status": status, "problem": problem})
    with suppress(OSError):  # nobody is left to tell
        line.sendall(report.encode() + b"\n")
    os._exit(0)


def _heed(_number: int, _frame: Any) -> None:
    """Let the wake-up socket tell of it."""


def _read_line(line: socket.socket) -> bytes:
    read = bytearray()
    while not read.endswith(b"\n"):
        piece = line.recv(65536)
        if not piece:
            os._exit(0)
        read += piece
    return bytes(read)


def _start(order: dict[str, Any]) -> tuple[int, str]:
    """Fork and run the command; give its pid, and why it could not be run."""
    told, tell = os.pipe()  # closes by itself when the command begins
    guard = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            _become(order, guard)
        except OSError as error:
            os.write(tell, (error.strerror or str(error)).encode())
        except (ValueError, TypeError) as error:
            os.write(tell, str(error).encode())
        os._exit(127)
    os.close(tell)
    with os.fdopen(told, "rb") as answer:
        return child, answer.read().decode(errors="replace")


def _become(order: dict[str, Any], guard: int) -> NoReturn:
    os.setpgid(0, 0)
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != guard:
        os._exit(127)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    if order["memory_bytes"]:
        resource.setrlimit(resource.RLIMIT_AS, (order["memory_bytes"], order["memory_bytes"]))
    if order["cwd"]:
        try:
            os.chdir(order["cwd"])
        except OSError as error:
            raise ValueError(f"the folder {order['cwd']}: {error.strerror}") from None
    ours = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    argv = order["argv"]
    os.execvpe(argv[0], argv, {**ours, **order["env"]})  # noqa: S606 - no shell is what is wanted


def _let_go_of_output(fds: list[int]) -> None:
    """Close our copies, so that the pipes end with the last process that writes."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    for number in fds:
        os.close(number)


def _wait(child: int, line: socket.socket, wake: socket.socket, grace_s: float) -> int:
    """Wait for the end of `child`, and bring it about when told to; give its wait status."""
    deadline: float | None = None
    is_told = False
    poller = (
        select.poll()
    )  # select(2) knows no descriptor over 1,023, and ours has the number that it had in the server
    for each in (line, wake):
        poller.register(each, select.POLLIN)
    while True:
        limit_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        readable = {number for number, _ in poller.poll(limit_ms)}
        if wake.fileno() in readable:
            wake.recv(4096)
        status = _reap(child)
        if status is not None:
            return status
        if deadline is not None and time.monotonic() >= deadline:
            _signal_group(child, signal.SIGKILL)
            deadline = None
        if line.fileno() in readable:
            if _hear(line) != b"t":
                raise SystemExit  # and with us everything below
            if not is_told:
                is_told, deadline = True, time.monotonic() + grace_s
                _signal_group(child, signal.SIGTERM)


def _hear(line: socket.socket) -> bytes:
    try:
        return line.recv(1)
    except OSError:
        return b""


def _reap(child: int) -> int | None:
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = status


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_the_rest() -> None:
    """Kill what the process has left behind, until nothing below us lives."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            for orphan in _children():
                with suppress(ProcessLookupError):
                    os.kill(orphan, signal.SIGKILL)
            os.waitpid(-1, 0)


def _children() -> list[int]:
    """Give the pids whose parent we are; their own children come to us when they die."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdigit():
            with suppress(OSError), open(f"/proc/{name}/stat", "rb") as told:
                if int(told.read().rpartition(b")")[2].split()[1]) == os.getpid():
                    found.append(int(name))
    return found


if __name__ == "__main__":
    main()
