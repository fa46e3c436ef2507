"""Writes who did what, to a file of its own in which a missing or changed line shows.

Each line holds the hash of the one before (`previous`) and its own (`hash`, SHA-256), so whoever alters, removes or
moves one has to rewrite all that follow; `verify_audit` says where the chain breaks. Level and sampling do not hold for
it, and it is on the disk when the call returns. Keep its last hash elsewhere: a cut at the end shows only so.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from holdfast.journal.context import bound_fields
from holdfast.journal.encoding import clean, encode_json
from holdfast.journal.redaction import redact
from holdfast.journal.rendering import Stamp

FIRST: Final = "0" * 64
TAIL_BYTES: Final = 1 << 17  # longer than any line: values are cut by redaction
OUTCOMES: Final = frozenset({"success", "failure", "denied"})


class AuditLog:
    """An audit log that several processes may write: `audit.write("key.rotated", actor="ada", target="k1")`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stamp = Stamp()
        self._lock = threading.Lock()

    def write(self, action: str, *, actor: str, target: str = "", outcome: str = "success", **fields: Any) -> str:
        """Write one line durably; unlike any other line of the journal it raises when it cannot.

        Args:
            action: What was done, such as `user.role_changed`.
            actor: Who did it.
            target: What it was done to.
            outcome: success, failure or denied.
            fields: What else is to be known; redacted, as are the bound fields, which come along.

        Returns:
            The hash of the line.

        Raises:
            OSError: It is not on the disk. What must not go unrecorded must not be done then.
            ValueError: There is no such outcome.
        """
        if outcome not in OUTCOMES:
            raise ValueError(f"{outcome!r} is no outcome; choose {', '.join(sorted(OUTCOMES))}")
        told = {"actor": actor, "action": action, "target": target, "outcome": outcome}
        extra = {name: value for name, value in {**bound_fields(), **fields}.items() if name not in told}
        line = {"timestamp": self._stamp.now(), **redact(told), **redact(extra)}
        with self._lock:
            fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX)
                previous = _last_hash(fd)
                text, own_hash = _chain(line, previous)
                _write_whole(fd, f"{text}\n".encode())
                os.fsync(fd)
            finally:
                os.close(fd)
        return own_hash


def verify_audit(lines: Iterable[str], *, last_hash: str = "") -> int:
    """Check an audit log, and give how many lines it has.

    Args:
        lines: Its lines, such as an open file.
        last_hash: What `write` gave for its last line, if it was kept elsewhere.

    Raises:
        ValueError: The chain breaks; the message names the line.
    """
    previous, count = FIRST, 0
    for count, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            claimed = line.pop("hash")
            is_whole = line.pop("previous") == previous and _chain(line, previous)[1] == claimed
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"line {count} is no line of an audit log: {error}") from error
        if not is_whole:
            raise ValueError(f"the chain breaks at line {count}: it, or one before it, was changed, removed or moved")
        previous = claimed
    if last_hash and previous != last_hash:
        raise ValueError(f"the log ends at line {count} with another hash than the one kept: lines are missing")
    return count


def _chain(line: Mapping[str, Any], previous: str) -> tuple[str, str]:
    """Give a line with its place in the chain, and its hash."""
    linked = json.loads(clean(encode_json({**line, "previous": previous})))
    own_hash = hashlib.sha256(json.dumps(linked, sort_keys=True).encode()).hexdigest()
    return encode_json({**linked, "hash": own_hash}), own_hash


def _last_hash(fd: int) -> str:
    """Read the hash of the last whole line; half a line, which a crash left, ends the chain loudly at the check."""
    size = os.fstat(fd).st_size
    if not size:
        return FIRST
    tail = os.pread(fd, TAIL_BYTES, max(0, size - TAIL_BYTES))
    lines = tail.rstrip(b"\n").split(b"\n")
    try:
        return str(json.loads(lines[-1])["hash"])
    except (ValueError, KeyError, TypeError) as error:
        raise OSError(
            f"the audit log ends in half a line ({error}): move it aside, keep it, and begin a new one"
        ) from error


def _write_whole(fd: int, data: bytes) -> None:
    size = os.fstat(fd).st_size
    try:
        while data:
            data = data[os.write(fd, data) :]
    except OSError:
        os.ftruncate(fd, size)  # under the lock: nobody wrote behind it
        raise
