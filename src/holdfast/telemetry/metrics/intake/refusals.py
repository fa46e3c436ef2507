"""What of a request was refused: how many by which reason, and the first few in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_TOLD: Final = 5


@dataclass(slots=True)
class Refusals:
    """Grows while a request is decoded; `bool` tells whether anything was refused."""

    counts: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def total(self) -> int:
        """How many in all."""
        return self.counts.total()

    def add(self, reason: str, count: int, message: str = "") -> None:
        """Refuse `count` samples."""
        self.counts[reason] += count
        if message:
            self.tell(message)

    def tell(self, message: str) -> None:
        """Say why, if not too much was said already."""
        if len(self.told) < MOST_TOLD:
            self.told.append(message)

    def add_all(self, refused: Mapping[str, int]) -> None:
        """Take over what the sink refused."""
        for reason, count in refused.items():
            if count:
                self.counts[reason] += count

    def describe(self, what: str = "samples") -> str:
        """Say it in one line for the sender; `what` were refused."""
        counts = ", ".join(f"{count} by {reason}" for reason, count in sorted(self.counts.items()))
        return "; ".join([f"{self.total} {what} were refused ({counts}), the others are stored", *self.told])
