"""What of a request was refused: how many by which reason, and the first few in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_TOLD: Final = 5
LIMIT: Final = "limit"  # the reason of a series that a limit keeps out


@dataclass(slots=True)
class Refusals:
    """Grows while a request is decoded; `bool` tells whether anything was refused.

    `of_services` are those of `counts` of which the service is known, by reason and service. Columns may hold, in the
    place of a reference, what `code` gives for a reason and a service.
    """

    counts: Counter[str] = field(default_factory=Counter)
    of_services: Counter[tuple[str, str]] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)
    codes: dict[tuple[str, str], int] = field(default_factory=dict)
    coded: list[tuple[str, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def total(self) -> int:
        """How many in all."""
        return self.counts.total()

    def add(self, reason: str, count: int, message: str = "", service: str = "") -> None:
        """Refuse `count` samples of a service, if it is known."""
        self.counts[reason] += count
        if service and count:
            self.of_services[reason, service] += count
        if message:
            self.tell(message)

    def tell(self, message: str) -> None:
        """Say why, if not too much was said already."""
        if len(self.told) < MOST_TOLD:
            self.told.append(message)

    def code(self, reason: str, service: str) -> int:
        """Give what stands, in the place of a reference, for what is refused of a service; below 0, for `add_coded`."""
        key = (reason, service)
        found = self.codes.get(key)
        if found is None:
            self.coded.append(key)
            found = self.codes[key] = -len(self.coded)
        return found

    def add_coded(self, code: int, count: int = 1) -> None:
        """Refuse samples by what `code` gave."""
        reason, service = self.coded[-1 - code]
        self.add(reason, count, service=service)

    def shares(self, reason: str, count: int) -> list[tuple[str, int]]:
        """Give the services of which `count` were refused for a reason, with the rest under no name."""
        known = [(service, each) for (why, service), each in self.of_services.items() if why == reason]
        rest = count - sum(each for _, each in known)
        return [*known, ("", rest)] if rest > 0 else known

    def add_all(self, refused: Mapping[str, int]) -> None:
        """Take over what the sink refused."""
        for reason, count in refused.items():
            if count:
                self.counts[reason] += count

    def describe(self, what: str = "samples") -> str:
        """Say it in one line for the sender; `what` were refused."""
        counts = ", ".join(f"{count} by {reason}" for reason, count in sorted(self.counts.items()))
        return "; ".join([f"{self.total} {what} were refused ({counts}), the others are stored", *self.told])
