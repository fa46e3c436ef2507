"""What really happened, written where no crash of ours can take it back: one line per effect, in the order of effects.

Lines of several processes never mix (one write each, O_APPEND), and what a killed process wrote stays with the system.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Effect:
    """One execution of a step's function."""

    run: str
    step: str
    nonce: str
    after: dict[str, str]
    pid: int


@dataclass(frozen=True, slots=True)
class Started:
    """A start that was acknowledged to its caller."""

    key: str
    run: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """A process that is stopped for longer than its lease, and then goes on."""

    pid: int


Line = Effect | Started | Frozen
KINDS: dict[str, type[Line]] = {"effect": Effect, "started": Started, "frozen": Frozen}


class Ledger:
    """The file of one trial."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def record(self, kind: str, **fields: Any) -> None:
        """Append one line."""
        line = json.dumps({"kind": kind, **fields}) + "\n"
        handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def execute(self, run: str, step: str, after: dict[str, str]) -> str:
        """Record that a step's function ran, knowing what the steps before it gave; give what only this call gives."""
        nonce = uuid.uuid4().hex[:12]
        self.record("effect", run=run, step=step, nonce=nonce, after=after, pid=os.getpid())
        return nonce

    def read(self) -> list[Line]:
        """Give all lines in their order."""
        lines: list[Line] = []
        for text in self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []:
            fields = json.loads(text)
            lines.append(KINDS[fields.pop("kind")](**fields))
        return lines
