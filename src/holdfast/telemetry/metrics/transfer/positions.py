"""How far an import has come, kept beside the file, so that an import that broke off goes on where it was.

The server has accepted everything before the position; what is sent again is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """What was sent of one file to one place. `identity` tells whether it is still the same file and place."""

    identity: str
    position: int = 0
    samples: int = 0
    refused: int = 0


def identify(file: Path, *parts: str) -> str:
    """Give what tells this state of the file, and where it goes, from others."""
    stat = file.stat()
    return "|".join((str(stat.st_size), str(stat.st_mtime_ns), *parts))


def sidecar(file: Path) -> Path:
    """Give where the progress of `file` is kept."""
    return file.with_name(f".{file.name}.holdfast-import")


def load_progress(file: Path, identity: str) -> Progress:
    """Give how far this file has come; from the start if it or its destination is another."""
    try:
        kept = orjson.loads(sidecar(file).read_bytes())
        if kept["identity"] == identity:
            return Progress(identity, int(kept["position"]), int(kept["samples"]), int(kept.get("refused", 0)))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Progress(identity)


def save_progress(file: Path, progress: Progress) -> None:
    """Keep it, as a whole or not at all."""
    target = sidecar(file)
    fresh = target.with_name(f"{target.name}.new")
    fresh.write_bytes(orjson.dumps(progress))
    fresh.replace(target)


def forget_progress(file: Path) -> None:
    """Forget it: the file is done."""
    sidecar(file).unlink(missing_ok=True)
