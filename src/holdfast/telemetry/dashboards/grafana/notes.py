"""The list of what an import could not map: where it stands in the file, and what it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

MOST: Final = 1000  # who has more has other worries


@dataclass(frozen=True, slots=True)
class Unmapped:
    """Something of Grafana's that has no counterpart here."""

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class Notes:
    """The list, as it grows."""

    found: list[Unmapped] = field(default_factory=list)

    def add(self, path: str, what: str) -> None:
        """Note one."""
        if len(self.found) < MOST:
            self.found.append(Unmapped(path, what))
