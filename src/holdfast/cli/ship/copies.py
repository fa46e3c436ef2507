"""Copies that were made of a file before it was truncated (logrotate's `copytruncate`): they hold what nobody has read.

A copy lies beside its file under a name that goes on from the file's, and holds what was read of it: the first bytes,
and those before where reading stopped. A packed copy is none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

MARK: Final = 256  # bytes that tell one content from another


def hash_of(data: bytes) -> str:
    """Give what stands for some bytes in the state folder, which holds no lines."""
    return hashlib.sha256(data).hexdigest()[:32]


@dataclass(slots=True)
class Marks:
    """How a file is known again: hashes of its first bytes, and of those before `seen`, to where it was read."""

    head: str = ""
    head_length: int = 0
    seen: int = 0
    tail: str = ""  # empty in positions of releases before

    @classmethod
    def of(cls, position: Mapping[str, Any]) -> Marks:
        """Give those of a position that was kept."""
        seen, tail = int(position["offset"]), ""
        if isinstance(position.get("seen"), int) and isinstance(position.get("tail"), str):
            seen, tail = max(seen, position["seen"]), position["tail"]
        return cls(position["head"], int(position["head_length"]), seen, tail)

    def position(self) -> dict[str, Any]:
        """Give what is to be kept of them."""
        return {"head": self.head, "head_length": self.head_length, "seen": self.seen, "tail": self.tail}

    def note(self, chunk: bytes, begin: int, seen: int) -> None:
        """Note that a file was read to `seen`; `chunk` stands in it from `begin`, which is at least `MARK` before."""
        if begin == 0 and self.head_length < MARK:
            self.head_length = min(MARK, seen)
            self.head = hash_of(chunk[: self.head_length])
        self.seen, self.tail = seen, hash_of(chunk[max(0, seen - begin - MARK) : seen - begin])

    def are_in(self, file: BinaryIO) -> bool:
        """Tell whether a file holds what was read."""
        number = file.fileno()
        if os.fstat(number).st_size < self.seen or self.head != hash_of(os.pread(number, self.head_length, 0)):
            return False
        begin = max(0, self.seen - MARK)
        return not self.tail or self.tail == hash_of(os.pread(number, self.seen - begin, begin))


def is_named_after(path: Path, original: Path) -> bool:
    """Tell whether a file lies beside another one under a name that goes on from its."""
    return path.parent == original.parent and path.name != original.name and path.name.startswith(original.name)


def find_copy(original: Path, key: str, marks: Marks) -> BinaryIO | None:
    """Open the file beside a truncated one that holds what was read of it, and perhaps more."""
    try:
        beside = sorted(path for path in original.parent.iterdir() if is_named_after(path, original) and path.is_file())
    except OSError:
        return None
    for path in beside:
        try:
            file = path.open("rb", buffering=0)
        except OSError:
            continue  # gone since it was listed
        status = os.fstat(file.fileno())
        if f"{status.st_dev}:{status.st_ino}" != key and marks.are_in(file):
            return file
        file.close()
    return None
