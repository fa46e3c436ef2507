"""The list of what an import could not map: where it stands in the file, and what it was."""

from __future__ import annotations

from dataclasses import dataclass, field


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
        self.found.append(Unmapped(path, what))
