"""An allowance of records and letters per second that gathers up to a burst; what is taken beyond it is owed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Allowance:
    """What a sender may still send; negative where more was taken at once than there was.

    An arrival is taken whole while anything is left, so that one larger than the burst is not refused for ever.
    """

    lines_per_s: float
    bytes_per_s: float
    burst_s: float
    at_s: float
    lines: float = 0.0
    letters: float = 0.0

    def __post_init__(self) -> None:
        self.lines, self.letters = self.lines_per_s * self.burst_s, self.bytes_per_s * self.burst_s

    def wait_s(self, now_s: float) -> float:
        """Give how long until something may be sent again; 0 for now."""
        passed, self.at_s = max(0.0, now_s - self.at_s), now_s
        self.lines = min(self.lines + passed * self.lines_per_s, self.lines_per_s * self.burst_s)
        self.letters = min(self.letters + passed * self.bytes_per_s, self.bytes_per_s * self.burst_s)
        waits = [0.0]
        if self.lines_per_s and self.lines <= 0:
            waits.append((1 - self.lines) / self.lines_per_s)
        if self.bytes_per_s and self.letters <= 0:
            waits.append((1 - self.letters) / self.bytes_per_s)
        return max(waits)

    def take(self, lines: int, letters: int) -> None:
        """Take note of what was sent."""
        self.lines -= lines
        self.letters -= letters
