"""The journal of systemd, by `journalctl` as a process of its own; the cursor of the last entry is the position."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any, Final

import orjson

from holdfast.cli.ship.entries import Batch, Entry
from holdfast.kernel.errors import UnavailableError
from holdfast.resilience import Backoff, Pauses

KEY: Final = "journald"
_WAITING: Final = 10_000
_AGAIN: Final = Backoff(base_s=0.5, cap_s=30.0, jitter="equal")
_LEVELS: Final = ("fatal", "critical", "critical", "error", "warn", "info", "info", "debug")


class Journald:
    """Follows the journal; a `Source`."""

    def __init__(self, program: str, labels: Mapping[str, str], known: Mapping[str, Any]) -> None:
        self._program = program
        self._labels = labels
        self._cursor = str(known.get(KEY, {}).get("cursor", ""))
        self._lines: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._pauses = Pauses(_AGAIN)
        self._again_s = 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def fill(self, batch: Batch, *, is_last: bool) -> None:
        """Add the entries that came; starts `journalctl` again where it has ended."""
        while not batch.is_full:
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                break
            self._take(line, batch)
        has_ended = self._process is None or self._process.poll() is not None
        if has_ended and self._lines.empty() and not is_last and time.monotonic() >= self._again_s:
            self._start()

    def positions(self) -> Mapping[str, Any]:
        """Give the cursor."""
        return {KEY: {"cursor": self._cursor}} if self._cursor else {}

    def close(self) -> None:
        """End `journalctl`."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        self._again_s = time.monotonic() + self._pauses.next_s()
        where = (f"--after-cursor={self._cursor}",) if self._cursor else ("--lines=0",)
        command = (self._program, "--output=json", "--follow", "--no-pager", *where)
        try:
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)  # noqa: S603 -- the user's own program
        except OSError as error:
            hint = "is systemd here? --journalctl names the program"
            raise UnavailableError(f"{self._program} cannot be started: {error}", hint=hint) from None
        threading.Thread(target=self._read, args=(self._process,), name="journald", daemon=True).start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        for line in process.stdout or ():
            self._lines.put(line)

    def _take(self, line: bytes, batch: Batch) -> None:
        try:
            said = orjson.loads(line)
            cursor, ts_ns = str(said["__CURSOR"]), int(said["__REALTIME_TIMESTAMP"]) * 1000
        except (ValueError, KeyError, TypeError):
            return  # journalctl's own words, or the half line of one that was killed
        self._cursor = cursor
        self._pauses.reset()
        unit = _text(said.get("_SYSTEMD_UNIT")).removesuffix(".service")
        service = unit or _text(said.get("SYSLOG_IDENTIFIER")) or "unknown_service"
        named = (("host_name", "_HOSTNAME"), ("process_pid", "_PID"), ("syslog_identifier", "SYSLOG_IDENTIFIER"))
        pairs = {name: text for name, field in named if (text := _text(said.get(field)))}
        priority = _text(said.get("PRIORITY"))
        if priority.isdecimal() and int(priority) < len(_LEVELS):
            pairs["detected_level"] = _LEVELS[int(priority)]
        labels = {"service_name": service, **self._labels}
        batch.add(Entry(tuple(sorted(labels.items())), ts_ns, _text(said.get("MESSAGE")), pairs))


def _text(said: Any) -> str:
    """Give a field as text: journalctl writes bytes as numbers, fields that stand twice as lists."""
    if isinstance(said, list):
        if all(isinstance(each, int) and 0 <= each < 256 for each in said):
            return bytes(said).decode(errors="replace")
        return "\n".join(map(_text, said))
    return "" if said is None else str(said)
