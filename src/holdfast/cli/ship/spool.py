"""The disk buffer: each batch is a file with the positions behind it, so that a kill at any time loses nothing.

A batch is on the disk before the positions count as passed; it goes when the server has it. A batch sent again is the
same to the byte, so that the server knows it.
"""

from __future__ import annotations

import fcntl
import gzip
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from holdfast.kernel.errors import ConflictError, InvalidError, Place

_POSITIONS: Final = "positions.json"
_SUFFIX: Final = ".batch"


def _positions(document: Any) -> dict[str, Any]:
    """Give where each source goes on; raises `ValueError` or `TypeError` where it does not say so."""
    positions = dict(document)
    for position in positions.values():
        if not (_is_cursor(position) or _is_offset(position)):
            raise ValueError(position)
    return positions


def _is_cursor(position: Any) -> bool:
    return isinstance(position, dict) and isinstance(position.get("cursor"), str)


def _is_offset(position: Any) -> bool:
    if not isinstance(position, dict):
        return False
    texts, numbers = (position.get("path"), position.get("head")), (position.get("offset"), position.get("head_length"))
    return all(isinstance(each, str) for each in texts) and all(isinstance(at, int) and at >= 0 for at in numbers)


class Spool:
    """One folder, of one process; `most_bytes` bounds it."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self.most_bytes = most_bytes
        self._lock = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise ConflictError(
                f"another process ships with the state in {folder}", hint="stop it, or choose another --state"
            ) from None
        for torn in folder.glob("*.tmp"):
            torn.unlink()
        batches = [path for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdecimal()]
        self._sizes = {int(path.stem): path.stat().st_size for path in batches}
        try:
            self._saved, self.positions = self._read_positions()
        except InvalidError:
            self._lock.close()
            raise
        self._next = max([self._saved, *self._sizes]) + 1
        self.first_fresh = self._next  # those before it may have been sent by an earlier process

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def is_full(self) -> bool:
        """Whether no more may be added until the server has taken something."""
        return self.size_bytes >= self.most_bytes

    @property
    def size_bytes(self) -> int:
        """What waits."""
        return sum(list(self._sizes.values()))

    def append(self, body: bytes, positions: Mapping[str, Any]) -> None:
        """Put a batch on the disk, with the positions behind it."""
        number = self._next
        data = orjson.dumps(positions) + b"\n" + gzip.compress(body, 3)
        self._write(f"{number:016d}{_SUFFIX}", data)
        self._next, self.positions = number + 1, dict(positions)
        self._sizes[number] = len(data)

    def oldest(self) -> tuple[int, bytes] | None:
        """Give the number and the gzipped body of the batch to be sent next."""
        if not self._sizes:
            return None
        number = min(list(self._sizes))
        return number, self._path(number).read_bytes().partition(b"\n")[2]

    def drop(self, number: int) -> None:
        """Forget a batch, which the server has now; its positions stay."""
        path = self._path(number)
        if number > self._saved:
            positions = path.read_bytes().partition(b"\n")[0]
            self._write(_POSITIONS, orjson.dumps({"number": number, "positions": orjson.loads(positions)}))
            self._saved = number
        path.unlink()
        del self._sizes[number]

    def close(self) -> None:
        """Let another process have it."""
        self._lock.close()

    def _read_positions(self) -> tuple[int, dict[str, Any]]:
        saved, positions = 0, {}
        path = self._folder / _POSITIONS
        if path.exists():
            try:
                document = orjson.loads(path.read_bytes())
                saved, positions = int(document["number"]), _positions(document["positions"])
            except (ValueError, KeyError, TypeError):
                hint = "remove it to read all files from their start again"
                raise InvalidError("it holds no positions", hint=hint, place=Place(file=str(path))) from None
        if self._sizes and max(self._sizes) > saved:
            path = self._path(max(self._sizes))
            try:
                positions = _positions(orjson.loads(path.read_bytes().partition(b"\n")[0]))
            except (ValueError, TypeError):
                hint = "move it away to go on before it; its lines are read again"
                raise InvalidError("it is no batch of lines", hint=hint, place=Place(file=str(path))) from None
        return saved, positions

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:016d}{_SUFFIX}"

    def _write(self, name: str, data: bytes) -> None:
        torn = self._folder / f"{name}.tmp"
        with torn.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        torn.rename(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
